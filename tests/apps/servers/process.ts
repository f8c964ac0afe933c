import { existsSync, readFileSync } from 'node:fs'

interface RunOptions {
  readonly cwd?: string
  readonly input?: string
}

/** Runs a program that must succeed; what it wrote. */
export function run(command: readonly string[], options: RunOptions = {}): string {
  const { cwd, input } = options
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    ...(cwd !== undefined && { cwd }),
    stdin: input === undefined ? 'ignore' : Buffer.from(input),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  if (exitCode === 0) return stdout.toString()
  throw failed(command, exitCode, `${stdout}${stderr}`)
}

/** The same while connections of this process go on; the end of its log is shown where it fails. */
export async function runMeanwhile(command: readonly string[], log: string): Promise<void> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const texts = [child.stdout, child.stderr].map((stream) => new Response(stream).text())
  const said = (await Promise.all(texts)).join('')
  const status = await child.exited
  if (status !== 0) throw failed(command, status, said + endOf(log))
}

const failed = (command: readonly string[], status: number, said: string): Error =>
  new Error(`${command.join(' ')}: exit code ${status}\n${said.trim()}`)

function endOf(log: string): string {
  if (!existsSync(log)) return '\n(no log)'
  const lines = readFileSync(log, 'utf8').split('\n')
  const errors = lines.filter((line) => line.includes('Error ('))
  return ['', ...errors.slice(-20), '--- the end of the log', ...lines.slice(-12)].join('\n')
}

/** A program that is talked to by lines, such as a shell or psql. */
export class Dialogue {
  readonly #process
  readonly #reader
  #text = ''

  constructor(command: readonly string[], cwd: string) {
    this.#process = Bun.spawn([...command], { cwd, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
    this.#reader = this.#process.stdout.getReader()
  }

  say(text: string): void {
    this.#process.stdin.write(`${text}\n`)
    this.#process.stdin.flush()
  }

  /** What it writes before the end mark, which it leaves out. */
  async until(mark: string): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf(mark)
      if (end >= 0) {
        const before = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + mark.length)
        return before
      }
      const { value, done } = await this.#reader.read()
      if (done) throw new Error(`it ended: ${this.#text}${await this.#complaint()}`)
      this.#text += Buffer.from(value).toString()
    }
  }

  /** Has no more to say; its exit code. */
  async end(): Promise<number> {
    this.#process.stdin.end()
    return this.#process.exited
  }

  #complaint(): Promise<string> {
    return new Response(this.#process.stderr).text()
  }
}
