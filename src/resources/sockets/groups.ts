import { AF } from '../../kernel/constants/socket.ts'
import { tryReadProcFile } from '../../kernel/proc/read.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'

/** A multicast group that some socket, or the kernel itself, has joined on a device. */
export interface Group {
  readonly device: string
  readonly index: number
  /** 4 or 16 bytes, in network order. */
  readonly group: Uint8Array
}

/** The groups of a network namespace, read once for each dump. */
export function groupBook(family: number) {
  const known = new WeakMap<DumpContext, Map<number, readonly Group[]>>()
  return {
    of({ task }: FdProbe, dump: DumpContext): readonly Group[] {
      const byNamespace = known.get(dump) ?? new Map<number, readonly Group[]>()
      known.set(dump, byNamespace)
      const id = task.ids?.net_ns_id ?? 0
      const groups = byNamespace.get(id) ?? readGroups(task.proc, family)
      byNamespace.set(id, groups)
      return groups
    },
  }
}

function readGroups(proc: string, family: number): Group[] {
  if (family === AF.INET6) return parseIgmp6(tryReadProcFile(`${proc}/net/igmp6`) ?? '')
  return parseIgmp(tryReadProcFile(`${proc}/net/igmp`) ?? '')
}

/** A line for each device, and below it one for each group, whose number is that of this machine. */
export function parseIgmp(text: string): Group[] {
  let [index, device] = [0, '']
  return text.split('\n').flatMap((line) => {
    const head = /^(\d+)\s+(\S+)/.exec(line)
    if (head) {
      ;[index, device] = [Number(head[1]), head[2]!]
      return []
    }
    const group = /^\s+([0-9A-F]{8})\s/.exec(line)?.[1]
    return group ? [{ device, index, group: Buffer.from(group, 'hex').reverse() }] : []
  })
}

/** A line for each group: device, address, users, flags. */
export function parseIgmp6(text: string): Group[] {
  return text.split('\n').flatMap((line) => {
    const [index, device, group] = line.trim().split(/\s+/)
    if (group?.length !== 32) return []
    return [{ device: device!, index: Number(index), group: Buffer.from(group, 'hex') }]
  })
}
