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
  /** What stands in a line that is not above. */
  readonly raw: Pick<ReadonlyMap<string, string>, 'get'>
  /** The Vm…, Rss… and Huge… lines, in bytes; a zombie has none. */
  readonly memory: Pick<ReadonlyMap<string, number>, 'get'>
}

/**
 * A status file; a missing line gives 0, an empty list or the value said above. Each line is parsed
 * when it is asked for: there are sixty of them, and nobody asks for all.
 */
export function parseStatus(text: string): ProcStatus {
  return new StatusText(text)
}

class StatusText implements ProcStatus {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  get name(): string {
    return unescapeComm(this.#string('Name'))
  }
  get state(): string {
    return this.#string('State').charAt(0)
  }
  get umask(): number | undefined {
    const umask = this.#line('Umask')
    return umask === undefined ? undefined : Number.parseInt(umask, 8)
  }
  get tgid(): number {
    return this.#int('Tgid')
  }
  get pid(): number {
    return this.#int('Pid')
  }
  get ppid(): number {
    return this.#int('PPid')
  }
  get tracerPid(): number {
    return this.#int('TracerPid')
  }
  get uid(): Ids {
    return toIds(this.#list('Uid'))
  }
  get gid(): Ids {
    return toIds(this.#list('Gid'))
  }
  get groups(): number[] {
    return this.#list('Groups')
  }
  get nsTgid(): number[] {
    return this.#list('NStgid')
  }
  get nsPid(): number[] {
    return this.#list('NSpid')
  }
  get nsPgid(): number[] {
    return this.#list('NSpgid')
  }
  get nsSid(): number[] {
    return this.#list('NSsid')
  }
  get innermost(): ProcStatus['innermost'] {
    return {
      tgid: this.#last('NStgid'),
      pid: this.#last('NSpid'),
      pgid: this.#last('NSpgid'),
      sid: this.#last('NSsid'),
    }
  }
  get kthread(): boolean {
    return this.#int('Kthread') === 1
  }
  get threads(): number {
    return this.#int('Threads')
  }
  get sigQueue(): ProcStatus['sigQueue'] {
    const [queued = 0, limit = 0] = this.#string('SigQ').split('/').map(Number)
    return { queued, limit }
  }
  get signals(): SignalSets {
    return {
      pending: this.#hex('SigPnd'),
      sharedPending: this.#hex('ShdPnd'),
      blocked: this.#hex('SigBlk'),
      ignored: this.#hex('SigIgn'),
      caught: this.#hex('SigCgt'),
    }
  }
  get caps(): CapSets {
    return {
      inheritable: this.#hex('CapInh'),
      permitted: this.#hex('CapPrm'),
      effective: this.#hex('CapEff'),
      bounding: this.#hex('CapBnd'),
      ambient: this.#hex('CapAmb'),
    }
  }
  get noNewPrivs(): boolean {
    return this.#int('NoNewPrivs') === 1
  }
  get seccompMode(): number {
    return this.#int('Seccomp')
  }
  get seccompFilters(): number {
    return this.#int('Seccomp_filters')
  }
  get thpEnabled(): boolean {
    return this.#string('THP_enabled') !== '0'
  }
  get coreDumping(): boolean {
    return this.#int('CoreDumping') === 1
  }
  get speculationStoreBypass(): string {
    return this.#string('Speculation_Store_Bypass')
  }
  get cpusAllowedList(): string {
    return this.#string('Cpus_allowed_list')
  }
  get memsAllowedList(): string {
    return this.#string('Mems_allowed_list')
  }
  get raw(): ProcStatus['raw'] {
    return { get: (key) => this.#line(key) }
  }
  get memory(): ProcStatus['memory'] {
    return { get: (key) => this.#kilobytes(key) }
  }

  /** What stands behind `key:` and a tab; undefined without such a line. */
  #line(key: string): string | undefined {
    const text = this.#text
    const head = `${key}:`
    const before = text.startsWith(head) ? -1 : text.indexOf(`\n${head}`)
    if (before < 0 && !text.startsWith(head)) return undefined
    const start = before + 1 + head.length
    const end = text.indexOf('\n', start)
    const from = text[start] === '\t' ? start + 1 : start
    return text.slice(from, end < 0 ? text.length : end)
  }

  #string(key: string): string {
    return this.#line(key) ?? ''
  }

  #int(key: string): number {
    return Number.parseInt(this.#string(key), 10) || 0
  }

  #hex(key: string): bigint {
    return BigInt(`0x${this.#string(key) || '0'}`)
  }

  #list(key: string): number[] {
    return (this.#string(key).match(/\d+/g) ?? []).map(Number)
  }

  /** The last number of a list of pids: the task's own namespace is the innermost. */
  #last(key: string): NsPid {
    const list = this.#string(key)
    return nsPid(Number(list.slice(list.lastIndexOf('\t') + 1)))
  }

  #kilobytes(key: string): number | undefined {
    const text = this.#line(key)
    return text?.endsWith(' kB') ? Number.parseInt(text, 10) * 1024 : undefined
  }
}

const toIds = ([real = 0, effective = 0, saved = 0, fs = 0]: readonly number[]): Ids => ({
  real,
  effective,
  saved,
  fs,
})

/** Reads `status` under `/proc/PID` or `/proc/PID/task/TID`. */
export const readStatus = (path: string): ProcStatus => parseStatus(readProcFile(`${path}/status`))

/** Like {@link readStatus}; undefined when the process is gone. */
export function tryReadStatus(path: string): ProcStatus | undefined {
  const text = tryReadProcFile(`${path}/status`)
  return text ? parseStatus(text) : undefined
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
