import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { O } from '../../../src/kernel/constants/fcntl.ts'
import { runsIa32 } from '../../../src/kernel/ia32.ts'
import { tryOpenAs } from '../../../src/kernel/open-as.ts'
import { close } from '../../../src/kernel/sys.ts'

const flagsOf = (fd: number): number =>
  Number.parseInt(
    /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!,
    8,
  )

test('this kernel runs programs of 32 bits', () => {
  expect(runsIa32()).toBe(true)
})

test.each([0, O.LARGEFILE])('a file is opened with the flags that are asked for: %p', (large) => {
  const fd = tryOpenAs('/dev/null', O.RDWR | large)
  expect(fd).toBeGreaterThan(2)
  expect(flagsOf(fd)).toBe(O.RDWR | O.CLOEXEC | large)
  close(fd)
})

test('a path that is not there', () => {
  expect(tryOpenAs('/nowhere/at/all', O.RDONLY)).toBe(-2)
})
