import { readProcFile, tryReadProcFile } from './read.ts'

/** Small files of a procfs root that speak of the whole system. `root` is `/proc` or its like. */

/** A sysctl that is one number, such as `kernel/pid_max`; undefined when the kernel has none. */
export function trySysctl(root: string, name: string): number | undefined {
  const text = trySysctlText(root, name)
  return text === undefined ? undefined : Number(text)
}

/** A sysctl as text without the last newline; undefined when the kernel has none. */
export const trySysctlText = (root: string, name: string): string | undefined =>
  tryReadProcFile(`${root}/sys/${name}`)?.replace(/\n$/, '')

/** Pids are below it; set_tid from it on gives EINVAL. */
export const readPidMax = (root: string): number =>
  Number(readProcFile(`${root}/sys/kernel/pid_max`))

/** Number of the last capability that the kernel knows. */
export const readCapLastCap = (root: string): number =>
  Number(readProcFile(`${root}/sys/kernel/cap_last_cap`))

/** `6.18.44-…`. */
export const readOsRelease = (root: string): string =>
  readProcFile(`${root}/sys/kernel/osrelease`).trimEnd()

/** Counters of /proc/vmstat by name. */
export const readVmstat = (root: string): ReadonlyMap<string, bigint> =>
  parseCounters(readProcFile(`${root}/vmstat`))

/** Sizes of /proc/meminfo by name, in bytes; HugePages_… lines are counts. */
export const readMeminfo = (root: string): ReadonlyMap<string, bigint> =>
  parseCounters(readProcFile(`${root}/meminfo`))

/** Lines of `name value` or `name: value kB`. */
export function parseCounters(text: string): Map<string, bigint> {
  const counters = new Map<string, bigint>()
  for (const [, name, value, unit] of text.matchAll(/^([^\s:]+):?\s+(\d+)( kB)?$/gm)) {
    counters.set(name!, BigInt(value!) * (unit ? 1024n : 1n))
  }
  return counters
}

/** What /proc/cpuinfo says of the first processor. */
export interface CpuInfo {
  readonly vendor: string
  readonly family: number
  readonly model: number
  readonly stepping: number
  readonly modelName: string
  readonly flags: ReadonlySet<string>
}

/** Parses cpuinfo of x86. */
export function parseCpuInfo(text: string): CpuInfo {
  const value = (key: string): string =>
    new RegExp(`^${key}\\s*: ?(.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''
  return {
    vendor: value('vendor_id'),
    family: Number(value('cpu family')),
    model: Number(value('model')),
    stepping: Number(value('stepping')),
    modelName: value('model name'),
    flags: new Set(value('flags').split(' ').filter(Boolean)),
  }
}

/** Reads `cpuinfo` of a procfs root. */
export const readCpuInfo = (root: string): CpuInfo => parseCpuInfo(readProcFile(`${root}/cpuinfo`))
