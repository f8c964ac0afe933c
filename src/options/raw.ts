import { fail } from '../errors/error.ts'
import type { Row } from './row.ts'
import { suggest } from './suggest.ts'
import { rowOf, table } from './table.ts'
import type { RawValue } from './values.ts'

/** One option as a source gave it: argv, a configuration file, RPC or a caller of the library. */
export interface RawOption {
  /** Long name in the table. */
  readonly name: string
  readonly value: RawValue
  /** How the caller wrote it, for messages: `-t`, `--tree`, `criu_opts.pid`. */
  readonly spelled: string
  /** From a file that all commands read: those that it does not concern pass it over. */
  readonly shared?: true
}

/** The row of a long name; `--no-NAME` is a flag taken back. Unknown names are refused. */
export function findOption(
  name: string,
  spelled = `--${name}`,
): { readonly row: Row; readonly negated: boolean } {
  const row = rowOf(name)
  if (row !== undefined) return { row, negated: false }
  const positive = name.startsWith('no-') ? rowOf(name.slice(3)) : undefined
  if (positive?.kind === 'flag') return { row: positive, negated: true }
  return fail(unknown(name, spelled))
}

function unknown(name: string, spelled: string) {
  const nearest = suggest(
    name,
    table.map((row) => row.name),
  )
  const remedy = nearest === undefined ? 'see criu --help' : `did you mean --${nearest}?`
  return { code: 'option', option: spelled, reason: 'is no option of criu', remedy } as const
}
