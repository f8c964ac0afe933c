import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, ServerApp } from './model.ts'
import { same } from './patience.ts'
import { run } from './process.ts'
import { Wire } from './wire.ts'

const PORT = 6379
const REPLICA_PORT = 6380
const KEYS = 50_000

type Reply = string | number | null | Reply[]

/** A connection that speaks RESP. */
class Redis {
  readonly #wire: Wire

  constructor(wire: Wire) {
    this.#wire = wire
  }

  send(...words: (string | number)[]): void {
    const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`)
    this.#wire.send(`*${words.length}\r\n${parts.join('')}`)
  }

  async reply(): Promise<Reply> {
    const line = await this.#wire.line()
    const value = line.slice(1)
    if (line[0] === '+') return value
    if (line[0] === ':') return Number(value)
    if (line[0] === '$') return value === '-1' ? null : await this.#bulk(Number(value))
    if (line[0] !== '*') throw new Error(`redis says ${line}`)
    const replies: Reply[] = []
    for (let i = 0; i < Number(value); i++) replies.push(await this.reply())
    return replies
  }

  call(...words: (string | number)[]): Promise<Reply> {
    this.send(...words)
    return this.reply()
  }

  ended(): Promise<void> {
    return this.#wire.ended()
  }

  async #bulk(length: number): Promise<string> {
    return (await this.#wire.bytes(length + 2)).toString('utf8', 0, length)
  }
}

const value = (key: number): string => `value ${key} ${'.'.repeat(key % 100)}`

/** Microseconds for each key that is saved: a child of the server writes for some 5 s, over all dumps. */
const SAVE_DELAY = 100

/** Connections: one that asks, one in a transaction that goes on, one that waits, one that subscribes. */
class RedisClient implements Client {
  #count = 0
  #queued = 0
  readonly #asking
  readonly #transaction
  readonly #waiting
  readonly #subscriber
  readonly #directory

  constructor(wires: readonly Wire[], directory: string) {
    const [asking, transaction, waiting, subscriber] = wires.map((wire) => new Redis(wire))
    this.#asking = asking!
    this.#transaction = transaction!
    this.#waiting = waiting!
    this.#subscriber = subscriber!
    this.#directory = directory
  }

  async fill(): Promise<void> {
    for (let key = 0; key < KEYS; key++) this.#asking.send('SET', `key:${key}`, value(key))
    for (let key = 0; key < KEYS; key++) same(await this.#asking.reply(), 'OK', 'SET')
    same(await this.#asking.call('SET', 'short', 'lived', 'EX', 3600), 'OK', 'SET EX')
    same(await this.#subscriber.call('SUBSCRIBE', 'news'), ['subscribe', 'news', 1], 'SUBSCRIBE')
    same(await this.#transaction.call('MULTI'), 'OK', 'MULTI')
    while (!(await this.#info('replication')).includes('state=online')) await Bun.sleep(20)
    await this.#startSave()
  }

  async use(): Promise<void> {
    await this.#askAll()
    for (let i = 0; i < 1000; i++) this.#asking.send('GET', `key:${(i * 7919) % KEYS}`)
    for (let i = 0; i < 1000; i++) same(await this.#asking.reply(), value((i * 7919) % KEYS), 'GET')
  }

  async ask(): Promise<void> {
    await this.#askAll()
  }

  async #askAll(): Promise<void> {
    const n = ++this.#count
    this.#transaction.send('INCR', 'transactions')
    this.#waiting.send('BLPOP', 'list', 0)
    same(await this.#asking.call('INCR', 'count'), n, 'INCR')
    same(await this.#asking.call('PUBLISH', 'news', `issue ${n}`), 1, 'PUBLISH')
    same(await this.#subscriber.reply(), ['message', 'news', `issue ${n}`], 'what was published')
    same(await this.#transaction.reply(), 'QUEUED', 'INCR in MULTI')
    this.#queued++
    await this.#asking.call('RPUSH', 'list', `element ${n}`)
    same(await this.#waiting.reply(), ['list', `element ${n}`], 'BLPOP')
  }

  async finish(): Promise<void> {
    const expected = Array.from({ length: this.#queued }, (_, i) => i + 1)
    same(await this.#transaction.call('EXEC'), expected, 'EXEC')
    await this.#everyKey()
    const left = Number(await this.#asking.call('TTL', 'short'))
    same(left > 3400 && left <= 3600, true, 'time that a key has left')
    await this.#replicaIsWhole()
    await this.#save()
    this.#asking.send('SHUTDOWN', 'NOSAVE')
    await this.#asking.ended()
  }

  async #everyKey(): Promise<void> {
    for (let key = 0; key < KEYS; key++) this.#asking.send('GET', `key:${key}`)
    for (let key = 0; key < KEYS; key++) same(await this.#asking.reply(), value(key), 'GET')
    same(await this.#asking.call('DBSIZE'), KEYS + 3, 'DBSIZE')
  }

  /** The child that began before the dumps, then one of the restored server; redis checks their files. */
  async #save(): Promise<void> {
    await this.#endOfSave()
    await this.#call('OK', 'CONFIG', 'SET', 'rdb-key-save-delay', 0)
    await this.#call('Background saving started', 'BGSAVE')
    await this.#endOfSave()
    const file = join(this.#directory, 'dump.rdb')
    same(statSync(file).size > KEYS * 20, true, 'size of the saved file')
    const read = /(\d+) keys read/.exec(run(['redis-check-rdb', file]))?.[1]
    same(read, String(KEYS + 3), 'keys saved')
  }

  async #startSave(): Promise<void> {
    await this.#call('OK', 'CONFIG', 'SET', 'rdb-key-save-delay', SAVE_DELAY)
    await this.#call('Background saving started', 'BGSAVE')
  }

  async #endOfSave(): Promise<void> {
    for (;;) {
      const info = await this.#info('persistence')
      if (info.includes('rdb_bgsave_in_progress:0')) {
        same(info.includes('rdb_last_bgsave_status:ok'), true, 'the child that saved')
        return
      }
      await Bun.sleep(20)
    }
  }

  /** It has everything, and its connection was never made anew. */
  async #replicaIsWhole(): Promise<void> {
    const replica = new Redis(await Wire.open(REPLICA_PORT))
    while ((await replica.call('DBSIZE')) !== KEYS + 3) await Bun.sleep(20)
    same(await replica.call('GET', 'count'), String(this.#count), 'what the replica has')
    const info = await this.#info('stats')
    for (const told of ['sync_full:1', 'sync_partial_ok:0', 'sync_partial_err:0'])
      same(info.includes(`${told}\r\n`), true, told)
  }

  async #info(section: string): Promise<string> {
    return String(await this.#asking.call('INFO', section))
  }

  async #call(expected: string, ...words: (string | number)[]): Promise<void> {
    same(await this.#asking.call(...words), expected, words.join(' '))
  }
}

/** A server of its own, no part of the tree, to which the other one tells every change. */
function startReplica(directory: string): void {
  const place = join(directory, 'replica')
  mkdirSync(place)
  const words = ['--port', String(REPLICA_PORT), '--replicaof', '127.0.0.1', String(PORT)]
  run(['redis-server', ...words, '--dir', place, '--save', '', '--daemonize', 'yes'])
}

export const redis: ServerApp = {
  title:
    'redis-server: 50,000 keys, a transaction, subscribers, a replica, amid BGSAVE; then another',
  command: ({ directory }) => [
    ...['redis-server', '--port', String(PORT), '--bind', '127.0.0.1', '::1'],
    ...['--dir', directory, '--save', '', '--appendonly', 'yes'],
  ],
  arguments: ['--tcp-established'],
  async connect({ directory }) {
    const hosts = ['127.0.0.1', '127.0.0.1', '::1', '::1']
    const wires = await Promise.all(hosts.map((host) => Wire.open(PORT, host)))
    startReplica(directory)
    const client = new RedisClient(wires, directory)
    await client.fill()
    return client
  },
}
