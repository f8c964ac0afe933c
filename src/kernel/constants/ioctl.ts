/**
 * Requests of ioctl, built as asm-generic/ioctl.h does: direction in bits 31–30, size in 29–16, type
 * in 15–8, number in 7–0.
 */

/** Directions as the caller sees them. */
export const IOC = { NONE: 0, WRITE: 1, READ: 2 } as const

/** Number of a request; `size` is that of the argument, bytes. */
export const ioc = (direction: number, type: number, number: number, size: number): number =>
  ((direction << 30) | (size << 16) | (type << 8) | number) >>> 0

/** Requests on /proc/PID/pagemap (since Linux 6.7); the argument is struct pm_scan_arg. */
export const PAGEMAP = {
  SCAN: 0xc0606610,
} as const

/** Flags of PAGEMAP_SCAN. */
export const PM_SCAN = {
  WP_MATCHING: 0x1,
  CHECK_WPASYNC: 0x2,
} as const

/** Categories of pages of PAGEMAP_SCAN; GUARD since Linux 6.15. */
export const PAGE_IS = {
  WPALLOWED: 0x1,
  WRITTEN: 0x2,
  FILE: 0x4,
  PRESENT: 0x8,
  SWAPPED: 0x10,
  PFNZERO: 0x20,
  HUGE: 0x40,
  SOFT_DIRTY: 0x80,
  GUARD: 0x100,
} as const

/** Requests on /proc/PID/maps (since Linux 6.11); the argument is struct procmap_query. */
export const PROCMAP = {
  QUERY: 0xc0686611,
} as const

/** Requests on files: attributes, generation, label, mapping of blocks. */
export const FS_IOC = {
  SETFLAGS: 0x40086602,
  SETVERSION: 0x40087602,
  FSSETXATTR: 0x401c5820,
  SETFSLABEL: 0x41009432,
  GETFLAGS: 0x80086601,
  GETVERSION: 0x80087601,
  FSGETXATTR: 0x801c581f,
  GETFSLABEL: 0x81009431,
  FIEMAP: 0xc020660b,
} as const

/** Attributes of FS_IOC_GETFLAGS. */
export const FS_FL = {
  SECRM_FL: 0x1,
  UNRM_FL: 0x2,
  COMPR_FL: 0x4,
  SYNC_FL: 0x8,
  IMMUTABLE_FL: 0x10,
  APPEND_FL: 0x20,
  NODUMP_FL: 0x40,
  NOATIME_FL: 0x80,
  NOCOW_FL: 0x800000,
  DAX_FL: 0x2000000,
  PROJINHERIT_FL: 0x20000000,
  CASEFOLD_FL: 0x40000000,
} as const

/** Flags of FS_IOC_FIEMAP (linux/fiemap.h), and of the extents that it tells. */
export const FIEMAP = {
  FLAG_SYNC: 0x1,
  EXTENT_LAST: 0x1,
  EXTENT_UNWRITTEN: 0x800,
} as const

/** Sharing of blocks. */
export const FICLONE = {
  CLONE: 0x40049409,
  CLONERANGE: 0x4020940d,
  DEDUPERANGE: 0xc0189436,
} as const

/** Requests on a userfaultfd. */
export const UFFDIO = {
  UNREGISTER: 0x8010aa01,
  WAKE: 0x8010aa02,
  WRITEPROTECT: 0xc018aa06,
  API: 0xc018aa3f,
  REGISTER: 0xc020aa00,
  ZEROPAGE: 0xc020aa04,
  CONTINUE: 0xc020aa07,
  POISON: 0xc020aa08,
  COPY: 0xc028aa03,
  MOVE: 0xc028aa05,
} as const

/** Modes of UFFDIO_REGISTER. */
export const UFFDIO_REGISTER_MODE = {
  MISSING: 0x1,
  WP: 0x2,
  MINOR: 0x4,
} as const

/** Modes of UFFDIO_WRITEPROTECT. */
export const UFFDIO_WRITEPROTECT_MODE = {
  WP: 0x1,
  DONTWAKE: 0x2,
} as const

/** Modes of UFFDIO_COPY. */
export const UFFDIO_COPY_MODE = {
  DONTWAKE: 0x1,
  WP: 0x2,
} as const

/** The API's version, the flag of userfaultfd(2), and the request on /dev/userfaultfd. */
export const UFFD = {
  UFFD_USER_MODE_ONLY: 0x1,
  UFFD_API: 0xaa,
  USERFAULTFD_IOC_NEW: 0xaa00,
} as const

