/** linux/mman.h and asm-generic/mman-common.h. */

/** Protections of mmap and mprotect. */
export const PROT = {
  NONE: 0x0,
  READ: 0x1,
  WRITE: 0x2,
  EXEC: 0x4,
  SEM: 0x8,
  GROWSDOWN: 0x1000000,
  GROWSUP: 0x2000000,
} as const

/** Flags of mmap. */
export const MAP = {
  SHARED: 0x1,
  PRIVATE: 0x2,
  SHARED_VALIDATE: 0x3,
  DROPPABLE: 0x8,
  FIXED: 0x10,
  HUGE_SHIFT: 0x1a,
  ANONYMOUS: 0x20,
  HUGE_MASK: 0x3f,
  '32BIT': 0x40,
  GROWSDOWN: 0x100,
  DENYWRITE: 0x800,
  EXECUTABLE: 0x1000,
  LOCKED: 0x2000,
  NORESERVE: 0x4000,
  POPULATE: 0x8000,
  NONBLOCK: 0x10000,
  STACK: 0x20000,
  HUGETLB: 0x40000,
  SYNC: 0x80000,
  FIXED_NOREPLACE: 0x100000,
  UNINITIALIZED: 0x4000000,
  HUGE_2MB: 0x54000000,
  HUGE_1GB: 0x78000000,
} as const

/** Advice of madvise; GUARD_… since Linux 6.13. */
export const MADV = {
  NORMAL: 0,
  RANDOM: 1,
  SEQUENTIAL: 2,
  WILLNEED: 3,
  DONTNEED: 4,
  FREE: 8,
  REMOVE: 9,
  DONTFORK: 10,
  DOFORK: 11,
  MERGEABLE: 12,
  UNMERGEABLE: 13,
  HUGEPAGE: 14,
  NOHUGEPAGE: 15,
  DONTDUMP: 16,
  DODUMP: 17,
  WIPEONFORK: 18,
  KEEPONFORK: 19,
  COLD: 20,
  PAGEOUT: 21,
  POPULATE_READ: 22,
  POPULATE_WRITE: 23,
  DONTNEED_LOCKED: 24,
  COLLAPSE: 25,
  HWPOISON: 100,
  SOFT_OFFLINE: 101,
  GUARD_INSTALL: 102,
  GUARD_REMOVE: 103,
} as const

/** Flags of mremap. */
export const MREMAP = {
  MAYMOVE: 0x1,
  FIXED: 0x2,
  DONTUNMAP: 0x4,
} as const

/** Flags of mlockall. */
export const MCL = {
  CURRENT: 0x1,
  FUTURE: 0x2,
  ONFAULT: 0x4,
} as const

/** Flags of mlock2. */
export const MLOCK = {
  ONFAULT: 0x1,
} as const

/** Flags of msync. */
export const MS = {
  ASYNC: 0x1,
  INVALIDATE: 0x2,
  SYNC: 0x4,
} as const

/** Flags of memfd_create; NOEXEC_SEAL and EXEC since Linux 6.3. */
export const MFD = {
  CLOEXEC: 0x1,
  ALLOW_SEALING: 0x2,
  HUGETLB: 0x4,
  NOEXEC_SEAL: 0x8,
  EXEC: 0x10,
  HUGE_SHIFT: 0x1a,
  HUGE_2MB: 0x54000000,
  HUGE_1GB: 0x78000000,
} as const
