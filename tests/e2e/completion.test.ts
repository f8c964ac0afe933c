import { expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

/** The words that a shell offers behind a line; the last word is the one that is being typed. */
type Ask = (line: string, directory: string) => Promise<readonly string[]>

async function run(argv: readonly string[], cwd: string, env: Record<string, string> = {}) {
  const child = Bun.spawn([...argv], {
    cwd,
    env: { ...process.env, CRIU: criuPath(), ...env },
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()])
  expect({ status: await child.exited, err }).toEqual({ status: 0, err: '' })
  return out
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '')

/** bash splits at `=`, as readline does with its usual COMP_WORDBREAKS. */
const bash: Ask = async (line, directory) => {
  const words = line.split(/(=)| /).filter((word) => word !== undefined)
  const script = `source <("$CRIU" completion bash); compopt() { echo "compopt $*"; }
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _criu; printf '%s\\n' "\${COMPREPLY[@]}"`
  return lines(await run(['bash', '-c', script, 'bash', ...words], directory))
}

const fish: Ask = async (line, directory) => {
  const script = `"$CRIU" completion fish | source; complete -C '${line}'`
  const out = await run(['fish', '--no-config', '-c', script], directory, { HOME: directory })
  return lines(out).map((each) => each.split('\t')[0]!)
}

/** A zsh on a terminal of its own is typed to, and asked for its list. */
const zsh: Ask = async (line, directory) => {
  const script = `
    zmodload zsh/zpty
    zpty z 'PS1= TERM=dumb zsh -f -i'
    zpty -w z 'autoload -Uz compinit; compinit -D -u; source <("$CRIU" completion zsh)'
    zpty -w z 'zstyle ":completion:*" list-prompt ""; LISTMAX=10000; unsetopt zle_bracketed_paste'
    zpty -w z 'compadd() { local -a found; builtin compadd -O found "$@"; (( $#found )) && print -rl -- $found >>got; builtin compadd "$@"; }'
    zpty -w z 'print ready >ready'
    repeat 200; do [ -e ready ] && break; sleep 0.05; done
    zpty -w -n z "$1"$'\\t\\t'
    repeat 60; do zpty -r -t z said; sleep 0.02; done
    zpty -d z
    [ ! -e got ] || sort -u got`
  return lines(await run(['zsh', '-f', '-c', script, 'zsh', line], directory))
}

const questions: readonly [string, readonly string[], readonly string[]][] = [
  ['criu ', ['dump', 'restore', 'completion'], ['lazy-pages']],
  ['criu completion ', ['bash', 'zsh', 'fish'], ['dump']],
  ['criu dump --', ['--leave-running', '--images-dir'], ['--restore-detached', '--track-mem']],
  ['criu restore --', ['--restore-detached', '--inherit-fd'], ['--leave-running']],
  ['criu dump -t ', [String(process.pid)], ['dump']],
  ['criu dump -D ', ['images'], ['hook.sh']],
  ['criu dump --action-script ', ['hook.sh'], []],
  ['criu dump --network-lock ', ['nftables', 'iptables', 'skip'], []],
  ['criu dump --cpu-cap=', ['ins', 'none'], ['images']],
]

/** What is offered, as words; to bash, files are what readline completes by itself. */
async function offered(ask: Ask, line: string, directory: string): Promise<readonly string[]> {
  mkdirSync(join(directory, 'images'), { recursive: true })
  writeFileSync(join(directory, 'hook.sh'), '')
  const found = await ask(line, directory)
  const files = found.includes('compopt -o default') ? ['hook.sh'] : []
  return [...found.map((word) => word.replace(/\/$/, '').replace(/^.*=/, '')), ...files]
}

for (const [name, ask] of Object.entries({ bash, fish, zsh })) {
  test(`completion in ${name}`, async () => {
    await build()
    const directory = mkdtempSync(join(tmpdir(), 'completion-'))
    try {
      const all = questions.map(async ([line, wanted, unwanted], i) => {
        const found = await offered(ask, line, join(directory, String(i)))
        return {
          line,
          missing: wanted.filter((word) => !found.includes(word)),
          odd: unwanted.filter((word) => found.includes(word)),
        }
      })
      const answers = await Promise.all(all)
      expect(answers.filter(({ missing, odd }) => missing.length + odd.length > 0)).toEqual([])
    } finally {
      rmSync(directory, { recursive: true })
    }
  }, 60_000)
}
