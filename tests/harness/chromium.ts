import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A page in Debian's headless Chromium, driven by the DevTools protocol over loopback: just what a test
 * needs to click through a page and look at it.
 */
export class Browser implements AsyncDisposable {
  readonly #process: Bun.Subprocess
  readonly #directory: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  /** What the page logged as an error, and what it tried to load from elsewhere. */
  readonly complaints: string[] = []
  #last = 0

  private constructor(process: Bun.Subprocess, directory: string, socket: WebSocket) {
    this.#process = process
    this.#directory = directory
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data))))
  }

  static async start(path = '/usr/bin/chromium', width = 1400, height = 900): Promise<Browser> {
    const directory = mkdtempSync(join(tmpdir(), 'criu-chromium-'))
    const process = Bun.spawn(
      [
        path,
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        `--window-size=${width},${height}`,
        `--user-data-dir=${directory}`,
        '--remote-debugging-port=0',
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'ignore'], env: { ...Bun.env, HOME: directory } },
    )
    try {
      const port = await portOf(join(directory, 'DevToolsActivePort'))
      const pages = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as Page[]
      const url = pages.find(({ type }) => type === 'page')!.webSocketDebuggerUrl
      const socket = new WebSocket(url)
      await new Promise((resolve, reject) => {
        socket.addEventListener('open', resolve)
        socket.addEventListener('error', reject)
      })
      const browser = new Browser(process, directory, socket)
      for (const domain of ['Page', 'Runtime', 'Log', 'Network'])
        await browser.send(`${domain}.enable`)
      return browser
    } catch (error) {
      process.kill()
      throw error
    }
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last
    this.#socket.send(JSON.stringify({ id, method, params }))
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) =>
        error === undefined
          ? resolve(result ?? {})
          : reject(new Error(`${method}: ${error.message}`)),
      )
    })
  }

  #receive(message: Answer & { method?: string; params?: Record<string, unknown> }): void {
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message)
    const { method, params } = message
    if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') {
      this.complaints.push(JSON.stringify(params))
    }
    if (method === 'Network.requestWillBeSent') {
      const { url } = params?.request as { url: string }
      if (!/^(file|data):/.test(url)) this.complaints.push(`request for ${url}`)
    }
  }

  async open(file: string): Promise<void> {
    await this.send('Page.navigate', { url: `file://${file}` })
    await this.until('document.readyState === "complete" && location.protocol === "file:"')
  }

  /** The value of an expression in the page; a promise is waited for. */
  async ask<T>(expression: string): Promise<T> {
    const answer = await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })
    const { result, exceptionDetails } = answer as {
      result: { value: T }
      exceptionDetails?: object
    }
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  async until(expression: string, seconds = 20): Promise<void> {
    for (const end = Date.now() + seconds * 1000; !(await this.ask(expression)); ) {
      if (Date.now() > end) throw new Error(`not so after ${seconds} s: ${expression}`)
      await Bun.sleep(20)
    }
  }

  /** A real click of the mouse in the middle of an element, or at a share of its width. */
  async click(selector: string, share = 0.5): Promise<void> {
    const [x, y] = await this.ask<[number, number]>(
      `(() => { const e = document.querySelector(${JSON.stringify(selector)})
        e.scrollIntoView({ block: 'nearest' })
        const b = e.getBoundingClientRect()
        return [b.x + b.width * ${share}, b.y + b.height / 2] })()`,
    )
    for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased']) {
      const button = type === 'mouseMoved' ? 'none' : 'left'
      await this.send('Input.dispatchMouseEvent', { type, x, y, button, clickCount: 1 })
    }
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text })
  }

  /** As if the system were set to it. */
  async scheme(value: 'dark' | 'light'): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value }]
    await this.send('Emulation.setEmulatedMedia', { features })
  }

  async screenshot(file: string): Promise<void> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' })
    writeFileSync(file, Buffer.from(String(data), 'base64'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.send('Browser.close').catch(() => this.#process.kill())
    await this.#process.exited
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

interface Page {
  readonly type: string
  readonly webSocketDebuggerUrl: string
}

interface Answer {
  readonly id?: number
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

async function portOf(file: string): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const [port] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : ['']
    if (port !== '') return port!
    await Bun.sleep(50)
  }
  throw new Error('Chromium does not listen')
}
