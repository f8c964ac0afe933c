import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same, untilIt } from './patience.ts'
import { run } from './process.ts'

/** Counts in its window, again and again. */
const COUNTING = `i=0
while :; do
  i=$((i + 1))
  echo "pane $1 line $i"
  echo $i >count.new$1
  mv count.new$1 count$1
  sleep 0.01
done
`

/** A server, and a client of it that is attached on a terminal of its own, in which script copies all. */
const TREE = `tmux -D -S socket -f tmux.conf &
until tmux -S socket has-session 2>/dev/null; do sleep 0.05; done
sleep infinity | script -qfc 'tmux -S socket attach -t main' copy &
wait %1
`

const CONFIGURATION = `set -g exit-empty on
set -g default-shell /bin/sh
new-session -d -s main -x 80 -y 24 'sh counting.sh 1'
split-window -t main 'sh counting.sh 2'
new-window -t main
`

class TmuxUser implements Client {
  readonly #at: Workplace
  #n = 0

  constructor(at: Workplace) {
    this.#at = at
  }

  async use(): Promise<void> {
    same(
      this.#tmux('list-panes', '-s', '-F', '#{window_index}.#{pane_index} #{pane_dead}'),
      PANES,
      'panes',
    )
    same(this.#tmux('list-clients', '-F', '#{client_session}').trim(), 'main', 'clients')
    const n = ++this.#n
    this.#tmux('send-keys', '-t', 'main:1', `echo and "${n}" more`, 'Enter')
    await untilIt(() =>
      this.#expect(this.#tmux('capture-pane', '-p', '-t', 'main:1'), `and ${n} more`),
    )
    await untilIt(() =>
      this.#expect(this.#tmux('capture-pane', '-p', '-t', 'main:0.1'), 'pane 2 line'),
    )
    await this.ask()
  }

  /** Both panes get on, and so does the copy of what the attached client shows. */
  async ask(): Promise<void> {
    const before = this.#seen()
    while (this.#seen().some((now, i) => now <= before[i]!)) await Bun.sleep(10)
  }

  async finish(): Promise<void> {
    await this.use()
    this.#tmux('kill-server')
  }

  #seen(): number[] {
    const { directory } = this.#at
    const counts = ['count1', 'count2'].map((name) => Number(readFileSync(join(directory, name))))
    return [...counts, statSync(join(directory, 'copy')).size]
  }

  #expect(screen: string, text: string): void {
    if (!screen.includes(text)) throw new Error(`no ${text} in ${screen}`)
  }

  #tmux(...words: string[]): string {
    return run(['tmux', '-S', 'socket', ...words], { cwd: this.#at.directory })
  }
}

const PANES = '0.0 0\n0.1 0\n1.0 0\n'

export const tmux: ServerApp = {
  title: 'tmux: two panes and a window with a shell, a client attached on a terminal',
  prepare({ directory }) {
    writeFileSync(join(directory, 'counting.sh'), COUNTING)
    writeFileSync(join(directory, 'tmux.conf'), CONFIGURATION)
    writeFileSync(join(directory, 'tree.sh'), TREE)
  },
  command: () => ['env', '-u', 'TMUX', 'TERM=xterm', 'PS1=$ ', 'sh', 'tree.sh'],
  arguments: [],
  async connect(at) {
    const user = new TmuxUser(at)
    await untilIt(() => user.ask())
    await untilIt(() =>
      run(['tmux', '-S', 'socket', 'select-window', '-t', 'main:0'], { cwd: at.directory }),
    )
    await untilIt(() =>
      same(
        run(['tmux', '-S', 'socket', 'list-clients', '-F', 'x'], { cwd: at.directory }),
        'x\n',
        'clients',
      ),
    )
    return user
  },
}
