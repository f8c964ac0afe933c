import { O } from '../../kernel/constants/fcntl.ts'
import {
  PAGE_IS,
  PAGEMAP,
  PM_SCAN,
  UFFD,
  UFFD_FEATURE,
  UFFDIO,
  UFFDIO_REGISTER_MODE,
  UFFDIO_WRITEPROTECT_MODE,
} from '../../kernel/constants/ioctl.ts'
import { MADV, MFD, MREMAP } from '../../kernel/constants/mman.ts'
import { ARCH, PR, PR_SET_MM } from '../../kernel/constants/prctl.ts'
import { Errno } from '../../kernel/errno.ts'
import { readdirSync } from '../../kernel/fs.ts'
import { runsIa32 } from '../../kernel/ia32.ts'
import {
  pageRegion,
  pmScanArg,
  prctlMmMap,
  uffdioApi,
  uffdioRegister,
  uffdioWriteprotect,
} from '../../kernel/layout/memory.ts'
import { memoryAt, scratch } from '../../kernel/memory.ts'
import { type Mapping, readMaps } from '../../kernel/proc/maps.ts'
import { readProcFile } from '../../kernel/proc/read.ts'
import { readStat } from '../../kernel/proc/stat.ts'
import { checked, must, open, owned, sys } from '../../kernel/sys.ts'
import type { Table } from '../../kernel/table.ts'
import type { Feature } from '../feature.ts'
import { type Ground, mapped } from '../ground.ts'

const PAGE = 4096

/** Pages of a range that are of some categories (PAGEMAP_SCAN): how many. */
function scan(address: bigint, size: number, is: number, flags = 0): number {
  using pagemap = owned(open('/proc/self/pagemap', O.RDONLY))
  using s = scratch()
  const vec = s.take(8 * pageRegion.size)
  const arg = pmScanArg.encode({
    size: BigInt(pmScanArg.size),
    flags: BigInt(flags),
    start: address,
    end: address + BigInt(size),
    vec: vec.address,
    vec_len: 8n,
    category_mask: BigInt(is),
    return_mask: BigInt(is),
  })
  const result = sys('ioctl', pagemap.fd, PAGEMAP.SCAN, s.put(arg).address)
  const count = checked(result, 'ioctl(PAGEMAP_SCAN)')
  let pages = 0
  for (let i = 0; i < count; i++) {
    const { start, end } = pageRegion.read(vec.view, i * pageRegion.size)
    pages += Number(end - start) / PAGE
  }
  return pages
}

function scanPages(): string | undefined {
  using memory = mapped(4 * PAGE)
  memoryAt(memory.address, 4 * PAGE).bytes[PAGE] = 1
  const pages = scan(memory.address, 4 * PAGE, PAGE_IS.PRESENT)
  return pages === 1 ? undefined : `it tells of ${pages} pages where one is`
}

/** A userfaultfd of ours with some features. */
function userfaultfd(features: number) {
  let fd = sys('userfaultfd', O.CLOEXEC | UFFD.UFFD_USER_MODE_ONLY)
  if (fd === -Errno.EINVAL) fd = sys('userfaultfd', O.CLOEXEC)
  const uffd = owned(checked(fd, 'userfaultfd'))
  try {
    using s = scratch()
    const api = s.put(uffdioApi.encode({ api: BigInt(UFFD.UFFD_API), features: BigInt(features) }))
    checked(sys('ioctl', uffd.fd, UFFDIO.API, api.address), 'ioctl(UFFDIO_API)')
    return uffd
  } catch (error) {
    uffd[Symbol.dispose]()
    throw error
  }
}

/** One page of two is written to, and told of. */
function trackWrites(): string | undefined {
  const size = 2 * PAGE
  using memory = mapped(size)
  using uffd = userfaultfd(UFFD_FEATURE.WP_ASYNC | UFFD_FEATURE.WP_UNPOPULATED)
  using s = scratch()
  const range = { start: memory.address, len: BigInt(size) }
  const mode = BigInt(UFFDIO_REGISTER_MODE.WP)
  const register = s.put(uffdioRegister.encode({ range, mode }))
  checked(sys('ioctl', uffd.fd, UFFDIO.REGISTER, register.address), 'ioctl(UFFDIO_REGISTER)')
  const protect = { range, mode: BigInt(UFFDIO_WRITEPROTECT_MODE.WP) }
  const armed = s.put(uffdioWriteprotect.encode(protect))
  checked(sys('ioctl', uffd.fd, UFFDIO.WRITEPROTECT, armed.address), 'ioctl(UFFDIO_WRITEPROTECT)')
  memoryAt(memory.address, size).bytes[PAGE] = 1
  const pages = scan(memory.address, size, PAGE_IS.WRITTEN, PM_SCAN.CHECK_WPASYNC)
  return pages === 1 ? undefined : `it tells of ${pages} written pages where one is`
}

