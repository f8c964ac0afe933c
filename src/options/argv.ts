import { parseArgs } from 'node:util'
import { fail } from '../errors/error.ts'
import { findOption, type RawOption } from './raw.ts'
import { type Command, commands, type Row } from './row.ts'
import { suggest } from './suggest.ts'
import { rowOf, table } from './table.ts'

/** What a command line asks for, not yet checked against the command. */
export type Request =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'run'; readonly command: Command; readonly options: readonly RawOption[] }

/**
 * Reads a command line (without program name). Options may stand before or behind the command,
 * `--` ends them. Throws `option` for what is no option or no command of criu.
 */
export function parseArgv(argv: readonly string[]): Request {
  const { options, words, rest } = scan(argv)
  const asked = (name: string): boolean => options.some((entry) => entry.name === name)
  if (asked('version')) return { kind: 'version' }
  const [word, ...surplus] = words
  const command = word === undefined ? undefined : commandOf(word)
  if (asked('help')) return { kind: 'help', command }
  if (command === undefined) return { kind: 'nothing' }
  refuseSurplus(command, surplus)
  return { kind: 'run', command, options: withCommand(options, rest) }
}

interface Scan {
  readonly options: RawOption[]
  readonly words: string[]
  /** What stands behind `--`. */
  readonly rest: string[]
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number]

type OptionToken = Extract<Token, { kind: 'option' }>

/** node:util splits the words; what they mean is read from the table. */
function scan(argv: readonly string[]): Scan {
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  const parsed = parseArgs({
    args: [...own],
    options: parserOptions(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const found: Scan = { options: [], words: [], rest: end < 0 ? [] : argv.slice(end + 1) }
  let before: OptionToken | undefined
  for (const token of parsed.tokens as Token[]) {
    if (token.kind === 'positional') found.words.push(token.value)
    if (token.kind !== 'option') continue
    if (!attach(found.options, token, before)) found.options.push(rawOption(token))
    before = token
  }
  return found
}

/**
 * What is attached to a short option whose value may be left out (`-v4`, `-x5,6`) comes as further
 * short options of the same word: gathers them. True if the token belonged to the option before.
 */
function attach(
  options: RawOption[],
  token: OptionToken,
  before: OptionToken | undefined,
): boolean {
  if (before === undefined || before.index !== token.index) return false
  const last = options.at(-1)
  const kind = last === undefined ? undefined : rowOf(last.name)?.kind
  if (last === undefined || (kind !== 'level' && kind !== 'optional')) return false
  const letter = token.rawName.slice(1)
  const text = last.value === true ? (kind === 'level' && letter === 'v' ? 'v' : '') : last.value
  options[options.length - 1] = { ...last, value: `${text}${letter}` }
  return true
}

type ParserOption = { type: 'string' | 'boolean'; short?: string; multiple: true }

function parserOptions(): Record<string, ParserOption> {
  const entries = table.map((row) => [row.name, parserOption(row)] as const)
  return Object.fromEntries(entries)
}

function parserOption(row: Row): ParserOption {
  const type = takesNextWord(row) ? 'string' : 'boolean'
  return { type, multiple: true, ...(row.short === undefined ? {} : { short: row.short }) }
}

/** Options whose value may be left out take it only behind `=`, as getopt has it. */
const takesNextWord = (row: Row): boolean =>
  !['flag', 'optional', 'level', 'command'].includes(row.kind)

function rawOption(token: OptionToken): RawOption {
  if (!token.rawName.startsWith('--') && token.name.length === 1) return unknownShort(token.rawName)
  const { row } = findOption(token.name)
  const flag = row.kind === 'flag' || row.kind === 'optional' || row.kind === 'level'
  return {
    name: token.name,
    value: token.value ?? (flag ? true : undefined),
    spelled: token.rawName,
  }
}

const unknownShort = (rawName: string): never =>
  fail({
    code: 'option',
    option: rawName,
    reason: 'is no option of criu',
    remedy: 'see criu --help',
  })

function commandOf(word: string): Command {
  const command = commands.find((known) => known === word)
  if (command !== undefined) return command
  const nearest = suggest(word, commands)
  const remedy = nearest === undefined ? 'see criu --help' : `did you mean ${nearest}?`
  return fail({ code: 'option', option: word, reason: 'is no command of criu', remedy })
}

/** Commands that read words of their own; the others have options alone. */
const wordy: readonly Command[] = ['exec', 'swrk', 'cpuinfo']

function refuseSurplus(command: Command, surplus: readonly string[]): void {
  const [word] = surplus
  if (word === undefined || wordy.includes(command)) return
  fail({ code: 'option', option: word, reason: `is not expected behind ${command}` })
}

/** `--exec-cmd` gets the words behind `--`; without it they are one word too many. */
function withCommand(options: readonly RawOption[], rest: readonly string[]): RawOption[] {
  const wanted = options.some((entry) => entry.name === 'exec-cmd')
  if (!wanted && rest.length > 0) {
    fail({
      code: 'option',
      option: rest[0]!,
      reason: 'is not expected behind --',
      remedy: 'a command to run after restore needs --exec-cmd',
    })
  }
  return options.map((entry) => (entry.name === 'exec-cmd' ? { ...entry, value: rest } : entry))
}
