import { expect, test } from 'bun:test'
import { parseArgv } from '../../../src/options/argv.ts'

test('options stand before or behind the command', () => {
  const options = [
    { name: 'tree', value: '7', spelled: '-t' },
    { name: 'leave-running', value: true, spelled: '-R' },
  ]
  expect(parseArgv(['-t', '7', '-R', 'dump'])).toEqual({
    kind: 'run',
    command: 'dump',
    options,
    words: [],
  })
  expect(parseArgv(['dump', '-t7', '-R'])).toEqual({
    kind: 'run',
    command: 'dump',
    options,
    words: [],
  })
})

test('short flags may be bundled, the last with a value', () => {
  const request = parseArgv(['restore', '-dSD', 'img'])
  expect(request).toMatchObject({
    options: [{ name: 'restore-detached' }, { name: 'restore-sibling' }, { value: 'img' }],
  })
})

test('a level inside of a bundle is read too', () => {
  expect(parseArgv(['dump', '-Rv4', '-svv'])).toMatchObject({
    options: [
      { name: 'leave-running' },
      { name: 'verbosity', value: '4' },
      { name: 'leave-stopped' },
      { name: 'verbosity', value: 'vv' },
    ],
  })
})

test('an optional value may be attached to a short option', () => {
  expect(parseArgv(['dump', '-x5,6', '-j'])).toMatchObject({
    options: [
      { name: 'ext-unix-sk', value: '5,6' },
      { name: 'shell-job', value: true },
    ],
  })
})

test('a word behind an option that needs one is its value, whatever it looks like', () => {
  expect(parseArgv(['dump', '-o', '-v4'])).toMatchObject({
    options: [{ name: 'log-file', value: '-v4' }],
  })
})

test('version and help win over all else', () => {
  expect(parseArgv(['-V'])).toEqual({ kind: 'version' })
  expect(parseArgv(['dump', '--help'])).toEqual({ kind: 'help', command: 'dump' })
  expect(parseArgv(['-h'])).toEqual({ kind: 'help', command: undefined })
  expect(parseArgv([])).toEqual({ kind: 'nothing' })
})

test('-d is the option of the command', () => {
  expect(parseArgv(['service', '-d'])).toMatchObject({ options: [{ name: 'daemon' }] })
  expect(parseArgv(['-d', 'restore'])).toMatchObject({ options: [{ name: 'restore-detached' }] })
})

test('what stands behind -- is no option', () => {
  expect(parseArgv(['restore', '--exec-cmd', '--', '-V', '--', 'x'])).toMatchObject({
    options: [{ name: 'exec-cmd', value: ['-V', '--', 'x'] }],
  })
})

test('a mistyped command gets a suggestion', () => {
  expect(() => parseArgv(['restroe'])).toThrow()
  try {
    parseArgv(['restroe'])
  } catch (error) {
    expect((error as { detail: unknown }).detail).toEqual({
      code: 'option',
      option: 'restroe',
      reason: 'is no command of criu',
      remedy: 'did you mean restore?',
    })
  }
})
