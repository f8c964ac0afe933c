import { type Mapping, PAGE } from '../snapshot/model.ts'
import { hex8, plural, size } from '../views/layout.ts'
import type { ChangedRange, Difference, PageDifference, ProcessDifference, Side } from './model.ts'

/** A difference for people; `+` came, `-` went, `~` changed. */
export function diffText(difference: Difference): string {
  const { before, after, same, came, went, changed, sharedMemory } = difference
  return lines([
    `- ${sideText(before)}`,
    `+ ${sideText(after)}`,
    '',
    ...(same ? ['nothing differs'] : []),
    ...went.map(({ pid, comm }) => `- ${pid} ${comm}`),
    ...came.map(({ pid, comm }) => `+ ${pid} ${comm}`),
    ...changed.flatMap(processLines),
    ...sharedMemory.map(({ id, pages }) => `~ shared memory ${id}: ${countText(pages)}`),
  ])
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('')

const sideText = ({ directory, processes, saved, size: bytes }: Side): string =>
  `${directory}: ${plural(processes, 'process', 'processes')}, ${size(saved)} of memory, ${size(bytes)} of files`

function processLines(process: ProcessDifference): string[] {
  const { pid, comm, facts, threads, mappings, pages, descriptors } = process
  return [
    `~ ${pid} ${comm}`,
    ...facts.map(({ name, before, after }) => `    ${name}: ${before} → ${after}`),
    ...threads.went.map((tid) => `  - thread ${tid}`),
    ...threads.came.map((tid) => `  + thread ${tid}`),
    ...mappings.went.map((one) => `  - ${mappingText(one)}`),
    ...mappings.came.map((one) => `  + ${mappingText(one)}`),
    ...mappings.changed.map(
      ({ before, after }) => `  ~ ${mappingText(before)} → ${mappingText(after)}`,
    ),
    ...(pages.ranges.length === 0 ? [] : pageLines(pages)),
    ...descriptors.went.map(({ fd, name }) => `  - fd ${fd}: ${name}`),
    ...descriptors.came.map(({ fd, name }) => `  + fd ${fd}: ${name}`),
    ...descriptors.changed.map(({ fd, before, after, fields }) => {
      const names = before === after ? after : `${before} → ${after}`
      return `  ~ fd ${fd}: ${names} (${fields.join(', ')})`
    }),
  ]
}

const mappingText = ({ start, end, access, name }: Mapping): string =>
  `${hex8(start)}-${hex8(end)} ${access}${name === '' ? '' : ` ${name}`}`

/** More ranges than these are counted, not listed; `--json` has all. */
const MOST_RANGES = 20
const SIGNS = { changed: '~', came: '+', went: '-' } as const

function pageLines(pages: PageDifference): string[] {
  const { ranges } = pages
  const listed = ranges
    .slice(0, MOST_RANGES)
    .map((range) => `      ${SIGNS[range.change]} ${rangeText(range)}`)
  const rest = ranges.length - listed.length
  const more = rest === 0 ? [] : [`      and ${plural(rest, 'range')} more`]
  return [`  ~ ${countText(pages)}`, ...listed, ...more]
}

const rangeText = ({ start, pages }: ChangedRange): string =>
  `${hex8(start)}-${hex8(start + pages * PAGE)} ${plural(pages, 'page')}`

function countText({ same, changed, came, went }: PageDifference): string {
  const parts = [
    `${changed} of ${plural(same + changed, 'page')} changed`,
    ...(came === 0 ? [] : [`${came} came`]),
    ...(went === 0 ? [] : [`${went} went`]),
  ]
  return parts.join(', ')
}
