import { O } from '../../kernel/constants/fcntl.ts'
import { fileType, S } from '../../kernel/constants/stat.ts'
import { readdirSync } from '../../kernel/fs.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, minorOf } from '../../kernel/proc/device.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { linkPath, pathFromHere, tryFindPath, tryLstat } from './lookup.ts'
import { refuseFile } from './refuse.ts'
import { remap } from './remap-dump.ts'

/** Devices of memory (drivers/char/mem.c): no open of them has anything of its own. */
const MEM_MAJOR = 1
const KMSG_MINOR = 11

/** What stands behind the numbers of drivers that keep something for each open (admin-guide/devices). */
const statefulMisc = new Map<number, string>([
  [130, 'watchdog'],
  [135, 'real time clock'],
  [200, 'TUN/TAP device'],
  [223, 'uinput device'],
  [228, 'high precision timer'],
  [229, 'FUSE connection'],
  [231, 'snapshot device'],
  [232, 'KVM'],
  [235, 'autofs control'],
])
const MISC_MAJOR = 10

/** The path to write for a device file; undefined: refused. */
export function devicePath(probe: FdProbe, id: FileId, dump: DumpContext): string | undefined {
  if (hasState(probe)) {
    refuseFile(dump, probe, describe(probe), 'close it before the dump')
    return undefined
  }
  const path = tryFindPath(probe)
  if (path !== undefined) return path
  if (probe.stat.nlink === 0) return remap(probe, id, dump)
  const other = dump.options.evasiveDevices ? anyPath(probe) : undefined
  if (other !== undefined) return other
  const remedy = dump.options.evasiveDevices
    ? 'make a device file for it under /dev'
    : 'dump with --evasive-devices, which takes any path to the same device'
  refuseFile(dump, probe, `${describe(probe)}, whose path is gone`, remedy)
  return undefined
}

function hasState({ stat, flags }: FdProbe): boolean {
  if (flags & O.PATH || fileType(stat.mode) === 'block') return false
  const rdev = Number(stat.rdev)
  if (majorOf(rdev) !== MEM_MAJOR) return true
  // A reader of the kernel's log has a place in it, that lseek cannot set.
  return minorOf(rdev) === KMSG_MINOR && (flags & O.ACCMODE) !== O.WRONLY
}

function describe(probe: FdProbe): string {
  const rdev = Number(probe.stat.rdev)
  const [major, minor] = [majorOf(rdev), minorOf(rdev)]
  const noun = fileType(probe.stat.mode) === 'block' ? 'block device' : 'character device'
  const known = major === MISC_MAJOR ? statefulMisc.get(minor) : undefined
  const path = displayPath(linkPath(probe) ?? probe.path)
  return `${noun} ${path} (${major}:${minor}${known ? `, ${known}` : ''})`
}

/** The old path if it leads to the same device now, else what /dev has for it. */
function anyPath(probe: FdProbe): string | undefined {
  const name = linkPath(probe)
  const candidates = name === undefined ? [] : [name]
  try {
    const names = readdirSync(pathFromHere(probe.task, '/dev'), { encoding: 'latin1' })
    candidates.push(...names.map((entry) => `/dev/${entry}`))
  } catch {
    // Without a /dev there is nothing to find in it.
  }
  return candidates.find((path) => {
    const stat = tryLstat(pathFromHere(probe.task, path))
    const sameType = stat && (stat.mode & S.IFMT) === (probe.stat.mode & S.IFMT)
    return sameType && stat.rdev === probe.stat.rdev
  })
}
