import { fail } from '../errors/error.ts'
import { closeSync, readlinkSync } from '../kernel/fs.ts'

/**
 * Closes a descriptor that the caller left open (`--close`). One that is not open is refused, and
 * so are those of the runtime itself: taking them from under it would break this process later.
 */
export function closeInherited(fd: number): void {
  const target = tryReadlink(`/proc/self/fd/${fd}`)
  if (target === undefined) refuse(`names descriptor ${fd}, which is not open`)
  else if (/^anon_inode:\[(eventpoll|eventfd|timerfd|io_uring)\]$/.test(target)) {
    refuse(`names descriptor ${fd}, which criu itself uses (${target})`)
  } else closeSync(fd)
}

const refuse = (reason: string): never => fail({ code: 'option', option: '--close', reason })

function tryReadlink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
