import type { SyscallName } from '../arch/x86_64/syscalls.ts'
import { AT, F, LOCK, O, SEEK } from './constants/fcntl.ts'
import { MADV, MAP, MCL, MFD, MREMAP, MS, PROT } from './constants/mman.ts'
import { FSCONFIG, MNT, MS as MOUNT, MOUNT_ATTR, MOVE_MOUNT } from './constants/mount.ts'
import { EPOLL_CTL } from './constants/poll.ts'
import { ARCH, PR } from './constants/prctl.ts'
import { PTRACE } from './constants/ptrace.ts'
import { RLIMIT } from './constants/resource.ts'
import { CLONE } from './constants/sched.ts'
import { SFD, SIG_HOW, signalName } from './constants/signals.ts'
import { S } from './constants/stat.ts'
import { CLOCK, ITIMER } from './constants/time.ts'
import { W } from './constants/wait.ts'
import { errnoName, errnoText, MAX_ERRNO } from './errno.ts'

/**
 * Prints system calls as strace does, for `-v4`: `openat(AT_FDCWD, "/dev/null", O_RDWR) = 3`. Calls
 * that no line below describes get their arguments in hexadecimal: nothing is left out.
 */

/** How one argument is printed. */
type Format = (value: bigint, context: Context) => string

interface Context {
  readonly args: readonly bigint[]
  readonly readString: ((addr: bigint) => string | undefined) | undefined
}

type Named = Readonly<Record<string, number | bigint>>

/** Prints a call without its result; `readString` reads a C string of the task, if it can. */
export function formatCall(
  name: string,
  args: readonly bigint[],
  readString?: (addr: bigint) => string | undefined,
): string {
  const context: Context = { args, readString }
  const formats = describe[name as SyscallName] ?? args.map(() => raw)
  const printed = formats.map((format, i) => format(BigInt.asUintN(64, args[i] ?? 0n), context))
  return `${name}(${printed.join(', ')})`
}

/** Prints a raw return: `0`, `0x7f0000000000`, `-1 ENOENT (No such file or directory)`. */
export function formatResult(ret: bigint): string {
  const signed = BigInt.asIntN(64, ret)
  if (signed < 0n && signed >= BigInt(-MAX_ERRNO)) {
    const errno = Number(-signed)
    return `-1 ${errnoName(errno)} (${errnoText(errno)})`
  }
  return signed > 0xffffffffn || signed < 0n ? hex(BigInt.asUintN(64, ret)) : signed.toString()
}

const hex = (value: bigint): string => `0x${value.toString(16)}`

const raw: Format = (value) => (value < 10n ? value.toString() : hex(value))
const ptr: Format = (value) => (value === 0n ? 'NULL' : hex(value))
const int: Format = (value) => BigInt.asIntN(32, value).toString()
const long: Format = (value) => BigInt.asIntN(64, value).toString()
const size: Format = (value) => value.toString()
const octal: Format = (value) => (value === 0n ? '0' : `0${(value & 0xffffffffn).toString(8)}`)
const signal: Format = (value) => (value === 0n ? '0' : signalName(Number(value & 0xffffffffn)))
const dirfd: Format = (value, context) =>
  BigInt.asIntN(32, value) === BigInt(AT.FDCWD) ? 'AT_FDCWD' : int(value, context)

const string: Format = (value, context) => {
  if (value === 0n) return 'NULL'
  const text = context.readString?.(value)
  return text === undefined ? hex(value) : quote(text)
}

/** Bytes outside of printable ASCII as octal escapes. */
function quote(text: string): string {
  const escaped = text.replace(/[^ -~]|["\\]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`
    if (character === '\n') return '\\n'
    return `\\${character.codePointAt(0)!.toString(8)}`
  })
  return `"${escaped}"`
}

/** One of some values. */
function one(prefix: string, values: Named): Format {
  const names = new Map(Object.entries(values).map(([name, value]) => [BigInt(value), name]))
  return (value, context) => {
    const name = names.get(value & 0xffffffffn) ?? names.get(BigInt.asIntN(32, value))
    return name === undefined ? raw(value, context) : prefix + name
  }
}

/** Bits joined by `|`; what has no name follows in hexadecimal. `none` is printed for no bit. */
function flags(prefix: string, values: Named, none = '0'): Format {
  const bits = Object.entries(values)
    .map(([name, value]) => [name, BigInt(value)] as const)
    .filter(([, bit]) => bit > 0n)
    .sort(([, a], [, b]) => (a < b ? 1 : -1))
  return (value) => {
    const names: string[] = []
    let left = value
    for (const [name, bit] of bits) {
      if ((left & bit) !== bit) continue
      names.unshift(prefix + name)
      left &= ~bit
    }
    if (left !== 0n) names.push(hex(left))
    return names.length === 0 ? none : names.join('|')
  }
}

