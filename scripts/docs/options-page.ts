import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandTable } from '../../src/options/commands.ts'
import { commands, common, type Row } from '../../src/options/row.ts'
import { rowOf, table } from '../../src/options/table.ts'
import { withoutEffect } from '../../src/rpc/options.ts'
import { type Proof, proofs } from './proofs.ts'
import { fieldsAlone, fieldsOf, since23, since42 } from './upstream.ts'

const root = join(import.meta.dir, '../..')

/** docs/options.md. Throws where an option of upstream has no row, or one that works has no test. */
export function optionsPage(): string {
  const faults = findFaults()
  if (faults.length > 0) throw new Error(`docs/options.md: ${faults.join('; ')}`)
  return [
    '# Options',
    '',
    'Made by `npm run docs` from `src/options/table.ts`, the one table of command line, configuration files,',
    'RPC and library; it fails when an option of CRIU 2.3 or 4.2, or a field of `criu_opts`, has no row, or',
    'one that works has no test. What a command cannot use is an error; what it takes without effect, since',
    'callers give dump and restore the same options and upstream takes them too, is told in the log.',
    '',
    '## Options of CRIU 2.3 and 4.2',
    '',
    ...rows(
      ['option', 'since', 'RPC', 'commands', 'what it does here', 'test'],
      upstream.map(line),
    ),
    '',
    '## Our own',
    '',
    ...rows(['option', 'commands', 'what it does', 'test'], own.map(ownLine)),
    '',
    '## Fields of `criu_opts` that no option of the command line has',
    '',
    ...rows(
      ['field', 'what it does here'],
      Object.entries(fieldsAlone).map(([field, what]) => [`\`${field}\``, what]),
    ),
    '',
    '## Commands',
    '',
    ...rows(
      ['command', 'what it does here'],
      commands.map((name) => [
        `\`${name}\``,
        commandTable[name].supported ? commandTable[name].summary : notYet,
      ]),
    ),
    '',
  ].join('\n')
}

const fieldsWithoutEffect: ReadonlySet<string> = withoutEffect
const notYet = 'not supported yet'
const isNew = new Set(since42)
const upstream = [...since23, ...since42].map(rowOf).filter((row) => row !== undefined)
const own = table.filter((row) => !upstream.includes(row))

/** Does it do something in some command that is there? */
const works = (row: Row): boolean =>
  row.supported && row.on.some((name) => commandTable[name].supported)

function findFaults(): string[] {
  const names = [...since23, ...since42]
  const fields = new Set(table.map((row) => row.rpc))
  return [
    ...names.filter((name) => !rowOf(name)).map((name) => `--${name} has no row`),
    ...criuOpts()
      .filter((field) => !fields.has(field) && !(field in fieldsOf) && !(field in fieldsAlone))
      .map((field) => `criu_opts.${field} belongs to no option`),
    ...upstream
      .filter((row) => works(row) && !proofs[row.name])
      .map(({ name }) => `--${name} has no test`),
    ...Object.entries(proofs).flatMap(([name, proof]) => faultOf(name, proof)),
  ]
}

function faultOf(name: string, [file, title]: Proof): string[] {
  const path = join(root, 'tests', file)
  const row = rowOf(name)
  if (!row) return [`--${name} has a test and no row`]
  if (!works(row)) return []
  const found = existsSync(path) && readFileSync(path, 'utf8').includes(title)
  return found ? [] : [`--${name}: tests/${file} has no test «${title}»`]
}

/** The fields of the message, from its definition. */
function criuOpts(): string[] {
  const proto = readFileSync(join(root, 'src/images/proto/rpc.proto'), 'utf8')
  const [, body = ''] = /message criu_opts \{([^}]*)\}/.exec(proto) ?? []
  return [...body.matchAll(/^\s*[\w.]+ [\w.]+ (\w+) = \d+/gm)].map(([, field]) => field!)
}

const line = (row: Row): string[] => [
  spelling(row),
  isNew.has(row.name) ? '4.2' : '2.3',
  fieldNames(row),
  works(row) ? commandsOf(row) : '',
  works(row) ? what(row) : `${notYet}${byRpc(row)}`,
  proof(row),
]

/** Container runtimes send some fields with every request; what makes them matter is refused itself. */
const byRpc = ({ rpc }: Row): string =>
  fieldsWithoutEffect.has(rpc ?? '')
    ? '; by RPC without effect, as trees with namespaces of their own are refused'
    : ''

const ownLine = (row: Row): string[] => [
  spelling(row),
  works(row) ? commandsOf(row) : '',
  works(row) ? row.help : notYet,
  proof(row),
]

function what(row: Row): string {
  const idle = row.idle.filter((name) => commandTable[name].supported)
  return idle.length === 0 ? row.help : `${row.help}; no effect on ${idle.join(', ')}`
}

const spelling = ({ name, short, kind, placeholder }: Row): string => {
  const optional = kind === 'optional' || kind === 'level'
  const value = placeholder && (optional ? `[=${placeholder}]` : ` ${placeholder}`)
  return `\`${short ? `-${short}, ` : ''}--${name}${value ?? ''}\``
}

function fieldNames(row: Row): string {
  const others = Object.entries(fieldsOf).filter(([, option]) => option === row.name)
  const fields = [...(row.rpc ? [row.rpc] : []), ...others.map(([field]) => field)]
  return fields.map((field) => `\`${field}\``).join(' ')
}

function commandsOf({ on }: Row): string {
  const there = common.filter((name) => commandTable[name].supported)
  const missing = there.filter((name) => !on.includes(name))
  if (missing.length === 0) return 'every'
  if (missing.length <= 3) return `every but ${missing.join(', ')}`
  return there.filter((name) => on.includes(name)).join(', ')
}

function proof(row: Row): string {
  const found = works(row) ? proofs[row.name] : undefined
  return found ? `${found[0]}: ${found[1]}` : ''
}

function rows(head: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|')
  const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...lines.map(row)]
}