function openMapFile(): void {
  const [name] = readdirSync('/proc/self/map_files')
  using _file = owned(open(`/proc/self/map_files/${name}`, O.RDONLY))
}

/** The vDSO and its variables, in order. */
const vdsoParts = (): Mapping[] =>
  readMaps('/proc/self').filter(({ path }) => /^\[(vdso|vvar|vvar_vclock)\]$/.test(path))

const sizeOf = ({ start, end }: Mapping): number => Number(end - start)

/** Where nothing is mapped: what the child does there is seen by nobody. */
const EMPTY_ADDRESS = 0x1000_0000_0000n

function moveVdso(table: Table): void {
  for (const part of vdsoParts()) {
    const to = EMPTY_ADDRESS + (part.start & 0xff_ffffn)
    const size = sizeOf(part)
    table.call('mremap', part.start, size, size, MREMAP.MAYMOVE | MREMAP.FIXED, to)
  }
}

function mapVdso(kind: number, address: bigint) {
  return (ground: Ground): void => {
    ground.inChild(0n, (table) => {
      for (const part of vdsoParts()) table.call('munmap', part.start, sizeOf(part))
      table.call('arch_prctl', kind, address)
    })
  }
}

/** All that a process's memory has as its parts, set to what it is, in a child. */
function setMemoryMap(table: Table): void {
  const stat = readStat('/proc/self')
  const { startBrk } = stat
  const map = prctlMmMap.encode({
    start_code: stat.startCode,
    end_code: stat.endCode,
    start_data: stat.startData,
    end_data: stat.endData,
    start_brk: startBrk,
    brk: BigInt(must('brk', 0)),
    start_stack: stat.startStack,
    arg_start: stat.argStart,
    arg_end: stat.argEnd,
    env_start: stat.envStart,
    env_end: stat.envEnd,
    exe_fd: 0xffff_ffff,
  })
  table.call('prctl', PR.SET_MM, PR_SET_MM.MAP, table.data(map), map.length, 0)
}

