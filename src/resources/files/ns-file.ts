import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { openAs } from '../../kernel/open-as.ts'
import { tryReadLink } from '../../kernel/proc/links.ts'
import type { FdKind } from '../contract.ts'
import type { DumpTask } from '../dump-model.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { partOf } from './entry-part.ts'
import { refuseFile } from './refuse.ts'

type NsEntry = Messages['ns_file_entry']

/** NS of fd_types. */
const TYPE = 14

/** Names under /proc/PID/ns, the flag of clone(2) that makes one, and its id in the images. */
const types = {
  cgroup: { flag: CLONE.NEWCGROUP, id: 'cgroup_ns_id' },
  ipc: { flag: CLONE.NEWIPC, id: 'ipc_ns_id' },
  mnt: { flag: CLONE.NEWNS, id: 'mnt_ns_id' },
  net: { flag: CLONE.NEWNET, id: 'net_ns_id' },
  pid: { flag: CLONE.NEWPID, id: 'pid_ns_id' },
  time: { flag: CLONE.NEWTIME, id: 'time_ns_id' },
  user: { flag: CLONE.NEWUSER, id: 'user_ns_id' },
  uts: { flag: CLONE.NEWUTS, id: 'uts_ns_id' },
} as const

type NsType = keyof typeof types

const isType = (name: string): name is NsType => Object.hasOwn(types, name)

/** Open namespaces (/proc/PID/ns/…): those that a task of the tree is in. */
export const nsFile: FdKind = {
  tag: 'namespace',
  type: TYPE,
  recognise: ({ link }) => link.kind === 'namespace' && isType(link.type),
  dump(probe, id, dump) {
    const { link, flags } = probe
    if (link.kind !== 'namespace' || !isType(link.type)) return undefined
    const member = dump.tasks.find((task) => isIn(task, link))
    const nsId = member?.ids[types[link.type].id]
    if (nsId === undefined) {
      const what = `namespace ${link.type}:[${link.ino}], which no process of the tree is in`
      refuseFile(dump, probe, what, 'let the program close it first')
      return undefined
    }
    return { nsf: { id, ns_id: nsId, ns_cflag: Number(types[link.type].flag), flags } }
  },

  // Once the task is there that is in it.
  late: () => true,
  open(entry, restore) {
    const nsf = partOf(entry, 'nsf')
    const type = typeOf(nsf)
    const task = memberOf(nsf, type, restore)
    return openAs(`/proc/${task?.pid ?? 'self'}/ns/${type}`, nsf.flags)
  },
}

function isIn({ proc }: DumpTask, { type, ino }: { type: string; ino: bigint }): boolean {
  const own = tryReadLink(`${proc}/ns/${type}`)
  return own?.kind === 'namespace' && own.ino === ino
}

function typeOf({ id, ns_cflag }: NsEntry): NsType {
  const found = Object.entries(types).find(([, { flag }]) => Number(flag) === ns_cflag)
  const reason = `file ${id} is a namespace of unknown type 0x${ns_cflag.toString(16)}`
  return (found?.[0] as NsType) ?? fail({ code: 'image', file: 'files.img', reason })
}

/** A task that is in it; undefined: it is the one that the dump itself was in, and so is ours. */
function memberOf(
  { id, ns_id }: NsEntry,
  type: NsType,
  { model }: RestoreContext,
): RestoreTask | undefined {
  const field = types[type].id
  const task = model.tasks.find(({ ids, state }) => state !== 'zombie' && ids[field] === ns_id)
  if (task || model.inventory.root_ids?.[field] === ns_id) return task
  const reason = `file ${id} is ${type} namespace ${ns_id}, which no process is in`
  return fail({ code: 'image', file: 'files.img', reason })
}
