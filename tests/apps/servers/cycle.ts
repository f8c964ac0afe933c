/**
 * cycle.ts SERVER DIRECTORY
 *
 * Runs within the namespaces that ../run.ts makes: starts a server, has its client connect and use it,
 * dumps it once leaving it running, then dumps and restores it three times, in turn with traffic on its
 * connections and while they are quiet. The client keeps its connections over all of this, and sends
 * through them while the server is dumped: no answer may come before the restore, not a reset either,
 * and the right one after it.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workplace } from './model.ts'
import { within } from './patience.ts'
import { run, runMeanwhile } from './process.ts'
import { servers } from './servers.ts'
import { Traffic } from './traffic.ts'

const ROUNDS = 3
/** Milliseconds for which a dumped server must stay silent. */
const SILENCE = 400

const [name, directory] = process.argv.slice(2)
const server = servers[name!]
if (!server || !directory) throw new Error(`no server ${name}; there are ${Object.keys(servers)}`)
const criu = process.env.CRIU ?? join(import.meta.dir, '../../../bin/criu')
const at: Workplace = { directory: join(directory, 'work'), programs: import.meta.dir }
mkdirSync(at.directory, { mode: 0o755 })

run(['ip', 'link', 'set', 'lo', 'up'])
// Lists of who is logged in, pid files: those of this run alone.
for (const place of ['/run', '/var/log'])
  run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', place])

server.prepare?.(at)
const pid = await start(server.command(at))
const client = await within(60, 'the server takes a connection', server.connect(at))
await within(60, 'the client uses the server', client.use())
if (process.env.CRIU !== 'none') {
  const traffic = new Traffic(client)
  await job('dump', 0, '--leave-running')
  await within(30, 'the server goes on after dump --leave-running', traffic.stop())
  for (let i = 1; i <= ROUNDS; i++) await (i % 2 === 0 ? quietRound(i) : busyRound(i))
}
await within(60, 'the client is content in the end', client.finish())
await within(30, 'the server ends', gone())
process.exit(0)

/** A session of its own, whose parent reaps it at once: pid 1 of the namespace. */
async function start(command: readonly string[]): Promise<number> {
  const script = 'echo $$ >pid.new; mv pid.new pid; exec "$@" <&- </dev/null >out 2>err'
  run(['setsid', '--fork', 'sh', '-c', script, 'sh', ...command], { cwd: at.directory })
  const file = join(at.directory, 'pid')
  while (!existsSync(file)) await Bun.sleep(5)
  return Number(readFileSync(file, 'utf8'))
}

/** The client sends something to the dumped server, and hears of it after the restore. */
async function quietRound(i: number): Promise<void> {
  await job('dump', i)
  await within(10, 'the dumped server is gone', gone())
  const traffic = new Traffic(client)
  await Bun.sleep(SILENCE)
  await restore(i, traffic)
}

/** The dump comes amid what the client asks and is answered. */
async function busyRound(i: number): Promise<void> {
  const traffic = new Traffic(client)
  await Bun.sleep(50)
  await job('dump', i)
  await within(10, 'the dumped server is gone', gone())
  traffic.forget()
  await Bun.sleep(SILENCE)
  await restore(i, traffic)
}

async function restore(i: number, traffic: Traffic): Promise<void> {
  traffic.expectNone('while the server was dumped')
  await job('restore', i, '--restore-detached')
  await within(30, `an answer after restore ${i}`, traffic.stop())
  await within(30, `the client uses the server after restore ${i}`, client.use())
}

async function job(action: 'dump' | 'restore', i: number, ...further: string[]): Promise<void> {
  const images = join(directory!, `images.${i}`)
  const log = join(directory!, `${action}.${i}.log`)
  mkdirSync(images, { recursive: true })
  const tree = action === 'dump' ? ['--tree', String(pid)] : []
  const words = [action, ...tree, '-D', images, '-o', log, '-v4', ...server!.arguments, ...further]
  await runMeanwhile([criu, ...words], log)
}

async function gone(): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await Bun.sleep(10)
}
