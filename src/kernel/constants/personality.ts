/** linux/personality.h. */

/** Flags above the low byte, which is PER_LINUX (0), PER_LINUX32 (8) or another system. */
export const PERSONALITY = {
  UNAME26: 0x20000,
  ADDR_NO_RANDOMIZE: 0x40000,
  FDPIC_FUNCPTRS: 0x80000,
  MMAP_PAGE_ZERO: 0x100000,
  ADDR_COMPAT_LAYOUT: 0x200000,
  READ_IMPLIES_EXEC: 0x400000,
  ADDR_LIMIT_32BIT: 0x800000,
  SHORT_INODE: 0x1000000,
  WHOLE_SECONDS: 0x2000000,
  STICKY_TIMEOUTS: 0x4000000,
  ADDR_LIMIT_3GB: 0x8000000,
} as const

/** Low byte. */
export const PER = {
  LINUX: 0x0,
  LINUX32: 0x8,
  MASK: 0xff,
} as const

/** Argument that asks for the present personality and changes nothing. */
export const PERSONALITY_QUERY = 0xffffffff
