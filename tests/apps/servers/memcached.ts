import { createSocket } from 'node:dgram'
import type { Client, ServerApp } from './model.ts'
import { same } from './patience.ts'
import { run } from './process.ts'
import { Wire } from './wire.ts'

const PORT = 11211
const KEYS = 2000

const value = (key: number): string => `${key} `.repeat(key % 400)

/** Several connections, so that each of the server's threads has one. */
class MemcachedClient implements Client {
  readonly #wires: readonly Wire[]
  #count = 0
  /** So many were accepted: none is made again. */
  #connections: string | undefined

  constructor(wires: readonly Wire[]) {
    this.#wires = wires
  }

  async fill(): Promise<void> {
    for (let key = 0; key < KEYS; key++) {
      const wire = this.#wireOf(key)
      wire.send(`set key${key} 0 3600 ${value(key).length}\r\n${value(key)}\r\n`)
      same(await wire.line(), 'STORED', 'set')
    }
    this.#wires[0]!.send('set count 0 0 1\r\n0\r\n')
    same(await this.#wires[0]!.line(), 'STORED', 'set')
    this.#connections = (await this.#stats()).get('total_connections')
  }

  async use(): Promise<void> {
    await this.ask()
    await this.#askByDatagram()
    for (let key = 0; key < KEYS; key++) this.#wireOf(key).send(`get key${key}\r\n`)
    for (let key = 0; key < KEYS; key++)
      await this.#value(this.#wireOf(key), `key${key}`, value(key))
  }

  async ask(): Promise<void> {
    for (const wire of this.#wires) {
      wire.send('incr count 1\r\n')
      same(await wire.line(), String(++this.#count), 'incr')
    }
  }

  async finish(): Promise<void> {
    await this.use()
    const [wire] = this.#wires
    const stats = await this.#stats()
    same(stats.get('curr_items'), String(KEYS + 1), 'curr_items')
    same(stats.get('total_connections'), this.#connections, 'total_connections')
    run(['kill', '-TERM', stats.get('pid')!])
    await wire!.ended()
  }

  async #stats(): Promise<Map<string, string>> {
    const [wire] = this.#wires
    wire!.send('stats\r\n')
    const stats = new Map<string, string>()
    for (let line = await wire!.line(); line !== 'END'; line = await wire!.line()) {
      const [, name, told] = line.split(' ')
      stats.set(name!, told!)
    }
    return stats
  }

  #wireOf(key: number): Wire {
    return this.#wires[key % this.#wires.length]!
  }

  /** A frame: the number of the request, of the datagram, how many there are, and 0. */
  async #askByDatagram(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const socket = createSocket('udp4', (answer) => resolve(answer.toString('utf8', 8)))
    const frame = Uint8Array.of(0, 7, 0, 0, 0, 1, 0, 0)
    socket.send(Buffer.concat([frame, Buffer.from('get count\r\n')]), PORT, '127.0.0.1')
    const value = String(this.#count)
    same(await promise, `VALUE count 0 ${value.length}\r\n${value}\r\nEND\r\n`, 'by UDP')
    socket.close()
  }

  async #value(wire: Wire, key: string, expected: string): Promise<void> {
    same(await wire.line(), `VALUE ${key} 0 ${expected.length}`, `get ${key}`)
    same((await wire.bytes(expected.length + 2)).toString(), `${expected}\r\n`, key)
    same(await wire.line(), 'END', `get ${key}`)
  }
}

export const memcached: ServerApp = {
  title: 'memcached: 2,000 values, a connection for each of its threads, TCP and UDP',
  command: () => [
    'memcached',
    '-u',
    'nobody',
    '-l',
    '127.0.0.1',
    '-p',
    String(PORT),
    '-U',
    String(PORT),
  ],
  arguments: ['--tcp-established'],
  async connect() {
    const wires = await Promise.all(Array.from({ length: 6 }, () => Wire.open(PORT)))
    const client = new MemcachedClient(wires)
    await client.fill()
    return client
  },
}
