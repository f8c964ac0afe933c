import { afterAll, expect, test } from 'bun:test'
import * as node from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fs from '../../../src/kernel/fs.ts'
import { resolve } from '../../../src/options/absolute.ts'

const directory = node.mkdtempSync(join(tmpdir(), 'criu-fs-'))
const path = (name: string) => join(directory, name)
afterAll(() => node.rmSync(directory, { recursive: true }))

const failure = (action: () => unknown) => {
  try {
    action()
  } catch (error) {
    const { code, errno, syscall } = error as NodeJS.ErrnoException
    return { code, errno, syscall }
  }
  return undefined
}

test('a file is written and read whole, however large', () => {
  const bytes = Buffer.alloc(1_000_003, 'criu')
  fs.writeFileSync(path('large'), bytes)
  expect(node.readFileSync(path('large')).equals(bytes)).toBe(true)
  expect(fs.readFileSync(path('large')).equals(bytes)).toBe(true)
  expect(fs.readFileSync('/proc/self/stat', 'latin1')).toStartWith(`${process.pid} (`)
})

test('parts are read and written at a place, or where the descriptor stands', () => {
  fs.writeFileSync(path('parts'), 'abcdefgh')
  const fd = fs.openSync(path('parts'), 'r+')
  const target = new Uint8Array(4)
  expect(fs.readSync(fd, target, 1, 2, 5)).toBe(2)
  expect(Buffer.from(target).toString('latin1')).toBe('\0fg\0')
  expect(fs.readSync(fd, target, 0, 4, null)).toBe(4)
  expect(fs.writeSync(fd, Buffer.from('XYZ'), 1, 2)).toBe(2)
  expect(fs.writeSync(fd, Buffer.from('12'), 0, 2, 0)).toBe(2)
  fs.closeSync(fd)
  expect(fs.readFileSync(path('parts'), 'utf8')).toBe('12cdYZgh')
})

test('names that are no UTF-8, or none of ASCII', () => {
  const bytes = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0x41])])
  fs.mkdirSync(bytes, { mode: 0o700 })
  fs.symlinkSync('à', path('ü'))
  expect(fs.readlinkSync(path('ü'))).toBe('à')
  expect(fs.readlinkSync(path('ü'), { encoding: 'buffer' })).toEqual(Buffer.from('à'))
  const names = node.readdirSync(directory, { encoding: 'latin1' })
  expect(fs.readdirSync(directory, { encoding: 'latin1' }).sort()).toEqual(names.sort())
  expect(() => fs.openSync('/tmp/a\0b', 'r')).toThrow('zero byte')
})

test('what fails says so as node does', () => {
  expect(failure(() => fs.openSync(path('none'), 'r'))).toEqual(
    failure(() => node.openSync(path('none'), 'r')),
  )
  expect(failure(() => fs.writeFileSync(path('large'), 'x', { flag: 'wx' }))?.code).toBe('EEXIST')
  expect(failure(() => fs.mkdirSync(path('large')))?.code).toBe('EEXIST')
  expect(failure(() => fs.readlinkSync(path('large')))?.code).toBe('EINVAL')
  expect(failure(() => fs.unlinkSync(path('none')))?.code).toBe('ENOENT')
  expect(failure(() => fs.closeSync(9999))?.code).toBe('EBADF')
})

test('a directory goes with all that is in it', () => {
  fs.mkdirSync(path('tree'))
  fs.mkdirSync(path('tree/below'))
  fs.writeFileSync(path('tree/below/file'), 'x')
  fs.removeAllSync(path('tree'))
  expect(fs.existsSync(path('tree'))).toBe(false)
  fs.removeAllSync(path('tree'))
})

test('what is there, and of which type', () => {
  const stat = fs.tryStatSync(directory)!
  expect([fs.isDirectory(stat), fs.isFile(stat)]).toEqual([true, false])
  expect(fs.tryStatSync(path('none'))).toBeUndefined()
  expect(fs.tryStatSync(path('large/below'))).toBeUndefined()
  expect(fs.isExecutable('/bin/sh')).toBe(true)
  expect(fs.isExecutable(path('large'))).toBe(false)
})

test.each([
  ['/a/b', 'c', '/a/b/c'],
  ['/a/b', '../c/./d//e/', '/a/c/d/e'],
  ['/a', '/x/../..', '/'],
  ['/', '.', '/'],
])('%s and %s lead to %s', (from, to, found) => {
  expect(resolve(from, to)).toBe(found)
  expect(resolve(from, to)).toBe(join(to.startsWith('/') ? '/' : from, to).replace(/(.)\/$/, '$1'))
})
