import { expect, test } from 'bun:test'
import { camelCase, isForLibrary, libraryOptions } from '../../../src/options/library.ts'
import { normalise } from '../../../src/options/normalise.ts'
import { table } from '../../../src/options/table.ts'

test('names in camel case become those of the table', () => {
  const given = { tree: 5, leaveRunning: true, ghostLimit: '2M', imagesDir: undefined }
  expect(libraryOptions(given)).toEqual([
    { name: 'tree', value: 5, spelled: 'tree' },
    { name: 'leave-running', value: true, spelled: 'leaveRunning' },
    { name: 'ghost-limit', value: '2M', spelled: 'ghostLimit' },
  ])
  const options = normalise('dump', libraryOptions({ ...given, external: ['unix[5]', 'unix[6]'] }))
  expect(options.tree).toBe(5)
  expect(options.finalState).toBe('running')
  expect(options.ghostLimit).toBe(2 << 20)
  expect(options.external.map(({ kind }) => kind)).toEqual(['unix', 'unix'])
})

test('camel case has no two names for one option, and every option has one', () => {
  const names = table.map(({ name }) => camelCase(name))
  expect(new Set(names).size).toBe(names.length)
  expect(names).not.toContain('signal')
  for (const control of ['signal', 'onProgress', 'onLog', 'program'])
    expect(names).not.toContain(control)
})

const wrong: [Record<string, unknown>, string][] = [
  [{ leaveRuning: true }, 'is no option of criu'],
  [{ 'leave-running': true }, 'is no option of criu'],
  [{ noLeaveRunning: true }, 'is no option of criu'],
  [{ close: [3] }, 'is for the command line alone'],
  [{ tree: {} }, 'must be text, a number or a boolean'],
  [{ tree: null }, 'must be text, a number or a boolean'],
  [{ external: [['x']] }, 'must be text, a number or a boolean'],
]
test.each(wrong)('%o is refused', (given, reason) => {
  expect(() => libraryOptions(given)).toThrow(
    expect.objectContaining({ detail: expect.objectContaining({ code: 'option' }) }),
  )
  try {
    libraryOptions(given)
  } catch (error) {
    expect((error as { detail: { reason: string } }).detail.reason).toContain(reason)
  }
})

test('what is for the command line alone is not in the types', () => {
  expect(isForLibrary('help')).toBe(false)
  expect(isForLibrary('tree')).toBe(true)
})
