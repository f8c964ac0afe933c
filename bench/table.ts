import { type Figure, GROWTH_FLOOR_MS, GROWTH_GOAL, START_GOAL_MS } from './figures.ts'
import type { Timing } from './job.ts'
import type { Gap, Measured } from './measure.ts'

/** One line of the table that is printed. */
export interface Row {
  readonly what: string
  /** Median in ms. */
  readonly ms: number
  /** Processor time of the program itself, in ms. */
  readonly cpu?: number
  /** Of the plain copy, or of the same at half the amount. */
  readonly against?: { readonly name: string; readonly ms: number; readonly goal?: number }
  readonly goalMs?: number
  /** A ratio past its goal counts only where this much is lost by it, in ms. */
  readonly floor?: number
}

export const missed = (row: Row): boolean => {
  if (row.goalMs !== undefined && row.ms > row.goalMs) return true
  if (row.against === undefined) return false
  const { ms, goal } = row.against
  if (goal === undefined) return false
  return row.ms > ms * goal && row.ms - ms * goal > (row.floor ?? 0)
}

export function rowsOf(figure: Figure, amount: number, full: Measured, half?: Measured): Row[] {
  return (['dump', 'restore'] as const).flatMap((job) => {
    const what = `${figure.title(amount)}: ${job}`
    const plain = job === 'dump' ? full.write : full.read
    const name = job === 'dump' ? 'plain write' : 'plain read'
    const row: Row = {
      what,
      ms: full[job].whole,
      cpu: full[job].cpu,
      ...(figure.goalMs ? { goalMs: figure.goalMs } : {}),
      ...(plain && figure.goalRatio
        ? { against: { name, ms: plain, goal: figure.goalRatio } }
        : {}),
    }
    if (half === undefined) return [row]
    const each =
      figure.each === undefined ? [] : [eachRow(figure.each, what, amount, full[job], half[job])]
    return [row, ...each, ...growthRows(what, full[job], half[job])]
  })
}

/** What one more of them costs: the start and all else that comes once is left out. */
function eachRow(name: string, what: string, amount: number, full: Timing, half: Timing): Row {
  const each = (full.whole - half.whole) / (amount / 2)
  return { what: `${what}, µs for each ${name}`, ms: each * 1000 }
}

/** The whole against half the work, and every stage that grows faster than its work. */
function growthRows(what: string, full: Timing, half: Timing): Row[] {
  const row = (name: string, ms: number, before: number): Row => ({
    what: name,
    ms,
    against: { name: 'half the work', ms: before, goal: GROWTH_GOAL },
    floor: GROWTH_FLOOR_MS,
  })
  const stages = [...full.stages].map(([name, ms]) =>
    row(`${what}, stage ${name}`, ms, half.stages.get(name) ?? 0),
  )
  return [row(`${what}, growth`, full.whole, half.whole), ...stages.filter(missed)]
}

export const startRow = (ms: number): Row => ({ what: '--version', ms, goalMs: START_GOAL_MS })

export const gapRows = (mib: number, gap: Gap): Row[] => [
  { what: `${mib} MiB, left running: the whole dump`, ms: gap.whole },
  {
    what: `${mib} MiB, left running: longest time without a time slice`,
    ms: gap.dumped,
    against: { name: 'the whole dump', ms: gap.whole },
  },
  { what: '  the same without a dump', ms: gap.untouched },
]

const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0)

const HEAD = ['figure', 'ms', 'cpu', 'against', 'ratio', 'goal', '']

function cells(row: Row): string[] {
  const { against } = row
  return [
    row.what,
    ms(row.ms),
    row.cpu === undefined ? '' : ms(row.cpu),
    against ? `${against.name} ${ms(against.ms)}` : '',
    against && against.ms > 0 ? (row.ms / against.ms).toFixed(2) : '',
    goalText(row),
    missed(row) ? 'MISSED' : '',
  ]
}

function goalText(row: Row): string {
  if (row.goalMs !== undefined) return `≤ ${row.goalMs} ms`
  return row.against?.goal === undefined ? '' : `≤ ${row.against.goal}`
}

/** The table as text. */
export function tableText(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(cells)]
  const widths = HEAD.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  const left = new Set([0, 3, 6])
  return lines
    .map((line) =>
      line
        .map((cell, i) => (left.has(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
