/** What the corpus is made of: subject, mode and arguments, and those of its dump. */
export interface Recipe {
  readonly subject: string
  /** Arguments of the dump and of the restore. */
  readonly dump?: string
  readonly restore?: string
}

const established = { dump: '--tcp-established', restore: '--tcp-established' }

const subjects = (program: string, ...modes: string[]): Recipe[] =>
  modes.map((mode) => ({ subject: `${program} ${mode}` }))

/** Each kind of object at least once. */
export const recipes: readonly Recipe[] = [
  ...subjects('threads', 'in-several-processes 2', 'robust', 'names'),
  ...subjects('trees', 'generations 3', 'sessions', 'zombies', 'dead-session-leader', 'adopted'),
  ...subjects('files', 'position', 'owner', 'directory', 'memfd', 'shared-by-children'),
  ...subjects('ghosts', 'unlinked', 'sparse', 'current-directory-gone'),
  { subject: 'ghosts hard-link', dump: '--link-remap' },
  ...subjects('pipes', 'content', 'packets', 'between', 'fifo-content', 'pieces'),
  ...['mixed', 'unlinked', 'lease-read'].map((mode) => ({
    subject: `locks ${mode}`,
    dump: '--file-locks',
    restore: '--file-locks',
  })),
  ...subjects('memory', 'private', 'shared', 'private-file', 'copy-on-write', 'guard-pages'),
  ...subjects('memory', 'checkered', 'sealed', 'locked', 'memfd 1 0'),
  ...subjects('events', 'counter', 'signals', 'clocks', 'level', 'nested', 'numbers', 'ticks'),
  ...subjects('notify', 'directory', 'gaps', 'groups', 'inode-marks'),
  ...subjects('pidfd', 'child', 'reaped', 'shared'),
  ...subjects('uffd', 'missing', 'mixed', 'two'),
  ...subjects('uring', 'pending', 'registered-files', 'registered-buffers', 'mappings'),
  ...subjects('aio', 'used', 'several'),
  ...subjects('bpfmaps', 'hash', 'array'),
  ...subjects('tun', 'fleeting', 'tap'),
  ...subjects('unix', 'stream-queue', 'datagram-queue', 'backlog', 'senders', 'rights', 'nested'),
  ...subjects('unix', 'relative', 'credentials', 'urgent', 'options', 'listener-gone'),
  ...subjects('tcp', 'listen4', 'listen_options', 'unconnected', 'ended'),
  ...['connected4', 'received', 'half_closed', 'options', 'server'].map((mode) => ({
    subject: `tcp ${mode}`,
    ...established,
  })),
  ...subjects('udp', 'bound', 'peers', 'unread', 'groups', 'ip-options', 'socket-options'),
  ...subjects('raw', 'options', 'filters', 'ping'),
  ...subjects('packet', 'devices', 'members', 'fanout', 'rings'),
  ...subjects('netlink', 'ports', 'groups', 'filter'),
  ...subjects('mqueue', 'content', 'attributes', 'unlinked'),
  ...subjects('sysv', 'shm', 'shm-thrice', 'sem', 'sem-undo', 'msg'),
  ...subjects('ptys', 'pair', 'session', 'lines', 'modes', 'packets', 'foreground-gone'),
  ...subjects('signals', 'actions', 'queue', 'thread-queue', 'alternate-stack'),
  ...subjects('timers', 'ids', 'overrun', 'thread-timers'),
  ...subjects('task', 'auxiliary', 'oom'),
  ...subjects('credentials', 'user', 'many-groups', 'per-thread'),
  ...subjects('seccomp', 'filter', 'stacked'),
  ...subjects('cpu', 'sse', 'mxcsr'),
  ...subjects('limits', 'all'),
  ...subjects('scheduling', 'affinity', 'per-thread'),
  ...subjects('rseq', 'registered'),
  ...subjects('compat32', 'plain', 'signals'),
  ...subjects('restart', 'read'),
]

/** For a run of some seconds. */
export const fewRecipes: readonly Recipe[] = [
  ...subjects('threads', 'in-several-processes 2'),
  ...subjects('trees', 'sessions'),
  ...subjects('pipes', 'content'),
  ...subjects('events', 'nested'),
  ...subjects('unix', 'senders'),
  ...subjects('udp', 'unread'),
  ...subjects('sysv', 'msg'),
  ...subjects('ptys', 'lines'),
]
