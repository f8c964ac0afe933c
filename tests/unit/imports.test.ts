import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import rules from '../../src/imports.json'
import { type ImportRules, importsOf, type Sources, violations } from './import-rules.ts'

const src = resolve(import.meta.dir, '../../src')
const load = (): Sources =>
  Object.fromEntries(
    readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|js|css)$/.test(path))
      .map((path) => [path, readFileSync(join(src, path), 'utf8')]),
  )

test('every import of src keeps the rules of src/imports.json', () => {
  const sources = load()
  expect(Object.keys(sources).length).toBeGreaterThan(100)
  expect(violations(sources, rules)).toEqual([])
})

test('layers in the rules exist', () => {
  const names = new Set(Object.keys(rules.layers))
  const layers: ImportRules['layers'] = rules.layers
  const unknown = Object.values(layers).flatMap(({ may }) => may.filter((name) => !names.has(name)))
  expect(unknown).toEqual([])
})

test('layers go down, but for two pairs on one floor', () => {
  const layers: ImportRules['layers'] = rules.layers
  const reach = (from: string, seen = new Set<string>()): Set<string> => {
    for (const next of layers[from]!.may) if (!seen.has(next)) reach(next, seen.add(next))
    return seen
  }
  const pairs = Object.keys(layers).filter((name) => reach(name).has(name))
  // job and scripts share the context of a job; kernel and arch are one floor.
  expect(pairs.sort()).toEqual(['arch', 'job', 'kernel', 'scripts'])
})

test('every form of an import is seen', () => {
  const text = `
import a, { type B } from './a.ts'
import type { C } from "./c.ts"
import './effect.ts'
export * from './all.ts'
export { x } from './x.ts'
import {
  long,
} from './long.ts'
const d = await import('./d.ts')
type E = typeof import('./e.ts')
const f = require('./f.ts') as F
const g = await import(name)
// import './comment.ts'
/* import './block.ts' */
`
  expect(importsOf(text).sort()).toEqual(
    ['*', 'a', 'all', 'c', 'd', 'e', 'effect', 'f', 'long', 'x'].map((name) =>
      name === '*' ? '*' : `./${name}.ts`,
    ),
  )
})

const broken: [string, Sources, string][] = [
  ['upwards', { 'tracee/a.ts': "import '../dump/b.ts'", 'dump/b.ts': '' }, 'may not import dump'],
  ['types too', { 'log/a.ts': "import type {} from '../job/b.ts'", 'job/b.ts': '' }, 'job'],
  ['a missing file', { 'log/a.ts': "import './b.ts'" }, 'no such file'],
  ['outside src', { 'log/a.ts': "import '../../x.ts'" }, 'no such file'],
  ['no layer', { 'util.ts': '' }, 'belongs to no layer'],
  ['an FFI', { 'kernel/sys.ts': "import 'bun:ffi'" }, 'only kernel/ffi/bun.ts may'],
  ['child_process', { 'cli/a.ts': "import 'node:child_process'" }, 'only api/ may'],
  ['a strange package', { 'cli/a.ts': "import 'left-pad'" }, 'may not import this package'],
  ['a computed name', { 'cli/a.ts': 'await import(x)' }, 'computed'],
  ['one that is not awaited', { 'cli/a.ts': 'return import(x)' }, 'computed'],
  [
    'kind to kind',
    {
      'resources/registry.ts': "import './files/a.ts'\nimport './files/b.ts'",
      'resources/files/a.ts': "import './b.ts'",
      'resources/files/b.ts': '',
    },
    'only the registry imports a kind',
  ],
  [
    'area to area',
    { 'resources/files/a.ts': "import '../task/b.ts'", 'resources/task/b.ts': '' },
    'resources/files/ may not import resources/task/',
  ],
]

test.each(broken)('refused: %s', (_, sources, rule) => {
  const found = violations(sources, rules)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(rule)
})

test('what is allowed is not refused', () => {
  const sources = {
    'resources/registry.ts': "import './files/pipe/index.ts'\nimport './task/timers.ts'",
    'resources/files/pipe/index.ts': "import './content.ts'\nimport '../owner.ts'",
    'resources/files/pipe/content.ts': "import type {} from './index.ts'",
    'resources/files/owner.ts': "import '../../kernel/sys.ts'",
    'resources/task/timers.ts': "import '../../errors/error.ts'",
    'kernel/sys.ts': "import '../arch/x.ts'",
    'arch/x.ts': "import '../kernel/types.ts'",
    'kernel/types.ts': '',
    'errors/error.ts': "import '../kernel/types.ts'",
  }
  expect(violations(sources, rules)).toEqual([])
})
