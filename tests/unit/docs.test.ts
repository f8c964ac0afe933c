import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { manPage } from '../../scripts/docs/man-page.ts'
import { commandManual, manual } from '../../scripts/docs/manual.ts'
import { optionsPage } from '../../scripts/docs/options-page.ts'
import { commands } from '../../src/options/row.ts'
import { rowOf, table } from '../../src/options/table.ts'

const docs = join(import.meta.dir, '../../docs')
const written = (name: string): string => readFileSync(join(docs, name), 'utf8')

test('docs/options.md has a row for every option, a test for each that works, and is up to date', () => {
  expect(`${optionsPage()}`).toBe(written('options.md'))
})

test('docs/criu.8 is up to date (npm run docs)', () => {
  expect(manPage()).toBe(written('criu.8'))
})

test('the manual names every option, and groff has nothing to say about it', async () => {
  const child = Bun.spawn(
    ['groff', '-ww', '-man', '-Tutf8', '-P-c', '-P-bou', '-rLL=78n', join(docs, 'criu.8')],
    {
      stderr: 'pipe',
    },
  )
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()])
  expect({ err, status: await child.exited }).toEqual({ err: '', status: 0 })
  const plain = out.replaceAll('‐', '-').replaceAll('−', '-')
  const squeezed = plain.replace(/\s+/g, ' ')
  expect(table.filter(({ name }) => !squeezed.includes(`--${name}`))).toEqual([])
  expect(plain.split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('what the manual adds is about options and commands that there are', () => {
  expect(Object.keys(manual).filter((name) => !rowOf(name))).toEqual([])
  const known = new Set<string>(commands)
  expect(Object.keys(commandManual).filter((name) => !known.has(name))).toEqual([])
})
