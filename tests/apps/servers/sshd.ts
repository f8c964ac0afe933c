import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same, untilIt } from './patience.ts'
import { Dialogue, run } from './process.ts'

const PORT = 2222

/** A shell on the other side: each line that it is told comes back with its number. */
class RemoteShell {
  readonly #dialogue: Dialogue
  #count = 0

  constructor(at: Workplace, ...further: string[]) {
    this.#dialogue = new Dialogue([...ssh(at), ...further, 'sh'], at.directory)
  }

  async ask(command: string): Promise<string> {
    const n = ++this.#count
    // In two parts, so that a terminal's echo of the command is not taken for its answer.
    this.#dialogue.say(`echo "be""gin"; ${command}; echo "en""d-${n}"`)
    await this.#dialogue.until('begin')
    return (await this.#dialogue.until(`end-${n}`)).trim()
  }

  end(command: string): Promise<number> {
    this.#dialogue.say(command)
    return this.#dialogue.end()
  }
}

const ssh = ({ directory }: Workplace): string[] => [
  ...['ssh', '-F', 'none', '-p', String(PORT), '-i', join(directory, 'key')],
  ...[
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR',
  ],
  ...['root@127.0.0.1'],
]

class SshClient implements Client {
  readonly #plain: RemoteShell
  readonly #onTerminal: RemoteShell
  readonly #at: Workplace
  #n = 0

  constructor(at: Workplace) {
    this.#at = at
    this.#plain = new RemoteShell(at)
    this.#onTerminal = new RemoteShell(at, '-tt')
  }

  async fill(): Promise<void> {
    for (const shell of [this.#plain, this.#onTerminal]) await shell.ask('n=0; cd /usr')
    await this.#onTerminal.ask('stty -echo')
    same(await this.#onTerminal.ask('test -t 0 && stty size'), '0 0', 'a terminal')
  }

  async use(): Promise<void> {
    await this.ask()
    for (const shell of [this.#plain, this.#onTerminal]) {
      const numbers = (await shell.ask('seq 20000')).split(/\r?\n/)
      same(numbers.length, 20_000, 'lines of seq')
      same(numbers.at(-1), '20000', 'the last line of seq')
      same(await shell.ask('pwd'), '/usr', 'pwd')
    }
    // Another one, which the restored server must let in.
    const said = run([...ssh(this.#at), 'cat | tr a-z A-Z'], { input: 'once more' })
    same(said, 'ONCE MORE', 'a new session')
  }

  async ask(): Promise<void> {
    this.#n++
    for (const shell of [this.#plain, this.#onTerminal])
      same(await shell.ask('n=$((n + 1)); echo $n'), String(this.#n), 'a variable of the shell')
  }

  async finish(): Promise<void> {
    await this.use()
    same(await this.#onTerminal.ask('tty | cut -c-9'), '/dev/pts/', 'tty')
    for (const shell of [this.#plain, this.#onTerminal]) {
      same(await shell.end('exit 7'), 7, "the session's exit code")
    }
    run(['kill', run(['cat', 'pid'], { cwd: this.#at.directory }).trim()])
  }
}

function prepare({ directory }: Workplace): void {
  for (const key of ['key', 'host-key'])
    run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(directory, key)])
  run(['mkdir', '-p', '/run/sshd'])
  writeFileSync(
    join(directory, 'sshd_config'),
    `
Port ${PORT}
ListenAddress 127.0.0.1
HostKey ${directory}/host-key
AuthorizedKeysFile ${directory}/key.pub
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile none
`,
  )
}

export const sshd: ServerApp = {
  title: 'openssh-server: a session with a terminal, one without',
  prepare,
  command: ({ directory }) => ['/usr/sbin/sshd', '-D', '-e', '-f', join(directory, 'sshd_config')],
  arguments: ['--tcp-established'],
  async connect(at) {
    await untilIt(() => run([...ssh(at), 'true']))
    const client = new SshClient(at)
    await client.fill()
    return client
  },
}
