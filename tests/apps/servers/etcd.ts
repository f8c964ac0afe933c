import { join } from 'node:path'
import { HttpClient } from './http.ts'
import type { Client, ServerApp } from './model.ts'
import { same, untilIt } from './patience.ts'
import { run } from './process.ts'

const PORT = 2379
const PEER_PORT = 2380

/** Of an answer to `range`. */
interface Found {
  readonly kvs: readonly { readonly value: string; readonly version: string }[]
}

const inBase64 = (text: string): string => Buffer.from(text).toString('base64')

/** Of its HTTP gateway, which itself has a connection of gRPC to the server. */
class EtcdClient implements Client {
  readonly #http: HttpClient
  /** One that is told of changes, in one answer that never ends. */
  readonly #watch: HttpClient
  readonly #directory: string
  #count = 0

  constructor(http: HttpClient, watch: HttpClient, directory: string) {
    this.#http = http
    this.#watch = watch
    this.#directory = directory
  }

  async watch(): Promise<void> {
    this.#watch.ask(
      'POST',
      '/v3/watch',
      JSON.stringify({ create_request: { key: inBase64('count') } }),
    )
    await this.#watch.head()
    same(JSON.parse(await this.#watch.chunk()).result.created, true, 'a watch')
  }

  async use(): Promise<void> {
    await this.ask()
    const found = await this.#call('range', { key: inBase64('count') })
    same(found.kvs[0]?.value, inBase64(String(this.#count)), 'range')
    same(found.kvs[0]?.version, String(this.#count), 'how often it was put')
  }

  async ask(): Promise<void> {
    const value = inBase64(String(++this.#count))
    await this.#call('put', { key: inBase64('count'), value })
    const { result } = JSON.parse(await this.#watch.chunk())
    same(result.events[0].kv.value, value, 'what was watched')
  }

  async finish(): Promise<void> {
    await this.use()
    run(['kill', run(['cat', 'pid'], { cwd: this.#directory }).trim()])
  }

  async #call(name: string, question: object): Promise<Found> {
    const { status, body } = await this.#http.request(
      'POST',
      `/v3/kv/${name}`,
      JSON.stringify(question),
    )
    same(status, 200, name)
    return JSON.parse(body)
  }
}

/** It has chosen itself to lead. */
async function isHealthy(http: HttpClient): Promise<void> {
  same(JSON.parse((await http.request('GET', '/health')).body).health, 'true', 'health')
}

export const etcd: ServerApp = {
  title: 'etcd: a program in Go, its locks, files and watches',
  command: ({ directory }) => [
    ...['etcd', '--data-dir', join(directory, 'data'), '--log-level', 'error'],
    ...['--listen-client-urls', `http://127.0.0.1:${PORT}`],
    ...['--advertise-client-urls', `http://127.0.0.1:${PORT}`],
    ...['--listen-peer-urls', `http://127.0.0.1:${PEER_PORT}`],
  ],
  arguments: ['--tcp-established', '--file-locks'],
  async connect({ directory }) {
    const http = await HttpClient.open(PORT)
    const client = new EtcdClient(http, await HttpClient.open(PORT), directory)
    await untilIt(() => isHealthy(http))
    await client.watch()
    return client
  },
}
