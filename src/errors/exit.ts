import { Errno } from '../kernel/errno.ts'
import { CriuError, type ErrorDetail } from './error.ts'

/** Exit codes of the program, as upstream's. */
export const EXIT_OK = 0
export const EXIT_FAILURE = 1

/**
 * `criu_resp.cr_errno` of an error, positive. Upstream's own: EBADRQC for an option, ESRCH for a
 * process that is not there, EEXIST for a pid that is taken. Undefined: no number would say more
 * than the failure itself.
 */
export function crErrno(error: unknown): number | undefined {
  return error instanceof CriuError ? crErrnoOf(error.detail) : undefined
}

function crErrnoOf(detail: ErrorDetail): number | undefined {
  switch (detail.code) {
    case 'option':
      return Errno.EBADRQC
    case 'vanished':
      return Errno.ESRCH
    case 'conflict':
      return detail.pid === undefined && detail.path === undefined ? undefined : Errno.EEXIST
    case 'obstacles':
      return Errno.ENOTSUP
    case 'syscall':
      return detail.errno
    case 'timeout':
      return Errno.ETIMEDOUT
    case 'image':
    case 'tracee':
    case 'script':
    case 'aborted':
    case 'engine':
    case 'plugin':
    case 'client':
    case 'internal':
      return undefined
    default:
      return detail satisfies never
  }
}
