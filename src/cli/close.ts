import { fail } from '../errors/error.ts'
import { closeSync, readlinkSync } from '../kernel/fs.ts'
import { demand } from '../options/given.ts'
import type { RawOption } from '../options/raw.ts'
import { parseValue } from '../options/values.ts'

/** Closes what `--close` names, of all options that were given. */
export function closeGiven(options: readonly RawOption[]): void {
  for (const { name, value, spelled } of options) {
    if (name !== 'close') continue
    closeInherited(demand(parseValue('number', value), spelled) as number)
  }
}

/**
 * Closes a descriptor that the caller left open (`--close`). One that is not open is refused, and
 * so are those of the runtime itself: taking them from under it would break this process later.
 */
function closeInherited(fd: number): void {
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
