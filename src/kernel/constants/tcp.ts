/** linux/tcp.h: options of TCP sockets, and what repairing them takes. */

/** Options of the level IPPROTO_TCP. */
export const TCP = {
  NODELAY: 1,
  MAXSEG: 2,
  CORK: 3,
  KEEPIDLE: 4,
  KEEPINTVL: 5,
  KEEPCNT: 6,
  SYNCNT: 7,
  LINGER2: 8,
  DEFER_ACCEPT: 9,
  WINDOW_CLAMP: 10,
  INFO: 11,
  QUICKACK: 12,
  CONGESTION: 13,
  MD5SIG: 14,
  THIN_LINEAR_TIMEOUTS: 16,
  THIN_DUPACK: 17,
  USER_TIMEOUT: 18,
  REPAIR: 19,
  REPAIR_QUEUE: 20,
  QUEUE_SEQ: 21,
  REPAIR_OPTIONS: 22,
  FASTOPEN: 23,
  TIMESTAMP: 24,
  NOTSENT_LOWAT: 25,
  CC_INFO: 26,
  SAVE_SYN: 27,
  SAVED_SYN: 28,
  REPAIR_WINDOW: 29,
  FASTOPEN_CONNECT: 30,
  ULP: 31,
  MD5SIG_EXT: 32,
  FASTOPEN_KEY: 33,
  FASTOPEN_NO_COOKIE: 34,
  ZEROCOPY_RECEIVE: 35,
  INQ: 36,
  TX_DELAY: 37,
  AO_INFO: 40,
  RTO_MAX_MS: 44,
  RTO_MIN_US: 45,
  DELACK_MAX_US: 46,
} as const

/** Values of TCP_REPAIR; OFF sends a window probe. */
export const TCP_REPAIR = {
  ON: 1,
  OFF: 0,
  OFF_NO_WP: -1,
} as const

/** Values of TCP_REPAIR_QUEUE (an enum without names in user space). */
export const TCP_QUEUE = {
  NONE: 0,
  RECV: 1,
  SEND: 2,
} as const

/** What was agreed on, in `tcpi_options` of TCP_INFO. */
export const TCPI_OPT = {
  TIMESTAMPS: 1,
  SACK: 2,
  WSCALE: 4,
  ECN: 8,
} as const

/** Options of a segment (netinet/tcp.h), as TCP_REPAIR_OPTIONS names them. */
export const TCPOPT = {
  MAXSEG: 2,
  WINDOW: 3,
  SACK_PERMITTED: 4,
  TIMESTAMP: 8,
} as const
