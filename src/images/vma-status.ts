/** Bits of `vma_entry.status` of the image format; bits 27 to 31 never reach an image. */
export const VMA = {
  regular: 1 << 0,
  stack: 1 << 1,
  vsyscall: 1 << 2,
  vdso: 1 << 3,
  heap: 1 << 5,
  filePrivate: 1 << 6,
  fileShared: 1 << 7,
  anonShared: 1 << 8,
  anonPrivate: 1 << 9,
  sysvIpc: 1 << 10,
  socket: 1 << 11,
  vvar: 1 << 12,
  aioRing: 1 << 13,
  memfd: 1 << 14,
  shadowStack: 1 << 15,
  guard: 1 << 16,
  /** Ours: memory of a device, which a plugin keeps. */
  plugin: 1 << 24,
  /** Ours: a part of an io_uring, which `shmid` names by its inode. */
  uring: 1 << 25,
} as const
