import { fail } from '../errors/error.ts'
import type { RawOption } from './raw.ts'
import { suggest } from './suggest.ts'
import { rowOf, table } from './table.ts'
import type { RawValue } from './values.ts'

/** Options that are about a command line or about one process of ours, and what takes their place. */
const forOthers = new Map<string, string>([
  ['help', 'see docs/api.md'],
  ['version', 'see the version of the package'],
  ['close', 'the engine has no descriptors of the caller but those of inheritFd'],
  ['daemon', 'a call of the library does not block'],
  ['display-stats', 'the result holds the statistics'],
  ['dry-run', 'use criu restore --dry-run'],
  ['exec-cmd', 'start the command once the promise is fulfilled'],
  ['json', 'results are objects'],
  ['restore-detached', 'restore always leaves once the tree runs'],
  ['status-fd', 'await the promise'],
])

/** Names of options as the library has them: `images-dir` is `imagesDir`. */
export const camelCase = (name: string): string =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

/** Is this option one of the library's. */
export const isForLibrary = (name: string): boolean => !forOthers.has(name)

const byCamelCase = new Map(table.map(({ name }) => [camelCase(name), name]))

/**
 * The options of a call of the library, an object with names in camel case, for the normaliser. What
 * is undefined was not given. Throws `option`.
 */
export function libraryOptions(given: Readonly<Record<string, unknown>>): RawOption[] {
  return Object.entries(given).flatMap(([spelled, value]) => {
    if (value === undefined) return []
    const name = nameOf(spelled)
    const isList = Array.isArray(value) && rowOf(name)?.repeat
    const values: readonly unknown[] = isList ? value : [value]
    return values.map((one) => ({ name, value: rawValue(spelled, one), spelled }))
  })
}

function nameOf(spelled: string): string {
  const name = byCamelCase.get(spelled)
  if (name === undefined) {
    const nearest = suggest(spelled, [...byCamelCase.keys()])
    const remedy = nearest === undefined ? 'see docs/api.md' : `did you mean ${nearest}?`
    return fail({ code: 'option', option: spelled, reason: 'is no option of criu', remedy })
  }
  const instead = forOthers.get(name)
  if (instead === undefined) return name
  const reason = 'is for the command line alone'
  return fail({ code: 'option', option: spelled, reason, remedy: instead })
}

/** What the normaliser can read; it says what is wrong with the rest. */
function rawValue(spelled: string, value: unknown): RawValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  const reason = `must be text, a number or a boolean, not ${JSON.stringify(value)}`
  return fail({ code: 'option', option: spelled, reason })
}
