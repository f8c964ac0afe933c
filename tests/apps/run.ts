import { test } from 'bun:test'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, criuPath } from '../harness/live.ts'
import type { ServerApp } from './servers/model.ts'

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

const apps = import.meta.dir
/** Seconds for one server, its client, and all that is done to it. */
const SERVER_TIME = 300

/** Runs what lives in a directory of its own, which is kept when it fails. */
async function live(command: (directory: string) => string[]): Promise<void> {
  await build()
  const directory = await mkdtemp(join(tmpdir(), 'criu-apps-'))
  await chmod(directory, 0o755)
  const env = { ...process.env, CRIU: criuPath(), LIVE_BUILT: '1' }
  const words = command(directory)
  const child = Bun.spawn(words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) {
    const again = command(`$(mktemp -d)`).join(' ')
    throw new Error(`${said}kept: ${directory}\nagain: CRIU=${env.CRIU} ${again}\n`)
  }
  await rm(directory, { recursive: true })
}

/** The life of tests/apps/programs/APP.sh, as cycle.sh describes it. */
export function appTest(title: string, app: string): void {
  const command = (directory: string) => [join(apps, 'cycle.sh'), '-d', directory, app]
  test.concurrent(title, () => withSlot(() => live(command)), 1_200_000)
}

/** The life of a server of tests/apps/servers with its client, as its cycle.ts describes it. */
export function serverTest(name: string, { title }: ServerApp): void {
  const init = ['unshare', '--net', join(apps, '../.build/init'), String(SERVER_TIME)]
  const cycle = [process.execPath, join(apps, 'servers/cycle.ts'), name]
  const command = (directory: string) => [...init, ...cycle, directory]
  test.concurrent(title, () => withSlot(() => live(command)), 1_200_000)
}
