import { expect, test } from 'bun:test'
import type { Messages } from '../../../../src/images/gen/messages.ts'
import { O } from '../../../../src/kernel/constants/fcntl.ts'
import { TIOC } from '../../../../src/kernel/constants/ioctl.ts'
import { CC, TERMIOS } from '../../../../src/kernel/constants/termios.ts'
import { must, open, owned } from '../../../../src/kernel/sys.ts'
import {
  decodeLine,
  encodeLine,
  guessLines,
  LINE_END,
} from '../../../../src/resources/terminals/content.ts'
import { deviceKind, slaveIndex, slaveRdev } from '../../../../src/resources/terminals/device.ts'
import { takeContent } from '../../../../src/resources/terminals/drain.ts'
import { isLeft, modesOf, setModes, tell } from '../../../../src/resources/terminals/ends.ts'
import { fill, quoted } from '../../../../src/resources/terminals/fill.ts'
import { ownList, ownNumber, withOwn } from '../../../../src/resources/terminals/own-fields.ts'
import { openPeer, withPeer } from '../../../../src/resources/terminals/peer.ts'
import { sessionTerminals } from '../../../../src/resources/terminals/sessions.ts'
import { task } from '../../restore/images.ts'
import { FilesJob } from '../files/job.ts'

const latin = (text: string): Buffer<ArrayBuffer> =>
  Buffer.from(text, 'latin1') as Buffer<ArrayBuffer>

/** Both ends of a new one. */
function newPair() {
  const master = owned(open('/dev/ptmx', O.RDWR | O.NOCTTY))
  tell(master.fd, TIOC.SPTLCK, 0)
  const slave = owned(openPeer(master.fd))
  const modes = modesOf(slave.fd)
  const quiet = { ...modes, lflag: TERMIOS.ICANON | TERMIOS.IEXTEN }
  setModes(slave.fd, quiet)
  return {
    master,
    slave,
    modes: quiet,
    ends: { master: master.fd, slave: slave.fd, packet: false },
  }
}

const write = (fd: number, text: string): void => {
  using data = { ...bufferOf(text), [Symbol.dispose]() {} }
  must('write', fd, data.address, data.length)
}

function bufferOf(text: string) {
  const { ptr } = require('bun:ffi') as typeof import('bun:ffi')
  const data = latin(text)
  return { address: BigInt(ptr(data)), length: data.length, data }
}

test('device numbers of terminals', () => {
  expect(deviceKind(0x8803)).toBe('slave')
  expect(deviceKind(0x502)).toBe('master')
  expect(deviceKind(0x500)).toBe('current')
  expect(deviceKind(0x501)).toBe('console')
  expect(deviceKind(0x405)).toBe('virtual console')
  expect(deviceKind(0x440)).toBe('serial line')
  expect(deviceKind(0x203)).toBe('BSD pseudoterminal')
  expect(deviceKind(0x103)).toBeUndefined()
  expect([0, 255, 256, 70000].map((index) => slaveIndex(slaveRdev(index)))).toEqual([
    0, 255, 256, 70000,
  ])
})

test('numbers pass through fields that upstream skips', () => {
  const entry: Messages['tty_data_entry'] = { tty_id: 2, data: new Uint8Array() }
  expect(withOwn(entry, { flow: 0 })).toBe(entry)
  const own = withOwn(entry, { line: [5, 0, 9], processed: 70000 })
  expect(ownList(own, 'line')).toEqual([5, 0, 9])
  expect(ownNumber(own, 'processed')).toBe(70000)
  expect(ownNumber(own, 'flow')).toBeUndefined()
})

test('lines of input', () => {
  const line = { length: 4095, end: LINE_END.EOF }
  expect(decodeLine(encodeLine(line))).toEqual(line)
  expect(guessLines(latin('a\n\nbc'))).toEqual([
    { length: 2, end: LINE_END.DELIMITER },
    { length: 1, end: LINE_END.DELIMITER },
    { length: 2, end: LINE_END.OPEN },
  ])
})

