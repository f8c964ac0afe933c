import type { Table } from '../../kernel/table.ts'
import type { Runner } from '../../tracee/run.ts'

/** A table that is to run next in a task; the caller says when, so that tasks work side by side. */
export interface TableStep {
  readonly table: Table
  readonly what: string
  /** Looks at the answers, once it has run. */
  readonly check?: () => void
  /** Runs at the same time in another thread of the task. */
  readonly beside?: TableStep & { readonly runner: SteppedRunner }
}

/** A runner that need not be waited for at once. */
export interface SteppedRunner extends Runner {
  start(table: Table): void
  finish(table: Table, what?: string): void
}

/** Starts a step and what runs beside it. */
export function startStep(runner: SteppedRunner, { table, beside }: TableStep): void {
  runner.start(table)
  if (beside) startStep(beside.runner, beside)
}

/** Waits for a step and what runs beside it, and looks at their answers. */
export function finishStep(runner: SteppedRunner, step: TableStep): void {
  runner.finish(step.table, step.what)
  if (step.beside) finishStep(step.beside.runner, step.beside)
  step.check?.()
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
