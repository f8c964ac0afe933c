import { AF, SOCK, SOL } from '../../../src/kernel/constants/socket.ts'
import { errnoName } from '../../../src/kernel/errno.ts'
import { scratch } from '../../../src/kernel/memory.ts'
import { runProgram } from '../../../src/kernel/program.ts'
import { close, must, sys } from '../../../src/kernel/sys.ts'
import { hostPid } from '../../../src/kernel/types.ts'
import { silentLog } from '../../../src/log/log.ts'
import * as iptables from '../../../src/network-lock/iptables.ts'
import { sweepLocks, TreeLock, unlockRestored } from '../../../src/network-lock/lock.ts'
import { makeMark } from '../../../src/network-lock/mark.ts'
import * as nftables from '../../../src/network-lock/nftables.ts'

/**
 * Run by traffic.test.ts in a network namespace of its own: makes connections over lo, locks some of
 * them, and prints what became of them as JSON. `traffic.ts nftables|iptables 4|6|mapped`
 */

const [method, kind] = process.argv.slice(2) as ['nftables' | 'iptables', '4' | '6' | 'mapped']
const IPPROTO_TCP = 6
const TCP_REPAIR = 19
const MSG_DONTWAIT = 0x40

const address =
  kind === '4'
    ? Uint8Array.of(127, 0, 0, 1)
    : Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))
if (kind === 'mapped') address.set([255, 255, 127, 0, 0, 1], 10)
const family = kind === '4' ? AF.INET : AF.INET6

/** struct sockaddr_in or sockaddr_in6. */
function sockaddr(port: number): Uint8Array {
  const bytes = new Uint8Array(kind === '4' ? 16 : 28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, family, true)
  view.setUint16(2, port)
  bytes.set(address, kind === '4' ? 4 : 8)
  return bytes
}

const withAddress = (call: 'bind' | 'connect', fd: number, port: number): void => {
  using s = scratch()
  const place = s.put(sockaddr(port))
  must(call, fd, place.address, place.bytes.length)
}

function portOf(fd: number): number {
  using s = scratch()
  const place = s.take(32)
  const length = s.put(Uint8Array.of(32, 0, 0, 0))
  must('getsockname', fd, place.address, length.address)
  return place.view.getUint16(2)
}

const stream = (): number => must('socket', family, SOCK.STREAM, 0)
const listener = stream()
withAddress('bind', listener, 7000)
must('listen', listener, 9)

/** A connection: both its ends, and how the lock names it, seen from the server. */
function connect() {
  const client = stream()
  withAddress('connect', client, 7000)
  const server = must('accept4', listener, 0, 0, 0)
  const connection = {
    local: { address, port: 7000 },
    remote: { address, port: portOf(client) },
  }
  return { client, server, connection }
}

function send(fd: number): void {
  using s = scratch()
  must('sendto', fd, s.put(Buffer.from('x')).address, 1, 0x4000, 0, 0)
}

/** What comes within that time: a byte, an error, nothing. */
function receive(fd: number, milliseconds: number): string {
  using s = scratch()
  const room = s.take(8)
  for (let waited = 0; ; waited += 10) {
    const got = sys('recvfrom', fd, room.address, 8, MSG_DONTWAIT, 0, 0)
    if (got >= 0) return `${got} byte`
    if (errnoName(-got) !== 'EAGAIN') return errnoName(-got)
    if (waited >= milliseconds) return 'nothing'
    Bun.sleepSync(10)
  }
}

/** The socket goes without a word to its peer. */
function vanish(fd: number): void {
  using s = scratch()
  must('setsockopt', fd, IPPROTO_TCP, TCP_REPAIR, s.put(Uint8Array.of(1, 0, 0, 0)).address, 4)
  close(fd)
}

function exempt(fd: number): void {
  using s = scratch()
  const SO_MARK = 36
  must('setsockopt', fd, SOL.SOCKET, SO_MARK, s.put(Uint8Array.of(0x14, 0xc1, 0, 0)).address, 4)
}

const locked = connect()
const reset = connect()
const free = connect()
const marked = connect()
const tree = hostPid(process.ppid)
const lock = new TreeLock(tree, method, silentLog)
const report: Record<string, unknown> = {}

lock.lock([locked.connection, reset.connection, marked.connection])
vanish(reset.server)
for (const { client } of [locked, reset, free]) send(client)
report.free = receive(free.server, 1000)
report.incoming = receive(locked.server, 300)
report.gone = receive(reset.client, 300)
send(locked.server)
report.outgoing = receive(locked.client, 300)
exempt(marked.client)
exempt(marked.server)
send(marked.client)
report.exempt = receive(marked.server, 1000)

unlockRestored(lock.fields, tree, silentLog)
report.incomingLater = receive(locked.server, 8000)
report.outgoingLater = receive(locked.client, 8000)
report.goneLater = receive(reset.client, 8000)

// A lock whose criu is no more: of a tree that lives, and of one that waits for its restore.
const dead = { pid: hostPid(1 << 22), start: 1n }
const ofLiving = { ...makeMark(tree), job: dead }
const ofDumped = { ...ofLiving, tree: dead }
const make = (name: string, mark: typeof ofLiving) =>
  method === 'nftables'
    ? nftables.tryLock(name, [locked.connection], mark)
    : iptables.lock(name, [locked.connection], mark)
make('CRIU-living', ofLiving)
make('CRIU-dumped', ofDumped)
new TreeLock(tree, method, silentLog).lock([free.connection])
sweepLocks(silentLog)
console.log(JSON.stringify(report))
// What is left: the lock of the dumped tree, and that of a job which is still running.
runProgram(['/bin/sh', '-c', 'nft list ruleset; iptables-save; ip6tables-save'], {
  PATH: process.env.PATH ?? '',
})
