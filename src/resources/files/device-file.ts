import { O } from '../../kernel/constants/fcntl.ts'
import { fileType, S } from '../../kernel/constants/stat.ts'
import { readdirSync } from '../../kernel/fs.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, minorOf } from '../../kernel/proc/device.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { linkPath, pathFromHere, tryFindPath, tryLstat } from './lookup.ts'
import { refuseFile } from './refuse.ts'
import { remap } from './remap-dump.ts'

/** Devices of memory (drivers/char/mem.c): no open of them has anything of its own. */
const MEM_MAJOR = 1
const KMSG_MINOR = 11

/** Devices of drivers/char/misc.c by their numbers (admin-guide/devices). */
const MISC_MAJOR = 10

/**
 * Those that keep nothing for an open of them: what is asked through them is of the machine, or makes a
 * descriptor of its own.
 */
const statelessMisc = new Map<number, string>([
  [183, 'hwrng'],
  [232, 'kvm'],
  [234, 'btrfs-control'],
  [235, 'autofs'],
  [237, 'loop-control'],
])

/** What others keep for each open, for the report. */
const statefulMisc = new Map<number, string>([
  [130, 'watchdog'],
  [135, 'real time clock'],
  [144, 'non-volatile memory'],
  [196, 'VFIO container'],
  [200, 'TUN/TAP device'],
  [223, 'uinput device'],
  [224, 'TPM'],
  [227, 'machine checks'],
  [228, 'high precision timer'],
  [229, 'FUSE connection'],
  [231, 'snapshot device'],
  [236, 'device mapper control'],
  [238, 'vhost-net'],
  [239, 'user-space HID device'],
  [241, 'vhost-vsock'],
  [242, 'rfkill'],
])

/** What the drivers of a subsystem keep for each open (/sys/dev/char/MAJOR:MINOR/subsystem). */
const subsystems = new Map<string, string>([
  ['drm', 'graphics device'],
  ['hidraw', 'raw HID device'],
  ['i2c-dev', 'I2C bus'],
  ['input', 'input device'],
  ['iommu', 'IOMMU'],
  ['nvme', 'NVMe controller'],
  ['ppp', 'PPP unit'],
  ['rtc', 'real time clock'],
  ['sound', 'sound device'],
  ['tpm', 'TPM'],
  ['usbmisc', 'USB device'],
  ['vfio', 'device given to user space (VFIO)'],
  ['video4linux', 'video device'],
  ['watchdog', 'watchdog'],
])
/** Of NVIDIA's own driver, which has no subsystem. */
const NVIDIA_MAJOR = 195

/** The path to write for a device file; undefined: refused. */
export function devicePath(probe: FdProbe, id: FileId, dump: DumpContext): string | undefined {
  if (hasState(probe)) {
    const why = 'its driver keeps a state for this descriptor alone'
    refuseFile(dump, probe, describe(probe), `${why}: close it before the dump`)
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
  const option = dump.options.evasiveDevices ? undefined : '--evasive-devices'
  refuseFile(dump, probe, `${describe(probe)}, whose path is gone`, remedy, option)
  return undefined
}

/** Is it a device that keeps something for this very descriptor. */
export function hasState({ stat, flags }: FdProbe): boolean {
  if (flags & O.PATH || fileType(stat.mode) !== 'char') return false
  const rdev = Number(stat.rdev)
  if (majorOf(rdev) === MISC_MAJOR) return !statelessMisc.has(minorOf(rdev))
  if (majorOf(rdev) !== MEM_MAJOR) return true
  // A reader of the kernel's log has a place in it, that lseek cannot set.
  return minorOf(rdev) === KMSG_MINOR && (flags & O.ACCMODE) !== O.WRONLY
}

function describe(probe: FdProbe): string {
  const rdev = Number(probe.stat.rdev)
  const [major, minor] = [majorOf(rdev), minorOf(rdev)]
  const noun = fileType(probe.stat.mode) === 'block' ? 'block device' : 'character device'
  const known = tryDriver(major, minor)
  const path = displayPath(linkPath(probe) ?? probe.path)
  return `${noun} ${path} (${major}:${minor}${known ? `, ${known}` : ''})`
}

function tryDriver(major: number, minor: number): string | undefined {
  if (major === NVIDIA_MAJOR) return 'graphics device'
  if (major === MISC_MAJOR) return statefulMisc.get(minor)
  const link = tryReadProcLink(`/sys/dev/char/${major}:${minor}/subsystem`)
  return subsystems.get(link?.replace(/^.*\//s, '') ?? '')
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