/** The access mode is a number in the two lowest bits, the rest are flags. */
const openFlags: Format = (value, context) => {
  const access = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'][Number(value & 3n)]!
  const rest = value & ~3n
  return rest === 0n ? access : `${access}|${otherOpenFlags(rest, context)}`
}

const without = <T extends Named>(values: T, ...names: (keyof T)[]): Named =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)))

const otherOpenFlags = flags('O_', without(O, 'ACCMODE', 'WRONLY', 'RDWR', 'NDELAY'))
const prot = flags('PROT_', PROT, 'PROT_NONE')
const mapFlags = flags('MAP_', without(MAP, 'HUGE_SHIFT', 'HUGE_MASK', 'HUGE_1GB', 'HUGE_2MB'))
const cloneFlags = flags('CLONE_', CLONE)
const atFlags = flags('AT_', without(AT, 'FDCWD', 'REMOVEDIR', 'HANDLE_FID', 'EACCESS'))
const unlinkFlags = flags('AT_', { REMOVEDIR: AT.REMOVEDIR })
const cloexec = flags('O_', { CLOEXEC: O.CLOEXEC, NONBLOCK: O.NONBLOCK, DIRECT: O.DIRECT })
const clock = one('CLOCK_', CLOCK)
const limit = one('RLIMIT_', RLIMIT)

/** clone(2): the exit signal is in the low byte of the flags. */
const oldCloneFlags: Format = (value, context) => {
  const exit = value & 0xffn
  const others = cloneFlags(value & ~0xffn, context)
  if (exit === 0n) return others
  const name = signal(exit, context)
  return others === '0' ? name : `${others}|${name}`
}

/** mode_t with the type of a file by name. */
const mode: Format = (value, context) => {
  const type = Object.entries(S).find(
    ([name, bits]) =>
      name !== 'IFMT' && name.startsWith('IF') && BigInt(bits) === (value & 0xf000n),
  )
  return type ? `S_${type[0]}|${octal(value & 0xfffn, context)}` : octal(value, context)
}

/** The third argument of fcntl means what the command says. */
const fcntlArgument: Format = (value, context) => {
  const command = Number(context.args[1] ?? 0n)
  if (command === F.SETFL) return openFlags(value, context)
  if (command === F.SETFD) return value === 1n ? 'FD_CLOEXEC' : raw(value, context)
  if (command === F.SETSIG) return signal(value, context)
  return raw(value, context)
}

