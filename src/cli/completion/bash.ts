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

/** The script for bash: `source <(criu completion bash)`. It needs no package but bash. */
export const bashCompletion =
  (): string => `# Completion of criu for bash, made by: criu completion bash
_criu() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command= named= i
  # bash takes = for a word of its own.
  [[ $word == = ]] && word= named=$before
  [[ $before == = ]] && named=\${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in ${offeredCommands.join(' | ')}) command=\${COMP_WORDS[i]} && break ;; esac
  done
  COMPREPLY=()
  case \${named:-$before} in
${allOptions.flatMap(valueCase).join('\n')}
  esac
  if [[ $word == -* ]]; then
    case $command in
${offeredCommands.map(optionCase).join('\n')}
      *) COMPREPLY=($(compgen -W '${optionWords(allOptions)}' -- "$word")) ;;
    esac
    return
  fi
  case $command in
    '') COMPREPLY=($(compgen -W '${offeredCommands.join(' ')}' -- "$word")) ;;
${offeredCommands.flatMap(wordCase).join('\n')}
    *) compopt -o default ;;
  esac
}
complete -F _criu criu
`

const reply = (action: string): string => `COMPREPLY=($(compgen ${action} -- "$word"))`

/** How the value of an option is completed; one that may be left out, only behind \`=\`. */
function valueCase(row: Row): string[] {
  const values = valuesOf(row)
  const names = spellings(row).join(' | ')
  const test = isOptional(row) ? '[[ $named ]] && ' : ''
  const line = (action: string): string[] => [`    ${names}) ${test}{ ${action}; return; } ;;`]
  switch (values.kind) {
    case 'none':
      return []
    case 'words':
      return line(
        values.list
          ? `COMPREPLY=($(compgen -P "$([[ $word == *,* ]] && echo "\${word%,*},")" -W '${values.words.join(' ')}' -- "\${word##*,}"))`
          : reply(`-W '${values.words.join(' ')}'`),
      )
    case 'files':
      return line('compopt -o default')
    case 'directories':
      return line(`compopt -o filenames; ${reply('-d')}`)
    case 'processes':
      return line(reply(`-W "$(cd /proc && echo [0-9]*)"`))
    case 'any':
      return line(':')
    default:
      return values satisfies never
  }
}

const optionCase = (name: Command): string =>
  `      ${name}) COMPREPLY=($(compgen -W '${optionWords(offeredOptions(name))}' -- "$word")) ;;`

const optionWords = (rows: readonly Row[]): string => rows.flatMap(spellings).join(' ')

function wordCase(name: Command): string[] {
  const { words } = commandTable[name]
  const choices = wordsOf(name)
  if (choices.length > 0) return [`    ${name}) ${reply(`-W '${choices.join(' ')}'`)} ;;`]
  return words === undefined ? [`    ${name}) ;;`] : []
}
