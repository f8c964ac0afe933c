import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same, untilIt } from './patience.ts'

/** Types, and looks at the screen and at what is written. */
class Writer implements Client {
  readonly #at: Workplace
  readonly #lines: string[] = []

  constructor(at: Workplace) {
    this.#at = at
  }

  async use(): Promise<void> {
    await this.#write()
    // Not written, but on the screen: it stays in memory alone.
    this.#type('Gounwritten \x1b')
    await this.#shows('unwritten')
    this.#type('u')
    await this.ask()
  }

  ask(): Promise<void> {
    return this.#write()
  }

  async finish(): Promise<void> {
    this.#type(':wq\n')
    await this.#shows('$ ')
  }

  async #write(): Promise<void> {
    const line = `line ${this.#lines.length + 1} of the text`
    this.#lines.push(line)
    this.#type(`Go${line}\x1b:w\n`)
    await untilIt(() => same(this.#text(), ['', ...this.#lines, ''].join('\n'), 'the text'))
    await this.#shows(line)
  }

  #text(): string {
    return readFileSync(join(this.#at.directory, 'text'), 'utf8')
  }

  #type(text: string): void {
    this.#at.terminal!.type(text)
  }

  #shows(text: string): Promise<void> {
    return this.#at.terminal!.shows(text)
  }
}

export const vim: ServerApp = {
  title: 'vim in a terminal with --shell-job: restored by a command in that terminal',
  isJob: true,
  command: () => ['vim', '-u', 'NONE', 'text'],
  arguments: ['--shell-job'],
  async connect(at) {
    await at.terminal!.shows('~')
    return new Writer(at)
  },
}
