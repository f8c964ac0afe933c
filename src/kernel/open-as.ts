import { Syscall32 } from '../arch/x86_64/syscalls32.ts'
import { AT, O } from './constants/fcntl.ts'
import { MAP, PROT } from './constants/mman.ts'
import { Errno } from './errno.ts'
import { syscall32 } from './ffi/index.ts'
import { runsIa32 } from './ia32.ts'
import { memoryAt } from './memory.ts'
import { displayPath } from './proc/bytes.ts'
import { checked, must, sys, tryOpen } from './sys.ts'
import { type LocalFd, localFd } from './types.ts'

/** PATH_MAX, and a byte more to hold what is too long. */
const PATH_ROOM = 8192

/**
 * open(2) with these very flags; −errno on failure. The kernel adds O_LARGEFILE to each open of a
 * 64-bit program, and nothing takes it away: what 32-bit programs have open without it (they may not
 * write past 2 GiB) is opened by a call of their ABI.
 */
export function tryOpenAs(path: string, flags: number, mode = 0): number {
  const isSmall = (flags & (O.LARGEFILE | O.PATH)) === 0
  if (!isSmall || !runsIa32()) return tryOpen(path, flags, mode)
  const fd = openSmall(path, flags, mode)
  // A file that is too large for it was no descriptor: it was mapped, and nobody has its flags.
  return fd === -Errno.EOVERFLOW ? tryOpen(path, flags, mode) : fd
}

/** As tryOpenAs; it must succeed. */
export function openAs(path: string, flags: number): LocalFd {
  return localFd(checked(tryOpenAs(path, flags), 'open', { path: displayPath(path) }))
}

function openSmall(path: string, flags: number, mode: number): number {
  const bytes = Buffer.from(`${path}\0`, 'latin1')
  if (bytes.length > PATH_ROOM) return -Errno.ENAMETOOLONG
  const low = MAP.PRIVATE | MAP.ANONYMOUS | MAP['32BIT']
  const address = must('mmap', 0, PATH_ROOM, PROT.READ | PROT.WRITE, low, -1, 0)
  try {
    memoryAt(BigInt(address), PATH_ROOM).bytes.set(bytes)
    return syscall32(Syscall32.openat, AT.FDCWD, address, flags | O.CLOEXEC, mode)
  } finally {
    sys('munmap', address, PATH_ROOM)
  }
}
