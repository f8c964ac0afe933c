import type { Messages } from '../../images/gen/messages.ts'
import { FS_MAGIC } from '../../kernel/constants/magic.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { SIG } from '../../kernel/constants/signals.ts'
import { WAIT_KIND } from '../../kernel/constants/wait.ts'
import { statfs } from '../../kernel/layout/files.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { openAs } from '../../kernel/open-as.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { checked, must, spawnTable, sys } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import type { FileId, LocalFd } from '../../kernel/types.ts'
import type { DumpContext, DumpTask, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { linkPath, tryFindPath } from './lookup.ts'
import { refuseFile } from './refuse.ts'
import { addDeadProcess } from './remap-dump.ts'
import { deadPidOf } from './remap-restore.ts'
import { openFlags, pathOf } from './reopen.ts'

type RegEntry = Messages['reg_file_entry']

/** The path to write for a file of procfs; undefined: refused. */
export function procPath(probe: FdProbe, id: FileId, dump: DumpContext): string | undefined {
  const path = tryFindPath(probe)
  const name = path ?? linkPath(probe)
  if (name === undefined) return undefined
  const place = placeIn(name)
  const what = `file ${displayPath(name)}`
  if (!place) {
    if (path === undefined) refuseFile(dump, probe, `${what}, hidden under another mount`)
    return path
  }
  if (path === undefined) {
    addDeadProcess(id, place.pid, dump)
    return name
  }
  // pid 1 is there on every machine; any other number outside may be somebody else's at restore.
  if (place.pid === 1 || dump.tasks.some((task) => isOf(task, place.pid))) return path
  const remedy = 'dump a tree that holds this process too, or close the file before the dump'
  refuseFile(dump, probe, `${what} of process ${place.pid}, outside of the tree`, remedy)
  return undefined
}

const isOf = (task: DumpTask, pid: number): boolean =>
  task.nsPid === pid || task.threads.some(({ nsTid }) => nsTid === pid)

interface Place {
  /** The directory that procfs is mounted on. */
  readonly proc: string
  readonly pid: number
  readonly tid: string | undefined
  readonly rest: string
}

/** A path below the directory of one process; procfs prints numbers, never `self`. */
function placeIn(path: string): Place | undefined {
  const match = /^(.*\/proc)\/(\d+)(?:\/task\/(\d+))?(\/.*)?$/s.exec(path)
  if (!match) return undefined
  const [, proc = '', pid, tid, rest = ''] = match
  return { proc, pid: Number(pid), tid, rest }
}

/** Where a file of a restored task's own directory is; undefined for any other file. */
export function tryProcPlace(reg: RegEntry, restore: RestoreContext): Place | undefined {
  const place = placeIn(pathOf(reg))
  if (!place || !isProcfs(place.proc)) return undefined
  if (deadPidOf(reg, restore) !== undefined) return undefined
  return hostPidOf(place.pid, restore) === undefined ? undefined : place
}

function isProcfs(path: string): boolean {
  using s = scratch()
  const memory = s.take(statfs.size)
  if (sys('statfs', s.string(path), memory.address) < 0) return false
  return Number(statfs.read(memory.view, 0).type) === FS_MAGIC.PROC_SUPER_MAGIC
}

function hostPidOf(pid: number, { model }: RestoreContext): number | undefined {
  const task = model.tasks.find(
    ({ nsPid, threads }) => nsPid === pid || threads.some(({ nsTid }) => nsTid === pid),
  )
  if (!task) return undefined
  if (task.nsPid === pid) return task.pid ?? pid
  return task.threads.find(({ nsTid }) => nsTid === pid)?.tid ?? pid
}

/** The path with the numbers that the tasks have now. */
export function procPathNow({ proc, pid, tid, rest }: Place, restore: RestoreContext): string {
  const now = (number: number) => hostPidOf(number, restore) ?? number
  return `${proc}/${now(pid)}${tid === undefined ? '' : `/task/${now(Number(tid))}`}${rest}`
}

/** Room for two records. */
const TABLE_SIZE = 256

/**
 * A file of a process that is gone answers ESRCH for ever. A child that only waits, and then is
 * killed, gives such a file.
 */
export function openOfDead(reg: RegEntry, pid: number): LocalFd {
  using s = scratch()
  const table = new Table(s.take(TABLE_SIZE))
  table.call('pause')
  const child = checked(spawnTable(cloneArgs.encode({ flags: CLONE.VM }), table), 'clone3')
  try {
    const place = placeIn(pathOf(reg)) ?? { proc: '/proc', pid, tid: undefined, rest: '' }
    const thread = place.tid === undefined ? '' : `/task/${child}`
    return openAs(`${place.proc}/${child}${thread}${place.rest}`, openFlags(reg))
  } finally {
    sys('kill', child, SIG.KILL)
    must('wait4', child, 0, WAIT_KIND.ALL, 0)
  }
}
