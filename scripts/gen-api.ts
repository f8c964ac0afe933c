/**
 * Makes src/api/options.ts from the table of options, and docs/api.md from the types that the library
 * exports. `--check`: writes nothing, and fails where one of them is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { camelCase, isForLibrary } from '../src/options/library.ts'
import type { Command, Row } from '../src/options/row.ts'
import { table } from '../src/options/table.ts'
import { apiReference } from './api-reference.ts'

const root = resolve(import.meta.dir, '..')

/** Calls of the library that take options of a command. */
const calls: readonly (readonly [command: Command, type: string, what: string])[] = [
  ['dump', 'DumpOptions', 'Options of {@link dump}: those of `criu dump`.'],
  ['restore', 'RestoreOptions', 'Options of {@link restore}: those of `criu restore`.'],
  ['check', 'CheckOptions', 'Options of {@link check}: those of `criu check`.'],
  ['explain', 'ExplainOptions', 'Options of {@link explain}: those of the dump that it is about.'],
]

export function optionTypes(): string {
  const parts = [
    '// Made by scripts/gen-api.ts from src/options/table.ts. Do not edit.',
    "import type { Control } from './control.ts'",
    ...calls.map((call) => optionType(...call)),
  ]
  return `${parts.join('\n\n')}\n`
}

function optionType(command: Command, type: string, what: string): string {
  const rows = table.filter((row) => row.supported && row.on.includes(command))
  const fields = rows.filter(({ name }) => isForLibrary(name)).map((row) => field(row, command))
  return `/** ${what} */\nexport interface ${type} extends Control {\n${fields.join('\n')}\n}`
}

function field(row: Row, command: Command): string {
  const isNeeded = row.name === 'tree' && (command === 'dump' || command === 'explain')
  const short = row.short === undefined ? '' : ` (\`-${row.short}\` of the command line)`
  const help = `${row.help[0]!.toUpperCase()}${row.help.slice(1)}${short}.`
  return `  /** ${help} */\n  readonly ${camelCase(row.name)}${isNeeded ? '' : '?'}: ${typeOf(row)}`
}

function typeOf(row: Row): string {
  const one = typeOfOne(row)
  return row.repeat ? `readonly ${one}[]` : one
}

function typeOfOne({ kind }: Row): string {
  switch (kind) {
    case 'flag':
      return 'boolean'
    case 'number':
    case 'level':
      return 'number'
    case 'size':
      return 'number | string'
    case 'optional':
      return 'boolean | string'
    default:
      return 'string'
  }
}

/** What is made, by its path in the checkout. */
export const made = (): Record<string, string> => {
  const types = optionTypes()
  return { 'src/api/options.ts': types, 'docs/api.md': apiReference(root, types) }
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(made())) {
    const file = join(root, path)
    if (!process.argv.includes('--check')) writeFileSync(file, text)
    else if (readFileSync(file, 'utf8') !== text) throw new Error(`${path} is out of date`)
  }
}