test('what has a meaning is quoted, but for the ends of lines', () => {
  const cc = new Uint8Array(19)
  cc[CC.VLNEXT] = 0x16
  cc[CC.VEOF] = 4
  const modes = { iflag: 0, oflag: 0, cflag: 0, line: 0, ispeed: 0, ospeed: 0, cc }
  const canonical = { ...modes, lflag: TERMIOS.ICANON | TERMIOS.IEXTEN }
  const lines = [
    { length: 4, end: LINE_END.DELIMITER },
    { length: 2, end: LINE_END.EOF },
  ]
  const content = { input: latin('a\n\u0016\nb\u0004rest'), processed: 6, lines }
  const all = { ...content, output: latin(''), packetStatus: 0, flow: 0 }
  expect(Buffer.from(quoted(all, canonical))).toEqual(
    latin('a\u0016\n\u0016\u0016\nb\u0016\u0004\u0004'),
  )
  expect(Buffer.from(quoted(all, { ...canonical, lflag: 0 }))).toEqual(latin('a\n\u0016\nb\u0004'))
})

test('what lies in a pseudoterminal is taken out and put back', () => {
  const { master, slave, modes, ends } = newPair()
  using _master = master
  using _slave = slave
  expect(takeContent(ends)).toBeUndefined()
  write(master.fd, 'one\nend\u0004ha')
  write(slave.fd, 'out')
  const content = takeContent(ends)!
  expect(Buffer.from(content.input)).toEqual(latin('one\nendha'))
  expect(content.lines).toEqual([
    { length: 4, end: LINE_END.DELIMITER },
    { length: 3, end: LINE_END.EOF },
    { length: 2, end: LINE_END.OPEN },
  ])
  expect(Buffer.from(content.output)).toEqual(latin('out'))
  fill(ends, modes, content)
  expect(modesOf(slave.fd)).toEqual(modes)
  expect(takeContent(ends)).toEqual(content)
})

test('a look at a slave that was never opened is no end to its master', () => {
  using master = owned(open('/dev/ptmx', O.RDWR | O.NOCTTY))
  expect(withPeer(master.fd, modesOf).lflag & TERMIOS.ICANON).toBe(TERMIOS.ICANON)
  expect(isLeft(master.fd)).toBe(false)
})

test('both sides of a pseudoterminal are dumped, and a BSD one is refused by name', () => {
  using job = new FilesJob()
  const { master, slave } = newPair()
  using _master = master
  using _slave = slave
  job.dump(master.fd, slave.fd)
  expect(job.obstacles).toEqual([])
  const [first, second] = [...job.byFd.values()].map(({ tty }) => tty!.tty_info_id)
  expect([first! & 1, first! - second!]).toEqual([1, 1])
})

test('a slave whose master is not dumped', () => {
  using job = new FilesJob({ shellJob: true })
  const { master, slave } = newPair()
  using _master = master
  using _slave = slave
  job.dump(slave.fd)
  expect(job.obstacles.map(({ what }) => what.replace(/\d+/, 'N'))).toEqual([
    'terminal /dev/pts/N, whose master is outside of the tree',
  ])
})

test('sessions and their terminals', () => {
  const info = { type: 1, termios: {}, rdev: 0x502, pgrp: 7, sid: 5 }
  const infos = [info, { ...info, sid: 9, pgrp: 8 }] as unknown as Messages['tty_info_entry'][]
  const tasks = [
    task({ pid: 5 }),
    task({ pid: 8, parent: 5, session: 9 }),
    task({ pid: 11, parent: 5, session: 5 }),
  ]
  // The leader 9 is outside; 7 is gone, 8 of no group that the tree has.
  expect(sessionTerminals(infos, tasks)).toEqual([
    { session: tasks[0]!.nsPid, group: 7, without: [] },
    { session: 0, group: undefined, without: [] },
  ] as never)
})
