import { fail } from '../../errors/error.ts'
import { type TraceeAddr, traceeAddr } from '../types.ts'
import { readProcFile, tryReadProcFile } from './read.ts'

/**
 * /proc/PID/stat and /proc/PID/task/TID/stat (man 5 proc_pid_stat). Pids are as the procfs that was
 * read counts them (the pid namespace of its mount). Addresses, kernel stack values and exit_code
 * are 0 for a reader without PTRACE_MODE_READ.
 */
export interface ProcStat {
  readonly pid: number
  /** At most 15 bytes, a byte string. */
  readonly comm: string
  /** R running, S sleeping, D disk sleep, T stopped by signal, t stopped by tracer, Z zombie, X dead. */
  readonly state: string
  readonly ppid: number
  readonly pgrp: number
  readonly session: number
  /** Device number of the controlling terminal, 0 for none: minor in bits 31–20 and 7–0. */
  readonly ttyNr: number
  /** Foreground process group of the terminal, −1 without a terminal. */
  readonly tpgid: number
  /** PF_… flags of the kernel. */
  readonly flags: number
  readonly utimeTicks: bigint
  readonly stimeTicks: bigint
  readonly cutimeTicks: bigint
  readonly cstimeTicks: bigint
  readonly priority: number
  readonly nice: number
  readonly numThreads: number
  /** Clock ticks (100 a second) after boot; with the pid it names a process for good. */
  readonly starttime: bigint
  /** Bytes. */
  readonly vsize: bigint
  /** Pages. */
  readonly rss: bigint
  readonly startCode: TraceeAddr
  readonly endCode: TraceeAddr
  readonly startStack: TraceeAddr
  readonly kstkesp: TraceeAddr
  readonly kstkeip: TraceeAddr
  readonly exitSignal: number
  readonly processor: number
  readonly rtPriority: number
  /** SCHED_… */
  readonly policy: number
  readonly startData: TraceeAddr
  readonly endData: TraceeAddr
  readonly startBrk: TraceeAddr
  readonly argStart: TraceeAddr
  readonly argEnd: TraceeAddr
  readonly envStart: TraceeAddr
  readonly envEnd: TraceeAddr
  /** As of wait4: signal in bits 6–0, exit status in bits 15–8. */
  readonly exitCode: number
}

/** Number of the last field, exit_code (since Linux 3.5). */
const LAST_FIELD = 52

/**
 * The one line of a stat file; comm may hold spaces, parentheses and newlines. A field is parsed when it
 * is asked for.
 */
export function parseStat(text: string): ProcStat {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const rest = text
    .slice(close + 2)
    .trimEnd()
    .split(' ')
  if (open < 0 || close < open || rest.length < LAST_FIELD - 2) {
    fail({ code: 'internal', reason: `unexpected form of /proc/PID/stat: ${text.slice(0, 80)}` })
  }
  return new StatText(Number(text.slice(0, open)), text.slice(open + 1, close), rest)
}

class StatText implements ProcStat {
  readonly pid: number
  readonly comm: string
  /** Fields count from 1 as in the man page; the third is the first after comm. */
  readonly #rest: readonly string[]

  constructor(pid: number, comm: string, rest: readonly string[]) {
    this.pid = pid
    this.comm = comm
    this.#rest = rest
  }

  get state(): string {
    return this.#field(3)
  }
  get ppid(): number {
    return this.#int(4)
  }
  get pgrp(): number {
    return this.#int(5)
  }
  get session(): number {
    return this.#int(6)
  }
  get ttyNr(): number {
    return this.#int(7)
  }
  get tpgid(): number {
    return this.#int(8)
  }
  get flags(): number {
    return this.#int(9)
  }
  get utimeTicks(): bigint {
    return this.#big(14)
  }
  get stimeTicks(): bigint {
    return this.#big(15)
  }
  get cutimeTicks(): bigint {
    return this.#big(16)
  }
  get cstimeTicks(): bigint {
    return this.#big(17)
  }
  get priority(): number {
    return this.#int(18)
  }
  get nice(): number {
    return this.#int(19)
  }
  get numThreads(): number {
    return this.#int(20)
  }
  get starttime(): bigint {
    return this.#big(22)
  }
  get vsize(): bigint {
    return this.#big(23)
  }
  get rss(): bigint {
    return this.#big(24)
  }
  get startCode(): TraceeAddr {
    return this.#addr(26)
  }
  get endCode(): TraceeAddr {
    return this.#addr(27)
  }
  get startStack(): TraceeAddr {
    return this.#addr(28)
  }
  get kstkesp(): TraceeAddr {
    return this.#addr(29)
  }
  get kstkeip(): TraceeAddr {
    return this.#addr(30)
  }
  get exitSignal(): number {
    return this.#int(38)
  }
  get processor(): number {
    return this.#int(39)
  }
  get rtPriority(): number {
    return this.#int(40)
  }
  get policy(): number {
    return this.#int(41)
  }
  get startData(): TraceeAddr {
    return this.#addr(45)
  }
  get endData(): TraceeAddr {
    return this.#addr(46)
  }
  get startBrk(): TraceeAddr {
    return this.#addr(47)
  }
  get argStart(): TraceeAddr {
    return this.#addr(48)
  }
  get argEnd(): TraceeAddr {
    return this.#addr(49)
  }
  get envStart(): TraceeAddr {
    return this.#addr(50)
  }
  get envEnd(): TraceeAddr {
    return this.#addr(51)
  }
  get exitCode(): number {
    return this.#int(52)
  }

  #field(n: number): string {
    return this.#rest[n - 3]!
  }
  #int(n: number): number {
    return Number(this.#field(n))
  }
  #big(n: number): bigint {
    return BigInt(this.#field(n))
  }
  #addr(n: number): TraceeAddr {
    return traceeAddr(BigInt(this.#field(n)))
  }
}

/** Reads `stat` under `/proc/PID` or `/proc/PID/task/TID`. */
export const readStat = (path: string): ProcStat => parseStat(readProcFile(`${path}/stat`))

/** Like {@link readStat}; undefined when the process is gone. */
export function tryReadStat(path: string): ProcStat | undefined {
  const text = tryReadProcFile(`${path}/stat`)
  return text ? parseStat(text) : undefined
}
