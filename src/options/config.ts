import { fail } from '../errors/error.ts'
import { readFileSync, SystemError } from '../kernel/fs.ts'
import { findOption, type RawOption } from './raw.ts'

/**
 * Configuration files, as CRIU has had them since 3.11: one option a line, by its long name without
 * dashes, its value behind blanks or `=`, in double quotes if it holds blanks (`\"` is a quote in
 * it); `#` begins a comment.
 */

/**
 * The options of a file, in its order. For `--config`, CRIU_CONFIG_FILE and the default files, and for
 * `criu_opts.config_file`, whose options go behind those of the request: they win over it. A file
 * that is not there has none where `missing` says so (container runtimes name one that need not be).
 */
export function configOptions(path: string, missing: 'refuse' | 'empty' = 'refuse'): RawOption[] {
  const text = readConfig(path, missing)
  return text === undefined ? [] : parseConfig(text, path)
}

function readConfig(path: string, missing: 'refuse' | 'empty'): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (error.code === 'ENOENT' && missing === 'empty') return undefined
    const option = `configuration file ${path}`
    const reason = error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`
    return fail({ code: 'option', option, reason })
  }
}

export function parseConfig(text: string, path: string): RawOption[] {
  const found: RawOption[] = []
  text.split('\n').forEach((line, i) => {
    const option = parseLine(line.trim(), `${path}:${i + 1}:`)
    if (option !== undefined) found.push(option)
  })
  return found
}

/** Name; then nothing or a comment, or a value behind blanks or `=`. */
const LINE = /^([^\s="#]+)(?:\s*=\s*|\s+|(?=#|$))(.*)$/

function parseLine(line: string, place: string): RawOption | undefined {
  if (line === '' || line.startsWith('#')) return undefined
  const [, name, rest] = LINE.exec(line) ?? []
  if (name === undefined) return fail({ code: 'option', option: place, reason: 'names no option' })
  const spelled = `${place} ${name}`
  if (name.startsWith('-')) {
    const remedy = `write ${name.replace(/^-+/, '')}`
    return fail({ code: 'option', option: spelled, reason: 'is written without dashes', remedy })
  }
  const { row } = findOption(name, spelled)
  if (row.config === undefined) {
    return fail({
      code: 'option',
      option: spelled,
      reason: 'cannot stand in a configuration file',
      remedy: `give --${name} on the command line`,
    })
  }
  const bare = ['flag', 'level', 'optional'].includes(row.kind) ? true : undefined
  return { name, value: readValue(rest!, spelled) ?? bare, spelled, shared: true }
}

const QUOTED = /^"((?:\\"|[^"])*)"\s*(?:#.*)?$/
const PLAIN = /^([^\s"#]+)\s*(?:(?<=\s)#.*)?$/

/** The value of a line, undefined where it has none. */
function readValue(text: string, spelled: string): string | undefined {
  if (text === '' || text.startsWith('#')) return undefined
  const quoted = QUOTED.exec(text)?.[1]
  if (quoted !== undefined) return quoted.replaceAll('\\"', '"')
  return (
    PLAIN.exec(text)?.[1] ??
    fail({
      code: 'option',
      option: spelled,
      reason: `has a value that cannot be read: ${text}`,
      remedy: 'put it in double quotes, with \\" for a quote in it',
    })
  )
}
