import { VMA } from '../../images/vma-status.ts'
import { type Mapping, PAGE, type Process, type Snapshot } from '../snapshot/model.ts'
import { hex8 } from './layout.ts'

/** The views of `crit x DIR ps|fds|mems|rss`, in its form: scripts read them. */

/** crit indents a command by its depth in the tree. */
export function psView({ processes }: Snapshot): string {
  const depths = new Map<number, number>()
  const lines = processes.map(({ pid, ppid, pgid, sid, comm }) => {
    const depth = depths.get(ppid) === undefined ? 0 : depths.get(ppid)! + 1
    depths.set(pid, depth)
    return `${cell(pid)}${cell(pgid)}${cell(sid)}   ${'    '.repeat(depth)}${comm}`
  })
  return ['    PID   PGID    SID   COMM', ...lines, ''].join('\n')
}

const cell = (value: number): string => String(value).padStart(7)

export function fdsView({ processes }: Snapshot): string {
  return processes.map(fdLines).join('')
}

function fdLines({ pid, descriptors, cwd, root }: Process): string {
  const rows = [
    ...descriptors.map(({ fd, name }) => [String(fd), name]),
    ...(cwd === undefined ? [] : [['cwd', cwd]]),
    ...(root === undefined ? [] : [['root', root]]),
  ]
  return `${pid}\n${rows.map(([fd, name]) => `\t${fd!.padStart(7)}: ${name}\n`).join('')}`
}

export function memsView({ processes }: Snapshot): string {
  return processes.map(memoryLines).join('')
}

function memoryLines({ pid, exe, memory }: Process): string {
  if (memory === undefined) return `${pid}\n`
  const lines = memory.mappings.map((mapping) => {
    const range = `${hex8(mapping.start)}-${hex8(mapping.end)}`
    return `\t${range.padEnd(36)}${mapping.access}${mappingText(mapping)}\n`
  })
  return `${pid}\n\t${'exe'.padEnd(36)}    ${exe ?? 'unknown path'}\n${lines.join('')}`
}

/** Heap and vvar have no name in crit; `*` marks what is no regular mapping. */
function mappingText({ name, offset, shared, status }: Mapping): string {
  const ofFile = isOfFile(status)
  const parts = [
    name,
    ...(ofFile && offset !== 0 ? [`+ 0x${offset.toString(16)}`] : []),
    ...(ofFile && shared ? ['(s)'] : []),
    ...(status & VMA.regular ? [] : ['*']),
  ].filter((part) => part !== '')
  return parts.map((part) => ` ${part}`).join('')
}

const isOfFile = (status: number): boolean =>
  (status & (VMA.fileShared | VMA.filePrivate)) !== 0 &&
  (status & (VMA.anonShared | VMA.sysvIpc | VMA.socket)) === 0

/** Each range of saved pages, and beside it the mappings that it lies in; `~`: the same as above. */
export function rssView({ processes }: Snapshot): string {
  return processes.map(residentLines).join('')
}

function residentLines({ pid, memory }: Process): string {
  if (memory === undefined) return `${pid}\n`
  const { mappings, pages } = memory
  const lines: string[] = []
  let at = 0
  let shown = -1
  for (const range of pages) {
    const end = range.start + range.pages * PAGE
    while (at < mappings.length && mappings[at]!.end <= range.start) at++
    const beside: string[] = []
    for (let i = at; i < mappings.length && mappings[i]!.start < end; i++) {
      beside.push(i === shown ? ' ~' : ` ${residentText(mappings[i]!)}`)
      shown = i
    }
    const left = `${range.start.toString(16)} / ${String(range.pages).padEnd(8)}`
    lines.push(`\t${`${left.padEnd(23)}${beside[0] ?? ''}`.trimEnd()}\n`)
    lines.push(...beside.slice(1).map((text) => `\t${' '.repeat(23)}${text.trimEnd()}\n`))
  }
  return `${pid}\n${lines.join('')}`
}

function residentText({ start, end, name, status }: Mapping): string {
  const text = `${hex8(start)} / ${String((end - start) / PAGE).padEnd(8)}`
  return isOfFile(status) ? `${text} ${name}` : text
}
