import type { Client, ServerApp } from './model.ts'
import { same } from './patience.ts'
import { Wire } from './wire.ts'

const PORT = 7000
const TEXT = 'what is sent comes back. '.repeat(50_000)

/** Of EchoServer.java: connections to a thread of their own, and to a thread with a selector. */
class EchoClient implements Client {
  readonly #wires: readonly Wire[]
  /** Connections whose answers wait in queues, since nobody reads them before the end. */
  readonly #unread: readonly Wire[]
  #count = 0

  constructor(wires: readonly Wire[], unread: readonly Wire[]) {
    this.#wires = wires
    this.#unread = unread
    for (const wire of unread) {
      wire.pause()
      for (let i = 0; i < 10; i++) wire.send(TEXT)
    }
  }

  async use(): Promise<void> {
    await this.#echo(TEXT)
    await this.ask()
  }

  async ask(): Promise<void> {
    await this.#echo(`line ${++this.#count}\r\n`)
  }

  async finish(): Promise<void> {
    await this.use()
    for (const wire of this.#unread) {
      wire.goOn()
      for (let i = 0; i < 10; i++) await this.#heard(wire, TEXT)
    }
    this.#wires[0]!.send('\n')
    for (const wire of this.#wires) await wire.ended()
  }

  async #echo(text: string): Promise<void> {
    for (const wire of this.#wires) wire.send(text)
    for (const wire of this.#wires) await this.#heard(wire, text)
  }

  async #heard(wire: Wire, text: string): Promise<void> {
    same((await wire.bytes(text.length)).toString(), text.toUpperCase(), 'what came back')
  }
}

export const java: ServerApp = {
  title:
    'java: a listening socket and a thread for each connection, NIO channels and their selector',
  command: ({ programs }) => ['java', '-Xmx64m', '-cp', programs, 'EchoServer', String(PORT)],
  arguments: ['--tcp-established'],
  async connect() {
    const ports = [PORT, PORT, PORT + 1, PORT + 1, PORT + 1]
    const wires = await Promise.all(ports.map((port) => Wire.open(port)))
    const unread = await Promise.all([PORT, PORT + 1].map((port) => Wire.open(port)))
    return new EchoClient(wires, unread)
  },
}
