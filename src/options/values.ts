import type { ActionScript, CpuCap } from '../job/options.ts'
import type { Value, ValueKind } from './row.ts'

/** What a source hands over before anything was checked. A flag without a value is `true`. */
export type RawValue = string | number | boolean | readonly string[] | undefined

/** A value, or the predicate that says why there is none. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string }

export const good = <T>(value: T): Parsed<T> => ({ ok: true, value })
export const bad = (reason: string): Parsed<never> => ({ ok: false, reason })

/** Reads a raw value of an option of this kind. Levels are read by normalise.ts, as they add up. */
export function parseValue(kind: ValueKind, raw: RawValue): Parsed<Value> {
  switch (kind) {
    case 'flag':
      return typeof raw === 'boolean' ? good(raw) : bad('takes no value')
    case 'number':
    case 'level':
      return parseNumber(raw)
    case 'size':
      return parseSize(raw)
    case 'path':
    case 'work-path':
    case 'text':
      return parseText(raw)
    case 'optional':
      return raw === true || raw === undefined ? good('') : good(String(raw))
    case 'command':
      return parseCommand(raw)
    default:
      return kind satisfies never
  }
}

function parseNumber(raw: RawValue): Parsed<number> {
  if (raw === undefined || raw === '') return bad('needs a number')
  const number = typeof raw === 'string' ? decimal(raw) : raw
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return good(number)
  return bad(`must be a whole number, 0 or more, not ${raw}`)
}

const decimal = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN)

const factors: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

function parseSize(raw: RawValue): Parsed<number> {
  if (typeof raw === 'number') return parseNumber(raw)
  if (typeof raw !== 'string' || raw === '') return bad('needs a size')
  const [, digits, suffix] = /^(\d+)([KMG]?)$/i.exec(raw) ?? []
  const bytes = Number(digits) * factors[(suffix ?? '').toUpperCase()]!
  if (Number.isSafeInteger(bytes)) return good(bytes)
  return bad(`must be a number of bytes, with K, M or G behind it if wished, not ${raw}`)
}

function parseText(raw: RawValue): Parsed<string> {
  if (typeof raw !== 'string' || raw === '') return bad('needs a value')
  return raw.includes('\0') ? bad('must not hold a zero byte') : good(raw)
}

function parseCommand(raw: RawValue): Parsed<readonly string[]> {
  if (Array.isArray(raw) && raw.length > 0) return good(raw as readonly string[])
  return bad('needs a command behind --')
}

/** The level after one `-v`: a digit sets it, one or more `v` (or nothing) add. At most 4. */
export function nextLevel(level: number, raw: RawValue): Parsed<number> {
  if (raw === true || raw === undefined) return good(Math.min(4, level + 1))
  if (typeof raw === 'string' && /^v+$/.test(raw)) return good(Math.min(4, level + raw.length))
  const number = parseNumber(raw)
  return number.ok ? good(Math.min(4, number.value)) : bad(`must be 0 to 4, not ${raw}`)
}

/** Bits of `criu_opts.cpu_cap`, which RPC sends as a number; its default has them all. */
const CPU_CAP_FPU = 1
const CPU_CAP_CPU = 2
const CPU_CAP_INS = 4

const noCap: CpuCap = { fpu: false, cpu: false, ins: false, image: false }
const allCaps: CpuCap = { fpu: true, cpu: true, ins: true, image: true }

/** Without the option: nothing is written at dump, and the extended state of threads is compared. */
export const defaultCpuCap: CpuCap = { ...noCap, fpu: true }

/** `all`, `cpu`, `fpu`, `ins`, `none`, comma between, `^` takes one away; empty is `all`. */
export function parseCpuCap(raw: string): Parsed<CpuCap> {
  if (/^\d+$/.test(raw)) return good(cpuCapOfBits(Number(raw)))
  const words = raw.split(',').filter((word) => word !== '')
  if (words.length === 0) return good(allCaps)
  let cap = words[0]!.startsWith('^') ? allCaps : noCap
  for (const word of words) {
    const next = applyCap(cap, word)
    if (next === undefined) {
      return bad(`knows all, cpu, fpu, ins and none, each with ^ to invert, not ${word}`)
    }
    cap = next
  }
  return good({ ...cap, image: cap.cpu || cap.ins })
}

function applyCap(cap: CpuCap, word: string): CpuCap | undefined {
  const on = !word.startsWith('^')
  const name = on ? word : word.slice(1)
  switch (name) {
    case 'all':
      return on ? allCaps : noCap
    case 'none':
      return on ? noCap : allCaps
    case 'cpu':
    case 'fpu':
    case 'ins':
      return { ...cap, [name]: on }
    default:
      return undefined
  }
}

function cpuCapOfBits(bits: number): CpuCap {
  const has = (bit: number): boolean => (bits & bit) !== 0
  const cpu = has(CPU_CAP_CPU)
  const ins = has(CPU_CAP_INS)
  return { fpu: has(CPU_CAP_FPU), cpu, ins, image: cpu || ins }
}

/**
 * A script is a file where one of that name exists; what holds a blank is a command line for the
 * shell (upstream gives all of them to the shell); any other is refused here rather than at the
 * first hook.
 */
export function parseActionScript(
  text: string,
  resolve: (path: string) => string,
  isFile: (path: string) => boolean,
): Parsed<ActionScript> {
  const file = resolve(text)
  if (isFile(file)) return good({ file })
  if (/\s/.test(text) || !text.includes('/')) return good({ shell: text })
  return bad(`names no file: ${file}`)
}
