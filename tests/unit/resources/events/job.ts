import { expect } from 'bun:test'
import { EPOLL_CTL } from '../../../../src/kernel/constants/poll.ts'
import { epollEvent } from '../../../../src/kernel/layout/files.ts'
import { itimerspec } from '../../../../src/kernel/layout/time.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { fdInfoValue } from '../../../../src/kernel/proc/fdinfo.ts'
import { must, sys } from '../../../../src/kernel/sys.ts'
import { closeAll, type FilesJob, infoOf } from '../files/job.ts'

/** Dumps and closes descriptors; those that a restore gives back. */
export function pass(job: FilesJob, ...fds: number[]): number[] {
  job.dump(...fds)
  expect(job.obstacles).toEqual([])
  closeAll(fds)
  return job.restore()
}

export const noOwner = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 }

export const fieldOf = (fd: number, name: string): string => fdInfoValue(infoOf(fd), name) ?? ''

/** The 64-bit number that one read gives, or −errno. */
export function get(fd: number): bigint | number {
  using s = scratch()
  const memory = s.take(8)
  const got = sys('read', fd, memory.address, 8)
  return got < 0 ? got : memory.view.getBigUint64(0, true)
}

export function put(fd: number, value: bigint): number {
  using s = scratch()
  const memory = s.take(8)
  memory.view.setBigUint64(0, value, true)
  return sys('write', fd, memory.address, 8)
}

/** Nanoseconds. */
export function setTimer(fd: number, flags: number, first: bigint, interval = 0n): void {
  const time = (nanos: bigint) => ({ sec: nanos / 1_000_000_000n, nsec: nanos % 1_000_000_000n })
  using s = scratch()
  const setting = itimerspec.encode({ value: time(first), interval: time(interval) })
  must('timerfd_settime', fd, flags, s.put(setting).address, 0)
}

export function watch(epoll: number, fd: number, events: number, data: bigint): void {
  using s = scratch()
  const event = s.put(epollEvent.encode({ events: events >>> 0, data }))
  must('epoll_ctl', epoll, EPOLL_CTL.ADD, fd, event.address)
}

/** Data of what an epoll reports now, in order. */
export function reported(epoll: number): bigint[] {
  using s = scratch()
  const memory = s.take(64 * epollEvent.size)
  const count = must('epoll_wait', epoll, memory.address, 64, 0)
  return Array.from({ length: count })
    .map((_, i) => epollEvent.read(memory.view, i * epollEvent.size).data)
    .sort((a, b) => Number(a - b))
}
