import { describe, expect, test } from 'bun:test'
import { Syscall, syscallName, syscallNumber } from '../../../../src/arch/x86_64/syscalls.ts'
import { capName, capNames } from '../../../../src/kernel/constants/capability.ts'
import { ioc } from '../../../../src/kernel/constants/ioctl.ts'
import { FS_MAGIC, fsMagicName } from '../../../../src/kernel/constants/magic.ts'
import { LIMIT_NAMES } from '../../../../src/kernel/constants/resource.ts'
import {
  inSignalSet,
  SIG,
  signalName,
  signalNumber,
  signalSet,
  signalsOf,
} from '../../../../src/kernel/constants/signals.ts'
import { fileType } from '../../../../src/kernel/constants/stat.ts'
import { Errno, errnoName, errnoText, isErrorReturn } from '../../../../src/kernel/errno.ts'
import { preprocess, runC } from '../layout/c.ts'

describe('names', () => {
  test('of signals, both ways', () => {
    expect(signalName(15)).toBe('SIGTERM')
    expect(signalName(34)).toBe('SIGRTMIN+2')
    expect(signalName(99)).toBe('SIG99')
    for (const name of ['TERM', 'SIGTERM', 'sigterm', '15']) expect(signalNumber(name)).toBe(15)
    expect(signalNumber('RTMIN+2')).toBe(34)
    expect(signalNumber('RTMIN')).toBe(32)
    expect(signalNumber('RTMIN+99')).toBeUndefined()
    expect(signalNumber('0')).toBeUndefined()
    expect(signalNumber('NONSENSE')).toBeUndefined()
    expect(signalNumber('toString')).toBeUndefined()
  })

  test('of the signals of a set', () => {
    const set = signalSet(SIG.HUP, SIG.CHLD, 64)
    expect(set).toBe(0x8000000000010001n)
    expect(signalsOf(set)).toEqual([1, 17, 64])
    expect(inSignalSet(set, SIG.CHLD)).toBe(true)
  })

  test('of capabilities, file systems, file types, limits', () => {
    expect(capName(21)).toBe('CAP_SYS_ADMIN')
    expect(capNames(3n)).toEqual(['CAP_CHOWN', 'CAP_DAC_OVERRIDE'])
    expect(fsMagicName(FS_MAGIC.TMPFS_MAGIC)).toBe('tmpfs')
    expect(fsMagicName(1)).toBe('file system 0x1')
    expect(fileType(0o140755)).toBe('socket')
    expect(LIMIT_NAMES[7]).toBe('NOFILE')
    expect(ioc(3, 0x66, 16, 96)).toBe(0xc0606610)
  })

  test('of errors, with both signs', () => {
    expect(errnoName(2)).toBe('ENOENT')
    expect(errnoName(-2)).toBe('ENOENT')
    expect(errnoText(-13)).toBe('Permission denied')
    expect(errnoName(4000)).toBe('E4000')
    expect(isErrorReturn(-4095)).toBe(true)
    expect(isErrorReturn(-4096n)).toBe(false)
    expect(isErrorReturn(0)).toBe(false)
  })
})

describe("numbers are the headers'", () => {
  test('of errors', () => {
    const include = '#include <errno.h>\n'
    const known = new Set<string>(preprocess(include).match(/\bE[A-Z0-9]+\b/g) ?? [])
    const entries = Object.entries(Errno).filter(([name]) => known.has(name))
    const lines = entries.map(([name]) => `printf("%d\\n", ${name});`).join('\n')
    const printed = runC(`${include}int printf(const char *, ...);\nint main(void) {${lines}}`)
    const numbers: number[] = entries.map(([, number]) => number)
    expect(numbers).toEqual(printed.trim().split('\n').map(Number))
    expect(entries.length).toBeGreaterThan(130)
  })

  test('of system calls, and none is missing', () => {
    const text = preprocess('#include <asm/unistd_64.h>')
    const found = [...text.matchAll(/#define __NR_(\w+) (\d+)/g)]
    expect(found.length).toBeGreaterThan(350)
    for (const [, name, number] of found) {
      expect(`${name} ${Syscall[name as keyof typeof Syscall]}`).toBe(`${name} ${number}`)
    }
    expect(syscallName(syscallNumber('mmap'))).toBe('mmap')
    expect(syscallName(100000)).toBeUndefined()
  })
})
