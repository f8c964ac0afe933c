import { test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

/** Real programs keep a core busy each; more at once only wait for each other. */
const slots = availableParallelism() + 1
let running = 0
const waiting: (() => void)[] = []

async function withSlot<T>(work: () => Promise<T>): Promise<T> {
  if (running >= slots) await new Promise<void>((go) => waiting.push(go))
  running++
  try {
    return await work()
  } finally {
    running--
    waiting.shift()?.()
  }
}

async function cycle(app: string): Promise<void> {
  await build()
  const directory = await mkdtemp(join(tmpdir(), 'criu-apps-'))
  const env = { ...process.env, CRIU: criuPath(), LIVE_BUILT: '1' }
  const child = Bun.spawn([join(import.meta.dir, 'cycle.sh'), '-d', directory, app], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = await new Response(child.stderr).text()
  if ((await child.exited) !== 0)
    throw new Error(
      `${said}kept: ${directory}\nagain: CRIU=${env.CRIU} tests/apps/cycle.sh ${app}\n`,
    )
  await rm(directory, { recursive: true })
}

/** The life of tests/apps/programs/APP.sh, as cycle.sh describes it. */
export function appTest(title: string, app: string): void {
  test.concurrent(title, () => withSlot(() => cycle(app)), 1_200_000)
}
