import type { Messages } from '../../images/gen/messages.ts'
import { NETLINK } from '../../kernel/constants/netlink.ts'
import { tryReadProcFile } from '../../kernel/proc/read.ts'
import type { FdProbe } from '../dump-model.ts'
import type { NetlinkDiag } from './netlink-diag.ts'
import { hasPendingError, receiveMemory } from './pending.ts'
import type { Refusal } from './refusal.ts'

const LET_IT_READ = 'try again once the program has read them'
/** CN_IDX_PROC (linux/connector.h): events of processes. */
const PROC_EVENTS = 1

/**
 * Messages that lie unread are the kernel's own words: nobody else can say them again. Neither can
 * what the kernel keeps for the socket's port: a queue of nfnetlink, a listener of process events.
 */
export function whyNetlinkRefused(
  probe: FdProbe,
  { portid, protocol, groups }: Messages['netlink_sk_entry'],
  diag: NetlinkDiag,
): Refusal | undefined {
  const { local, task } = probe
  if (receiveMemory(local) > 0) return { what: 'with messages not yet read', remedy: LET_IT_READ }
  if (hasPendingError(local))
    return { what: 'with an error not yet read', remedy: 'try again once the program has read it' }
  if (diag.isDumping) return { what: 'with an answer not yet complete', remedy: LET_IT_READ }
  if (protocol === NETLINK.CONNECTOR && groups[0] !== undefined && groups[0] & PROC_EVENTS)
    return { what: 'that is told of processes', remedy: 'let the program close it first' }
  const target = protocol === NETLINK.NETFILTER && netfilterTarget(task.proc, portid)
  if (target) return { what: `that serves ${target}`, remedy: 'let the program close it first' }
  return undefined
}

/** Both tables begin with the number of the queue or group, and the port that has it. */
const TABLES = [
  ['nfnetlink_queue', 'NFQUEUE'],
  ['nfnetlink_log', 'NFLOG'],
] as const

function netfilterTarget(proc: string, portid: number): string | undefined {
  for (const [file, name] of TABLES) {
    const text = tryReadProcFile(`${proc}/net/netfilter/${file}`) ?? ''
    const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
    const [number] = lines.find(([, port]) => port !== undefined && Number(port) === portid) ?? []
    if (number !== undefined && portid !== 0) return `${name} ${number}`
  }
  return undefined
}
