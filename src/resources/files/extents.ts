import { FIEMAP, FS_IOC } from '../../kernel/constants/ioctl.ts'
import { fiemap, fiemapExtent } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { sys } from '../../kernel/sys.ts'
import type { Piece } from './copy.ts'

/** Extents asked for by one call. */
const AT_ONCE = 256

/**
 * What of a file of that size is data, by FS_IOC_FIEMAP (`--ghost-fiemap`): the file system tells its
 * extents by the hundred, where lseek(2) takes two calls for each. Undefined where it cannot.
 */
export function extentPieces(fd: number, size: number): Piece[] | undefined {
  using s = scratch()
  const memory = s.take(fiemap.size + AT_ONCE * fiemapExtent.size)
  const pieces: Piece[] = []
  for (let at = 0; at < size; ) {
    fiemap.write(memory.view, 0, {
      start: BigInt(at),
      length: BigInt(size - at),
      // What was written lately has no place yet: it gets one first.
      flags: FIEMAP.FLAG_SYNC,
      mapped_extents: 0,
      extent_count: AT_ONCE,
      reserved: 0,
    })
    if (sys('ioctl', fd, FS_IOC.FIEMAP, memory.address) < 0) return undefined
    const { mapped_extents: count } = fiemap.read(memory.view, 0)
    if (count === 0) break
    for (let i = 0; i < count; i++) {
      const extent = fiemapExtent.read(memory.view, fiemap.size + i * fiemapExtent.size)
      const end = Math.min(Number(extent.logical + extent.length), size)
      const offset = Math.max(Number(extent.logical), at)
      // Space that was set aside and never written reads as zeroes, as a hole does.
      const isData = (extent.flags & FIEMAP.EXTENT_UNWRITTEN) === 0
      if (isData && end > offset) addPiece(pieces, offset, end - offset)
      if (extent.flags & FIEMAP.EXTENT_LAST) return pieces
      at = Math.max(at, end)
    }
  }
  return pieces
}

/** Extents that follow each other are one piece. */
function addPiece(pieces: Piece[], offset: number, length: number): void {
  const last = pieces.at(-1)
  if (last && last.offset + last.length === offset)
    pieces[pieces.length - 1] = { offset: last.offset, length: last.length + length }
  else pieces.push({ offset, length })
}