/** Features of UFFDIO_API; WP_UNPOPULATED since Linux 6.4, WP_ASYNC since 6.7. */
export const UFFD_FEATURE = {
  PAGEFAULT_FLAG_WP: 0x1,
  EVENT_FORK: 0x2,
  EVENT_REMAP: 0x4,
  EVENT_REMOVE: 0x8,
  MISSING_HUGETLBFS: 0x10,
  MISSING_SHMEM: 0x20,
  EVENT_UNMAP: 0x40,
  SIGBUS: 0x80,
  THREAD_ID: 0x100,
  MINOR_HUGETLBFS: 0x200,
  MINOR_SHMEM: 0x400,
  EXACT_ADDRESS: 0x800,
  WP_HUGETLBFS_SHMEM: 0x1000,
  WP_UNPOPULATED: 0x2000,
  POISON: 0x4000,
  WP_ASYNC: 0x8000,
  MOVE: 0x10000,
} as const

/** Messages of a userfaultfd. */
export const UFFD_EVENT = {
  PAGEFAULT: 0x12,
  FORK: 0x13,
  REMAP: 0x14,
  REMOVE: 0x15,
  UNMAP: 0x16,
} as const

/** Flags of a page fault message. */
export const UFFD_PAGEFAULT_FLAG = {
  WRITE: 0x1,
  WP: 0x2,
  MINOR: 0x4,
} as const

/** Requests on descriptors of any kind. */
export const FIO = {
  NREAD: 0x541b,
  NBIO: 0x5421,
  NCLEX: 0x5450,
  CLEX: 0x5451,
  ASYNC: 0x5452,
  QSIZE: 0x5460,
  SETOWN: 0x8901,
  GETOWN: 0x8903,
} as const

/** Requests on sockets. */
export const SIOC = {
  OUTQ: 0x5411,
  INQ: 0x541b,
  SPGRP: 0x8902,
  GPGRP: 0x8904,
  ATMARK: 0x8905,
  GSTAMP_OLD: 0x8906,
  GIFNAME: 0x8910,
  GIFCONF: 0x8912,
  GIFFLAGS: 0x8913,
  SIFFLAGS: 0x8914,
  GIFADDR: 0x8915,
  GIFINDEX: 0x8933,
  OUTQNSD: 0x894b,
  GSKNS: 0x894c,
  UNIXFILE: 0x89e0,
} as const

/** Requests on terminals. */
export const TIOC = {
  EXCL: 0x540c,
  NXCL: 0x540d,
  SCTTY: 0x540e,
  GPGRP: 0x540f,
  SPGRP: 0x5410,
  OUTQ: 0x5411,
  STI: 0x5412,
  GWINSZ: 0x5413,
  SWINSZ: 0x5414,
  MGET: 0x5415,
  MBIS: 0x5416,
  MBIC: 0x5417,
  MSET: 0x5418,
  LINUX: 0x541c,
  CONS: 0x541d,
  GSERIAL: 0x541e,
  SSERIAL: 0x541f,
  PKT: 0x5420,
  NOTTY: 0x5422,
  SETD: 0x5423,
  GETD: 0x5424,
  SBRK: 0x5427,
  CBRK: 0x5428,
  GSID: 0x5429,
  VHANGUP: 0x5437,
  GLCKTRMIOS: 0x5456,
  SLCKTRMIOS: 0x5457,
  GPTPEER: 0x5441,
  SPTLCK: 0x40045431,
  GPTN: 0x80045430,
  GDEV: 0x80045432,
  GPKT: 0x80045438,
  GPTLCK: 0x80045439,
  GEXCL: 0x80045440,
} as const

/** Requests on terminals' settings. */
export const TC = {
  GETS: 0x5401,
  SETS: 0x5402,
  SETSW: 0x5403,
  SETSF: 0x5404,
  GETA: 0x5405,
  SETA: 0x5406,
  SBRK: 0x5409,
  XONC: 0x540a,
  FLSH: 0x540b,
  SETS2: 0x402c542b,
  SETSW2: 0x402c542c,
  SETSF2: 0x402c542d,
  GETS2: 0x802c542a,
} as const

/** Packet mode of a pseudoterminal. */
export const TIOCPKT = {
  DATA: 0x0,
  FLUSHREAD: 0x1,
  FLUSHWRITE: 0x2,
  STOP: 0x4,
  START: 0x8,
  NOSTOP: 0x10,
  DOSTOP: 0x20,
  IOCTL: 0x40,
} as const

/** Requests on namespaces (ioctl_ns(2)). */
export const NS_GET = {
  USERNS: 0xb701,
  PARENT: 0xb702,
  NSTYPE: 0xb703,
  OWNER_UID: 0xb704,
  MNTNS_ID: 0x8008b705,
} as const
