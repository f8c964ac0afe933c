import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImageDirectory } from '../../../../src/images/directory.ts'
import type { Messages } from '../../../../src/images/gen/messages.ts'
import { AF, MSG, SOCK, TCP_STATE } from '../../../../src/kernel/constants/socket.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { must } from '../../../../src/kernel/sys.ts'
import {
  packetExtraOf,
  unixExtraOf,
  withPacketExtra,
  withUnixExtra,
} from '../../../../src/resources/sockets/unix-fields.ts'
import { planUnix } from '../../../../src/resources/sockets/unix-plan.ts'
import { closeAll, FilesJob } from '../files/job.ts'

type UnixEntry = Messages['unix_sk_entry']

/** `objects`, dumped by upstream; see tests/e2e/interop.test.ts. */
const archive = join(import.meta.dir, '../../../e2e/fixtures/objects.tar.xz')

function upstreamFiles(): Messages['file_entry'][] {
  const directory = mkdtempSync(join(tmpdir(), 'criu-unix-'))
  try {
    Bun.spawnSync(['tar', '-xJf', archive, '-C', directory])
    using images = ImageDirectory.open(join(directory, 'objects'))
    return images.readAll('files')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function pair(type: number): [number, number] {
  using s = scratch()
  const ends = s.take(8)
  must('socketpair', AF.UNIX, type | SOCK.CLOEXEC, 0, ends.address)
  return [ends.view.getInt32(0, true), ends.view.getInt32(4, true)]
}

function send(fd: number, text: string): void {
  using s = scratch()
  must('sendto', fd, s.put(Buffer.from(text)).address, text.length, 0, 0, 0)
}

function receive(fd: number): string {
  using s = scratch()
  const room = s.take(100)
  const length = must('recvfrom', fd, room.address, 100, MSG.DONTWAIT, 0, 0)
  return Buffer.from(room.bytes.subarray(0, length)).toString()
}

/** A socket as images have it. */
function entry(id: number, fields: Partial<UnixEntry>): Messages['file_entry'] {
  const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 }
  const usk = { id, ino: id, type: SOCK.STREAM, state: TCP_STATE.CLOSE, flags: 2, uflags: 0 }
  const rest = { backlog: 0, peer: 0, fown, opts: {} as UnixEntry['opts'], name: new Uint8Array() }
  return { type: 5, id, usk: { ...usk, ...rest, ...fields } }
}
const named = (name: string) => ({ name: Buffer.from(name, 'latin1') })
const { ESTABLISHED, LISTEN } = TCP_STATE
const ids = (nodes: readonly ({ readonly id: number } | undefined)[]) => nodes.map((one) => one?.id)

describe("upstream's sockets", () => {
  const files = upstreamFiles()

  test('are a pair and a listener', () => {
    const plan = planUnix(files, new Set())
    expect(plan.pairs.map(ids)).toEqual([[22, 21]])
    expect(ids(plan.listeners)).toEqual([23])
    expect(ids(plan.bound)).toEqual([23])
  })

  test('are written here with the same fields', () => {
    const upstream = files.find(({ id }) => id === 21)!.usk!
    using job = new FilesJob()
    const fds = pair(SOCK.SEQPACKET)
    send(fds[0], 'packet one')
    send(fds[0], 'packet two')
    job.dump(...fds)
    const [first, second] = fds.map((fd) => job.byFd.get(fd)!.usk!)
    const fresh = { id: 0, ino: 0, peer: 0, ns_id: 0, opts: 0, fown: 0 }
    const plain = (one: UnixEntry) =>
      Object.fromEntries(
        Object.entries({ ...one, ...fresh }).filter(([, value]) => value !== undefined),
      )
    expect(plain(first!)).toEqual({
      ...plain(upstream),
      backlog: first!.backlog,
      name: first!.name,
    })
    expect([first!.peer, second!.peer]).toEqual([second!.ino, first!.ino])
    const queue = job.images.tryReadWithPayload('sk-queues')!
    expect(queue.map(({ payload }) => Buffer.from(payload).toString())).toEqual([
      'packet one',
      'packet two',
    ])
    expect(queue.map(({ entry: { id_for, length } }) => [id_for, length])).toEqual([
      [second!.id, 10],
      [second!.id, 10],
    ])
    closeAll(fds)
  })
})

describe('how sockets are made', () => {
  test('a connection by the listener that has its name, another by one for the moment', () => {
    const plan = planUnix(
      [
        entry(1, { state: LISTEN, ...named('/a') }),
        entry(2, { state: ESTABLISHED, peer: 3 }),
        entry(3, { state: ESTABLISHED, peer: 2, ...named('/a') }),
        entry(4, { state: ESTABLISHED, peer: 5, ...named('/a'), deleted: true }),
        entry(5, { state: ESTABLISHED, peer: 4 }),
      ],
      new Set(),
    )
    expect(
      plan.accepted.map(({ listener, client, server }) => ids([listener, client, server])),
    ).toEqual([[1, 2, 3]])
    expect(plan.connections.map(({ client, server }) => ids([client, server]))).toEqual([[5, 4]])
    expect(ids(plan.bound)).toEqual([1])
  })

  test('connections that wait come in the order that the listener had them in', () => {
    const listener = entry(1, { state: LISTEN, ...named('\0x') })
    listener.usk = withUnixExtra(listener.usk!, { waiting: [3, 0, 2], waitingQueues: [0, 9, 0] })
    const clients = [2, 3].map((id) => entry(id, { state: ESTABLISHED, peer: 1 }))
    const plan = planUnix([...clients, listener], new Set())
    expect(plan.waiting.map(({ client, queue }) => [client?.id, queue])).toEqual([
      [3, 0],
      [undefined, 9],
      [2, 0],
    ])
  })

  test('datagram sockets without a name as pairs, others one by one', () => {
    const type = SOCK.DGRAM
    const plan = planUnix(
      [
        entry(1, { type, peer: 2, state: ESTABLISHED }),
        entry(2, { type, peer: 3, state: ESTABLISHED }),
        entry(3, { type, state: ESTABLISHED, ...named('c') }),
        entry(4, { type, peer: 3, state: ESTABLISHED }),
      ],
      new Set(),
    )
    expect(plan.pairs.map(ids)).toEqual([[1, 2]])
    expect(plan.sends.map(({ from, to, when }) => [from.id, to?.id, when])).toEqual([
      [2, 3, 'early'],
      [4, 3, 'late'],
    ])
    expect(ids(plan.plain)).toEqual([3, 4])
  })

  test('the peer of one that is inherited is as if its peer were closed', () => {
    const files = [
      entry(1, { state: ESTABLISHED, peer: 2 }),
      entry(2, { state: ESTABLISHED, peer: 1 }),
    ]
    expect(planUnix(files, new Set([2])).pairs.map(ids)).toEqual([[1, undefined]])
  })
})

test('what upstream has no fields for is read as it was written', () => {
  const extra = {
    peerCredentials: { pid: 7, uid: 8, gid: 0xfffffffe, groups: [1, 0xffffffff] },
    peerName: new Uint8Array(),
    waiting: [1, 0],
    waitingQueues: [0, 2],
    root: '/jail\xff',
    reset: true,
  }
  expect(unixExtraOf(withUnixExtra(entry(1, {}).usk!, extra))).toEqual(extra)
  const packet = { id_for: 1, length: 1, scm: [] }
  const more = {
    credentials: { pid: 1, uid: 2, gid: 3 },
    sender: Uint8Array.of(0, 255),
    urgent: 'taken' as const,
  }
  expect(packetExtraOf(withPacketExtra(packet, more))).toEqual(more)
})

test('a pair goes on in this process, and a look into its queue changes nothing', () => {
  for (const type of [SOCK.STREAM, SOCK.DGRAM, SOCK.SEQPACKET]) {
    using job = new FilesJob()
    const fds = pair(type)
    send(fds[0], 'there')
    send(fds[1], 'back')
    job.dump(...fds)
    expect(job.obstacles).toEqual([])
    expect([receive(fds[1]), receive(fds[0])]).toEqual(['there', 'back'])
    const [a, b] = job.restore()
    expect([receive(b!), receive(a!)]).toEqual(['there', 'back'])
    send(a!, 'again')
    expect(receive(b!)).toBe('again')
    closeAll([...fds, a!, b!])
  }
})
