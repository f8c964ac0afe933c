import { expect, test } from 'bun:test'
import { CriuError, type ErrorDetail } from '../../../src/errors/error.ts'
import { silentLog } from '../../../src/log/log.ts'
import { tryKeptOf, withKept } from '../../../src/plugins/kept-fields.ts'
import type { Plugin, PluginFile } from '../../../src/plugins/plugin.ts'
import { Plugins } from '../../../src/plugins/plugins.ts'

const job = { command: 'dump', imagesDir: '/images', info() {}, warn() {} } as const
const file = { fd: 3, pid: 5, path: '/dev/x' } as PluginFile
const setOf = (...all: Plugin[]): Plugins => new Plugins(all, job, silentLog)

function detailOf(action: () => unknown): ErrorDetail | undefined {
  try {
    action()
  } catch (error) {
    return error instanceof CriuError ? error.detail : undefined
  }
  return undefined
}

test('plugins are asked by name, until one says that it is its own', () => {
  const asked: string[] = []
  const plugin = (name: string, state?: string): Plugin => ({
    name,
    dumpExtFile() {
      asked.push(name)
      return state
    },
  })
  const plugins = setOf(plugin('c', 'third'), plugin('b', 'second'), plugin('a'))
  expect(plugins.dump('dumpExtFile', file, 'fd 3')).toEqual({ plugin: 'b', state: 'second' })
  expect(asked).toEqual(['a', 'b'])
  expect(plugins.used).toEqual(['b'])
  expect(setOf().dump('dumpExtFile', file, 'fd 3')).toBeUndefined()
})

test('a state goes back to the plugin that kept it, with the job behind', () => {
  const told: unknown[][] = []
  const restoreExtFile = (...args: unknown[]): number => {
    told.push(args)
    return 7
  }
  const plugins = setOf({ name: 'a' }, { name: 'b', restoreExtFile })
  expect(plugins.restore<number>({ plugin: 'b', state: [1] }, 'restoreExtFile', 'fd 3')).toBe(7)
  expect(told).toEqual([[[1], job]])
  const absent = { plugin: 'c', state: null }
  expect(detailOf(() => plugins.restore(absent, 'restoreExtFile', 'fd 3'))).toMatchObject({
    code: 'plugin',
    plugin: 'c',
    hook: 'restoreExtFile',
  })
})

test('a hook has its plugin as this', () => {
  const plugin = {
    name: 'a',
    count: 0,
    dumpExtFile(): number {
      return ++this.count
    },
  }
  const plugins = setOf(plugin)
  plugins.dump('dumpExtFile', file, '')
  expect(plugins.dump('dumpExtFile', file, '')?.state).toBe(2)
})

test('what a plugin throws names it; what it did not throw itself stays what it is', () => {
  const cause = new TypeError('x is undefined')
  const throwing = (thrown: unknown): Plugin => ({
    name: 'a',
    begin() {
      throw thrown
    },
  })
  const reason = 'x is undefined'
  expect(detailOf(() => setOf(throwing(cause)).begin())).toEqual({
    code: 'plugin',
    plugin: 'a',
    hook: 'begin',
    reason,
  })
  expect(detailOf(() => setOf(throwing('text')).begin())).toMatchObject({ reason: 'text' })
})

test.each([
  [undefined, true],
  [null, false],
  [0, false],
  [Number.NaN, 'error'],
  [{ a: [1, 'x', { b: null }] }, false],
  [{ a: undefined }, 'error'],
  [5n, 'error'],
  [new Date(0), 'error'],
  [new Uint8Array(1), 'error'],
  [Promise.resolve(1), 'error'],
])('the state %p', (state, outcome) => {
  const plugins = setOf({ name: 'a', dumpExtFile: () => state as never })
  const ask = () => plugins.dump('dumpExtFile', file, '')
  if (outcome === 'error') expect(detailOf(ask)?.code).toBe('plugin')
  else expect(ask()?.state).toEqual(outcome ? undefined : (state as never))
})

test('the end tells all, and a failure there is no error', () => {
  const told: string[] = []
  const end = (name: string) => (_: unknown, succeeded: boolean) => {
    told.push(`${name} ${succeeded}`)
    if (name === 'a') throw new Error('no')
  }
  setOf({ name: 'a', end: end('a') }, { name: 'b', end: end('b') }).end(false)
  expect(told).toEqual(['a false', 'b false'])
})

test('what is kept comes back from the entry, and other fields stay', () => {
  const entry = withKept({ id: 7 } as object, { plugin: 'a', state: { ü: [1] } }, 2048)
  expect(tryKeptOf(entry)).toEqual({ plugin: 'a', state: { ü: [1] }, flags: 2048 })
  expect(entry).toMatchObject({ id: 7 })
  expect(tryKeptOf({})).toBeUndefined()
})
