import { EPOLL, POLL } from '../../kernel/constants/poll.ts'
import { pollfd } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { must } from '../../kernel/sys.ts'

/** Bits that say how to report, not what (EP_PRIVATE_BITS of fs/eventpoll.c). */
const HOW = (EPOLL.WAKEUP | EPOLL.ONESHOT | EPOLL.ET | EPOLL.EXCLUSIVE) >>> 0

/** Every event that an epoll knows. */
export const EVERYTHING =
  POLL.IN |
  POLL.PRI |
  POLL.OUT |
  POLL.ERR |
  POLL.HUP |
  POLL.RDNORM |
  POLL.RDBAND |
  POLL.WRNORM |
  POLL.WRBAND |
  POLL.MSG |
  POLL.RDHUP

/** What is waited for, as poll(2) takes it. */
export const waitedFor = (events: number): number => events & ~HOW & EVERYTHING

export const isEdge = (events: number): boolean => (events & EPOLL.ET) !== 0

/** A one-shot that has fired, and waits to be armed by EPOLL_CTL_MOD: nothing is waited for. */
export const isSpent = (events: number): boolean =>
  (events & EPOLL.ONESHOT) !== 0 && (events & ~HOW) === 0

/** As many as one poll is asked for; a process may have a limit of 1024 descriptors. */
const CHUNK = 512

/** What is ready now: for each descriptor whether one of its events is (poll(2), without waiting). */
export function areReady(asked: readonly { fd: number; events: number }[]): boolean[] {
  const ready: boolean[] = []
  for (let at = 0; at < asked.length; at += CHUNK) {
    using s = scratch()
    const some = asked.slice(at, at + CHUNK)
    const memory = s.take(some.length * pollfd.size)
    for (const [i, one] of some.entries())
      pollfd.write(memory.view, i * pollfd.size, { ...one, revents: 0 })
    must('poll', memory.address, some.length, 0)
    for (const i of some.keys()) ready.push(pollfd.read(memory.view, i * pollfd.size).revents !== 0)
  }
  return ready
}
