import { readProcFile, tryReadProcFile } from './read.ts'

/** One hierarchy of /proc/PID/cgroup (man 7 cgroups). */
export interface CgroupLine {
  /** 0 for cgroup v2. */
  readonly hierarchy: number
  /** Controllers of a v1 hierarchy, or `name=…` of a named one; empty for v2. */
  readonly controllers: readonly string[]
  /** Relative to the root of the reader's cgroup namespace: `/..` leads above it. Byte string. */
  readonly path: string
  /** The group was removed while the task (a zombie) was in it. */
  readonly deleted: boolean
}

/** Parses a cgroup file. */
export function parseCgroup(text: string): CgroupLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const first = line.indexOf(':')
      const second = line.indexOf(':', first + 1)
      const controllers = line.slice(first + 1, second)
      const path = line.slice(second + 1)
      const deleted = path.endsWith(' (deleted)')
      return {
        hierarchy: Number(line.slice(0, first)),
        controllers: controllers === '' ? [] : controllers.split(','),
        path: deleted ? path.slice(0, -' (deleted)'.length) : path,
        deleted,
      }
    })
}

/** Reads `cgroup` under `/proc/PID` or `/proc/PID/task/TID`. */
export const readCgroup = (path: string): CgroupLine[] =>
  parseCgroup(readProcFile(`${path}/cgroup`))

/** Like {@link readCgroup}; undefined when the process is gone. */
export function tryReadCgroup(path: string): CgroupLine[] | undefined {
  const text = tryReadProcFile(`${path}/cgroup`)
  return text === undefined ? undefined : parseCgroup(text)
}
