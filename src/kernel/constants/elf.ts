/** elf.h. */

/** Types of object files. */
export const ET = { EXEC: 2, DYN: 3, CORE: 4 } as const

export const EM_X86_64 = 62

/** Types of segments, and what they may be used for. */
export const PT = { LOAD: 1, NOTE: 4 } as const
export const PF = { X: 1, W: 2, R: 4 } as const

/** Stands for a number of program headers that does not fit: it is in the first section's `info`. */
export const PN_XNUM = 0xffff

/** e_ident of a file of 64 bits, little endian, version 1. */
export const ELF_IDENT = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]
