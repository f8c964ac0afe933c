import { expect, test } from 'bun:test'
import { decode, encode } from '../../../../src/images/codec.ts'
import { F_LOCK, O } from '../../../../src/kernel/constants/fcntl.ts'
import {
  BREAKING,
  describeLock,
  LOCK_KIND,
  type LockEntry,
  typeBefore,
  withTypeBefore,
} from '../../../../src/resources/files/lock-entry.ts'

const lock = (flag: number, type: number, start = 0n, len = 0n): LockEntry => ({
  flag,
  type,
  pid: 7,
  fd: 4,
  start,
  len,
})

test('locks are named as the man pages do', () => {
  expect(describeLock(lock(LOCK_KIND.POSIX, F_LOCK.WRLCK, 10n, 5n))).toBe(
    'file lock (POSIX, write) of bytes 10 to 14',
  )
  expect(describeLock(lock(LOCK_KIND.OFD, F_LOCK.RDLCK, 1n))).toBe(
    'file lock (open file description, read) of bytes 1 to the end',
  )
  expect(describeLock(lock(LOCK_KIND.FLOCK, F_LOCK.WRLCK))).toBe('file lock (flock, write)')
  expect(describeLock(lock(LOCK_KIND.LEASE, F_LOCK.RDLCK))).toBe('lease (read)')
  expect(describeLock(lock(LOCK_KIND.LEASE, BREAKING | F_LOCK.UNLCK))).toBe(
    'lease (to be given up, being broken)',
  )
})

test('what a lease was before it was broken is as upstream takes it, unless an entry says more', () => {
  const given = lock(LOCK_KIND.LEASE, BREAKING | F_LOCK.UNLCK)
  expect(typeBefore(given, O.RDWR)).toBe(F_LOCK.WRLCK)
  expect(typeBefore(given, O.RDONLY)).toBe(F_LOCK.RDLCK)
  expect(typeBefore(lock(LOCK_KIND.LEASE, BREAKING | F_LOCK.RDLCK), O.RDONLY)).toBe(F_LOCK.WRLCK)
  expect(withTypeBefore(given, F_LOCK.RDLCK, O.RDONLY)).toBe(given)
  const bytes = encode('file_lock_entry', withTypeBefore(given, F_LOCK.WRLCK, O.RDONLY))
  expect(typeBefore(decode('file_lock_entry', bytes), O.RDONLY)).toBe(F_LOCK.WRLCK)
})
