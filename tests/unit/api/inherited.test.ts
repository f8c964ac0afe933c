import { expect, test } from 'bun:test'
import { passInherited } from '../../../src/api/inherited.ts'

test('descriptors get the numbers that the engine has them under', () => {
  const given = { tree: 1, inheritFd: ['fd[2]:pipe:[5]', 'fd[0]:tmp/a'] }
  expect(passInherited(given)).toEqual({
    options: { tree: 1, inheritFd: ['fd[3]:pipe:[5]', 'fd[4]:tmp/a'] },
    fds: [2, 0],
  })
})

test('what names no descriptor is left for the engine to refuse', () => {
  expect(passInherited({ inheritFd: ['9:x', 7] })).toEqual({
    options: { inheritFd: ['9:x', 7] },
    fds: [],
  })
  expect(passInherited({ inheritFd: 'fd[9]:x' }).fds).toEqual([])
  expect(passInherited({})).toEqual({ options: {}, fds: [] })
})

test('one that is not open is refused', () => {
  expect(() => passInherited({ inheritFd: ['fd[987654]:x'] })).toThrow('which is not open')
})
