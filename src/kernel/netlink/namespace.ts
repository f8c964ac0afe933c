import { O } from '../constants/fcntl.ts'
import { CLONE } from '../constants/sched.ts'
import { readlinkSync } from '../fs.ts'
import { must, open, owned } from '../sys.ts'

/** A network namespace as a path: `/proc/PID/ns/net`. */
export type NetNamespace = string

/** Of the thread that calls it: all our calls are made by one. */
export const OWN_NET_NAMESPACE: NetNamespace = '/proc/thread-self/ns/net'

/**
 * Runs `action` in a network namespace. A socket stays in the one where it was made, so only its
 * creation needs to happen there.
 */
export function inNetNamespace<T>(namespace: NetNamespace, action: () => T): T {
  if (readlinkSync(namespace) === readlinkSync(OWN_NET_NAMESPACE)) return action()
  using own = owned(open(OWN_NET_NAMESPACE, O.RDONLY))
  using other = owned(open(namespace, O.RDONLY))
  must('setns', other.fd, CLONE.NEWNET)
  try {
    return action()
  } finally {
    must('setns', own.fd, CLONE.NEWNET)
  }
}
