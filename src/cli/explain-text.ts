import type { Explanation } from '../dump/explain.ts'
import { outlookText, sentenceOf, sizeText } from '../errors/sentence.ts'

/** What a person reads of an explanation. */
export function explanationText(root: number, found: Explanation): string {
  return `${[...verdict(root, found), '', ...processTable(found), '', lookedAt(found)].join('\n')}\n`
}

function verdict(root: number, found: Explanation): string[] {
  const { possible, obstacles, options, remaining, outlook } = found
  if (possible) return [`the tree of process ${root} can be dumped as it is`, outlookText(outlook)]
  const refused = sentenceOf({ code: 'obstacles', obstacles, outlook })
  if (options.length === 0) return [refused, 'no option helps against all of them']
  if (remaining.length === 0) return [refused, `it can be dumped with ${options.join(' ')}`]
  const left = sentenceOf({ code: 'obstacles', obstacles: remaining })
  return [refused, '', `with ${options.join(' ')}: ${left}`]
}

function processTable({ processes }: Explanation): string[] {
  const rows = processes.map(({ pid, comm, threads, descriptors, memory }) => [
    `${pid}`,
    comm,
    `${threads}`,
    `${descriptors}`,
    sizeText(memory),
  ])
  const head = ['PID', 'COMMAND', 'THREADS', 'DESCRIPTORS', 'MEMORY']
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
  return [head, ...rows].map(line)
}

function lookedAt({ lookMicros }: Explanation): string {
  const times = lookMicros.map((micros) => `${(micros / 1000).toFixed(1)} ms`).join(' and ')
  return `nothing was changed; the tree stood still for ${times} to be looked at`
}
