import { fail } from '../../errors/error.ts'
import { IPPROTO } from '../../kernel/constants/ip.ts'
import { AF, SO, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { scratch } from '../../kernel/memory.ts'
import { pause } from '../../kernel/pause.ts'
import { intBytes, setInt, tryGetInt, trySetInt, trySetOption } from '../../kernel/socket-option.ts'
import { checked, must, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { disconnect } from './datagram-names.ts'
import { packetOf } from './datagram-packet.ts'
import type { Datagram } from './datagram-queue.ts'
import { addressFromName, nameOfAddress } from './inet-address.ts'
import type { InetEntry } from './inet-protocol.ts'
import { deviceOfAddress, isOurAddress } from './local-address.ts'
import { callWith, localName } from './names.ts'
import { receiveMemory } from './pending.ts'

/** Room for all that a queue of usual size holds, as long as it is filled. */
const ROOM = 1 << 28
/** Milliseconds until a packet that was sent to ourselves has come. */
const PATIENCE = 2000

/**
 * Puts datagrams into the queue of a socket that is not bound yet: packets made by hand, with their
 * old senders, sent over loopback to a port that the kernel chose for this moment and that nobody else
 * knows. The socket then gives up that port.
 */
export function injectDatagrams(fd: LocalFd, all: readonly Datagram[], entry: InetEntry): void {
  if (all.length === 0) return
  const { family, proto } = entry
  using _device = withoutDevice(fd)
  using _room = withRoom(fd)
  const anywhere = new Uint8Array(family === AF.INET6 ? 16 : 4)
  callWith('bind', fd, nameOfAddress({ address: anywhere, port: 0, scope: 0 }))
  const { port } = addressFromName(localName(fd))
  for (const datagram of all) inject(fd, datagram, port, proto)
  disconnect(fd)
}

function inject(fd: LocalFd, datagram: Datagram, port: number, protocol: number): void {
  const { destination } = datagram
  if (!isOurAddress(destination)) {
    const reason = `a datagram lay unread that was sent to ${[...destination].join('.')}, which is no address of this machine`
    fail({ code: 'conflict', reason })
  }
  const before = receiveMemory(fd)
  send(destination, packetOf(datagram, port, protocol))
  for (let waited = 0; receiveMemory(fd) === before; waited++) {
    if (waited === PATIENCE)
      fail({
        code: 'conflict',
        reason:
          'a datagram that lay unread cannot be put back: what is sent over loopback does not arrive',
        remedy: 'look at the rules of the firewall for the device lo',
      })
    pause(1000)
  }
}

/** IPPROTO_RAW: the header of IP is ours, and nothing comes in. */
function send(destination: Uint8Array, packet: Uint8Array): void {
  const family = destination.length === 16 ? AF.INET6 : AF.INET
  using raw = owned(must('socket', family, SOCK.RAW | SOCK.CLOEXEC, IPPROTO.RAW))
  using s = scratch()
  const scope = deviceOfAddress(destination) ?? 0
  const to = s.put(nameOfAddress({ address: destination, port: 0, scope }))
  const content = s.put(packet)
  const sent = sys('sendto', raw.fd, content.address, packet.length, 0, to.address, to.bytes.length)
  checked(sent, 'send a datagram over loopback')
}

/** Bound to a device, a socket would not see what comes over another one. */
function withoutDevice(fd: LocalFd): Disposable {
  const index = tryGetInt(fd, SOL.SOCKET, SO.BINDTOIFINDEX) ?? 0
  const set = (value: number) => setInt(fd, SOL.SOCKET, SO.BINDTOIFINDEX, value, 'SO_BINDTOIFINDEX')
  if (index !== 0) set(0)
  return { [Symbol.dispose]: () => index !== 0 && set(index) }
}

/** A queue that was full takes as much again only if the buffer is larger: devices count otherwise. */
function withRoom(fd: LocalFd): Disposable {
  const room = tryGetInt(fd, SOL.SOCKET, SO.RCVBUF)!
  const locks = tryGetInt(fd, SOL.SOCKET, SO.BUF_LOCK)
  trySetInt(fd, SOL.SOCKET, SO.RCVBUFFORCE, ROOM)
  return {
    [Symbol.dispose]() {
      // The kernel doubles what it is given.
      setInt(fd, SOL.SOCKET, SO.RCVBUFFORCE, room >>> 1, 'SO_RCVBUFFORCE')
      if (locks !== undefined) trySetOption(fd, SOL.SOCKET, SO.BUF_LOCK, intBytes(locks))
    },
  }
}
