import { type NsPid, nsPid } from '../types.ts'
import { readProcFile, tryReadProcFile } from './read.ts'

/** Real, effective, saved and file system id, in the user namespace of the reader. */
export interface Ids {
  readonly real: number
  readonly effective: number
  readonly saved: number
  readonly fs: number
}

/** Signal masks: bit n − 1 is signal n. */
export interface SignalSets {
  /** Pending for this thread. */
  readonly pending: bigint
  /** Pending for the whole process. */
  readonly sharedPending: bigint
  readonly blocked: bigint
  readonly ignored: bigint
  readonly caught: bigint
}

/** Capability sets: bit n is capability n. */
export interface CapSets {
  readonly inheritable: bigint
  readonly permitted: bigint
  readonly effective: bigint
  readonly bounding: bigint
  readonly ambient: bigint
}

/**
 * /proc/PID/status and /proc/PID/task/TID/status (man 5 proc_pid_status). Pids without `ns` are as
 * the procfs that was read counts them. A thread's file has the thread's own values; the pending
 * set of the process and all of `memory` are the process's.
 */
export interface ProcStatus {
  /** comm, at most 15 bytes, a byte string with `\n` and `\\` unescaped. */
  readonly name: string
  /** First letter of State: R S D T t Z X I. */
  readonly state: string
  /** Undefined for a zombie or kernel thread: they have no fs struct. */
  readonly umask: number | undefined
  readonly tgid: number
  readonly pid: number
  readonly ppid: number
  /** 0 when nobody traces it. */
  readonly tracerPid: number
  readonly uid: Ids
  readonly gid: Ids
  readonly groups: readonly number[]
  /** From the namespace of the procfs down to the task's own, which is last. */
  readonly nsTgid: readonly number[]
  readonly nsPid: readonly number[]
  readonly nsPgid: readonly number[]
  readonly nsSid: readonly number[]
  /** Innermost of each list above: what images hold. 0: the group or session leader is outside. */
  readonly innermost: {
    readonly tgid: NsPid
    readonly pid: NsPid
    readonly pgid: NsPid
    readonly sid: NsPid
  }
  readonly kthread: boolean
  readonly threads: number
  /** Queued signals of the real uid, and the limit. */
  readonly sigQueue: { readonly queued: number; readonly limit: number }
  readonly signals: SignalSets
  readonly caps: CapSets
  readonly noNewPrivs: boolean
  /** 0 none, 1 strict, 2 filter. */
  readonly seccompMode: number
  /** How many filters are installed (since Linux 5.9). */
  readonly seccompFilters: number
  /** PR_SET_THP_DISABLE gives false (since Linux 5.0). True where the kernel does not say. */
  readonly thpEnabled: boolean
  readonly coreDumping: boolean
  readonly speculationStoreBypass: string
  readonly cpusAllowedList: string
  readonly memsAllowedList: string
  /** The Vm…, Rss… and Huge… lines, in bytes; empty for a zombie. */
  readonly memory: ReadonlyMap<string, number>
  /** Every line, for what is not above. */
  readonly raw: ReadonlyMap<string, string>
}

/** Parses a status file; a missing line gives 0, an empty list or the value said above. */
export function parseStatus(text: string): ProcStatus {
  const raw = parseLines(text)
  const string = (key: string): string => raw.get(key) ?? ''
  const int = (key: string): number => Number.parseInt(string(key), 10) || 0
  const hex = (key: string): bigint => BigInt(`0x${string(key) || '0'}`)
  const list = (key: string): number[] => numbers(string(key))
  const [queued = 0, limit = 0] = string('SigQ').split('/').map(Number)
  const umask = raw.get('Umask')
  const lists = {
    nsTgid: list('NStgid'),
    nsPid: list('NSpid'),
    nsPgid: list('NSpgid'),
    nsSid: list('NSsid'),
  }
  return {
    name: unescapeComm(string('Name')),
    state: string('State').charAt(0),
    umask: umask === undefined ? undefined : Number.parseInt(umask, 8),
    tgid: int('Tgid'),
    pid: int('Pid'),
    ppid: int('PPid'),
    tracerPid: int('TracerPid'),
    uid: ids(list('Uid')),
    gid: ids(list('Gid')),
    groups: list('Groups'),
    ...lists,
    innermost: {
      tgid: nsPid(lists.nsTgid.at(-1) ?? 0),
      pid: nsPid(lists.nsPid.at(-1) ?? 0),
      pgid: nsPid(lists.nsPgid.at(-1) ?? 0),
      sid: nsPid(lists.nsSid.at(-1) ?? 0),
    },
    kthread: int('Kthread') === 1,
    threads: int('Threads'),
    sigQueue: { queued, limit },
    signals: {
      pending: hex('SigPnd'),
      sharedPending: hex('ShdPnd'),
      blocked: hex('SigBlk'),
      ignored: hex('SigIgn'),
      caught: hex('SigCgt'),
    },
    caps: {
      inheritable: hex('CapInh'),
      permitted: hex('CapPrm'),
      effective: hex('CapEff'),
      bounding: hex('CapBnd'),
      ambient: hex('CapAmb'),
    },
    noNewPrivs: int('NoNewPrivs') === 1,
    seccompMode: int('Seccomp'),
    seccompFilters: int('Seccomp_filters'),
    thpEnabled: string('THP_enabled') !== '0',
    coreDumping: int('CoreDumping') === 1,
    speculationStoreBypass: string('Speculation_Store_Bypass'),
    cpusAllowedList: string('Cpus_allowed_list'),
    memsAllowedList: string('Mems_allowed_list'),
    memory: memoryLines(raw),
    raw,
  }
}

/** Reads `status` under `/proc/PID` or `/proc/PID/task/TID`. */
export const readStatus = (path: string): ProcStatus => parseStatus(readProcFile(`${path}/status`))

/** Like {@link readStatus}; undefined when the process is gone. */
export function tryReadStatus(path: string): ProcStatus | undefined {
  const text = tryReadProcFile(`${path}/status`)
  return text ? parseStatus(text) : undefined
}

function parseLines(text: string): Map<string, string> {
  const lines = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) lines.set(line.slice(0, colon), line.slice(colon + 1).replace(/^\t/, ''))
  }
  return lines
}

const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number)

function ids([real = 0, effective = 0, saved = 0, fs = 0]: readonly number[]): Ids {
  return { real, effective, saved, fs }
}

/** The kernel escapes newline and backslash in Name (fs/proc/array.c: ESCAPE_SPACE|ESCAPE_SPECIAL). */
function unescapeComm(text: string): string {
  const letters: Record<string, string> = {
    n: '\n',
    t: '\t',
    r: '\r',
    f: '\f',
    v: '\v',
    a: '\x07',
    e: '\x1b',
  }
  return text.replace(/\\([ntrfvae"\\])/g, (_, letter: string) => letters[letter] ?? letter)
}

function memoryLines(raw: ReadonlyMap<string, string>): Map<string, number> {
  const memory = new Map<string, number>()
  for (const [key, value] of raw) {
    const match = /^\s*(\d+) kB$/.exec(value)
    if (match) memory.set(key, Number(match[1]) * 1024)
  }
  return memory
}
