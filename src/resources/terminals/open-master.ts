import { fail } from '../../errors/error.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { TIOC } from '../../kernel/constants/ioctl.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { fdInfoValue, readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { listPids, tryListFds, tryReadComm } from '../../kernel/proc/tasks.ts'
import { close, open } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { ask } from './ends.ts'

/** A master to be made: by which file, with which index. */
export interface Wanted {
  readonly path: string
  readonly index: number
  /** O_RDWR, nearly always. */
  readonly access: number
}

/**
 * Opens masters so that their slaves have the wanted numbers. The kernel gives the lowest free one, so
 * lower ones that nobody wants are held open until all are there.
 */
export function openMasters(wanted: readonly Wanted[]): LocalFd[] {
  const opened = new Map<Wanted, LocalFd>()
  for (const [path, some] of Map.groupBy(wanted, (one) => one.path))
    openOfInstance(path, new Map(some.map((one) => [one.index, one])), opened)
  return wanted.map((one) => opened.get(one)!)
}

function openOfInstance(
  path: string,
  missing: Map<number, Wanted>,
  opened: Map<Wanted, LocalFd>,
): void {
  const held: LocalFd[] = []
  try {
    while (missing.size > 0) {
      const fd = openOne(path, O.RDWR)
      const index = ask(fd, TIOC.GPTN)
      const one = missing.get(index)
      if (one) {
        opened.set(one, withAccess(fd, one))
        missing.delete(index)
        continue
      }
      held.push(fd)
      // All lower ones are taken: by ourselves, or by others.
      const taken = [...missing.keys()].filter((want) => want < index)
      if (taken.length > 0) failTaken(path, taken[0]!)
    }
  } catch (error) {
    for (const fd of opened.values()) close(fd)
    throw error
  } finally {
    for (const fd of held) close(fd)
  }
}

const openOne = (path: string, access: number): LocalFd =>
  open(path, access | O.NOCTTY | O.NONBLOCK)

/** Which number comes is seen only afterwards; the one that was just given back comes again. */
function withAccess(fd: LocalFd, { path, index, access }: Wanted): LocalFd {
  if (access === O.RDWR) return fd
  close(fd)
  const other = openOne(path, access)
  if (ask(other, TIOC.GPTN) === index) return other
  close(other)
  return failTaken(path, index)
}

function failTaken(path: string, index: number): never {
  const holder = findHolder(index)
  const who = holder === undefined ? 'somebody else' : `process ${holder.pid} (${holder.comm})`
  return fail({
    code: 'conflict',
    path,
    reason: `pseudoterminal ${index} is in use by ${who}, and the restored programs need that number`,
    remedy: holder ? `end process ${holder.pid}` : 'end the program that has it open',
  })
}

/** Who has the master open: its fdinfo tells the index (since Linux 4.16). */
function findHolder(index: number): { pid: number; comm: string } | undefined {
  for (const pid of listPids('/proc')) {
    if (pid !== process.pid && holds(pid, index))
      return { pid, comm: displayPath(tryReadComm(`/proc/${pid}`) ?? '') }
  }
  return undefined
}

function holds(pid: number, index: number): boolean {
  try {
    return (tryListFds(`/proc/${pid}`) ?? [])
      .filter((fd) => tryReadProcLink(`/proc/${pid}/fd/${fd}`)?.endsWith('ptmx'))
      .some((fd) => fdInfoValue(readFdInfo(`/proc/${pid}`, fd), 'tty-index') === String(index))
  } catch {
    return false // it has ended meanwhile, or is none of our business
  }
}
