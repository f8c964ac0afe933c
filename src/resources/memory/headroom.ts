import { readCgroup } from '../../kernel/proc/cgroup.ts'
import { type MountInfo, readMountInfo } from '../../kernel/proc/mountinfo.ts'
import { tryReadProcFile } from '../../kernel/proc/read.ts'
import { parseCounters, readMeminfo } from '../../kernel/proc/system.ts'

/** The files of a memory cgroup, in both versions (Documentation/admin-guide). */
const VERSIONS = {
  v1: {
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    reclaimable: 'total_inactive_file',
  },
  v2: { limit: 'memory.max', used: 'memory.current', reclaimable: 'inactive_file' },
} as const

/**
 * How many bytes a task may come to use further without that anybody is killed for it: what the system
 * has available, and what each of its memory cgroups lets it have. `proc` is `/proc/PID`.
 */
export function memoryHeadroom(proc: string): number {
  const available = Number(readMeminfo('/proc').get('MemAvailable') ?? 0n)
  return Math.min(available, ...cgroupsOf(proc).map(roomIn))
}

interface MemoryCgroup {
  readonly path: string
  readonly files: (typeof VERSIONS)['v1' | 'v2']
}

/** The memory cgroups that a task is in, up to the root of what we see of them. */
function cgroupsOf(proc: string): MemoryCgroup[] {
  const lines = readCgroup(proc)
  const mounts = readMountInfo('/proc/self')
  const v1 = lines.find(({ controllers }) => controllers.includes('memory'))
  const v2 = lines.find(({ hierarchy }) => hierarchy === 0)
  const isV1 = ({ fsType, superOptions }: MountInfo) =>
    fsType === 'cgroup' && superOptions.split(',').includes('memory')
  const isV2 = ({ fsType }: MountInfo) => fsType === 'cgroup2'
  return [
    ...pathsUp(mounts.find(isV1)?.mountpoint, v1?.path).map((path) => ({
      path,
      files: VERSIONS.v1,
    })),
    ...pathsUp(mounts.find(isV2)?.mountpoint, v2?.path).map((path) => ({
      path,
      files: VERSIONS.v2,
    })),
  ]
}

function pathsUp(mount: string | undefined, path: string | undefined): string[] {
  if (mount === undefined || path === undefined || path.startsWith('/..')) return []
  const parts = path.split('/').filter((part) => part !== '')
  return parts.map((_, i) => `${mount}/${parts.slice(0, i + 1).join('/')}`)
}

/** Infinity where there is no limit, or no such file (the controller is not in use). */
function roomIn({ path, files }: MemoryCgroup): number {
  const limit = Number(tryReadProcFile(`${path}/${files.limit}`) ?? Number.NaN)
  const used = Number(tryReadProcFile(`${path}/${files.used}`) ?? Number.NaN)
  if (!Number.isFinite(limit) || !Number.isFinite(used)) return Number.POSITIVE_INFINITY
  const counters = parseCounters(tryReadProcFile(`${path}/memory.stat`) ?? '')
  return Math.max(0, limit - used + Number(counters.get(files.reclaimable) ?? 0n))
}
