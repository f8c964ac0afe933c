import { CAP, type CapName, capName, hasCap } from '../../kernel/constants/capability.ts'
import { readStatus } from '../../kernel/proc/status.ts'
import type { Feature } from '../feature.ts'

/** What a privilege is for, beyond our own processes. */
const COSTS: readonly (readonly [CapName, string])[] = [
  ['SYS_PTRACE', 'processes of other users, and those that changed theirs, cannot be dumped'],
  ['SYS_ADMIN', 'processes with seccomp filters or namespaces cannot be dumped or restored'],
  ['SYS_RESOURCE', 'limits above our own, and large pipes, cannot be restored'],
  ['NET_ADMIN', 'connections cannot be locked, and sockets not restored with all their options'],
  ['NET_RAW', 'raw and packet sockets cannot be restored'],
  ['SETUID', 'processes of other users cannot be restored'],
  ['SETGID', 'processes of other groups cannot be restored'],
  ['SETPCAP', 'capabilities that a process had given up cannot be given up for it'],
  ['CHOWN', 'unlinked files of other users cannot be restored'],
  ['DAC_OVERRIDE', 'files that only their owners may open cannot be opened for them'],
  ['DAC_READ_SEARCH', 'what inotify and fanotify watch cannot be opened by its handle'],
  ['FOWNER', 'modes and times of unlinked files of other users cannot be restored'],
  ['KILL', 'signals to processes of other users cannot be sent'],
  ['IPC_LOCK', 'memory that was locked cannot be locked again'],
  ['SYS_NICE', 'scheduling priorities cannot be restored'],
  ['MKNOD', 'unlinked device files cannot be restored'],
  ['LEASE', 'leases on files of other users cannot be restored'],
]

const effective = (): bigint => readStatus('/proc/self').caps.effective

const lacks = (name: CapName): boolean => !hasCap(effective(), CAP[name])

export const privilegeFeatures: readonly Feature[] = [
  {
    name: 'privileges',
    need: 'required',
    what: 'the right to dump and restore (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN)',
    cost: 'no process can be dumped or restored',
    remedy: 'run criu as root, or with CAP_CHECKPOINT_RESTORE (Linux 5.9): then your own processes',
    probe: () =>
      lacks('CHECKPOINT_RESTORE') && lacks('SYS_ADMIN') ? 'criu has neither of the two' : undefined,
  },
  ...COSTS.map(
    ([name, cost]): Feature => ({
      name: `cap_${name.toLowerCase()}`,
      need: 'extra',
      what: capName(CAP[name]),
      cost,
      remedy: `run criu with ${capName(CAP[name])}`,
      probe: () => (lacks(name) ? 'criu does not have it' : undefined),
    }),
  ),
]
