/**
 * cycle.ts SERVER DIRECTORY
 *
 * Runs within the namespaces that ../run.ts makes: starts a server, has its client connect and use it,
 * dumps it once leaving it running, then dumps and restores it three times, in turn with traffic on its
 * connections and while they are quiet. The client keeps its connections over all of this, and sends
 * through them while the server is dumped: no answer may come before the restore, not a reset either,
 * and the right one after it.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Workplace } from './model.ts'
import { within } from './patience.ts'
import { Place } from './place.ts'
import { run } from './process.ts'
import { servers } from './servers.ts'
import { Terminal } from './terminal.ts'
import { Traffic } from './traffic.ts'

const ROUNDS = Number(process.env.LIVE_ROUNDS ?? 3)
/** Milliseconds for which a dumped server must stay silent. */
const SILENCE = 400

const [name, directory] = process.argv.slice(2)
const server = servers[name!]
if (!server || !directory) throw new Error(`no server ${name}; there are ${Object.keys(servers)}`)
const criu = process.env.CRIU ?? join(import.meta.dir, '../../../bin/criu')
const work = join(directory, 'work')
mkdirSync(work, { mode: 0o755 })
const at: Workplace = {
  directory: work,
  programs: import.meta.dir,
  terminal: server.isJob ? new Terminal(work) : undefined,
}

run(['ip', 'link', 'set', 'lo', 'up'])
// Lists of who is logged in, pid files, shared memory: those of this run alone.
for (const place of ['/run', '/var/log', '/dev/shm'])
  run([
    'mount',
    '-t',
    'tmpfs',
    '-o',
    place === '/dev/shm' ? 'mode=1777' : 'mode=755',
    'tmpfs',
    place,
  ])

server.prepare?.(at)
const place = new Place(at, server, criu)
await place.start()
const client = await within(60, 'the server takes a connection', server.connect(at))
await within(60, 'the client uses the server', client.use())
if (process.env.CRIU !== 'none') {
  const traffic = new Traffic(client)
  await place.dump(0, '--leave-running')
  await within(30, 'the server goes on after dump --leave-running', traffic.stop())
  for (let i = 1; i <= ROUNDS; i++) await round(i)
}
await within(60, 'the client is content in the end', client.finish())
await within(30, 'the server ends', place.gone())
process.exit(0)

/**
 * In odd rounds the dump comes amid what the client asks and is answered; in even ones it asks nothing
 * until the server is gone. A job of a shell is asked once it is back: what is typed before is the shell's.
 */
async function round(i: number): Promise<void> {
  const before = i % 2 === 0 ? undefined : new Traffic(client)
  await Bun.sleep(50)
  if (at.terminal) await before?.stop()
  await place.dump(i)
  await within(10, 'the dumped server is gone', place.gone())
  before?.forget()
  const traffic = before ?? (at.terminal ? undefined : new Traffic(client))
  await Bun.sleep(SILENCE)
  traffic?.expectNone('while the server was dumped')
  await place.restore(i)
  if (traffic) await within(30, `an answer after restore ${i}`, traffic.stop())
  await within(30, `the client uses the server after restore ${i}`, client.use())
}
