import { commandTable } from '../../options/commands.ts'
import type { Command, Row } from '../../options/row.ts'
import {
  allOptions,
  isOptional,
  offeredCommands,
  offeredOptions,
  spellings,
  valuesOf,
  wordsOf,
} from './words.ts'

/** The script for zsh: the file `_criu` in a directory of $fpath, or `source <(criu completion zsh)`. */
export const zshCompletion = (): string => `#compdef criu
# Completion of criu for zsh, made by: criu completion zsh
_criu() {
  local command= word
  local -a options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case $word in ${offeredCommands.join('|')}) command=$word; break ;; esac
  done
  case $command in
${offeredCommands.map((name) => optionCase(name, offeredOptions(name))).join('\n')}
${optionCase('*', allOptions)}
  esac
  case $command in
    '') _arguments -s -S $options '1:command:((${offeredCommands.map(summary).join(' ')}))' ;;
${offeredCommands.flatMap(wordCase).join('\n')}
    *) _arguments -s -S $options '*:file:_files' ;;
  esac
}
if [ "$funcstack[1]" = _criu ]; then _criu "$@"; else compdef _criu criu; fi
`

const summary = (name: Command): string => `${name}\\:"${commandTable[name].summary}"`

const optionCase = (name: string, rows: readonly Row[]): string =>
  [
    `    ${name}) options=(`,
    ...rows.flatMap(specs).map((text) => `      ${text}`),
    '    ) ;;',
  ].join('\n')

/** What _arguments takes: one for each spelling, which rules the other one out unless both may stand. */
function specs(row: Row): string[] {
  const head = row.repeat || row.kind === 'level' ? '*' : `(${spellings(row).join(' ')})`
  return spellings(row).map((name) => quoted(`${head}${name}${tail(row, name.startsWith('--'))}`))
}

function tail(row: Row, long: boolean): string {
  const help = `[${row.help.replace(/[[\]:]/g, '\\$&')}]`
  const values = valuesOf(row)
  if (values.kind === 'none') return help
  const message = row.placeholder ?? 'value'
  if (isOptional(row)) return `${long ? '=-' : '-'}${help}::${message}:${action(row)}`
  return `${long ? '=' : '+'}${help}:${message}:${action(row)}`
}

function action(row: Row): string {
  const values = valuesOf(row)
  switch (values.kind) {
    case 'words':
      return values.list
        ? `_sequence compadd - ${values.words.join(' ')}`
        : `(${values.words.join(' ')})`
    case 'files':
      return '_files'
    case 'directories':
      return '_files -/'
    case 'processes':
      return '{compadd $(cd /proc && echo [0-9]*)}'
    default:
      return ' '
  }
}

function wordCase(name: Command): string[] {
  const { words } = commandTable[name]
  const choices = wordsOf(name)
  const line = (more: string) => [`    ${name}) _arguments -s -S $options '1:command: '${more} ;;`]
  if (choices.length > 0) return line(` '2:word:(${choices.join(' ')})'`)
  return words === undefined ? line('') : []
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
