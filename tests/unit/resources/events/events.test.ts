import { expect, test } from 'bun:test'
import { F, O } from '../../../../src/kernel/constants/fcntl.ts'
import { EFD } from '../../../../src/kernel/constants/poll.ts'
import { CLOCK, TFD } from '../../../../src/kernel/constants/time.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { close, must } from '../../../../src/kernel/sys.ts'
import { FilesJob } from '../files/job.ts'
import { fieldOf, get, noOwner, pass, put, setTimer } from './job.ts'

const EAGAIN = -11
const HOUR = 3_600_000_000_000n

test('an eventfd keeps its counter up to the largest, its flags and its mode', () => {
  using job = new FilesJob()
  const made = [
    must('eventfd2', 41, EFD.NONBLOCK),
    must('eventfd2', 0, EFD.NONBLOCK),
    must('eventfd2', 2, EFD.NONBLOCK | EFD.SEMAPHORE),
  ]
  put(made[1]!, 0xffff_ffff_ffff_fffen)
  const fds = pass(job, ...made)
  expect(must('fcntl', fds[0]!, F.GETFL)).toBe(O.RDWR | O.NONBLOCK)
  expect(put(fds[1]!, 1n)).toBe(EAGAIN)
  expect(fds.map(get)).toEqual([41n, 0xffff_ffff_ffff_fffen, 1n])
  expect(fds.map(get)).toEqual([EAGAIN, EAGAIN, 1n])
  for (const fd of fds) close(fd)
})

test('entries of eventfd and signalfd have what upstream writes', () => {
  using job = new FilesJob()
  using s = scratch()
  const mask = s.take(8)
  mask.view.setBigUint64(0, 0xa00n, true)
  const fds = [must('eventfd2', 41, EFD.NONBLOCK), must('signalfd4', -1, mask.address, 8, 0)]
  const restored = pass(job, ...fds)
  expect(job.images.readAll('files').map(({ type, efd, sgfd }) => efd ?? { type, sgfd })).toEqual([
    { id: 1, flags: 2050, fown: noOwner, counter: 41n },
    { type: 9, sgfd: { id: 2, flags: 2, fown: noOwner, sigmask: 0xa00n } },
  ])
  expect(fieldOf(restored[1]!, 'sigmask')).toBe('0000000000000a00')
  for (const fd of restored) close(fd)
})

test('timerfds of each clock go on with the time that is left', () => {
  using job = new FilesJob()
  const clocks = [CLOCK.REALTIME, CLOCK.MONOTONIC, CLOCK.BOOTTIME]
  const made = clocks.map((clock) => must('timerfd_create', clock, TFD.NONBLOCK))
  for (const fd of made) setTimer(fd, 0, HOUR, 5n)
  const fds = pass(job, ...made)
  expect(fds.map((fd) => Number(fieldOf(fd, 'clockid')))).toEqual(clocks)
  for (const fd of fds) {
    expect(fieldOf(fd, 'it_value')).toMatch(/^\(359\d, \d+\)$/)
    expect(fieldOf(fd, 'it_interval')).toBe('(0, 5)')
    close(fd)
  }
})

test('a timerfd that was set to a moment keeps its flags and the time that is left', () => {
  using job = new FilesJob()
  const fd = must('timerfd_create', CLOCK.REALTIME, 0)
  const now = BigInt(Date.now()) * 1_000_000n
  setTimer(fd, TFD.TIMER_ABSTIME | TFD.TIMER_CANCEL_ON_SET, now + HOUR)
  const [restored] = pass(job, fd) as [number]
  expect(fieldOf(restored, 'settime flags')).toBe('03')
  expect(fieldOf(restored, 'it_value')).toMatch(/^\(359\d, \d+\)$/)
  close(restored)
})

test('timerfds that are off, have fired, or have expired time and again', async () => {
  using job = new FilesJob()
  const make = () => must('timerfd_create', CLOCK.MONOTONIC, TFD.NONBLOCK)
  const [off, once, often] = [make(), make(), make()]
  setTimer(once, 0, 1n)
  setTimer(often, 0, 1n, 10_000_000n)
  await Bun.sleep(25)
  const fds = pass(job, off, once, often)
  expect(fds.slice(0, 2).map(get)).toEqual([EAGAIN, 1n])
  expect(job.entries[1]!.tfd).toMatchObject({ clockid: 1, ticks: 1n, vsec: 0n, vnsec: 0n })
  expect(job.entries[2]!.tfd!.vnsec).toBeGreaterThan(0n)
  expect(Number(get(fds[2]!))).toBeGreaterThanOrEqual(3)
  for (const fd of fds) close(fd)
})
