import { commandTable } from '../../options/commands.ts'
import { type Command, commands, type Row } from '../../options/row.ts'
import { table } from '../../options/table.ts'

/** What the completion scripts of all shells are made of. Only what works is offered. */
export const offeredCommands: readonly Command[] = commands.filter(
  (name) => commandTable[name].supported,
)

export const offeredOptions = (command: Command): readonly Row[] =>
  table.filter((row) => row.supported && row.on.includes(command))

/** The words of which one must stand behind a command: `dump|check` are two; `DIR` is none. */
export const wordsOf = (command: Command): readonly string[] => {
  const words = commandTable[command].words ?? ''
  return /^[a-z]+([|][a-z]+)+$/.test(words) ? words.split('|') : []
}

/** Every option of some command. */
export const allOptions: readonly Row[] = table.filter(
  (row) => row.supported && row.on.some((command) => commandTable[command].supported),
)

/** `-t` and `--tree`. */
export const spellings = ({ name, short }: Row): readonly string[] =>
  short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`]

/** What can stand for an option's value. */
export type Values =
  | { readonly kind: 'none' }
  | { readonly kind: 'words'; readonly words: readonly string[]; readonly list: boolean }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' }
  | { readonly kind: 'processes' }
  | { readonly kind: 'any' }

export function valuesOf(row: Row): Values {
  if (row.kind === 'flag' || row.kind === 'command') return { kind: 'none' }
  const { choices: words } = row
  if (words) return { kind: 'words', words, list: row.placeholder === 'LIST' }
  if (row.placeholder === 'PID') return { kind: 'processes' }
  if (row.placeholder === 'DIR') return { kind: 'directories' }
  const files = ['path', 'work-path'].includes(row.kind) || row.placeholder === 'SCRIPT'
  return files ? { kind: 'files' } : { kind: 'any' }
}

/** Its value may be left out, and stands behind `=` then. */
export const isOptional = ({ kind }: Row): boolean => kind === 'optional' || kind === 'level'
