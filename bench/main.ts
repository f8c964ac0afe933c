import { type Figure, figures, GAP_AMOUNT } from './figures.ts'
import type { Place } from './job.ts'
import { measure, measureGap, measureStart } from './measure.ts'
import { gapRows, missed, type Row, rowsOf, startRow, tableText } from './table.ts'

/** bench DIR [--quick] [NAME ...]; see scripts/bench.sh. */
const [directory, ...words] = process.argv.slice(2)
const criu = process.env.CRIU
if (directory === undefined || criu === undefined) throw new Error('start it by npm run bench')
const place: Place = { directory, criu }
const quick = words.includes('--quick')
const chosen = words.filter((word) => !word.startsWith('--'))
const known = [...figures.map((figure) => figure.mode), 'start', 'gap']
const unknown = chosen.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(' ')}; there are ${known.join(' ')}`)
  process.exit(64)
}
const wanted = (name: string): boolean => chosen.length === 0 || chosen.includes(name)
const rounds = quick ? 3 : 5
const shrink = (figure: Figure): number =>
  quick && figure.memory ? figure.amount / 8 : figure.amount

const problems: string[] = []

/** A measurement that fails is told at the end; the others go on. */
function attempt(name: string, work: () => Row[]): Row[] {
  process.stderr.write(`measuring: ${name}\n`)
  try {
    return work()
  } catch (error) {
    problems.push(`${name}: ${error instanceof Error ? error.message : error}`)
    return []
  }
}

function figureRows(figure: Figure): Row[] {
  const amount = shrink(figure)
  const { full, half } = measure(place, figure, amount, rounds)
  return rowsOf(figure, amount, full, half)
}

const gapMib = quick ? GAP_AMOUNT / 8 : GAP_AMOUNT
const rows = [
  ...(wanted('start')
    ? attempt('start', () => [startRow(measureStart(place, 4 * rounds + 1))])
    : []),
  ...figures
    .filter((figure) => wanted(figure.mode))
    .flatMap((figure) => attempt(figure.title(shrink(figure)), () => figureRows(figure))),
  ...(wanted('gap')
    ? attempt('time without a time slice', () => gapRows(gapMib, measureGap(place, gapMib, rounds)))
    : []),
]

console.log(`\n${criu}; medians of ${rounds} rounds, in ms of the whole process, start included\n`)
console.log(tableText(rows))
console.log(`\n${rows.filter(missed).length} missed`)
for (const problem of problems) console.error(`\nFAILED ${problem}`)
process.exitCode = problems.length > 0 ? 1 : 0
