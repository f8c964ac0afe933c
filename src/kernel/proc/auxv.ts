import { readProcBytes } from './read.ts'

/** One entry of the auxiliary vector (man 3 getauxval): AT_… type and value. */
export type AuxEntry = readonly [type: number, value: bigint]

/** Types of entries (linux/auxvec.h, asm/auxvec.h). */
export const AuxType = {
  NULL: 0,
  PHDR: 3,
  PHENT: 4,
  PHNUM: 5,
  PAGESZ: 6,
  BASE: 7,
  FLAGS: 8,
  ENTRY: 9,
  UID: 11,
  EUID: 12,
  GID: 13,
  EGID: 14,
  PLATFORM: 15,
  HWCAP: 16,
  CLKTCK: 17,
  SECURE: 23,
  BASE_PLATFORM: 24,
  RANDOM: 25,
  HWCAP2: 26,
  RSEQ_FEATURE_SIZE: 27,
  RSEQ_ALIGN: 28,
  EXECFN: 31,
  SYSINFO: 32,
  SYSINFO_EHDR: 33,
  MINSIGSTKSZ: 51,
} as const

/**
 * All words of the vector but for the closing AT_NULL, which the kernel adds (PR_SET_MM_MAP): what
 * images hold. Upstream 4.2 has room for 44, as many as Linux 6.18 gives.
 */
export function auxWords(bytes: Uint8Array, wordSize: 4 | 8 = 8): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const words: bigint[] = []
  for (let at = 0; at + wordSize <= bytes.length; at += wordSize) {
    words.push(wordSize === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)))
  }
  while (words.length >= 2 && words.at(-1) === 0n && words.at(-2) === 0n) words.length -= 2
  return words
}

/** Entries up to AT_NULL, which is left out. `wordSize` is 4 for a 32-bit task. */
export function parseAuxv(bytes: Uint8Array, wordSize: 4 | 8 = 8): AuxEntry[] {
  const words = auxWords(bytes, wordSize)
  const entries: AuxEntry[] = []
  for (let i = 0; i + 1 < words.length && words[i] !== 0n; i += 2) {
    entries.push([Number(words[i]), words[i + 1]!])
  }
  return entries
}

/** Value of one type, undefined when the vector has none. */
export const auxValue = (entries: readonly AuxEntry[], type: number): bigint | undefined =>
  entries.find(([candidate]) => candidate === type)?.[1]

/** Reads `auxv` under `/proc/PID`; empty for a kernel thread or a zombie. */
export const readAuxv = (path: string, wordSize: 4 | 8 = 8): AuxEntry[] =>
  parseAuxv(readProcBytes(`${path}/auxv`), wordSize)