export const memoryFeatures: readonly Feature[] = [
  {
    name: 'map_files',
    need: 'required',
    what: 'the files that are mapped (/proc/PID/map_files)',
    cost: 'no process can be dumped: unlinked and shared mappings cannot be opened',
    remedy: 'Linux 4.3',
    capability: 'CHECKPOINT_RESTORE',
    probe: openMapFile,
  },
  {
    name: 'pagemap_scan',
    need: 'required',
    what: 'which pages of a process have content (PAGEMAP_SCAN)',
    cost: 'no process can be dumped: its memory cannot be found',
    remedy: 'Linux 6.7',
    probe: scanPages,
  },
  {
    name: 'smaps',
    need: 'required',
    what: 'advice and locks of mappings (VmFlags in /proc/PID/smaps)',
    cost: 'no process can be dumped',
    remedy: 'CONFIG_PROC_PAGE_MONITOR',
    probe: () =>
      /^VmFlags: /m.test(readProcFile('/proc/self/smaps')) ? undefined : 'there are no VmFlags',
  },
  {
    name: 'prctl_set_mm_map',
    need: 'required',
    what: 'to set where code, data, heap and arguments are (PR_SET_MM_MAP)',
    cost: 'no process can be restored: its heap could not grow',
    remedy: 'Linux 3.18 with CONFIG_CHECKPOINT_RESTORE',
    probe: (ground) => ground.inChild(0n, setMemoryMap),
  },
  {
    name: 'vdso_mremap',
    need: 'required',
    what: 'to move the vDSO to where it was',
    cost: 'no process can be restored: clocks would be asked where nothing is',
    remedy: 'Linux 4.8',
    probe: (ground) => ground.inChild(0n, moveVdso),
  },
  {
    name: 'mem_dirty_track',
    need: 'extra',
    what: 'which pages were written to (userfaultfd with WP_ASYNC, or soft-dirty)',
    cost: 'each dump writes all memory: no incremental dumps and no pre-dump',
    remedy: 'Linux 6.7 with CONFIG_USERFAULTFD, or CONFIG_MEM_SOFT_DIRTY',
    probe: trackWrites,
  },
  {
    name: 'guard_pages',
    need: 'extra',
    what: 'guard pages without a mapping of their own (MADV_GUARD_INSTALL, told by PAGEMAP_SCAN)',
    cost: 'programs that use them cannot be dumped; a kernel without them has no such programs',
    remedy: 'Linux 6.15',
    probe() {
      using memory = mapped(2 * PAGE)
      must('madvise', memory.address, PAGE, MADV.GUARD_INSTALL)
      const pages = scan(memory.address, 2 * PAGE, PAGE_IS.GUARD)
      return pages === 1 ? undefined : 'PAGEMAP_SCAN does not tell of it'
    },
  },
  {
    name: 'uffd',
    need: 'extra',
    what: 'userfaultfd',
    cost: 'programs that use it cannot be restored; memory cannot come over on demand (lazy-pages)',
    remedy: 'Linux 4.3 with CONFIG_USERFAULTFD',
    probe() {
      using _uffd = userfaultfd(0)
    },
  },
  {
    name: 'uffd-noncoop',
    need: 'extra',
    what: 'userfaultfd for another process (UFFD_FEATURE_EVENT_FORK, _REMAP, _REMOVE, _UNMAP)',
    cost: 'memory of trees that fork cannot come over on demand (lazy-pages)',
    remedy: 'Linux 4.11 with CONFIG_USERFAULTFD',
    capability: 'SYS_PTRACE',
    probe() {
      const { EVENT_FORK, EVENT_REMAP, EVENT_REMOVE, EVENT_UNMAP } = UFFD_FEATURE
      using _uffd = userfaultfd(EVENT_FORK | EVENT_REMAP | EVENT_REMOVE | EVENT_UNMAP)
    },
  },
  {
    name: 'can_map_vdso',
    need: 'named',
    what: 'to map a vDSO where there is none (ARCH_MAP_VDSO_64)',
    cost: 'nothing for 64-bit programs, whose vDSO is moved; upstream needs it for 32-bit ones',
    remedy: 'Linux 4.9 with CONFIG_CHECKPOINT_RESTORE',
    probe: mapVdso(ARCH.MAP_VDSO_64, EMPTY_ADDRESS),
  },
  {
    name: 'compat_cr',
    need: 'experimental',
    what: 'programs of 32 bits (IA32 emulation, ARCH_MAP_VDSO_32)',
    cost: '32-bit programs cannot be restored',
    remedy: 'Linux 4.12 with CONFIG_IA32_EMULATION, and not ia32_emulation=0 at boot',
    probe(ground) {
      if (!runsIa32()) return 'a 32-bit program does not start'
      mapVdso(ARCH.MAP_VDSO_32, EMPTY_ADDRESS_32)(ground)
      return undefined
    },
  },
  {
    name: 'aio_remap',
    need: 'extra',
    what: 'to move a ring of asynchronous I/O (mremap of io_setup)',
    cost: 'programs that use AIO (databases) cannot be restored',
    remedy: 'Linux 3.19 with CONFIG_AIO',
    probe: moveAioRing,
  },
  {
    name: 'memfd_hugetlb',
    need: 'extra',
    what: 'memfds of huge pages (MFD_HUGETLB)',
    cost: 'programs with such memory cannot be restored',
    remedy: 'Linux 4.14 with CONFIG_HUGETLBFS',
    probe() {
      using s = scratch()
      using _file = owned(must('memfd_create', s.string('check'), MFD.CLOEXEC | MFD.HUGETLB))
    },
  },
]

const EMPTY_ADDRESS_32 = 0x2000_0000n

/** A ring of our own is moved, asked at its new address, and gone. */
function moveAioRing(): void {
  using s = scratch()
  const context = s.take(8)
  must('io_setup', 8, context.address)
  const old = context.view.getBigUint64(0, true)
  const ring = readMaps('/proc/self').find(({ start }) => start === old)
  const size = ring ? sizeOf(ring) : PAGE
  using place = mapped(size)
  const moved = sys('mremap', old, size, size, MREMAP.MAYMOVE | MREMAP.FIXED, place.address)
  const now = moved < 0 ? old : place.address
  try {
    checked(moved, 'mremap of the ring')
    checked(sys('io_getevents', now, 0, 1, s.take(32).address, s.take(16).address), 'io_getevents')
  } finally {
    sys('io_destroy', now)
  }
}
