import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HttpClient } from './http.ts'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same } from './patience.ts'

const PORT = 8001
const WORKERS = 3

/** Each connection has the worker that the master gave it to. */
class ClusterClient implements Client {
  readonly #kept: HttpClient[] = []
  readonly #at: Workplace
  readonly #workers = new Map<HttpClient, string>()
  #total = 0
  #replaced = 0

  constructor(at: Workplace) {
    this.#at = at
  }

  /** Until all have some: the first one there may get several. */
  async connectToAll(): Promise<void> {
    while (new Set(this.#workers.values()).size < WORKERS) await this.#another()
  }

  async use(): Promise<void> {
    await this.ask()
    for (const http of this.#kept)
      same((await http.request('GET', '/worker')).body, this.#workers.get(http), 'a worker')
    await this.#replaceOne()
  }

  async ask(): Promise<void> {
    for (const http of this.#kept)
      same((await http.request('GET', '/total')).body, String(++this.#total), '/total')
  }

  async finish(): Promise<void> {
    await this.use()
    same(readFileSync(join(this.#at.directory, 'err'), 'utf8'), '', 'complaints')
    same((await this.#kept[0]!.request('GET', '/end')).body, 'bye', '/end')
  }

  /** A worker ends; the master starts another, to which the next new connection goes. */
  async #replaceOne(): Promise<void> {
    const dying = this.#workers.get(this.#kept[0]!)!
    const lost = this.#kept.filter((http) => this.#workers.get(http) === dying)
    same((await lost[0]!.request('GET', '/die')).body, 'bye', '/die')
    for (const http of lost) {
      await http.wire.ended()
      this.#workers.delete(http)
      this.#kept.splice(this.#kept.indexOf(http), 1)
    }
    await this.#untilReplaced()
    await this.connectToAll()
  }

  /** A new connection may be given to a worker that is about to end, which then never answers it. */
  async #untilReplaced(): Promise<void> {
    const expected = String(++this.#replaced)
    while ((await this.#kept[0]!.request('GET', '/replaced')).body !== expected) await Bun.sleep(10)
  }

  async #another(): Promise<void> {
    const http = await HttpClient.open(PORT)
    this.#kept.push(http)
    this.#workers.set(http, (await http.request('GET', '/worker')).body)
  }
}

export const nodeCluster: ServerApp = {
  title: 'node: a cluster, a worker of which ends and is replaced after each restore',
  command: ({ programs }) => ['node', join(programs, 'cluster.cjs'), String(PORT)],
  arguments: ['--tcp-established'],
  async connect(at) {
    const client = new ClusterClient(at)
    await client.connectToAll()
    return client
  },
}
