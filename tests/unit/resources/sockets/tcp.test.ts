import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImageDirectory } from '../../../../src/images/directory.ts'
import type { Messages } from '../../../../src/images/gen/messages.ts'
import { unknownFields } from '../../../../src/images/message.ts'
import type { DumpOptions, RestoreOptions } from '../../../../src/job/options.ts'
import { IPPROTO } from '../../../../src/kernel/constants/ip.ts'
import { AF, MSG, SHUT, SOCK, TCP_STATE } from '../../../../src/kernel/constants/socket.ts'
import { TCP, TCP_REPAIR } from '../../../../src/kernel/constants/tcp.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { pause } from '../../../../src/kernel/pause.ts'
import { tryGetInt } from '../../../../src/kernel/socket-option.ts'
import { close, must, sys } from '../../../../src/kernel/sys.ts'
import { fileId, type LocalFd, localFd } from '../../../../src/kernel/types.ts'
import type { DumpContext, DumpTask, FdProbe } from '../../../../src/resources/dump-model.ts'
import type { RestoreContext } from '../../../../src/resources/restore-model.ts'
import { inet } from '../../../../src/resources/sockets/inet.ts'
import { nameOfAddress } from '../../../../src/resources/sockets/inet-address.ts'
import { callWith, localName } from '../../../../src/resources/sockets/names.ts'
import { readTcpInfo } from '../../../../src/resources/sockets/tcp-state.ts'
import { makeSocket, probeOf, refusals } from './job.ts'

type Entry = Messages['inet_sk_entry']

/** Our own connections, without the engine and without a lock: nothing is sent meanwhile. */
class Connections implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'criu-tcp-'))
  readonly images = ImageDirectory.create(join(this.directory, 'images'))
  readonly entries: Entry[] = []
  readonly locked: unknown[] = []

  /** Dumps sockets and closes them, as the end of their task does. */
  take(...sockets: readonly LocalFd[]): void {
    const atEnd: ((succeeded: boolean) => void)[] = []
    const afterRelease: (() => void)[] = []
    const dump: Partial<DumpContext> = {
      ...refusals().dump,
      images: this.images,
      options: { tcpEstablished: true, finalState: 'killed' } as DumpOptions,
      network: {
        lock: (all: readonly unknown[]) => this.locked.push(...all),
        removals: () => [],
      } as Partial<DumpContext['network']> as DumpContext['network'],
      atEnd: (action) => atEnd.push(action),
      afterRelease: (action) => afterRelease.push(action),
    }
    for (const [i, fd] of sockets.entries()) {
      const file = inet.dump(probe(fd), fileId(i + 1), dump as DumpContext)
      this.entries.push(file!.isk!)
    }
    inet.drain!(dump as DumpContext)
    for (const action of atEnd) action(true)
    for (const fd of sockets) close(fd)
    for (const action of afterRelease) action()
  }

  give(options: Partial<RestoreOptions> = { tcpEstablished: true }): LocalFd[] {
    const ends: ((succeeded: boolean) => void)[] = []
    const restore: Partial<RestoreContext> = {
      images: this.images,
      options: options as RestoreOptions,
      atEnd: (action) => ends.push(action),
    }
    const files = this.entries.map((isk, i) => ({ type: 4, id: i + 1, isk }) as never)
    const fds = files.map((file) => inet.open(file, restore as RestoreContext))
    for (const [i, file] of files.entries()) inet.connect!(file, fds[i]!, restore as RestoreContext)
    for (const action of ends.reverse()) action(true)
    return fds
  }

  [Symbol.dispose](): void {
    this.images.close()
    rmSync(this.directory, { recursive: true })
  }
}

function probe(fd: LocalFd): FdProbe {
  const plain = probeOf(fd)
  const task: Partial<DumpTask> = {
    ...plain.task,
    proc: '/proc/self',
    ids: { net_ns_id: 1 } as DumpTask['ids'],
  }
  const link = { kind: 'socket', ino: plain.stat.ino } as Partial<FdProbe['link']>
  return { ...plain, link: link as FdProbe['link'], task: task as DumpTask }
}

function connectedPair(family: number): [LocalFd, LocalFd] {
  const listening = makeSocket(family, SOCK.STREAM)
  const address = Buffer.alloc(family === AF.INET6 ? 16 : 4)
  address[address.length - 1] = 1
  if (family === AF.INET) address[0] = 127
  callWith('bind', listening, nameOfAddress({ address, port: 0, scope: 0 }))
  must('listen', listening, 1)
  const client = makeSocket(family, SOCK.STREAM)
  const size = family === AF.INET6 ? 28 : 16
  callWith('connect', client, localName(listening).subarray(0, size))
  const server = localFd(must('accept4', listening, 0, 0, SOCK.CLOEXEC))
  close(listening)
  return [client, server]
}

function say(fd: LocalFd, text: string): void {
  using s = scratch()
  const { address, bytes } = s.put(Buffer.from(text))
  must('sendto', fd, address, bytes.length, MSG.NOSIGNAL, 0, 0)
}

