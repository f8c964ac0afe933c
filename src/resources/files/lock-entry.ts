import type { Messages } from '../../images/gen/messages.ts'
import { ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { F_LOCK, O } from '../../kernel/constants/fcntl.ts'

export type LockEntry = Messages['file_lock_entry']

/** Kinds of locks: `file_lock_entry.flag`. */
export const LOCK_KIND = { POSIX: 1, FLOCK: 2, OFD: 4, LEASE: 8 } as const

/** In the type of a lease: it is being broken, and the rest of the type is what it turns into. */
export const BREAKING = 4

/** A field of ours: the type that a lease had before, where its descriptor's mode does not tell. */
const FIELD = { before: 15000 } as const

/** One lock in words: `POSIX lock (write) of bytes 0 to 9`. */
export function describeLock({ flag, type, start, len }: LockEntry): string {
  if (flag === LOCK_KIND.LEASE)
    return `lease (${typeName(type & ~BREAKING)}${type & BREAKING ? ', being broken' : ''})`
  if (flag === LOCK_KIND.FLOCK) return `file lock (flock, ${typeName(type)})`
  const end = len === 0n ? 'the end' : `${start + len - 1n}`
  const kind = flag === LOCK_KIND.OFD ? 'open file description' : 'POSIX'
  return `file lock (${kind}, ${typeName(type)}) of bytes ${start} to ${end}`
}

const names = new Map<number, string>([
  [F_LOCK.RDLCK, 'read'],
  [F_LOCK.WRLCK, 'write'],
  [F_LOCK.UNLCK, 'to be given up'],
])

const typeName = (type: number): string => names.get(type) ?? `type ${type}`

/**
 * The type that a lease which is being broken had, in the entry of a descriptor with these flags. A
 * downgrade begins at a write lease. What is to be given up was, in upstream's images, a write lease if
 * the descriptor can write.
 */
export function typeBefore(entry: LockEntry, flags: number): number {
  if ((entry.type & ~BREAKING) === F_LOCK.RDLCK) return F_LOCK.WRLCK
  return ownType(entry) ?? usualType(flags)
}

/** The entry with that type in it, where it has to be told. */
export function withTypeBefore(entry: LockEntry, before: number, flags: number): LockEntry {
  if (typeBefore(entry, flags) === before) return entry
  return withOwnFields(entry, new Map([[FIELD.before, BigInt(before)]]))
}

const usualType = (flags: number): number =>
  (flags & O.ACCMODE) === O.RDONLY ? F_LOCK.RDLCK : F_LOCK.WRLCK

function ownType(entry: LockEntry): number | undefined {
  const before = ownFieldsOf(entry).get(FIELD.before)
  return typeof before === 'bigint' ? Number(before) : undefined
}
