import { expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The library works in Node too: the kernel boundary through koffi, bundled as a user would. */
const checkout = resolve(import.meta.dir, '../../..')
// Below the checkout, so that Node finds koffi in its node_modules.
const outdir = join(checkout, 'node_modules/.cache/criu-ts')

async function bundle(): Promise<string> {
  mkdirSync(outdir, { recursive: true })
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, 'checks.ts')],
    target: 'node',
    format: 'esm',
    external: ['koffi'],
    outdir,
    naming: 'checks.mjs',
  })
  expect(built.logs.map(String)).toEqual([])
  return built.outputs[0]!.path
}

const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')),
)

const written = await bundle()
const run = Bun.spawnSync(['node', written], { env, stdin: 'ignore' })
const lines = run.stdout.toString().trimEnd().split('\n')

test('the bundle runs under Node to its end', () => {
  expect(run.stderr.toString()).toBe('')
  expect(run.exitCode).toBe(0)
  expect(lines.length).toBeGreaterThanOrEqual(11)
})

test.each(lines)('%s', (line) => {
  expect(line).toStartWith('ok ')
})
