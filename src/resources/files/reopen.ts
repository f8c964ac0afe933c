import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { O_ASYNC } from './async.ts'

type RegEntry = Messages['reg_file_entry']

/** The part of O_TMPFILE that is not O_DIRECTORY; the kernel keeps it in the flags. */
export const O_TMPFILE_BIT = O.TMPFILE & ~O.DIRECTORY

/** What open(2) does once and the kernel does not keep, and what open(2) cannot set. */
const onceOnly = O.CREAT | O.EXCL | O.TRUNC | O_TMPFILE_BIT | O_ASYNC

/** Flags to open it with again. */
export function openFlags(reg: RegEntry): number {
  const flags = reg.flags & ~onceOnly
  // O_TMPFILE holds O_DIRECTORY, which would refuse the file itself.
  const wasNameless = (reg.flags & O_TMPFILE_BIT) !== 0
  return (wasNameless ? flags & ~O.DIRECTORY : flags) | O.NOCTTY
}

/** Where it is now. Old images have names without the slash at the start. */
export const pathOf = (reg: RegEntry): string =>
  reg.name.startsWith('/') ? reg.name : `/${reg.name}`
