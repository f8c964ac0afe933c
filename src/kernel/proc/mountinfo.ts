import { fail } from '../../errors/error.ts'
import { unescapeOctal } from './bytes.ts'
import { makeDev, makeKernelDev } from './device.ts'
import { readProcFile, tryReadProcFile } from './read.ts'

/** One mount of /proc/PID/mountinfo (man 5 proc_pid_mountinfo). Strings are byte strings. */
export interface MountInfo {
  readonly id: number
  readonly parentId: number
  readonly major: number
  readonly minor: number
  /** As in st_dev. */
  readonly dev: number
  /** As the kernel and upstream's images have it. */
  readonly kernelDev: number
  /** What of the file system is mounted; without the `//deleted` behind it. */
  readonly root: string
  /** The root's directory was removed. */
  readonly rootDeleted: boolean
  /** Relative to the task's root directory. */
  readonly mountpoint: string
  readonly mountpointDeleted: boolean
  /** Options of the mount: rw, nosuid, … */
  readonly options: readonly string[]
  /** Peer group when shared. */
  readonly shared: number | undefined
  /** Peer group of the master when slave. */
  readonly master: number | undefined
  /** Nearest dominant peer group under the task's root, when it is not the master itself. */
  readonly propagateFrom: number | undefined
  readonly unbindable: boolean
  /** `ext4`, `fuse.sshfs`. */
  readonly fsType: string
  readonly source: string
  /** Options of the superblock as printed, still escaped where they hold spaces or commas. */
  readonly superOptions: string
}

/** Parses one line. */
export function parseMountLine(line: string): MountInfo {
  const fields = line.split(' ')
  const separator = fields.indexOf('-', 6)
  const [id, parent, device, root, mountpoint, options] = fields
  const [fsType, source, superOptions] = separator < 0 ? [] : fields.slice(separator + 1)
  if (fsType === undefined || options === undefined || superOptions === undefined) {
    fail({ code: 'internal', reason: `unexpected form of a mount: ${line}` })
  }
  const [major = 0, minor = 0] = device!.split(':').map(Number)
  const tags = fields.slice(6, separator)
  const rootPath = cutDeleted(root!)
  const point = cutDeleted(mountpoint!)
  return {
    id: Number(id),
    parentId: Number(parent),
    major,
    minor,
    dev: makeDev(major, minor),
    kernelDev: makeKernelDev(major, minor),
    root: rootPath.name,
    rootDeleted: rootPath.deleted,
    mountpoint: point.name,
    mountpointDeleted: point.deleted,
    options: options.split(','),
    shared: tagNumber(tags, 'shared:'),
    master: tagNumber(tags, 'master:'),
    propagateFrom: tagNumber(tags, 'propagate_from:'),
    unbindable: tags.includes('unbindable'),
    fsType: unescapeOctal(fsType),
    source: unescapeOctal(source!),
    superOptions,
  }
}

/** Parses a mountinfo file, in the kernel's order. */
export const parseMountInfo = (text: string): MountInfo[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseMountLine)

/** Reads `mountinfo` under `/proc/PID`. */
export const readMountInfo = (path: string): MountInfo[] =>
  parseMountInfo(readProcFile(`${path}/mountinfo`))

/** Like {@link readMountInfo}; undefined when the process is gone. */
export function tryReadMountInfo(path: string): MountInfo[] | undefined {
  const text = tryReadProcFile(`${path}/mountinfo`)
  return text === undefined ? undefined : parseMountInfo(text)
}

/** seq_dentry prints `//deleted` behind the name of a removed directory; no name holds `//`. */
const deletedSuffix = '//deleted'

function cutDeleted(text: string): { name: string; deleted: boolean } {
  const deleted = text.endsWith(deletedSuffix)
  return { name: unescapeOctal(deleted ? text.slice(0, -deletedSuffix.length) : text), deleted }
}

function tagNumber(tags: readonly string[], prefix: string): number | undefined {
  const tag = tags.find((candidate) => candidate.startsWith(prefix))
  return tag === undefined ? undefined : Number(tag.slice(prefix.length))
}
