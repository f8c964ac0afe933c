import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { O } from '../../../src/kernel/constants/fcntl.ts'
import { type FileStat, statFd, tryStat } from '../../../src/kernel/stat.ts'
import { open, owned } from '../../../src/kernel/sys.ts'

/** The same by the runtime's own stat. */
function expected(path: string): FileStat {
  const s = statSync(path, { bigint: true })
  return {
    dev: s.dev,
    ino: s.ino,
    nlink: Number(s.nlink),
    mode: Number(s.mode),
    uid: Number(s.uid),
    gid: Number(s.gid),
    rdev: s.rdev,
    size: s.size,
    blocks: s.blocks,
  }
}

test.each(['/', '/dev/null', '/bin/sh', '/dev/tty'])('%s by path and by descriptor', (path) => {
  expect(tryStat(path)).toEqual(expected(path))
  using file = owned(open(path, O.PATH))
  expect(statFd(file.fd)).toEqual(expected(path))
})

test('links are followed; what is not there is undefined', () => {
  const directory = mkdtempSync(join(tmpdir(), 'criu-stat-'))
  try {
    const path = join(directory, 'file')
    writeFileSync(path, 'x'.repeat(5000))
    symlinkSync(path, join(directory, 'link'))
    symlinkSync('nowhere', join(directory, 'dangling'))
    expect(tryStat(join(directory, 'link'))).toEqual(expected(path))
    expect(tryStat(join(directory, 'link'))?.size).toBe(5000n)
    expect(tryStat(join(directory, 'dangling'))).toBeUndefined()
    expect(tryStat(join(directory, 'file', 'below'))).toBeUndefined()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a descriptor that is not open is an error', () => {
  expect(() => statFd(1 << 20)).toThrow(
    expect.objectContaining({ detail: expect.objectContaining({ errno: 9 }) }),
  )
})
