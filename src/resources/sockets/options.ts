import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { type OwnValue, ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { SO, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { linger } from '../../kernel/layout/sockets.ts'
import { timeval } from '../../kernel/layout/time.ts'
import { scratch } from '../../kernel/memory.ts'
import {
  setInt,
  tryGetInt,
  tryGetOption,
  trySetInt,
  trySetOption,
} from '../../kernel/socket-option.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'
import { dumpFilter, restoreFilter } from './filter.ts'
import {
  dumpRows,
  flag,
  int,
  long,
  type OptionForm,
  type OptionRow,
  restoreRows,
  struct,
} from './option-table.ts'
import { refuseChosen } from './reuseport-program.ts'

/** Options of the level SOL_SOCKET, and the socket's inode: what sockets of every family have. */
export type SocketOptions = Messages['sk_opts_entry']

/** Fields of ours: owner and permissions of the socket's inode, as fchown and fchmod set them. */
const INODE = { uid: 15000, gid: 15001, mode: 15002 } as const
/** Permissions that a new socket has (S_IFSOCK | S_IRWXUGO). */
const FRESH_MODE = 0o140777

const so = (
  name: keyof typeof SO,
  field: OptionRow<SocketOptions>['field'],
  form: OptionForm,
  fresh?: number | bigint | boolean,
): OptionRow<SocketOptions> => ({
  name: `SO_${name}`,
  level: SOL.SOCKET,
  option: SO[name],
  field,
  form,
  ...(fresh !== undefined && { fresh }),
})

/**
 * One line for each option that a program can set and read back, in the order in which they are set.
 * SO_RCVLOWAT may enlarge the buffer, so buffers come later; of the time stamps each older one comes
 * before its _NEW form, since the last call decides which of them control messages have.
 */
const rows: readonly OptionRow<SocketOptions>[] = [
  so('DEBUG', 15003, flag, false),
  so('PRIORITY', 'so_priority', int),
  so('RCVLOWAT', 'so_rcvlowat', int),
  so('MARK', 'so_mark', int, 0),
  so('PASSCRED', 'so_passcred', flag),
  so('PASSSEC', 'so_passsec', flag),
  so('DONTROUTE', 'so_dontroute', flag),
  so('NO_CHECK', 'so_no_check', flag),
  so('BROADCAST', 'so_broadcast', flag),
  so('KEEPALIVE', 'so_keepalive', flag),
  so('OOBINLINE', 'so_oobinline', int),
  so('TIMESTAMP', 15004, flag, false),
  so('TIMESTAMP_NEW', 15005, flag, false),
  so('TIMESTAMPNS', 15006, flag, false),
  so('TIMESTAMPNS_NEW', 15007, flag, false),
  so('TIMESTAMPING', 15008, struct(8), 0),
  so('TIMESTAMPING_NEW', 15009, struct(8), 0),
  so('RXQ_OVFL', 15010, flag, false),
  so('WIFI_STATUS', 15011, flag, false),
  so('PEEK_OFF', 15012, int, 0xffffffff),
  so('NOFCS', 15013, flag, false),
  so('SELECT_ERR_QUEUE', 15014, flag, false),
  so('BUSY_POLL', 15015, int, 0),
  so('MAX_PACING_RATE', 15016, long, 0xffffffffffffffffn),
  so('ZEROCOPY', 15017, flag, false),
  so('TXTIME', 15018, struct(8), 0),
  so('PREFER_BUSY_POLL', 15019, flag, false),
  so('RESERVE_MEM', 15021, int, 0),
  so('TXREHASH', 15022, int, 1),
  so('RCVMARK', 15023, flag, false),
  so('PASSPIDFD', 15024, flag, false),
  so('RCVPRIORITY', 15025, flag, false),
  so('PASSRIGHTS', 15026, flag, true),
  so('INQ', 15027, flag, false),
  so('INCOMING_CPU', 15028, int, 0xffffffff),
]
/** SO_LOCK_FILTER, which is set at the very end. */
const LOCKED_FILTER = 15029

/** SOF_TIMESTAMPING_OPT_ID (linux/net_tstamp.h): the kernel counts what is sent, and tells nobody. */
const COUNTED_TIMESTAMPS = 1 << 7

/** All options of a socket, by our copy of its descriptor: nothing is changed by looking. */
export function dumpSocketOptions(probe: FdProbe, dump: DumpContext): SocketOptions {
  const { local } = probe
  const [send, receive] = [SO.SNDTIMEO, SO.RCVTIMEO].map((option) => timeOf(local, option))
  const entry: SocketOptions = {
    so_sndbuf: number(local, SO.SNDBUF),
    so_rcvbuf: number(local, SO.RCVBUF),
    so_snd_tmo_sec: send!.sec,
    so_snd_tmo_usec: send!.usec,
    so_rcv_tmo_sec: receive!.sec,
    so_rcv_tmo_usec: receive!.usec,
    reuseaddr: number(local, SO.REUSEADDR) !== 0,
    so_reuseport: number(local, SO.REUSEPORT) !== 0,
    so_bound_dev: boundDevice(local),
    so_filter: dumpFilter(probe, dump),
    so_linger: lingerOf(local),
    so_buf_lock: tryGetInt(local, SOL.SOCKET, SO.BUF_LOCK),
  }
  refuseCounted(probe, dump)
  refuseChosen(probe, dump)
  return dumpRows(local, rows, withOwnFields(entry, ownOf(probe)))
}

/**
 * Every option but those of {@link finishSocketOptions}, on a new socket: before it is bound, since
 * some decide to what it can be, and after those of IP, since IP_TOS changes SO_PRIORITY.
 */
export function restoreSocketOptions(fd: LocalFd, entry: SocketOptions): void {
  restoreInode(fd, entry)
  bindToDevice(fd, entry.so_bound_dev)
  restoreRows(fd, rows, entry)
  restoreBuffers(fd, entry)
  setTime(fd, 'SO_SNDTIMEO', SO.SNDTIMEO, entry.so_snd_tmo_sec, entry.so_snd_tmo_usec)
  setTime(fd, 'SO_RCVTIMEO', SO.RCVTIMEO, entry.so_rcv_tmo_sec, entry.so_rcv_tmo_usec)
  if (entry.so_linger === undefined) return
  const value = linger.encode({ onoff: 1, linger: entry.so_linger })
  checked(trySetOption(fd, SOL.SOCKET, SO.LINGER, value), 'setsockopt SO_LINGER')
}

/**
 * What must wait until every socket is bound and has its queues: SO_REUSEADDR and SO_REUSEPORT (see
 * {@link bindSocket}), and a filter, which would drop what a restore sends.
 */
export function finishSocketOptions(fd: LocalFd, entry: SocketOptions): void {
  setReuse(fd, entry.reuseaddr ?? false, entry.so_reuseport ?? false)
  restoreFilter(fd, entry.so_filter, ownFieldsOf(entry).get(LOCKED_FILTER) === 1n)
}

/**
 * Binds a socket where it was. The other sockets of that port may have been bound before an option
 * was changed, or be remains of connections (TIME-WAIT): what fails as it is succeeds with the
 * options of reuse on. SO_REUSEADDR then stays on for those that come after, until
 * {@link finishSocketOptions}; SO_REUSEPORT would make a group of sockets that was none.
 */
export function bindSocket(fd: LocalFd, address: Uint8Array, entry: SocketOptions): number {
  const { reuseaddr = false, so_reuseport: reusePort = false } = entry
  using s = scratch()
  const { address: at } = s.put(address)
  const attempts = [
    [reuseaddr, reusePort],
    [true, reusePort],
    [true, true],
  ] as const
  let result = 0
  for (const [any, port] of attempts) {
    setReuse(fd, any, port)
    result = sys('bind', fd, at, address.length)
    if (result !== -Errno.EADDRINUSE) break
  }
  if (!reuseaddr) trySetInt(fd, SOL.SOCKET, SO.REUSEADDR, 1)
  return result
}

function setReuse(fd: LocalFd, any: boolean, port: boolean): void {
  setInt(fd, SOL.SOCKET, SO.REUSEADDR, Number(any), 'SO_REUSEADDR')
  // Sockets that are not of the internet have it not, since Linux 6.14.
  if (port !== (tryGetInt(fd, SOL.SOCKET, SO.REUSEPORT) !== 0))
    setInt(fd, SOL.SOCKET, SO.REUSEPORT, Number(port), 'SO_REUSEPORT')
}

const number = (fd: LocalFd, option: number): number => tryGetInt(fd, SOL.SOCKET, option) ?? 0

function timeOf(fd: LocalFd, option: number): { sec: bigint; usec: bigint } {
  return timeval.decode(tryGetOption(fd, SOL.SOCKET, option, timeval.size)!)
}

function setTime(fd: LocalFd, name: string, option: number, sec: bigint, usec: bigint): void {
  if (sec === 0n && usec === 0n) return
  const value = timeval.encode({ sec, usec })
  checked(trySetOption(fd, SOL.SOCKET, option, value), `setsockopt ${name}`)
}

/** Seconds; undefined where close does not linger. */
function lingerOf(fd: LocalFd): number | undefined {
  const { onoff, linger: seconds } = linger.decode(
    tryGetOption(fd, SOL.SOCKET, SO.LINGER, linger.size)!,
  )
  return onoff === 0 ? undefined : seconds
}

/** IFNAMSIZ: a name with its closing zero. */
const NAME_SIZE = 16

function boundDevice(fd: LocalFd): string | undefined {
  const name = tryGetOption(fd, SOL.SOCKET, SO.BINDTODEVICE, NAME_SIZE)
  return name?.length ? Buffer.from(name).toString('latin1').replace(/\0.*/s, '') : undefined
}

function bindToDevice(fd: LocalFd, device: string | undefined): void {
  if (!device) return
  const name = Buffer.from(`${device}\0`, 'latin1')
  const result = trySetOption(fd, SOL.SOCKET, SO.BINDTODEVICE, name)
  if (result === -Errno.ENODEV)
    fail({ code: 'conflict', reason: `a socket is bound to device ${device}, which is not there` })
  checked(result, 'setsockopt SO_BINDTODEVICE')
}

/** The kernel doubles what is asked for; a size that it chose itself may be one off, being odd. */
export function restoreBuffers(fd: LocalFd, entry: SocketOptions): void {
  if (number(fd, SO.SNDBUF) !== entry.so_sndbuf)
    setInt(fd, SOL.SOCKET, SO.SNDBUFFORCE, entry.so_sndbuf >>> 1, 'SO_SNDBUFFORCE')
  if (number(fd, SO.RCVBUF) !== entry.so_rcvbuf)
    setInt(fd, SOL.SOCKET, SO.RCVBUFFORCE, entry.so_rcvbuf >>> 1, 'SO_RCVBUFFORCE')
  restoreBufferLocks(fd, entry)
}

/**
 * Which sizes the kernel may no longer change by itself (SO_BUF_LOCK, since Linux 5.14): setting them
 * has locked both.
 */
function restoreBufferLocks(fd: LocalFd, { so_buf_lock: locks }: SocketOptions): void {
  if (locks !== undefined && tryGetInt(fd, SOL.SOCKET, SO.BUF_LOCK) !== locks)
    setInt(fd, SOL.SOCKET, SO.BUF_LOCK, locks, 'SO_BUF_LOCK')
}

function ownOf({ local, stat }: FdProbe): Map<number, OwnValue> {
  const own = new Map<number, OwnValue>()
  if (stat.uid !== 0) own.set(INODE.uid, BigInt(stat.uid))
  if (stat.gid !== 0) own.set(INODE.gid, BigInt(stat.gid))
  if (stat.mode !== FRESH_MODE) own.set(INODE.mode, BigInt(stat.mode))
  if (number(local, SO.LOCK_FILTER) !== 0) own.set(LOCKED_FILTER, 1n)
  return own
}

/** The owner of a socket counts: firewalls match it, and only sockets of one owner share a port. */
function restoreInode(fd: LocalFd, entry: SocketOptions): void {
  const own = ownFieldsOf(entry)
  const [uid, gid, mode] = [INODE.uid, INODE.gid, INODE.mode].map((field) => own.get(field))
  const isOwned = typeof uid === 'bigint' || typeof gid === 'bigint'
  if (isOwned) must('fchown', fd, Number(uid ?? 0n), Number(gid ?? 0n))
  if (typeof mode === 'bigint') must('fchmod', fd, Number(mode & 0o7777n))
}

function refuseCounted(probe: FdProbe, dump: DumpContext): void {
  const raw = tryGetOption(probe.local, SOL.SOCKET, SO.TIMESTAMPING, 4)
  if (!raw || (Buffer.from(raw).readUInt32LE() & COUNTED_TIMESTAMPS) === 0) return
  const what = `${nameSocket(probe.local)} with numbered time stamps (SOF_TIMESTAMPING_OPT_ID)`
  refuseFile(
    dump,
    probe,
    what,
    'let the program switch them off first: the kernel hides their count',
  )
}
