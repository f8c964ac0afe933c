import { commandTable } from '../../src/options/commands.ts'
import { type Command, commands, common, type Row } from '../../src/options/row.ts'
import { table } from '../../src/options/table.ts'
import { commandManual, manual } from './manual.ts'

/** criu(8), from the table of options. */
export function manPage(): string {
  return [
    '.\\" Made by scripts/make-docs.ts from src/options/table.ts; do not edit it by hand.',
    '.TH CRIU 8 "" "criu-ts" "System Administration"',
    '.nh',
    '.ad l',
    ...section('NAME'),
    'criu \\- checkpoint and restore of process trees',
    ...section('SYNOPSIS'),
    ...working.flatMap(synopsis),
    ...section('DESCRIPTION'),
    ...paragraphs([
      'criu saves a tree of running processes to images, and makes the tree again from them: later, after a reboot, or on another machine. The processes go on where they were, with their memory, threads, descriptors, sockets, timers and signals. It takes the place of CRIU 4.2, whose options, images and RPC it has.',
      'Options stand before or behind the command. *--no-*_NAME_ takes the flag *--*_NAME_ back. Of an option that is given twice the later one holds, unless it adds up. An option that a command cannot use is an error.',
    ]),
    ...section('COMMANDS'),
    ...working.flatMap(commandEntry),
    ...section('OPTIONS'),
    ...groups().flatMap(([title, rows]) => [`.SS ${text(title)}`, ...rows.flatMap(optionEntry)]),
    ...section('NOT SUPPORTED YET'),
    ...paragraphs([
      `These commands and options of CRIU are known and refused: ${unsupported().join(', ')}.`,
    ]),
    ...closing,
    '',
  ].join('\n')
}

const working = commands.filter((name) => commandTable[name].supported)
const supported = table.filter((row) => row.supported && row.on.some(isWorking))

function isWorking(name: Command): boolean {
  return commandTable[name].supported
}

const unsupported = (): string[] => [
  ...commands.filter((name) => !isWorking(name)).map((name) => `*${name}*`),
  ...table.filter((row) => !supported.includes(row)).map((row) => `*--${row.name}*`),
]

const section = (title: string): string[] => [`.SH ${text(title)}`]
const paragraphs = (texts: readonly string[]): string[] =>
  texts.flatMap((one, i) => (i === 0 ? [text(one)] : ['.PP', text(one)]))

/** Backslashes, dashes and quotes as groff wants them; marks to fonts. No line begins a request. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('«', '\\(lq')
    .replaceAll('»', '\\(rq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
  const marked = escaped
    .replace(/(?<![A-Za-z0-9])_([A-Z]+)_(?![a-z])/g, '\\fI$1\\fR')
    .replace(/\*([^*]+)\*/g, '\\fB$1\\fR')
  return /^[.']/.test(marked) ? `\\&${marked}` : marked
}

function synopsis(name: Command): string[] {
  const { words } = commandTable[name]
  const more = words === undefined ? '' : ` ${words}`
  return ['.PP', `\\fBcriu ${text(name)}\\fR [\\fIOPTION\\fR...]${text(more)}`]
}

function commandEntry(name: Command): string[] {
  const { summary, words } = commandTable[name]
  return [
    '.TP',
    `\\fBcriu ${text(name)}\\fR${words === undefined ? '' : ` ${text(words)}`}`,
    text(`${capital(summary)}.`),
    ...(commandManual[name] ?? []).flatMap((one) => ['.sp', text(one)]),
  ]
}

const capital = (line: string): string =>
  /^[a-z]+\[/.test(line) ? line : `${line[0]!.toUpperCase()}${line.slice(1)}`

/** Options under the commands that have them; the most widespread first. */
function groups(): [string, Row[]][] {
  const found = new Map<string, Row[]>()
  for (const row of supported) {
    const title = titleOf(row)
    found.set(title, [...(found.get(title) ?? []), row])
  }
  const rank = ([, [row]]: [string, Row[]]): number => row!.on.length
  return [...found].sort((a, b) => rank(b) - rank(a))
}

function titleOf({ on }: Row): string {
  const names = on.filter(isWorking)
  const missing = common.filter((name) => isWorking(name) && !on.includes(name))
  if (missing.length === 0) return 'Every command'
  return missing.length <= 3 ? `Every command but ${missing.join(', ')}` : names.join(', ')
}

function optionEntry(row: Row): string[] {
  const { name, short, placeholder, kind } = row
  const mayLack = kind === 'optional' || kind === 'level'
  const value = placeholder === undefined ? '' : `\\fI${text(placeholder)}\\fR`
  const long = `\\fB${text(`--${name}`)}\\fR${value && (mayLack ? `[=${value}]` : ` ${value}`)}`
  const letter =
    short === undefined ? '' : `\\fB${text(`-${short}`)}\\fR${mayLack ? `[${value}]` : ''}, `
  return [
    '.TP',
    `${letter}${long}`,
    text(`${capital(row.help)}.`),
    ...(manual[name] ?? []).flatMap((one) => ['.sp', text(one)]),
  ]
}

const term = (name: string, meaning: string): string[] => ['.TP', text(`*${name}*`), text(meaning)]
const example = (line: string, meaning: string): string[] => [
  '.PP',
  text(meaning),
  '.PP',
  '.RS 4',
  '.nf',
  text(line),
  '.fi',
  '.RE',
]

const closing = [
  ...section('CONFIGURATION FILES'),
  ...paragraphs([
    'Options may stand in files: one a line, by the long name without dashes, the value behind blanks or *=*. A value with blanks in it stands in double quotes, in which \\" is a quote. *#* begins a comment. A command passes over what other commands have.',
    'Files are read in this order, and what comes later wins: */etc/criu/default.conf*, *$HOME/.criu/default.conf*, the file that *CRIU_CONFIG_FILE* names, the file of *--config*, the command line. For a request of the RPC, its *config_file* comes last. Nothing is read from the current directory.',
  ]),
  ...['.PP', '.RS 4', '.nf'],
  ...['# connections are kept', 'tcp-established', 'ghost-limit 64M', 'no-shell-job'].map(text),
  'action\\-script "/usr/local/bin/hook \\-\\-quiet"',
  ...['.fi', '.RE'],
  ...section('ENVIRONMENT'),
  ...term('CRIU_CONFIG_FILE', 'A configuration file.'),
  ...term('HOME', 'Where the user’s configuration file is.'),
  ...['.PP', text('Action scripts find:')],
  ...term('CRTOOLS_SCRIPT_ACTION', 'The hook.'),
  ...term('CRTOOLS_IMAGE_DIR', 'The directory of the images.'),
  ...term('CRTOOLS_INIT_PID', 'The pid of the tree’s root, once it is known.'),
  ...section('FILES'),
  ...term('*.img', 'The images, in the directory of *-D*. crit(1) and *criu show* read them.'),
  ...term('stats-dump, stats-restore', 'Times and counts of the last job, in the work directory.'),
  ...section('EXIT STATUS'),
  ...paragraphs([
    '0 if all went well, 1 if not. *restore* without *-d* ends with 0 once the root has ended, whatever its own status.',
  ]),
  ...section('EXAMPLES'),
  ...example('criu dump -t 1234 -D images', 'Save the tree of process 1234, and end it:'),
  ...example('criu restore -d -D images', 'Bring it back, and leave:'),
  ...example(
    'criu dump -t 1234 -D images -R --tcp-established',
    'A copy of a server that goes on:',
  ),
  ...section('SEE ALSO'),
  ...paragraphs(['crit(1), ptrace(2), proc(5), core(5)']),
]
