import { scratch } from './memory.ts'
import { checked, sys } from './sys.ts'

/**
 * Raw bytes of an option, as many as the kernel gave of at most `length` (man 2 getsockopt); undefined
 * where this socket does not have it.
 */
export function tryGetOption(
  fd: number,
  level: number,
  option: number,
  length: number,
): Uint8Array | undefined {
  using s = scratch()
  const value = s.take(length)
  const size = s.take(4)
  size.view.setUint32(0, length, true)
  const result = sys('getsockopt', fd, level, option, value.address, size.address)
  return result < 0 ? undefined : value.bytes.slice(0, size.view.getUint32(0, true))
}

/** An option that is an int; undefined where this socket does not have it. */
export function tryGetInt(fd: number, level: number, option: number): number | undefined {
  const value = tryGetOption(fd, level, option, 4)
  return value?.length === 4 ? Buffer.from(value).readInt32LE() : undefined
}

/** Sets an option: 0, or −errno. */
export function trySetOption(fd: number, level: number, option: number, value: Uint8Array): number {
  using s = scratch()
  return sys('setsockopt', fd, level, option, s.put(value).address, value.length)
}

export const trySetInt = (fd: number, level: number, option: number, value: number): number =>
  trySetOption(fd, level, option, intBytes(value))

/** Sets an option that is an int; `name` is for the error. */
export function setInt(
  fd: number,
  level: number,
  option: number,
  value: number,
  name: string,
): void {
  checked(trySetInt(fd, level, option, value), `setsockopt ${name}`)
}

export function intBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value | 0)
  return bytes
}
