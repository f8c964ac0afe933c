import { O } from '../../kernel/constants/fcntl.ts'
import { readSync, SystemError } from '../../kernel/fs.ts'
import { close, tryOpen } from '../../kernel/sys.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'

/** Elf64_Ehdr and Elf64_Phdr (elf.h). */
const EHDR = { SIZE: 64, CLASS: 4, DATA: 5, PHOFF: 32, PHENTSIZE: 54, PHNUM: 56 } as const
const PHDR = { SIZE: 56, TYPE: 0, OFFSET: 8, FILESZ: 32 } as const
const ELF_MAGIC = 0x464c457f
const PT_NOTE = 4
const NT_GNU_BUILD_ID = 3
/** More than any file has; a damaged one must not make us read on and on. */
const MOST_HEADERS = 64
const LONGEST_NOTES = 64 * 1024

/**
 * Build-id of a mapped program or library, as 32-bit words: upstream compares it at restore, and
 * falls back to the size where there is none. Asked for mappings alone: nothing else is compared so.
 */
export function buildIdOf(probe: FdProbe, dump: DumpContext): number[] {
  if (dump.options.fileValidation === 'filesize') return []
  if (probe.fd !== undefined || probe.stat.size < EHDR.SIZE) return []
  if (isLeased(probe, dump)) return []
  // Without waiting, should another process have a lease of it.
  const fd = tryOpen(`/proc/self/fd/${probe.local}`, O.RDONLY | O.NONBLOCK)
  if (fd < 0) return []
  try {
    return readBuildId(fd)
  } finally {
    close(fd)
  }
}

/** To open a file would tell the holder of a lease to give it up. */
function isLeased({ stat }: FdProbe, { files }: DumpContext): boolean {
  return files.descriptors.some(
    ({ probe }) =>
      probe.info.locks.some(({ kind }) => kind === 'LEASE') &&
      probe.stat.ino === stat.ino &&
      probe.stat.dev === stat.dev,
  )
}

/** Of a file that may be none of ELF, or not for reading: empty then. */
export function tryReadBuildId(fd: number): number[] {
  try {
    return readBuildId(fd)
  } catch (error) {
    if (error instanceof SystemError) return []
    throw error
  }
}

function readBuildId(fd: number): number[] {
  const header = readAt(fd, 0, EHDR.SIZE)
  if (header.length < EHDR.SIZE || header.readUInt32LE(0) !== ELF_MAGIC) return []
  const is64LittleEndian = header[EHDR.CLASS] === 2 && header[EHDR.DATA] === 1
  if (!is64LittleEndian || header.readUInt16LE(EHDR.PHENTSIZE) !== PHDR.SIZE) return []
  const count = Math.min(header.readUInt16LE(EHDR.PHNUM), MOST_HEADERS)
  const segments = readAt(fd, Number(header.readBigUInt64LE(EHDR.PHOFF)), count * PHDR.SIZE)
  for (let at = 0; at + PHDR.SIZE <= segments.length; at += PHDR.SIZE) {
    if (segments.readUInt32LE(at + PHDR.TYPE) !== PT_NOTE) continue
    const offset = Number(segments.readBigUInt64LE(at + PHDR.OFFSET))
    const size = Number(segments.readBigUInt64LE(at + PHDR.FILESZ))
    const id = findBuildId(readAt(fd, offset, Math.min(size, LONGEST_NOTES)))
    if (id) return id
  }
  return []
}

/** Notes: lengths of name and content, type, then both, each filled up to 4 bytes. */
function findBuildId(notes: Buffer): number[] | undefined {
  const padded = (length: number) => (length + 3) & ~3
  for (let at = 0; at + 12 <= notes.length; ) {
    const [nameLength, length] = [notes.readUInt32LE(at), notes.readUInt32LE(at + 4)]
    const name = at + 12
    const content = name + padded(nameLength)
    const end = content + padded(length)
    if (end > notes.length) return undefined
    const isGnu = notes.toString('latin1', name, name + nameLength) === 'GNU\0'
    if (isGnu && notes.readUInt32LE(at + 8) === NT_GNU_BUILD_ID && length % 4 === 0)
      return Array.from({ length: length / 4 }, (_, i) => notes.readUInt32LE(content + 4 * i))
    at = end
  }
  return undefined
}

function readAt(fd: number, offset: number, length: number): Buffer {
  // A file may hold any number where its header should be.
  if (!Number.isSafeInteger(offset)) return Buffer.alloc(0)
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
}
