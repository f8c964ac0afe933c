import { join } from 'node:path'
import { HttpClient } from './http.ts'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same } from './patience.ts'

const PORT = 8000
const TEXT = 'what is sent comes back. '.repeat(20_000)

/** Of http-server.cjs and http-server.py, which answer alike. */
class CountingClient implements Client {
  readonly #kept: readonly HttpClient[]
  /** A request of which the server has a part: its rest follows in the end. */
  readonly #halfSent: HttpClient
  #count = 0
  #ticks = 0

  constructor(kept: readonly HttpClient[], halfSent: HttpClient) {
    this.#kept = kept
    this.#halfSent = halfSent
    halfSent.wire.send(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${TEXT.length}\r\n\r\n`)
    halfSent.wire.send(TEXT.slice(0, 1000))
  }

  async use(): Promise<void> {
    await this.ask()
    for (const http of this.#kept)
      same((await http.request('POST', '/echo', TEXT)).body, TEXT, '/echo')
    const ticks = Number((await this.#kept[0]!.request('GET', '/ticks')).body)
    same(ticks > this.#ticks, true, 'the timer goes on')
    this.#ticks = ticks
  }

  async ask(): Promise<void> {
    for (const http of this.#kept) {
      same((await http.request('GET', '/count')).body, String(++this.#count), '/count')
      same((await http.request('GET', '/square')).body, String(this.#count ** 2), '/square')
    }
  }

  async finish(): Promise<void> {
    await this.use()
    this.#halfSent.wire.send(TEXT.slice(1000))
    same((await this.#halfSent.answer()).body, TEXT, 'the answer to a request sent in two parts')
    same((await this.#kept[0]!.request('GET', '/end')).body, 'bye', '/end')
  }
}

async function connect(): Promise<Client> {
  const kept = await Promise.all([1, 2, 3].map(() => HttpClient.open(PORT)))
  return new CountingClient(kept, await HttpClient.open(PORT))
}

const command =
  (interpreter: string, program: string) =>
  ({ programs }: Workplace): string[] => [interpreter, join(programs, program), String(PORT)]

export const nodeHttp: ServerApp = {
  title:
    'node: an HTTP server, connections that are kept, a worker thread, a request half received',
  command: command('node', 'http-server.cjs'),
  arguments: ['--tcp-established'],
  connect,
}

export const pythonHttp: ServerApp = {
  title: 'python3: an HTTP server with a thread for each connection, a request half received',
  command: command('/usr/bin/python3', 'http-server.py'),
  arguments: ['--tcp-established'],
  connect,
}