function hear(fd: LocalFd, length: number): string {
  using s = scratch()
  const room = s.take(length)
  const count = must('recvfrom', fd, room.address, length, MSG.WAITALL, 0, 0)
  return Buffer.from(room.bytes.subarray(0, count)).toString()
}

const stateOf = (fd: LocalFd): number => readTcpInfo(fd).tcpi_state

let job: Connections
let fds: LocalFd[] = []
beforeEach(() => {
  job = new Connections()
})
afterEach(() => {
  for (const fd of fds) close(fd)
  fds = []
  job[Symbol.dispose]()
})

describe.each([
  ['IPv4', AF.INET],
  ['IPv6', AF.INET6],
])('connections over %s', (_, family) => {
  test('come back with their queues, and are locked once', () => {
    const [client, server] = connectedPair(family)
    say(client, 'hello')
    say(server, 'good day')
    job.take(client, server)
    expect(job.locked.length).toBe(2)
    const streams = job.entries.map(({ ino }) => job.images.readOne('tcp-stream', ino))
    expect(streams.map(({ inq_len, outq_len }) => [inq_len, outq_len])).toEqual([
      [8, 0],
      [5, 0],
    ])
    expect(streams[0]!.outq_seq).toBe(streams[1]!.inq_seq)
    fds = job.give()
    expect(fds.map(stateOf)).toEqual([TCP_STATE.ESTABLISHED, TCP_STATE.ESTABLISHED])
    expect(fds.map((fd) => tryGetInt(fd, IPPROTO.TCP, TCP.REPAIR))).toEqual([0, 0])
    expect(hear(fds[1]!, 5)).toBe('hello')
    expect(hear(fds[0]!, 8)).toBe('good day')
    say(fds[0]!, 'once more')
    expect(hear(fds[1]!, 9)).toBe('once more')
  })

  test('half closed', () => {
    const [client, server] = connectedPair(family)
    must('shutdown', client, SHUT.WR)
    for (let i = 0; i < 500 && stateOf(client) !== TCP_STATE.FIN_WAIT2; i++) pause(1000)
    job.take(client, server)
    expect(job.entries.map(({ state }) => state)).toEqual([
      TCP_STATE.FIN_WAIT2,
      TCP_STATE.CLOSE_WAIT,
    ])
    fds = job.give()
    expect(fds.map(stateOf)).toEqual([TCP_STATE.FIN_WAIT2, TCP_STATE.CLOSE_WAIT])
    say(fds[1]!, 'still here')
    expect(hear(fds[0]!, 10)).toBe('still here')
  })

  test('of images without our fields, and without windows', () => {
    const [client, server] = connectedPair(family)
    say(client, 'hello')
    job.take(client, server)
    for (const entry of job.entries) makeOld(entry)
    fds = job.give()
    expect(hear(fds[1]!, 5)).toBe('hello')
    say(fds[1]!, 'good day')
    expect(hear(fds[0]!, 8)).toBe('good day')
  })

  test('closed: --tcp-close', () => {
    job.take(...connectedPair(family))
    fds = job.give({ tcpClose: true })
    expect(fds.map(stateOf)).toEqual([TCP_STATE.CLOSE, TCP_STATE.CLOSE])
    expect(hear(fds[0]!, 1)).toBe('')
  })
})

/** As an older upstream wrote it. */
function makeOld(entry: Entry): void {
  entry.opts[unknownFields] = undefined
  delete entry.tcp_opts
  const [found] = job.images.readWithPayload('tcp-stream', entry.ino)
  const { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup, ...old } = found!.entry
  expect([snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup]).not.toContain(undefined)
  job.images.writeWithPayload('tcp-stream', [{ entry: old, payload: found!.payload }], entry.ino)
}

test('what is restored only on demand is told before anything is made', () => {
  const isk = {
    state: TCP_STATE.ESTABLISHED,
    type: SOCK.STREAM,
    proto: IPPROTO.TCP,
    family: AF.INET,
  }
  const file = { type: 4, id: 1, isk: { ...isk, src_port: 80 } } as never
  const why = (options: Partial<RestoreOptions>) => inet.obstacle!(file, options as RestoreOptions)
  expect(why({})?.what).toBe('socket (AF_INET, SOCK_STREAM, port 80) of an established connection')
  expect(why({})?.remedy).toContain('--tcp-established')
  expect(why({ tcpEstablished: true })).toBeUndefined()
  expect(why({ tcpClose: true })).toBeUndefined()
})

test('a socket that is under repair already is refused', () => {
  const fd = makeSocket(AF.INET, SOCK.STREAM)
  fds = [fd]
  using s = scratch()
  const on = s.put(Uint8Array.of(TCP_REPAIR.ON, 0, 0, 0))
  expect(sys('setsockopt', fd, IPPROTO.TCP, TCP.REPAIR, on.address, 4)).toBe(0)
  const { dump, obstacles } = refusals()
  expect(inet.dump(probe(fd), fileId(1), { ...dump, options: {} as DumpOptions })).toBeUndefined()
  expect(obstacles[0]!.what).toContain('TCP_REPAIR')
})
