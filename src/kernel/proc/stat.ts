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

/** Parses the one line of a stat file; comm may hold spaces, parentheses and newlines. */
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
  /** Fields count from 1 as in the man page; the third is the first after comm. */
  const field = (n: number): string => rest[n - 3]!
  const int = (n: number): number => Number(field(n))
  const big = (n: number): bigint => BigInt(field(n))
  const addr = (n: number): TraceeAddr => traceeAddr(BigInt(field(n)))
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: field(3),
    ppid: int(4),
    pgrp: int(5),
    session: int(6),
    ttyNr: int(7),
    tpgid: int(8),
    flags: int(9),
    utimeTicks: big(14),
    stimeTicks: big(15),
    cutimeTicks: big(16),
    cstimeTicks: big(17),
    priority: int(18),
    nice: int(19),
    numThreads: int(20),
    starttime: big(22),
    vsize: big(23),
    rss: big(24),
    startCode: addr(26),
    endCode: addr(27),
    startStack: addr(28),
    kstkesp: addr(29),
    kstkeip: addr(30),
    exitSignal: int(38),
    processor: int(39),
    rtPriority: int(40),
    policy: int(41),
    startData: addr(45),
    endData: addr(46),
    startBrk: addr(47),
    argStart: addr(48),
    argEnd: addr(49),
    envStart: addr(50),
    envEnd: addr(51),
    exitCode: int(52),
  }
}

/** Reads `stat` under `/proc/PID` or `/proc/PID/task/TID`. */
export const readStat = (path: string): ProcStat => parseStat(readProcFile(`${path}/stat`))

/** Like {@link readStat}; undefined when the process is gone. */
export function tryReadStat(path: string): ProcStat | undefined {
  const text = tryReadProcFile(`${path}/stat`)
  return text ? parseStat(text) : undefined
}
