import { expect, test } from 'bun:test'
import { CriuError } from '../../../../src/errors/error.ts'
import { unknownFields } from '../../../../src/images/message.ts'
import { EPOLL, POLL } from '../../../../src/kernel/constants/poll.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { close, must } from '../../../../src/kernel/sys.ts'
import { ownFieldsOf, withOwnFields } from '../../../../src/resources/events/epoll-fields.ts'
import { isSpent, waitedFor } from '../../../../src/resources/events/epoll-items.ts'
import { FilesJob, infoOf } from '../files/job.ts'
import { get, noOwner, pass, put, reported, watch } from './job.ts'

const makeEpoll = (): number => must('epoll_create1', 0)
const makeEvent = (count = 0): number => must('eventfd2', count, 0x800)

/** Its targets as the kernel shows them, sorted. */
const targetsOf = (fd: number): string[] =>
  infoOf(fd)
    .rest.filter(([key]) => key === 'tfd')
    .map(([, value]) => value)
    .sort()

test('an epoll keeps numbers, events and data of its targets', () => {
  using job = new FilesJob()
  const [epoll, ready, quiet] = [makeEpoll(), makeEvent(1), makeEvent()]
  watch(epoll, ready, POLL.IN, 0xffff_ffff_ffff_ffffn)
  watch(epoll, quiet, POLL.IN | EPOLL.EXCLUSIVE, 7n)
  const before = targetsOf(epoll)
  const [e, r, q] = pass(job, epoll, ready, quiet) as [number, number, number]
  expect(targetsOf(e)).toEqual(before)
  expect(reported(e)).toEqual([0xffff_ffff_ffff_ffffn])
  get(r)
  put(q, 1n)
  expect(reported(e)).toEqual([7n])
  for (const fd of [e, r, q]) close(fd)
})

test('an entry has what upstream writes, and nothing else where that is enough', () => {
  using job = new FilesJob()
  const [epoll, event] = [makeEpoll(), makeEvent()]
  watch(epoll, event, POLL.IN | EPOLL.ET, 140106128162828n)
  const inode = infoOf(event).ino
  job.dump(event, epoll)
  const [, { epfd }] = job.images.readAll('files') as [unknown, (typeof job.entries)[0]]
  expect(epfd).toEqual({
    id: 2,
    flags: 2,
    fown: noOwner,
    tfd: [
      {
        id: 0,
        tfd: event,
        events: 2147483673,
        data: 140106128162828n,
        dev: expect.any(Number),
        inode,
        pos: 0n,
      },
    ],
  })
  expect(epfd!.tfd[0]![unknownFields]).toBeUndefined()
  close(epoll)
  close(event)
})

test('an edge that was reported stays so; one that was not is reported once', () => {
  using job = new FilesJob()
  const [taken, waiting, one, two] = [makeEpoll(), makeEpoll(), makeEvent(1), makeEvent(1)]
  watch(taken, one, POLL.IN | EPOLL.ET, 1n)
  watch(waiting, two, POLL.IN | EPOLL.ET, 2n)
  expect(reported(taken)).toEqual([1n])
  const [t, w, o, t2] = pass(job, taken, waiting, one, two) as [number, number, number, number]
  expect([reported(t), reported(w), reported(w)]).toEqual([[], [2n], []])
  put(o, 1n)
  expect(reported(t)).toEqual([1n])
  for (const fd of [t, w, o, t2]) close(fd)
})

test('a one-shot that has fired stays disarmed', () => {
  using job = new FilesJob()
  const [epoll, event] = [makeEpoll(), makeEvent(1)]
  watch(epoll, event, POLL.IN | EPOLL.ONESHOT, 1n)
  expect(reported(epoll)).toEqual([1n])
  const before = targetsOf(epoll)
  const [e, v] = pass(job, epoll, event) as [number, number]
  expect(targetsOf(e)).toEqual(before)
  expect(reported(e)).toEqual([])
  close(e)
  close(v)
})

test('targets whose number was closed, and several under one number', () => {
  using job = new FilesJob()
  const epoll = makeEpoll()
  const kept = [1n, 2n, 3n].map((data) => {
    const event = makeEvent(1)
    must('dup2', event, 90)
    watch(epoll, 90, POLL.IN, data)
    return event
  })
  close(90)
  const before = targetsOf(epoll)
  const fds = pass(job, epoll, ...kept)
  expect(targetsOf(fds[0]!)).toEqual(before)
  get(fds[2]!)
  expect(reported(fds[0]!)).toEqual([1n, 3n])
  for (const fd of fds) close(fd)
})

test('an epoll that watches another one, which comes later', () => {
  using job = new FilesJob()
  const [outer, inner, event] = [makeEpoll(), makeEpoll(), makeEvent(1)]
  watch(inner, event, POLL.IN, 1n)
  watch(outer, inner, POLL.IN | EPOLL.ET, 2n)
  expect(reported(outer)).toEqual([2n])
  const [o, i, e] = pass(job, outer, inner, event) as [number, number, number]
  expect([reported(o), reported(i)]).toEqual([[], [1n]])
  for (const fd of [o, i, e]) close(fd)
})

test('a target that nobody has open is refused', () => {
  using job = new FilesJob()
  const [epoll, event] = [makeEpoll(), makeEvent()]
  watch(epoll, event, POLL.IN, 1n)
  job.dump(epoll)
  expect(job.obstacles.map(({ what }) => what)).toEqual([
    `anon_inode eventpoll with descriptor ${event}, inode ${infoOf(event).ino}, whose file no process of the tree has open`,
  ])
  close(epoll)
  close(event)
})

test('fields of ours are written only where they say something', () => {
  const plain = { id: 0, tfd: 5, events: 1, data: 2n }
  expect(withOwnFields(plain, { taken: false })).toBe(plain)
  const own = { file: 0xffff_ffff, number: 9, taken: true }
  expect(ownFieldsOf(withOwnFields(plain, own))).toEqual(own)
  expect(ownFieldsOf(plain)).toEqual({ file: undefined, number: undefined, taken: false })
})

test('how an epoll polls network devices comes back', () => {
  using job = new FilesJob()
  using s = scratch()
  const epoll = makeEpoll()
  const parameters = s.put(Uint8Array.of(64, 0, 0, 0, 8, 0, 1, 0))
  must('ioctl', epoll, 0x40088a01, parameters.address)
  const [restored] = pass(job, epoll) as [number]
  parameters.bytes.fill(0)
  must('ioctl', restored, 0x80088a02, parameters.address)
  expect([...parameters.bytes]).toEqual([64, 0, 0, 0, 8, 0, 1, 0])
  close(restored)
})

test('a target that no image has is an error of the image', () => {
  using job = new FilesJob()
  const [epoll, event] = [makeEpoll(), makeEvent()]
  watch(epoll, event, POLL.IN, 1n)
  job.dump(epoll, event)
  close(epoll)
  close(event)
  job.byFd.delete(event)
  expect(() => job.restore()).toThrow(CriuError)
})

test('a spent one-shot waits for nothing', () => {
  expect(isSpent(EPOLL.ONESHOT)).toBe(true)
  expect(isSpent(EPOLL.ONESHOT | POLL.ERR)).toBe(false)
  expect(isSpent(0)).toBe(false)
  expect(waitedFor((EPOLL.ET | POLL.IN | POLL.RDHUP) >>> 0)).toBe(POLL.IN | POLL.RDHUP)
})
