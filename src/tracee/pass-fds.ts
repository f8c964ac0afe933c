import { scratch } from '../kernel/memory.ts'
import { checked, close, sys } from '../kernel/sys.ts'
import type { Slot } from '../kernel/table.ts'
import { type HostPid, type LocalFd, type TraceeFd, traceeFd } from '../kernel/types.ts'
import { checkRun, type Runner } from './run.ts'

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_CMSG_CLOEXEC = 0x40000000
/** pidfd_open of a thread that is no leader; since Linux 6.9. */
const PIDFD_THREAD = 0o200
/** SCM_MAX_FD of the kernel. */
const MAX_FDS = 253

const IOVEC = 16
const MSGHDR = 56
const CMSG_HEADER = 16

/**
 * A socket pair with one end in a task and one with us, through which descriptors go into the task. It
 * needs no common file system, root or user with it: 0.4 ms, also into a chrooted task without rights.
 */
export class FdChannel implements Disposable {
  readonly #runner: Runner
  /** Number of the task's end. It stays open there: closing it is the caller's. */
  readonly end: TraceeFd
  readonly #ours: number

  /** `tid`: the thread whose descriptor table the runner's calls work on. */
  constructor(runner: Runner, tid: HostPid) {
    this.#runner = runner
    const table = runner.table()
    const pair = table.space(8)
    table.call('socketpair', AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)
    runner.run(table, 'make a channel for descriptors')
    const [mine, theirs] = [pair.view.getInt32(0, true), pair.view.getInt32(4, true)]
    this.end = traceeFd(theirs)
    const pidfd = checked(sys('pidfd_open', tid, PIDFD_THREAD), 'pidfd_open of a thread', {
      pid: tid,
      remedy: 'Linux 6.9 or later is needed',
    })
    this.#ours = checked(sys('pidfd_getfd', pidfd, mine, 0), 'pidfd_getfd', { pid: tid })
    close(pidfd)
    const closing = runner.table()
    closing.call('close', mine)
    runner.run(closing)
  }

  /** Passes descriptors; their numbers in the task, where they are close-on-exec. */
  send(fds: readonly LocalFd[]): TraceeFd[] {
    const passed: TraceeFd[] = []
    for (let at = 0; at < fds.length; at += MAX_FDS)
      passed.push(...this.#sendSome(fds.slice(at, at + MAX_FDS)))
    return passed
  }

  [Symbol.dispose](): void {
    close(this.#ours)
  }

  #sendSome(fds: readonly LocalFd[]): TraceeFd[] {
    using s = scratch()
    const mine = message((size) => {
      const { address, bytes, view } = s.take(size)
      return { address, bytes, view }
    }, fds.length)
    for (const [i, fd] of fds.entries()) mine.control.view.setInt32(CMSG_HEADER + i * 4, fd, true)
    checked(sys('sendmsg', this.#ours, mine.header.address, 0), 'sendmsg of descriptors')
    const table = this.#runner.table()
    const theirs = message((size) => table.space(size), fds.length)
    table.call('recvmsg', this.end, theirs.header, MSG_CMSG_CLOEXEC)
    this.#runner.run(table, 'receive descriptors')
    checkRun(table, this.#runner.pid)
    return fds.map((_, i) => traceeFd(theirs.control.view.getInt32(CMSG_HEADER + i * 4, true)))
  }
}

/** A struct msghdr with one byte of data and room for some descriptors, filled in for sending. */
function message(space: (size: number) => Slot, fds: number): { header: Slot; control: Slot } {
  const byte = space(8)
  const iovec = space(IOVEC)
  const length = CMSG_HEADER + fds * 4
  const control = space((length + 7) & ~7)
  const header = space(MSGHDR)
  iovec.view.setBigUint64(0, byte.address, true)
  iovec.view.setBigUint64(8, 1n, true)
  control.view.setBigUint64(0, BigInt(length), true)
  control.view.setInt32(8, SOL_SOCKET, true)
  control.view.setInt32(12, SCM_RIGHTS, true)
  header.view.setBigUint64(16, iovec.address, true)
  header.view.setBigUint64(24, 1n, true)
  header.view.setBigUint64(32, control.address, true)
  header.view.setBigUint64(40, BigInt(control.bytes.length), true)
  return { header, control }
}
