import { fail } from '../../errors/error.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { fdInfoValue, readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { must } from '../../kernel/sys.ts'
import type { FdProbe } from '../dump-model.ts'
import { O_ASYNC } from '../files/async.ts'

/** Files without a name, as /proc/PID/fd shows them: `anon_inode:[eventfd]`. */
export const isAnon = ({ link }: FdProbe, name: string): boolean =>
  link.kind === 'anon' && link.name === name

/** What fdinfo tells of our own copy now; `field` of it must be there. */
export function freshInfo({ local, path }: FdProbe): (field: string) => string {
  const info = readFdInfo('/proc/self', local)
  return (field) => {
    const value = fdInfoValue(info, field)
    return value ?? fail({ code: 'internal', reason: `fdinfo of ${path} has no ${field}` })
  }
}

/**
 * The flags that fcntl can set: of these files O_NONBLOCK alone has a meaning, of sockets others too.
 * O_ASYNC is for `connectOwner`: the kernel keeps the number under which it is set first.
 */
export const setFlags = (fd: number, flags: number): void => {
  must('fcntl', fd, F.SETFL, flags & ~(O.ACCMODE | O_ASYNC))
}
