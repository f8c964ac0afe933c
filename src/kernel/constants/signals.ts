/** Signals of x86-64: asm/signal.h, asm-generic/siginfo.h. */

/** Numbers of signals by name. */
export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const

/** First real-time signal of the kernel; C libraries keep some for themselves. */
export const SIGRTMIN = 32

/** How rt_sigprocmask changes the mask. */
export const SIG_HOW = {
  BLOCK: 0,
  UNBLOCK: 1,
  SETMASK: 2,
} as const

/** Handlers that are none. */
export const SIG_DFL = 0n
export const SIG_IGN = 1n

/** Flags of a signal action. */
export const SA = {
  NOCLDSTOP: 0x1,
  NOCLDWAIT: 0x2,
  SIGINFO: 0x4,
  UNSUPPORTED: 0x400,
  EXPOSE_TAGBITS: 0x800,
  RESTORER: 0x4000000,
  ONSTACK: 0x8000000,
  RESTART: 0x10000000,
  NODEFER: 0x40000000,
  RESETHAND: 0x80000000,
} as const

/** Flags of an alternative stack. */
export const SS = {
  ONSTACK: 0x1,
  DISABLE: 0x2,
  AUTODISARM: 0x80000000,
} as const

/** si_code of signals that a process or the kernel sends; below 0 a process may choose. */
export const SI = {
  USER: 0,
  KERNEL: 128,
  ASYNCNL: -60,
  DETHREAD: -7,
  TKILL: -6,
  SIGIO: -5,
  ASYNCIO: -4,
  MESGQ: -3,
  TIMER: -2,
  QUEUE: -1,
} as const

/** si_code of SIGCHLD. */
export const CLD = {
  EXITED: 1,
  KILLED: 2,
  DUMPED: 3,
  TRAPPED: 4,
  STOPPED: 5,
  CONTINUED: 6,
} as const

/** sigev_notify of struct sigevent. */
export const SIGEV = {
  SIGNAL: 0,
  NONE: 1,
  THREAD: 2,
  THREAD_ID: 4,
} as const

/** Flags of signalfd4. */
export const SFD = {
  NONBLOCK: 0x800,
  CLOEXEC: 0x80000,
} as const

export type SignalName = keyof typeof SIG

/** Highest signal number (_NSIG); the kernel's sets have a bit for each, bit n − 1 for signal n. */
export const NSIG = 64

/** Made when it is first asked: for logs and errors. */
let names: Map<number, SignalName> | undefined

/** `SIGTERM` for 15; `SIGRTMIN+2` for 34 (counted from the kernel's 32); `SIG99` for no signal. */
export function signalName(signal: number): string {
  names ??= new Map(Object.entries(SIG).map(([name, number]) => [number, name as SignalName]))
  const name = names.get(signal)
  if (name) return `SIG${name}`
  const realtime = signal >= SIGRTMIN && signal <= NSIG
  return realtime ? `SIGRTMIN+${signal - SIGRTMIN}` : `SIG${signal}`
}

/** Number of a name with or without `SIG`, or of a decimal number; undefined for neither. */
export function signalNumber(name: string): number | undefined {
  const bare = name.toUpperCase().replace(/^SIG/, '')
  if (Object.hasOwn(SIG, bare)) return SIG[bare as SignalName]
  const match = /^(RTMIN\+?)?(\d*)$/.exec(bare)
  if (!match || bare === '') return undefined
  const signal = (match[1] ? SIGRTMIN : 0) + Number(match[2])
  return signal >= 1 && signal <= NSIG ? signal : undefined
}

/** The set of some signals. */
export const signalSet = (...signals: readonly number[]): bigint =>
  signals.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n)

/** All signals; the kernel itself leaves SIGKILL and SIGSTOP unblocked. */
export const ALL_SIGNALS = (1n << BigInt(NSIG)) - 1n

/** Whether a set has a signal. */
export const inSignalSet = (set: bigint, signal: number): boolean =>
  ((set >> BigInt(signal - 1)) & 1n) === 1n

/** Signals of a set, ascending. */
export function signalsOf(set: bigint): number[] {
  const signals: number[] = []
  for (let signal = 1; signal <= NSIG; signal++) if (inSignalSet(set, signal)) signals.push(signal)
  return signals
}