/** Formats of the arguments, by name; calls that are run in tasks, and those that are met there. */
const describe: Partial<Record<SyscallName, readonly Format[]>> = {
  read: [int, ptr, size],
  write: [int, ptr, size],
  pread64: [int, ptr, size, long],
  pwrite64: [int, ptr, size, long],
  readv: [int, ptr, int],
  writev: [int, ptr, int],
  preadv: [int, ptr, int, long, long],
  pwritev: [int, ptr, int, long, long],
  preadv2: [int, ptr, int, long, long, raw],
  pwritev2: [int, ptr, int, long, long, raw],
  open: [string, openFlags, octal],
  openat: [dirfd, string, openFlags, octal],
  openat2: [dirfd, string, ptr, size],
  close: [int],
  close_range: [int, int, raw],
  lseek: [int, long, one('SEEK_', SEEK)],
  dup: [int],
  dup2: [int, int],
  dup3: [int, int, cloexec],
  fcntl: [int, one('F_', F), fcntlArgument],
  flock: [int, flags('LOCK_', LOCK)],
  ioctl: [int, raw, ptr],
  pipe2: [ptr, cloexec],
  ftruncate: [int, long],
  fallocate: [int, raw, long, long],
  fchmod: [int, octal],
  fchown: [int, int, int],
  unlinkat: [dirfd, string, unlinkFlags],
  linkat: [dirfd, string, dirfd, string, atFlags],
  symlinkat: [string, dirfd, string],
  mkdirat: [dirfd, string, octal],
  mknodat: [dirfd, string, mode, raw],
  readlinkat: [dirfd, string, ptr, size],
  newfstatat: [dirfd, string, ptr, atFlags],
  fstat: [int, ptr],
  statx: [dirfd, string, atFlags, raw, ptr],
  utimensat: [dirfd, string, ptr, atFlags],
  getdents64: [int, ptr, size],
  memfd_create: [string, flags('MFD_', without(MFD, 'HUGE_SHIFT'))],
  chdir: [string],
  fchdir: [int],
  chroot: [string],
  umask: [octal],
  mmap: [ptr, size, prot, mapFlags, int, ptr],
  munmap: [ptr, size],
  mremap: [ptr, size, size, flags('MREMAP_', MREMAP), ptr],
  mprotect: [ptr, size, prot],
  pkey_mprotect: [ptr, size, prot, int],
  madvise: [ptr, size, one('MADV_', MADV)],
  process_madvise: [int, ptr, size, one('MADV_', MADV), raw],
  mlock: [ptr, size],
  mlock2: [ptr, size, raw],
  munlock: [ptr, size],
  mlockall: [flags('MCL_', MCL)],
  msync: [ptr, size, flags('MS_', MS)],
  mseal: [ptr, size, raw],
  brk: [ptr],
  shmat: [int, ptr, raw],
  shmdt: [ptr],
  remap_file_pages: [ptr, size, prot, size, raw],
  prctl: [one('PR_', PR), raw, raw, raw, raw],
  arch_prctl: [one('ARCH_', ARCH), ptr],
  set_tid_address: [ptr],
  set_robust_list: [ptr, size],
  get_robust_list: [int, ptr, ptr],
  rseq: [ptr, size, raw, raw],
  clone: [oldCloneFlags, ptr, ptr, ptr, ptr],
  clone3: [ptr, size],
  unshare: [cloneFlags],
  setns: [int, cloneFlags],
  execveat: [dirfd, string, ptr, ptr, atFlags],
  exit: [int],
  exit_group: [int],
  wait4: [int, ptr, flags('W', W), ptr],
  kill: [int, signal],
  tkill: [int, signal],
  tgkill: [int, int, signal],
  rt_sigqueueinfo: [int, signal, ptr],
  rt_tgsigqueueinfo: [int, int, signal, ptr],
  rt_sigaction: [signal, ptr, ptr, size],
  rt_sigprocmask: [one('SIG_', SIG_HOW), ptr, ptr, size],
  rt_sigpending: [ptr, size],
  sigaltstack: [ptr, ptr],
  signalfd4: [int, ptr, size, flags('SFD_', SFD)],
  getpid: [],
  gettid: [],
  getppid: [],
  getpgid: [int],
  setpgid: [int, int],
  getsid: [int],
  setsid: [],
  getuid: [],
  getgid: [],
  setresuid: [int, int, int],
  setresgid: [int, int, int],
  setfsuid: [int],
  setfsgid: [int],
  setgroups: [int, ptr],
  getgroups: [int, ptr],
  capget: [ptr, ptr],
  capset: [ptr, ptr],
  seccomp: [raw, raw, ptr],
  personality: [raw],
  getrlimit: [limit, ptr],
  setrlimit: [limit, ptr],
  prlimit64: [int, limit, ptr, ptr],
  getpriority: [raw, int],
  setpriority: [raw, int, int],
  sched_setattr: [int, ptr, raw],
  sched_setaffinity: [int, size, ptr],
  sched_getaffinity: [int, size, ptr],
  getitimer: [one('ITIMER_', ITIMER), ptr],
  setitimer: [one('ITIMER_', ITIMER), ptr, ptr],
  timer_create: [clock, ptr, ptr],
  timer_settime: [int, raw, ptr, ptr],
  timer_gettime: [int, ptr],
  timer_getoverrun: [int],
  timer_delete: [int],
  timerfd_create: [clock, cloexec],
  timerfd_settime: [int, raw, ptr, ptr],
  timerfd_gettime: [int, ptr],
  clock_gettime: [clock, ptr],
  eventfd2: [int, raw],
  epoll_create1: [cloexec],
  epoll_ctl: [int, one('EPOLL_CTL_', EPOLL_CTL), int, ptr],
  inotify_init1: [cloexec],
  inotify_add_watch: [int, string, raw],
  userfaultfd: [raw],
  pidfd_open: [int, raw],
  pidfd_getfd: [int, int, raw],
  pidfd_send_signal: [int, signal, ptr, raw],
  socket: [int, raw, int],
  socketpair: [int, raw, int, ptr],
  bind: [int, ptr, int],
  connect: [int, ptr, int],
  listen: [int, int],
  accept4: [int, ptr, ptr, raw],
  sendmsg: [int, ptr, raw],
  recvmsg: [int, ptr, raw],
  setsockopt: [int, int, int, ptr, int],
  getsockopt: [int, int, int, ptr, ptr],
  mount: [string, string, string, flags('MS_', MOUNT), ptr],
  umount2: [string, flags('MNT_', MNT)],
  pivot_root: [string, string],
  open_tree: [dirfd, string, raw],
  move_mount: [dirfd, string, dirfd, string, flags('MOVE_MOUNT_', MOVE_MOUNT)],
  mount_setattr: [dirfd, string, raw, ptr, size],
  fsopen: [string, raw],
  fsconfig: [int, one('FSCONFIG_', FSCONFIG), string, ptr, int],
  fsmount: [int, raw, flags('MOUNT_ATTR_', MOUNT_ATTR)],
  sethostname: [string, size],
  setdomainname: [string, size],
  ptrace: [one('PTRACE_', PTRACE), int, ptr, ptr],
}
