import { type Command, commands, type Row } from '../options/row.ts'
import { table } from '../options/table.ts'

/** Widest line of a help text. */
const WIDTH = 80
/** Column in which the explanations begin. */
const INDENT = 34

const summaries: Record<Command, string> = {
  dump: 'save a process tree to images',
  restore: 'make a process tree from images',
  'pre-dump': 'save memory while the tree runs',
  'page-server': 'receive pages of another machine',
  'lazy-pages': 'serve memory to a restored tree on demand',
  exec: 'run a system call in another process',
  service: 'serve RPC on a socket',
  swrk: 'serve RPC on an inherited descriptor',
  check: 'tell whether the kernel has what is needed',
  cpuinfo: 'save or check the features of the CPU',
  dedup: 'remove pages that a later image holds too',
}
const working: readonly Command[] = ['dump', 'restore']

/** The help of one command, or of the whole program. */
export function helpText(command: Command | undefined): string {
  return command === undefined ? programHelp() : commandHelp(command)
}

function programHelp(): string {
  const [now, then] = [true, false].map((here) =>
    commands.filter((name) => working.includes(name) === here),
  )
  return [
    'criu-ts: checkpoint and restore of process trees, in place of CRIU',
    '',
    'Usage: criu COMMAND [OPTION...]',
    '',
    'Commands:',
    ...now!.map((name) => entry(`  ${name}`, summaries[name])),
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
  const own = table.filter((row) => row.supported && row.on.includes(command) && !isCommon(row))
  const note = working.includes(command) ? [] : ['Not supported yet.', '']
  return [
    `criu ${command}: ${summaries[command]}`,
    '',
    ...note,
    `Usage: criu ${command} [OPTION...]${command === 'restore' ? ' [-- COMMAND...]' : ''}`,
    '',
    'Options:',
    ...[...own, ...table.filter(isCommon)].map(optionEntry),
    '',
  ].join('\n')
}

const isCommon = (row: Row): boolean => row.supported && row.on.length === commands.length

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
