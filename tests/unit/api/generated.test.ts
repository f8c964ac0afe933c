import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { made } from '../../../scripts/gen-api.ts'

const root = resolve(import.meta.dir, '../../..')

test.each(Object.entries(made()))('%s is up to date (npm run api)', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text)
})
