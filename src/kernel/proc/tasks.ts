import { listNumbers, pidPath, readProcFile, tryListNumbers, tryReadProcFile } from './read.ts'
import { tryReadStat } from './stat.ts'

/** Pids of all processes that a procfs root shows, ascending. */
export const listPids = (root: string): number[] => listNumbers(root)

/** Thread ids of a process, ascending; the leader's is the pid. `path` is `/proc/PID`. */
export const listThreads = (path: string): number[] => listNumbers(`${path}/task`)

/** Like {@link listThreads}; undefined when the process is gone. */
export const tryListThreads = (path: string): number[] | undefined => tryListNumbers(`${path}/task`)

/** Descriptors of a process, ascending. `path` is `/proc/PID`. */
export const listFds = (path: string): number[] => listNumbers(`${path}/fd`)

/** Like {@link listFds}; undefined when the process is gone. */
export const tryListFds = (path: string): number[] | undefined => tryListNumbers(`${path}/fd`)

/**
 * Pids of the children of all threads of a process, ascending. From /proc/PID/task/TID/children
 * (CONFIG_PROC_CHILDREN; exact only while the children cannot exit, man 5 proc_tid_children), else
 * from the ppid of every process. Call it on stopped tasks, again until nothing new appears.
 */
export function listChildren(root: string, pid: number): number[] {
  const children = new Set<number>()
  for (const tid of listThreads(pidPath(root, pid))) {
    const text = tryReadProcFile(`${root}/${pid}/task/${tid}/children`)
    if (text === undefined) {
      if (tryReadStat(`${root}/${pid}/task/${tid}`)) return childrenByParent(root, pid)
      continue
    }
    for (const child of parseChildren(text)) children.add(child)
  }
  return [...children].sort((a, b) => a - b)
}

/** Parses a children file: pids with spaces between. */
export const parseChildren = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number)

/** Children by the ppid in every stat file: slow, and racy while tasks run. */
export const childrenByParent = (root: string, pid: number): number[] =>
  listPids(root).filter((candidate) => tryReadStat(pidPath(root, candidate))?.ppid === pid)

/** comm of a task, a byte string of at most 15 bytes. `path` as for stat. */
export const readComm = (path: string): string => readProcFile(`${path}/comm`).replace(/\n$/, '')

/** Like {@link readComm}; undefined when the process is gone. */
export const tryReadComm = (path: string): string | undefined =>
  tryReadProcFile(`${path}/comm`)?.replace(/\n$/, '')

/** Arguments as byte strings; empty for a zombie and a kernel thread. */
export function readCmdline(path: string): string[] {
  const text = readProcFile(`${path}/cmdline`)
  return text === '' ? [] : text.replace(/\0$/, '').split('\0')
}
