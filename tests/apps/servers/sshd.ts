import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, ServerApp, Workplace } from './model.ts'
import { same, untilIt } from './patience.ts'
import { Dialogue, run } from './process.ts'

const PORT = 2222
const FORWARDED = 2223
const USER = 'guest-of-criu'

interface Login {
  readonly user?: string
  readonly port?: number
  /** Further options of ssh. */
  readonly options?: readonly string[]
}

function ssh(
  { directory }: Workplace,
  { user = USER, port = PORT, options = [] }: Login,
): string[] {
  const settings = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
  return [
    ...['ssh', '-F', 'none', '-p', String(port), '-i', join(directory, 'key')],
    ...settings.flatMap((setting) => ['-o', setting]),
    ...options,
    `${user}@127.0.0.1`,
  ]
}

/** A shell on the other side: each line that it is told comes back with its number. */
class RemoteShell {
  readonly #dialogue: Dialogue
  #count = 0

  constructor(at: Workplace, login: Login) {
    this.#dialogue = new Dialogue([...ssh(at, login), 'sh'], at.directory)
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

class SshClient implements Client {
  readonly #shells: readonly RemoteShell[]
  readonly #at: Workplace
  #n = 0

  constructor(at: Workplace, shells: readonly RemoteShell[]) {
    this.#at = at
    this.#shells = shells
  }

  async use(): Promise<void> {
    await this.ask()
    for (const shell of this.#shells) {
      const numbers = (await shell.ask('seq 20000')).split(/\r?\n/)
      same(numbers.length, 20_000, 'lines of seq')
      same(numbers.at(-1), '20000', 'the last line of seq')
    }
    // Other ones, which the restored server must let in: to itself, and through a session that it has.
    for (const port of [PORT, FORWARDED]) {
      const said = run([...ssh(this.#at, { port }), 'cat | tr a-z A-Z'], { input: 'once more' })
      same(said, 'ONCE MORE', 'a new session')
    }
  }

  async ask(): Promise<void> {
    this.#n++
    for (const shell of this.#shells)
      same(await shell.ask('n=$((n + 1)); echo $n'), String(this.#n), 'a variable of the shell')
  }

  async finish(): Promise<void> {
    await this.use()
    // The one that carries others is the first.
    for (const shell of [...this.#shells].reverse())
      same(await shell.end('exit 7'), 7, "the session's exit code")
    run(['kill', readFileSync(join(this.#at.directory, 'pid'), 'utf8').trim()])
  }
}

/** Sessions: one through which others go, of root and of somebody else, on terminals and without. */
async function connect(at: Workplace): Promise<Client> {
  await untilIt(() => run([...ssh(at, {}), 'true']))
  const forwarding = ['-L', `${FORWARDED}:127.0.0.1:${PORT}`]
  const carrier = new RemoteShell(at, { options: forwarding })
  await carrier.ask('n=0')
  const others = [
    { user: 'root' },
    { user: 'root', options: ['-tt'] },
    { options: ['-tt'], port: FORWARDED },
  ].map((login) => new RemoteShell(at, login))
  for (const shell of others) await shell.ask('stty -echo 2>/dev/null; n=0')
  for (const shell of others.slice(1))
    same(await shell.ask('tty | cut -c-9'), '/dev/pts/', 'a terminal')
  same(await others[2]!.ask('id -un'), USER, 'id')
  return new SshClient(at, [carrier, ...others])
}

/** Known within the mount namespace of this test alone. */
function addUser(directory: string): void {
  for (const [file, line] of [
    ['passwd', `${USER}:x:12345:12345::/tmp:/bin/sh`],
    ['group', `${USER}:x:12345:`],
    ['shadow', `${USER}:*:19000:0:99999:7:::`],
  ] as const) {
    const copy = join(directory, file)
    writeFileSync(copy, `${readFileSync(`/etc/${file}`, 'utf8')}${line}\n`)
    run(['mount', '--bind', copy, `/etc/${file}`])
  }
}

function prepare({ directory }: Workplace): void {
  for (const key of ['key', 'host-key'])
    run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(directory, key)])
  run(['mkdir', '-p', '/run/sshd'])
  addUser(directory)
  writeFileSync(
    join(directory, 'sshd_config'),
    `
Port ${PORT}
ListenAddress 127.0.0.1
HostKey ${directory}/host-key
AuthorizedKeysFile ${directory}/key.pub
PermitRootLogin yes
StrictModes no
UsePAM yes
PidFile none
Subsystem sftp internal-sftp
`,
  )
}

export const sshd: ServerApp = {
  title:
    'openssh-server: sessions of root and of a user, with a terminal and without, one through another',
  prepare,
  command: ({ directory }) => ['/usr/sbin/sshd', '-D', '-e', '-f', join(directory, 'sshd_config')],
  arguments: ['--tcp-established'],
  connect,
}
