import { SIOC } from '../../kernel/constants/ioctl.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { MSG, SCM, SO, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { iovec } from '../../kernel/layout/memory.ts'
import { cmsghdr, msghdr, ucred } from '../../kernel/layout/sockets.ts'
import { scratch } from '../../kernel/memory.ts'
import { setInt, tryGetInt } from '../../kernel/socket-option.ts'
import { checked, close, must, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { PacketExtra } from './unix-fields.ts'

/** What one receive call would give. */
export interface Peeked extends PacketExtra {
  readonly bytes: Uint8Array
  /** Descriptors that came with it, of ours now. */
  readonly rights: readonly LocalFd[]
}

/** Options that decide what a look shows; each is put back after it. */
const VIEW = [
  // Messages of different senders are not joined then, and each says who sent it.
  ['SO_PASSCRED', SO.PASSCRED, 1],
  ['SO_PASSRIGHTS', SO.PASSRIGHTS, 1],
  // It would open a descriptor for each message.
  ['SO_PASSPIDFD', SO.PASSPIDFD, 0],
  ['SO_OOBINLINE', SO.OOBINLINE, 0],
  ['SO_PEEK_OFF', SO.PEEK_OFF, 0],
] as const

const PAGE_SIZE = 4096
const CONTROL_ROOM = 8192
const NAME_ROOM = 112
const MESSAGE_ROOM = 256 << 10
/** Bytes of a stream that one look takes. */
const STREAM_ROOM = 1 << 20
/** Ids of a message whose sender was not noted: pid 0, and the overflow ids of user namespaces. */
const NOBODY = 65534

/**
 * Everything in the receive queue of a socket, by MSG_PEEK: it stays as it is. `received` are the bytes
 * in it, of a datagram socket any number: of those only the end of the queue tells the end. No look
 * goes past the end of a stream, since that would take an error that is not told yet.
 */
export function peekQueue(fd: LocalFd, type: number, received: number): Peeked[] {
  using _view = viewing(fd)
  const found = type === SOCK.STREAM ? peekStream(fd, received) : peekMessages(fd, type, received)
  return found
}

/** Sets the options of {@link VIEW}, as far as they differ, until the end of the scope. */
function viewing(fd: LocalFd): Disposable {
  const undo: (() => void)[] = []
  for (const [name, option, wanted] of VIEW) {
    const value = tryGetInt(fd, SOL.SOCKET, option)
    if (value === undefined || value === wanted) continue
    setInt(fd, SOL.SOCKET, option, wanted, name)
    undo.push(() => setInt(fd, SOL.SOCKET, option, value, name))
  }
  return {
    [Symbol.dispose]: () => {
      for (const action of undo.reverse()) action()
    },
  }
}

function peekMessages(fd: LocalFd, type: number, received: number): Peeked[] {
  const all: Peeked[] = []
  let done = 0
  while (type === SOCK.DGRAM || done < received) {
    const message = peek(fd, done, MESSAGE_ROOM)
    if (!message) break
    all.push(message)
    done += message.bytes.length
  }
  return all
}

/**
 * Bytes up to the next of what separates them: another sender, descriptors (the last byte of such a
 * look is the end of the write that brought them), the mark of urgent data.
 */
function peekStream(fd: LocalFd, received: number): Peeked[] {
  const all: Peeked[] = []
  const urgent = peekUrgent(fd)
  let mark = isAtMark(fd)
  let end = received
  // At the very front an urgent byte is neither shown nor counted.
  if (mark && urgent) {
    all.push({ bytes: urgent, rights: [], urgent: 'byte' })
    mark = false
    end--
  }
  for (let at = 0; at < end; ) {
    const found = peek(fd, at, Math.min(end - at, STREAM_ROOM))
    if (!found) break
    const parts = mark ? splitMark(found, urgent !== undefined) : splitRights(fd, at, found)
    all.push(...parts)
    at += parts.reduce((sum, { bytes }) => sum + bytes.length, 0)
    // The byte itself ends nothing: what follows is read along with it.
    mark = !mark && at < end && endedByMark(fd, at, found)
  }
  return all
}

/** Is there a reason for the end of a look but the mark: descriptors, or another sender behind it. */
function endedByMark(fd: LocalFd, at: number, { bytes, rights, credentials }: Peeked): boolean {
  if (rights.length > 0 || bytes.length === STREAM_ROOM) return false
  const next = peek(fd, at, 1)
  for (const one of next?.rights ?? []) close(one)
  return sameSender(credentials, next?.credentials)
}

const sameSender = (a: Peeked['credentials'], b: Peeked['credentials']): boolean =>
  a?.pid === b?.pid && a?.uid === b?.uid && a?.gid === b?.gid

/** What stands behind the mark: the urgent byte by itself, or, when that was read, its mark alone. */
function splitMark(found: Peeked, urgent: boolean): Peeked[] {
  for (const one of found.rights) close(one)
  const bytes = urgent ? found.bytes.slice(0, 1) : found.bytes
  return [{ ...found, rights: [], bytes, urgent: urgent ? 'byte' : 'taken' }]
}

/** Descriptors belong to the last write of what was looked at, and come with its first byte. */
function splitRights(fd: LocalFd, at: number, found: Peeked): Peeked[] {
  if (found.rights.length === 0) return [found]
  const start = lastWrite(fd, at, found.bytes.length)
  if (start === 0) return [found]
  const head = { ...found, bytes: found.bytes.slice(0, start), rights: [] }
  return [head, { ...found, bytes: found.bytes.slice(start) }]
}

/**
 * Where the last write of so many bytes begins. The kernel copies whole writes or nothing of them
 * (net/unix/af_unix.c, unix_stream_read_generic): a buffer whose last byte cannot be written to takes
 * all but the last one.
 */
function lastWrite(fd: LocalFd, at: number, length: number): number {
  const room = (length + PAGE_SIZE) & ~(PAGE_SIZE - 1)
  const flags = MAP.PRIVATE | MAP.ANONYMOUS
  const area = must('mmap', 0, room + PAGE_SIZE, PROT.READ | PROT.WRITE, flags, -1, 0)
  try {
    must('mprotect', area + room, PAGE_SIZE, PROT.NONE)
    const { received, rights } = receive(fd, at, BigInt(area + room - (length - 1)), length)
    for (const one of rights) close(one)
    if (received === -Errno.EFAULT) return 0
    return checked(received, 'recvmsg with MSG_PEEK')
  } finally {
    must('munmap', area, room + PAGE_SIZE)
  }
}

/** The urgent byte, if there is one that is not read yet. */
function peekUrgent(fd: LocalFd): Uint8Array | undefined {
  using s = scratch()
  const { address, bytes } = s.take(1)
  const flags = MSG.OOB | MSG.PEEK | MSG.DONTWAIT
  return sys('recvfrom', fd, address, 1, flags, 0, 0) === 1 ? bytes.slice() : undefined
}

function isAtMark(fd: LocalFd): boolean {
  using s = scratch()
  const answer = s.take(4)
  return sys('ioctl', fd, SIOC.ATMARK, answer.address) === 0 && answer.view.getInt32(0, true) === 1
}

/** Looks `offset` bytes into the queue; undefined: nothing is there. */
function peek(fd: LocalFd, offset: number, length: number): Peeked | undefined {
  using s = scratch()
  const data = s.takeDirty(length)
  const { received, ...found } = receive(fd, offset, data.address, length)
  if (received === -Errno.EAGAIN) return undefined
  checked(received, 'recvmsg with MSG_PEEK')
  if (received <= length) return { bytes: data.bytes.slice(0, received), ...found }
  for (const one of found.rights) close(one)
  return peek(fd, offset, received)
}

interface Received extends Omit<Peeked, 'bytes'> {
  /** Bytes, of a message that is longer than the buffer as well; or −errno. */
  readonly received: number
}

function receive(fd: LocalFd, offset: number, address: bigint, length: number): Received {
  setInt(fd, SOL.SOCKET, SO.PEEK_OFF, offset, 'SO_PEEK_OFF')
  using s = scratch()
  const control = s.take(CONTROL_ROOM)
  const name = s.take(NAME_ROOM)
  const part = s.put(iovec.encode({ base: address, len: BigInt(length) }))
  const header = s.put(
    msghdr.encode({
      name: name.address,
      namelen: NAME_ROOM,
      iov: part.address,
      iovlen: 1n,
      control: control.address,
      controllen: BigInt(CONTROL_ROOM),
    }),
  )
  const flags = MSG.PEEK | MSG.DONTWAIT | MSG.TRUNC | MSG.CMSG_CLOEXEC
  const received = sys('recvmsg', fd, header.address, flags)
  if (received < 0) return { received, rights: [] }
  const { controllen, namelen } = msghdr.read(header.view, 0)
  const found = controlOf(control.view, Number(controllen))
  const sender = namelen > 2 ? name.bytes.slice(2, namelen) : undefined
  return { received, ...found, ...(sender && { sender }) }
}

function controlOf(view: DataView, length: number): Pick<Peeked, 'rights' | 'credentials'> {
  const rights: LocalFd[] = []
  let credentials: Peeked['credentials']
  for (let at = 0; at + cmsghdr.size <= length; ) {
    const { len, level, type } = cmsghdr.read(view, at)
    const end = at + Number(len)
    if (level === SOL.SOCKET && type === SCM.RIGHTS)
      for (let fd = at + cmsghdr.size; fd < end; fd += 4)
        rights.push(localFd(view.getInt32(fd, true)))
    if (level === SOL.SOCKET && type === SCM.CREDENTIALS)
      credentials = notNobody(ucred.read(view, at + cmsghdr.size))
    at = (end + 7) & ~7
  }
  return { rights, ...(credentials && { credentials }) }
}

function notNobody(found: { pid: number; uid: number; gid: number }): Peeked['credentials'] {
  return found.pid === 0 && found.uid === NOBODY ? undefined : found
}
