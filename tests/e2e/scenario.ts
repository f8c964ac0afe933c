import { test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

const tests = resolve(import.meta.dir, '..')
const library = join(tests, 'harness/scenario.sh')

/** So many at once: most of a scenario is waiting for a subject. */
const SLOTS = 4
let running = 0
const waiting: (() => void)[] = []

async function withSlot(work: () => Promise<void>): Promise<void> {
  if (running >= SLOTS) await new Promise<void>((go) => waiting.push(go))
  running++
  try {
    await work()
  } finally {
    running--
    waiting.shift()?.()
  }
}

/**
 * A test that is a bash script with the functions of tests/harness/scenario.sh, in a pid and mount
 * namespace of its own and a new directory, which is kept when it fails. It must end with 0 within
 * `seconds`; what `prepare` does comes before.
 */
export function scenario(
  title: string,
  script: string,
  seconds = 60,
  prepare?: () => Promise<void>,
): void {
  const work = async () => {
    await prepare?.()
    await withSlot(() => run(script, seconds))
  }
  test.concurrent(title, work, (seconds + 600) * 1000)
}

async function run(script: string, seconds: number): Promise<void> {
  await build()
  const directory = mkdtempSync(join(tmpdir(), 'criu-scenario-'))
  chmodSync(directory, 0o755)
  const file = join(directory, 'script')
  writeFileSync(file, `. ${library}\n${script}\nexit 0\n`)
  const command = [join(tests, '.build/init'), String(seconds), 'bash', file]
  const env = { CRIU: criuPath(), SCENARIO_BUILD: join(tests, '.build') }
  const child = Bun.spawn(command, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  const status = await child.exited
  if (status === 0) return rmSync(directory, { recursive: true })
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const again = `cd ${directory} && ${variables.join(' ')} ${command.join(' ')}`
  const error = new Error(
    `${said.join('')}exit code ${status}\nkept: ${directory}\nagain: ${again}`,
  )
  error.stack = error.message
  throw error
}
