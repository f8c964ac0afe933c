import { fail } from '../errors/error.ts'
import { findOption, type RawOption } from './raw.ts'
import type { Command, Row, Value } from './row.ts'
import { rowOf } from './table.ts'
import { nextLevel, type Parsed, parseValue } from './values.ts'

/** What was given, checked one by one against the table. */
export class Given {
  readonly #values = new Map<string, Value>()
  readonly #spelled = new Map<string, string>()
  readonly idle: string[] = []
  /** What stands behind the command. */
  readonly words: readonly string[]

  constructor(command: Command, raw: readonly RawOption[], words: readonly string[] = []) {
    this.words = words
    for (const entry of raw) this.#take(command, entry)
  }

  #take(command: Command, entry: RawOption): void {
    const { row, negated } = findOption(entry.name, entry.spelled)
    const acts = row.on.includes(command)
    const taken = acts || row.idle.includes(command)
    if (!taken && entry.shared) return
    const value = this.#read(row, negated && entry.value === true ? false : entry.value, entry)
    if (!row.supported && taken) refuseUnsupported(value, entry.spelled)
    if (!taken) {
      fail({ code: 'option', option: entry.spelled, reason: `does not go with ${command}` })
    }
    if (!acts && value !== false) this.idle.push(`--${row.name}`)
    this.#values.set(row.name, value)
    this.#spelled.set(row.name, entry.spelled)
  }

  #read(row: Row, raw: RawOption['value'], entry: RawOption): Value {
    if (row.kind === 'level') {
      const level = (this.#values.get(row.name) ?? row.fallback) as number
      return demand(nextLevel(level, raw), entry.spelled)
    }
    const value = demand(parseValue(row.kind, raw), entry.spelled)
    const reason = row.check?.(value)
    if (reason !== undefined) fail({ code: 'option', option: entry.spelled, reason })
    if (!row.repeat) return value
    const before = (this.#values.get(row.name) ?? []) as readonly string[]
    return [...before, String(value)]
  }

  readonly has = (name: string): boolean => (this.#values.get(name) ?? false) !== false

  flag(name: string): boolean {
    return this.has(name)
  }

  text(name: string): string | undefined {
    return this.#values.get(name) as string | undefined
  }

  /** A number that has a fallback in the table. */
  number(name: string): number {
    return (this.#values.get(name) ?? rowOf(name)?.fallback) as number
  }

  list(name: string): readonly string[] {
    return (this.#values.get(name) ?? []) as readonly string[]
  }

  /** The option as the caller wrote it. */
  spelled(name: string): string {
    return this.#spelled.get(name) ?? `--${name}`
  }
}

/** A flag that is off asks for nothing, so it is taken even where the option is not there yet. */
function refuseUnsupported(value: Value, spelled: string): void {
  if (value === false) return
  fail({ code: 'option', option: spelled, reason: 'is not supported yet' })
}

/** The value, or a refusal of the option that was written so. */
export function demand<T>(parsed: Parsed<T>, spelled: string): T {
  return parsed.ok ? parsed.value : fail({ code: 'option', option: spelled, reason: parsed.reason })
}
