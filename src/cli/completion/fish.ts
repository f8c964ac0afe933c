import { commandTable } from '../../options/commands.ts'
import type { Command, Row } from '../../options/row.ts'
import { allOptions, isOptional, offeredCommands, valuesOf, wordsOf } from './words.ts'

/** The script for fish: `criu completion fish | source`. */
export const fishCompletion =
  (): string => `# Completion of criu for fish, made by: criu completion fish
function __criu_command
    for word in (commandline -opc)[2..-1]
        switch $word
            case ${offeredCommands.join(' ')}
                echo $word
                return
        end
    end
    echo none
end
complete -c criu -f
${offeredCommands.map(commandLine).join('\n')}
${offeredCommands.flatMap(wordLine).join('\n')}
${allOptions.map(optionLine).join('\n')}
`

const within = (names: readonly string[]): string =>
  `-n 'contains -- (__criu_command) ${names.join(' ')}'`

const commandLine = (name: Command): string =>
  `complete -c criu ${within(['none'])} -a ${name} -d ${quoted(commandTable[name].summary)}`

function wordLine(name: Command): string[] {
  const { words } = commandTable[name]
  const choices = wordsOf(name)
  if (choices.length > 0) return [`complete -c criu ${within([name])} -a '${choices.join(' ')}'`]
  return words === undefined ? [] : [`complete -c criu ${within([name])} -F`]
}

function optionLine(row: Row): string {
  const short = row.short === undefined ? '' : ` -s ${row.short}`
  const names = row.on.filter((name) => commandTable[name].supported)
  const head = `complete -c criu ${within(['none', ...names])}${short} -l ${row.name}`
  return `${head}${value(row)} -d ${quoted(row.help)}`
}

function value(row: Row): string {
  const values = valuesOf(row)
  const required = isOptional(row) ? ' -f' : ' -x'
  switch (values.kind) {
    case 'none':
      return ''
    case 'words':
      return values.list
        ? `${required} -a '(__fish_append , ${values.words.join(' ')})'`
        : `${required} -a '${values.words.join(' ')}'`
    case 'files':
      return `${isOptional(row) ? '' : ' -r'} -F`
    case 'directories':
      return `${required} -a '(__fish_complete_directories)'`
    case 'processes':
      return `${required} -a '(__fish_complete_pids)'`
    case 'any':
      return required
    default:
      return values satisfies never
  }
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
