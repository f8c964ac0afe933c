import type { Messages } from '../../images/gen/messages.ts'
import { unknownFields } from '../../images/message.ts'
import { IPPROTO } from '../../kernel/constants/ip.ts'
import { TCP } from '../../kernel/constants/tcp.ts'
import { tryGetInt } from '../../kernel/socket-option.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { InetEntry } from './inet-protocol.ts'
import {
  dumpRows,
  flag,
  int,
  type OptionForm,
  type OptionRow,
  restoreRows,
  struct,
} from './option-table.ts'
import type { SocketOptions } from './options.ts'

type TcpOptions = Messages['tcp_opts_entry']

/** Our fields: this, and the option's own number. */
const FIELD = 15000

const tcp = (
  name: keyof typeof TCP,
  form: OptionForm,
  fresh?: number | boolean,
  field: OptionRow<TcpOptions>['field'] = FIELD + TCP[name],
): OptionRow<TcpOptions> => ({
  name: `TCP_${name}`,
  level: IPPROTO.TCP,
  option: TCP[name],
  field,
  form,
  ...(fresh !== undefined && { fresh }),
})

/** One line for each option that a program can set and read back at any time. */
const rows: readonly OptionRow<TcpOptions>[] = [
  tcp('CONGESTION', struct(16)),
  tcp('KEEPCNT', int, 9, 'keepcnt'),
  tcp('KEEPIDLE', int, 7200, 'keepidle'),
  tcp('KEEPINTVL', int, 75, 'keepintvl'),
  tcp('SYNCNT', int, 6),
  tcp('LINGER2', int, 60),
  tcp('DEFER_ACCEPT', int, 0),
  tcp('WINDOW_CLAMP', int, 0),
  tcp('THIN_LINEAR_TIMEOUTS', flag, false),
  tcp('USER_TIMEOUT', int, 0),
  tcp('NOTSENT_LOWAT', int, 0),
  tcp('SAVE_SYN', int, 0),
  tcp('FASTOPEN_NO_COOKIE', flag, false),
  tcp('INQ', flag, false),
  tcp('TX_DELAY', int, 0),
  tcp('RTO_MAX_MS', int, 120_000),
  tcp('RTO_MIN_US', int, 200_000),
  tcp('DELACK_MAX_US', int, 200_000),
  tcp('NODELAY', flag, false, 'nodelay'),
  tcp('CORK', flag, false, 'cork'),
  // What it tells is whether it is in force at the moment.
  tcp('QUICKACK', flag, true),
]

/** Of a socket that is not connected: later TCP_MAXSEG tells another thing, and the rest is closed. */
const early: readonly OptionRow<TcpOptions>[] = [
  tcp('MAXSEG', int, 536),
  tcp('FASTOPEN', int, 0),
  tcp('FASTOPEN_CONNECT', flag, false),
  tcp('FASTOPEN_KEY', struct(32), 0),
]

/** Options of the level IPPROTO_TCP; undefined where there is nothing to tell. */
export function dumpTcpOptions(fd: LocalFd, isConnected: boolean): TcpOptions | undefined {
  const entry = dumpRows(fd, isConnected ? rows : [...early, ...rows], {} as TcpOptions)
  return Object.keys(entry).length > 0 || entry[unknownFields] ? entry : undefined
}

/** The options of keep-alive probes where older upstream has them: beside SO_KEEPALIVE. */
export function withKeepAlive(fd: LocalFd, options: SocketOptions): SocketOptions {
  if (!options.so_keepalive) return options
  const [tcp_keepcnt, tcp_keepidle, tcp_keepintvl] = [TCP.KEEPCNT, TCP.KEEPIDLE, TCP.KEEPINTVL].map(
    (option) => tryGetInt(fd, IPPROTO.TCP, option),
  )
  return { ...options, tcp_keepcnt, tcp_keepidle, tcp_keepintvl }
}

/** On a socket that listens or will; of a connected one once its queues are full again. */
export function restoreTcpOptions(fd: LocalFd, { opts, tcp_opts }: InetEntry): void {
  const { tcp_keepcnt: keepcnt, tcp_keepidle: keepidle, tcp_keepintvl: keepintvl } = opts
  restoreRows(fd, [...early, ...rows], {
    ...tcp_opts,
    keepcnt: tcp_opts?.keepcnt ?? keepcnt,
    keepidle: tcp_opts?.keepidle ?? keepidle,
    keepintvl: tcp_opts?.keepintvl ?? keepintvl,
  })
}
