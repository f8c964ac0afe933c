import { same } from './patience.ts'
import { Wire } from './wire.ts'

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** Requests of HTTP/1.1, all through one connection (keep-alive). */
export class HttpClient {
  readonly wire: Wire

  private constructor(wire: Wire) {
    this.wire = wire
  }

  static async open(port: number, host?: string): Promise<HttpClient> {
    return new HttpClient(await Wire.open(port, host))
  }

  async request(method: string, path: string, body = ''): Promise<Answer> {
    this.ask(method, path, body)
    return await this.answer()
  }

  ask(method: string, path: string, body = ''): void {
    const length = body ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : ''
    this.wire.send(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n${body}`)
  }

  /** To the first request that has none yet. */
  async answer(): Promise<Answer> {
    const { status, headers } = await this.head()
    const chunked = headers.get('transfer-encoding') === 'chunked'
    const body = chunked ? await this.#chunks() : await this.#body(headers)
    return { status, headers, body: body.toString() }
  }

  /** The answer up to its body. */
  async head(): Promise<Omit<Answer, 'body'>> {
    const status = Number((await this.wire.line()).split(' ')[1])
    const headers = new Map<string, string>()
    for (let line = await this.wire.line(); line !== ''; line = await this.wire.line()) {
      const [name, value] = line.split(/: */, 2)
      headers.set(name!.toLowerCase(), value!)
    }
    return { status, headers }
  }

  /** The next part of a body that comes in such; empty at its end. */
  async chunk(): Promise<string> {
    return (await this.#nextChunk()).toString()
  }

  /** A GET whose answer must be that text. */
  async expect(path: string, text: string): Promise<void> {
    const { status, body } = await this.request('GET', path)
    same(status, 200, `status of ${path}`)
    same(body, text, path)
  }

  #body(headers: Answer['headers']): Promise<Buffer> {
    return this.wire.bytes(Number(headers.get('content-length') ?? 0))
  }

  async #chunks(): Promise<Buffer> {
    const chunks: Buffer[] = []
    for (;;) {
      const chunk = await this.#nextChunk()
      if (chunk.length === 0) return Buffer.concat(chunks)
      chunks.push(chunk)
    }
  }

  async #nextChunk(): Promise<Buffer> {
    const length = Number.parseInt(await this.wire.line(), 16)
    const chunk = await this.wire.bytes(length)
    await this.wire.line()
    return chunk
  }
}
