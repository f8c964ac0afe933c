import type { Table } from '../../kernel/table.ts'
import type { Runner } from '../../tracee/run.ts'

/** A table that is to run next in a task; the caller says when, so that tasks work side by side. */
export interface TableStep {
  readonly table: Table
  readonly what: string
  /** Looks at the answers, once it has run. */
  readonly check?: () => void
}

/** Bytes left at which a table is full enough for calls with little data. */
const ENOUGH = 1024

/** Adds something for each item, in as many tables as it takes. */
export function* inTables<T>(
  runner: Runner,
  what: string,
  items: Iterable<T>,
  add: (table: Table, item: T) => void,
): Generator<TableStep> {
  let table = runner.table()
  for (const item of items) {
    if (table.room < ENOUGH) {
      yield { table, what }
      table = runner.table()
    }
    add(table, item)
  }
  if (table.count > 0) yield { table, what }
}
