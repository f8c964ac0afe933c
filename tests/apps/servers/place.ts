import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ServerApp, Workplace } from './model.ts'
import { run, runMeanwhile } from './process.ts'

/** Writes its pid to a file, which is there as a whole or not at all, and becomes the program. */
const START = 'echo $$ >pid.new; mv pid.new pid; exec "$@"'

/** Where a tree runs, and who dumps and restores it there. */
export class Place {
  readonly #at: Workplace
  readonly #server: ServerApp
  readonly #criu: string
  readonly #logs: string

  constructor(at: Workplace, server: ServerApp, criu: string) {
    this.#at = at
    this.#server = server
    this.#criu = criu
    this.#logs = dirname(at.directory)
  }

  /** In a session of its own, whose parent reaps it at once (pid 1), or as a job of a shell. */
  async start(): Promise<void> {
    const { terminal, directory } = this.#at
    const command = this.#server.command(this.#at)
    if (terminal) {
      const script = join(this.#logs, 'start')
      writeFileSync(script, `${START}\n`)
      terminal.type(`sh ${[script, ...command].map(quoted).join(' ')}\n`)
    } else {
      const daemon = `${START} <&- </dev/null >out 2>err`
      run(['setsid', '--fork', 'sh', '-c', daemon, 'sh', ...command], { cwd: directory })
    }
    while (!existsSync(join(directory, 'pid'))) await Bun.sleep(5)
  }

  get pid(): number {
    return Number(readFileSync(join(this.#at.directory, 'pid'), 'utf8'))
  }

  async gone(): Promise<void> {
    while (existsSync(`/proc/${this.pid}`)) await Bun.sleep(10)
  }

  dump(i: number, ...further: string[]): Promise<void> {
    const { words, log } = this.#words('dump', i)
    return runMeanwhile([...words, '--tree', String(this.pid), ...further], log)
  }

  /** A job of a shell comes back as one: by a command in its terminal, which then waits for it. */
  async restore(i: number): Promise<void> {
    const { words, log } = this.#words('restore', i)
    if (this.#at.terminal) this.#at.terminal.type(`${words.map(quoted).join(' ')}\n`)
    else await runMeanwhile([...words, '--restore-detached'], log)
  }

  #words(action: string, i: number): { words: string[]; log: string } {
    const images = join(this.#logs, `images.${i}`)
    const log = join(this.#logs, `${action}.${i}.log`)
    mkdirSync(images, { recursive: true })
    const common = ['-D', images, '-o', log, '-v4', ...this.#server.arguments]
    return { words: [this.#criu, action, ...common], log }
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
