import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dir, '../../..')
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8')

test('docs/plugins.md shows the example that the tests run', () => {
  expect(read('docs/plugins.md')).toContain(read('examples/plugins/cpu-latency.ts').trimEnd())
})
