import { connect, type Socket } from 'node:net'
import { untilIt } from './patience.ts'

/** One connection of TCP, read as protocols need it: by lines and by lengths. */
export class Wire {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #lost: Error | undefined
  #wake: () => void = () => {}

  /** Tries until the server is there. */
  static open(port: number, host = '127.0.0.1'): Promise<Wire> {
    return untilIt(() => Wire.#connect(port, host))
  }

  static async #connect(port: number, host: string): Promise<Wire> {
    const socket = connect({ port, host, noDelay: true })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once('connect', resolve).once('error', reject)
    await promise
    return new Wire(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data])
      this.#wake()
    })
    const lose = (error: Error) => {
      this.#lost ??= error
      this.#wake()
    }
    socket.on('error', lose)
    socket.on('end', () => lose(new Error('the server closed the connection')))
  }

  send(data: string | Uint8Array): void {
    this.#socket.write(data)
  }

  /** The next line, without its \r\n. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\r\n')
      if (end >= 0) return this.#take(end + 2).toString('utf8', 0, end)
      await this.#more()
    }
  }

  async bytes(length: number): Promise<Buffer> {
    while (this.#received.length < length) await this.#more()
    return this.#take(length)
  }

  /** Waits for the server to end the connection; nothing more may come before. */
  async ended(): Promise<void> {
    while (!this.#lost) await this.#more().catch(() => {})
    if (this.#received.length > 0) throw new Error(`more than asked for: ${this.#received}`)
  }

  /** Reads no more: what the server sends fills the queues of the kernel. */
  pause(): void {
    this.#socket.pause()
  }

  goOn(): void {
    this.#socket.resume()
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }

  async #more(): Promise<void> {
    if (this.#lost) throw new Error(`the connection is lost: ${this.#lost.message}`)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    await promise
  }
}
