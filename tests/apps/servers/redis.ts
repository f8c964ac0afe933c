import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, ServerApp } from './model.ts'
import { same } from './patience.ts'
import { run } from './process.ts'
import { Wire } from './wire.ts'

const PORT = 6379
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
    await this.#save()
    this.#asking.send('SHUTDOWN', 'NOSAVE')
    await this.#asking.ended()
  }

  async #everyKey(): Promise<void> {
    for (let key = 0; key < KEYS; key++) this.#asking.send('GET', `key:${key}`)
    for (let key = 0; key < KEYS; key++) same(await this.#asking.reply(), value(key), 'GET')
    same(await this.#asking.call('DBSIZE'), KEYS + 3, 'DBSIZE')
  }

  /** A child of the restored server writes it all to a file, whose checksum redis itself checks. */
  async #save(): Promise<void> {
    const before = await this.#asking.call('LASTSAVE')
    await Bun.sleep(1100)
    same(await this.#asking.call('BGSAVE'), 'Background saving started', 'BGSAVE')
    while ((await this.#asking.call('LASTSAVE')) === before) await Bun.sleep(20)
    const file = join(this.#directory, 'dump.rdb')
    same(statSync(file).size > KEYS * 20, true, 'size of the saved file')
    same(
      /(\d+) keys read/.exec(run(['redis-check-rdb', file]))?.[1],
      String(KEYS + 3),
      'keys saved',
    )
  }
}

export const redis: ServerApp = {
  title: 'redis-server: 50,000 keys, a transaction, a subscriber, one that waits; then BGSAVE',
  command: ({ directory }) => [
    ...['redis-server', '--port', String(PORT), '--bind', '127.0.0.1', '::1'],
    ...['--dir', directory, '--save', ''],
  ],
  arguments: ['--tcp-established'],
  async connect({ directory }) {
    const hosts = ['127.0.0.1', '127.0.0.1', '::1', '::1']
    const wires = await Promise.all(hosts.map((host) => Wire.open(PORT, host)))
    const client = new RedisClient(wires, directory)
    await client.fill()
    return client
  },
}
