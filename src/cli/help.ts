import { commandTable } from '../options/commands.ts'
import { type Command, commands, logged, type Row } from '../options/row.ts'
import { table } from '../options/table.ts'

/** Widest line of a help text. */
const WIDTH = 80
/** Column in which the explanations begin. */
const INDENT = 34

/** The help of one command, or of the whole program. */
export function helpText(command: Command | undefined): string {
  return command === undefined ? programHelp() : commandHelp(command)
}

function programHelp(): string {
  const [now, then] = [true, false].map((here) =>
    commands.filter((name) => commandTable[name].supported === here),
  )
  return [
    'criu-ts: checkpoint and restore of process trees, in place of CRIU',
    '',
    'Usage: criu COMMAND [OPTION...]',
    '',
    'Commands:',
    ...now!.map((name) => entry(`  ${name}`, commandTable[name].summary)),
    '',
    'Not supported yet:',
    ...wrap(then!.join(', '), WIDTH - 2).map((line) => `  ${line}`),
    '',
    'Options of every command:',
    ...table.filter(isCommon).map(optionEntry),
    '',
    '  criu dump -t 1234 -D images      save the tree of process 1234, and end it',
    '  criu restore -d -D images        bring it back',
    '  criu COMMAND --help              the options of one command',
    '',
  ].join('\n')
}

function commandHelp(command: Command): string {
  const rows = table.filter((row) => row.supported && row.on.includes(command))
  const own = rows.filter((row) => !isCommon(row))
  const { supported, words } = commandTable[command]
  const note = supported ? [] : ['Not supported yet.', '']
  return [
    `criu ${command}: ${commandTable[command].summary}`,
    '',
    ...note,
    `Usage: criu ${command} [OPTION...]${words === undefined ? '' : ` ${words}`}`,
    '',
    ...(details[command] ?? []),
    'Options:',
    ...[...own, ...rows.filter(isCommon)].map(optionEntry),
    '',
  ].join('\n')
}

/** What the words behind a command may be. */
const details: { readonly [C in Command]?: readonly string[] } = {
  show: [
    'Views of a directory (without one, of -D or the current directory):',
    entry('  tree', 'processes with memory, threads and descriptors'),
    entry('  ps, fds, mems, rss', 'as crit x prints them'),
    entry('  files, sockets, mounts', 'what all processes have in common'),
    'One image:',
    entry('  decode FILE', 'as JSON, in the form of crit'),
    entry('  encode FILE', 'the same image again from JSON'),
    '',
  ],
}

const isCommon = (row: Row): boolean => row.supported && row.on.length >= logged.length

function optionEntry(row: Row): string {
  const short = row.short === undefined ? '    ' : `-${row.short}, `
  return entry(`  ${short}--${row.name}${placeholder(row)}`, row.help)
}

function placeholder(row: Row): string {
  if (row.placeholder === undefined) return ''
  const optional = row.kind === 'optional' || row.kind === 'level'
  return optional ? `[=${row.placeholder}]` : ` ${row.placeholder}`
}

/** A name and its explanation, which begins on a line of its own where the name is too long. */
function entry(name: string, text: string): string {
  const lines = wrap(text, WIDTH - INDENT)
  const head = name.length < INDENT - 1 ? [] : [name]
  const first = head.length === 0 ? name : ''
  return [
    ...head,
    ...lines.map((line, i) => `${(i === 0 ? first : '').padEnd(INDENT)}${line}`),
  ].join('\n')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
