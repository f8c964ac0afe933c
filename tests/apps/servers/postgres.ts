import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same, untilIt } from './patience.ts'
import { Dialogue, run } from './process.ts'

const PORT = 5432
const ROWS = 20_000
const AS_POSTGRES = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']

/** /usr/lib/postgresql/15/bin/initdb: of the newest version that is there. */
const program = (name: string): string =>
  run(['sh', '-c', `ls /usr/lib/postgresql/*/bin/${name} | sort -V | tail -n 1`]).trim()

const address = `host=127.0.0.1 port=${PORT} user=postgres dbname=postgres sslmode=disable`

/** psql, over one connection. */
class Psql {
  readonly #dialogue: Dialogue
  #count = 0

  constructor(directory: string) {
    const psql = ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', address]
    this.#dialogue = new Dialogue(psql, directory)
  }

  say(sql: string): void {
    this.#dialogue.say(`${sql};\n\\echo end-${++this.#count}`)
  }

  async heard(): Promise<string> {
    return (await this.#dialogue.until(`end-${this.#count}\n`)).trim()
  }

  ask(sql: string): Promise<string> {
    this.say(sql)
    return this.heard()
  }
}

/** Sessions that wait for the row of the open transaction. */
const WAITING =
  "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE t SET %'"

/** One in a transaction that goes on over all dumps, one that commits, one that waits for a lock. */
class PostgresClient implements Client {
  readonly #open: Psql
  readonly #other: Psql
  readonly #waiting: Psql
  readonly #directory: string
  /** Others who pay each other: four connections, all the time. */
  readonly #payers: Subprocess<'ignore', 'ignore', 'pipe'>
  #inserted = 0
  #committed = 0

  constructor(at: Workplace) {
    this.#directory = at.directory
    this.#open = new Psql(at.directory)
    this.#other = new Psql(at.directory)
    this.#waiting = new Psql(at.directory)
    run(['pgbench', '-i', '-q', '-s', '1', address])
    const payers = ['pgbench', '-n', '-c', '4', '-R', '200', '-T', '600', address]
    this.#payers = Bun.spawn(payers, { stdio: ['ignore', 'ignore', 'pipe'] })
  }

  async fill(): Promise<void> {
    const rows = `SELECT n, n * n AS square, repeat('x', (n % 100)::int) AS text FROM generate_series(1, ${ROWS}) n`
    await this.#other.ask(`CREATE TABLE t AS ${rows}; CREATE TABLE log (n int PRIMARY KEY)`)
    await this.#other.ask('CREATE TEMPORARY TABLE own AS SELECT 1 AS n')
    await this.#other.ask(PARALLEL)
    await this.#open.ask('BEGIN ISOLATION LEVEL REPEATABLE READ; UPDATE t SET n = n WHERE n = 7')
    await this.#open.ask('DECLARE walk CURSOR FOR SELECT n FROM t WHERE n <> 7 ORDER BY n')
    // Waits until the first is done: its end tells that no lock was lost.
    this.#waiting.say('UPDATE t SET square = square + 1 WHERE n = 7 RETURNING square')
    while ((await this.#other.ask(WAITING)) !== '1') await Bun.sleep(10)
  }

  async use(): Promise<void> {
    await this.ask()
    const sums = `${ROWS}|${(ROWS * (ROWS + 1)) / 2}`
    for (const one of [this.#open, this.#other])
      same(await one.ask('SELECT count(*), sum(n) FROM t'), sums, 'sums')
    same(await this.#other.ask('SELECT n FROM own'), '1', 'the temporary table')
    same(await this.#other.ask(WAITING), '1', 'sessions that wait for a lock')
  }

  async ask(): Promise<void> {
    const next = ++this.#inserted
    this.#open.say(`INSERT INTO log VALUES (${-next}); FETCH walk`)
    this.#other.say(`INSERT INTO log VALUES (${next}) RETURNING n`)
    same(await this.#open.heard(), String(next < 7 ? next : next + 1), 'the next row of the cursor')
    same(await this.#other.heard(), String(next), 'what was committed')
    this.#committed++
    const pairs = 'SELECT count(*) FROM t a JOIN t b USING (square) WHERE md5(a.text) = md5(b.text)'
    same(await this.#other.ask(pairs), String(ROWS), 'what several processes have counted')
  }

  async finish(): Promise<void> {
    await this.use()
    await this.#open.ask('COMMIT')
    same(await this.#waiting.heard(), '50', 'who waited for the lock')
    const log = 'SELECT count(*), sum(n), max(n) FROM log'
    const count = 2 * this.#committed
    same(await this.#other.ask(log), `${count}|0|${this.#committed}`, 'what was committed')
    same(await this.#other.ask('SELECT sum(square) FROM t'), squares(), 'squares')
    await this.#accountsAgree()
    await this.#other.ask('VACUUM FULL t; CHECKPOINT')
    const control = [...AS_POSTGRES, program('pg_ctl'), '-D', join(this.#directory, 'data')]
    run([...control, '-m', 'fast', '--no-wait', 'stop'])
  }

  /** Whoever was paid, all sums are the same, and nobody was cut off. */
  async #accountsAgree(): Promise<void> {
    same(this.#payers.exitCode, null, 'the exit code of pgbench')
    this.#payers.kill()
    await this.#payers.exited
    const said = await new Response(this.#payers.stderr).text()
    same(/abort|error|fatal/i.exec(said)?.[0], undefined, 'what pgbench says')
    const [accounts, ...others] = [
      '(SELECT sum(abalance) FROM pgbench_accounts)',
      '(SELECT sum(tbalance) FROM pgbench_tellers)',
      '(SELECT sum(bbalance) FROM pgbench_branches)',
      '(SELECT sum(delta) FROM pgbench_history)',
    ]
    const equal = others.map((sum) => `${accounts} = ${sum}`).join(' AND ')
    same(await this.#other.ask(`SELECT ${equal}`), 't', 'sums of the accounts')
    const paid = Number(await this.#other.ask('SELECT count(*) FROM pgbench_history'))
    same(paid > 10, true, 'payments')
  }
}

/** Makes each scan one of several processes, which share memory that is made for them. */
const PARALLEL = ['min_parallel_table_scan_size', 'parallel_setup_cost', 'parallel_tuple_cost']
  .map((name) => `SET ${name} = 0`)
  .join('; ')

const squares = (): string => String((ROWS * (ROWS + 1) * (2 * ROWS + 1)) / 6 + 1)

function prepare({ directory }: Workplace): void {
  run(['install', '-d', '-o', 'postgres', '-m', '700', 'data'], { cwd: directory })
  chmodSync(directory, 0o755)
  const initdb = [program('initdb'), '-D', join(directory, 'data'), '--auth=trust', '--no-sync']
  run([...AS_POSTGRES, ...initdb, '-E', 'UTF8', '--locale=C.UTF-8'], { cwd: directory })
}

export const postgres: ServerApp = {
  title:
    'postgresql: a transaction and its cursor go on, a lock is waited for, parallel queries, pgbench',
  prepare,
  command: ({ directory }) => [
    ...AS_POSTGRES,
    ...[program('postgres'), '-D', join(directory, 'data'), '-p', String(PORT)],
    ...['-c', 'listen_addresses=127.0.0.1', '-k', join(directory, 'data'), '-c', 'fsync=off'],
  ],
  arguments: ['--tcp-established'],
  async connect(at) {
    await untilIt(() => run([program('pg_isready'), '-d', address]))
    const client = new PostgresClient(at)
    await client.fill()
    return client
  },
}
