import { fail } from '../errors/error.ts'
import { commandTable } from './commands.ts'
import { findOption, type RawOption } from './raw.ts'
import { type Command, commands, type Row } from './row.ts'
import { suggest } from './suggest.ts'
import { table } from './table.ts'

/** What a command line asks for, not yet checked against the command. */
export type Request =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'run'
      readonly command: Command
      readonly options: readonly RawOption[]
      /** What stands behind the command and is no option: as many as the command takes. */
      readonly words: readonly string[]
    }

/**
 * Reads a command line (without program name). Options may stand before or behind the command,
 * `--` ends them. Throws `option` for what is no option or no command of criu.
 */
export function parseArgv(argv: readonly string[]): Request {
  const { options: scanned, words, rest } = scan(argv)
  const [word, ...surplus] = words
  const command = word === undefined ? undefined : commandOf(word)
  const options = scanned.map((entry) => ofCommand(entry, command))
  const asked = (name: string): boolean => options.some((entry) => entry.name === name)
  if (asked('version')) return { kind: 'version' }
  if (asked('help')) return { kind: 'help', command }
  if (command === undefined) return { kind: 'nothing' }
  const { supported, count } = commandTable[command]
  if (!supported) return { kind: 'run', command, options, words: surplus }
  const wordy = count[1] > 0
  const given = wordy ? [...surplus, ...rest] : surplus
  checkWords(command, given)
  return {
    kind: 'run',
    command,
    options: wordy ? options : withProgram(options, rest),
    words: given,
  }
}

interface Scan {
  readonly options: RawOption[]
  readonly words: string[]
  /** What stands behind `--`. */
  readonly rest: string[]
}

/** A number below zero is a word, as `criu exec` has them: no option is a digit. */
const NEGATIVE = /^-\d/

/**
 * Splits the words as getopt_long(3) does; what they mean is read from the table. node:util has a
 * parser, which takes 0.9 ms to load: a thirtieth of a small dump.
 */
function scan(argv: readonly string[]): Scan {
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  const found: Scan = { options: [], words: [], rest: end < 0 ? [] : argv.slice(end + 1) }
  const left = [...own].reverse()
  for (let word = left.pop(); word !== undefined; word = left.pop()) {
    if (NEGATIVE.test(word)) found.words.push(word)
    else if (word.startsWith('--')) found.options.push(longOption(word.slice(2), left))
    else if (word.length > 1 && word.startsWith('-')) addShort(found.options, word.slice(1), left)
    else found.words.push(word)
  }
  return found
}

/** `NAME`, `NAME=VALUE`, or `NAME` with its value in the next word, the last of `left`. */
function longOption(text: string, left: string[]): RawOption {
  const at = text.indexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  const { row } = findOption(name)
  const spelled = `--${name}`
  if (at >= 0) return { name, value: text.slice(at + 1), spelled }
  return { name, value: takesNextWord(row) ? left.pop() : withoutValue(row), spelled }
}

/**
 * Letters behind one dash: flags, and at their end one that has a value, in the same word or the next.
 * A value that may be left out (`-v4`, `-x5,6`) stands in the same word.
 */
function addShort(options: RawOption[], letters: string, left: string[]): void {
  for (let i = 0; i < letters.length; i++) {
    const spelled = `-${letters[i]}`
    const row = shortOption(letters[i]!) ?? unknownShort(spelled)
    const { name } = row
    const attached = letters.slice(i + 1)
    if (takesNextWord(row)) {
      options.push({ name, value: attached === '' ? left.pop() : attached, spelled })
      return
    }
    if (mayHaveValue(row) && attached !== '') {
      // -vv is two of them: the letters that follow count as the first one does.
      const isLevels = row.kind === 'level' && attached.startsWith(letters[i]!)
      options.push({ name, value: isLevels ? letters[i] + attached : attached, spelled })
      return
    }
    options.push({ name, value: withoutValue(row), spelled })
  }
}

const shortOption = (letter: string): Row | undefined => table.find((row) => row.short === letter)

/** `-d` is another option to a server than to a restore: of those with one letter, the command's own. */
function ofCommand(entry: RawOption, command: Command | undefined): RawOption {
  if (entry.spelled.startsWith('--') || command === undefined) return entry
  const own = table.find(({ short, on }) => `-${short}` === entry.spelled && on.includes(command))
  return own === undefined ? entry : { ...entry, name: own.name }
}

/** Options whose value may be left out take it only behind `=`, as getopt has it. */
const takesNextWord = (row: Row): boolean =>
  row.kind !== 'flag' && row.kind !== 'command' && !mayHaveValue(row)

const mayHaveValue = ({ kind }: Row): boolean => kind === 'optional' || kind === 'level'

const withoutValue = (row: Row): true | undefined => (row.kind === 'command' ? undefined : true)

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

function checkWords(command: Command, words: readonly string[]): void {
  const { count, words: usage } = commandTable[command]
  const [least, most] = count
  const surplus = words[most]
  if (surplus !== undefined) {
    fail({ code: 'option', option: surplus, reason: `is not expected behind ${command}` })
  }
  if (words.length < least) {
    fail({ code: 'option', option: command, reason: `needs ${usage} behind it` })
  }
}

/** `--exec-cmd` gets the words behind `--`; without it they are one word too many. */
function withProgram(options: readonly RawOption[], rest: readonly string[]): RawOption[] {
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
