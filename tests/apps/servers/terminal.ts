import { join } from 'node:path'
import { run } from './process.ts'

/** A terminal of a user's, with a shell in it: a pane of a tmux that is no part of the tree. */
export class Terminal {
  readonly #tmux: readonly string[]

  constructor(directory: string) {
    this.#tmux = ['tmux', '-S', join(directory, 'terminal'), '-f', '/dev/null']
    const shell = ['env', 'PS1=$ ', 'HISTFILE=', 'bash', '--norc', '--noprofile']
    run([...this.#tmux, 'new-session', '-d', '-x', '80', '-y', '24', ...shell], { cwd: directory })
  }

  /** As if typed by hand; a newline is Enter. */
  type(text: string): void {
    run([...this.#tmux, 'send-keys', '-l', text])
  }

  /** The lines that it shows. */
  screen(): string {
    return run([...this.#tmux, 'capture-pane', '-p'])
  }

  async shows(text: string): Promise<void> {
    while (!this.screen().includes(text)) await Bun.sleep(20)
  }
}
