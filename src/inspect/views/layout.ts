/** Sizes, tables and trees as text. */

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P'] as const

/** `512 B`, `4 K`, `1.5 G`: of 1024, at most three digits and a point. */
export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  const text = value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)
  return `${text} ${UNITS[unit]}`
}

/** Columns as wide as their longest value; `right` are the numbers of those flush right. */
export function columns(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** As %08lx. */
export const hex8 = (address: number): string => address.toString(16).padStart(8, '0')

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** What a node of a tree is: its lines, and those below it. */
export interface TreeNode {
  readonly lines: readonly string[]
  readonly children: readonly TreeNode[]
}

/** Lines drawn as pstree and tree draw them. A loop, not a recursion: trees may be deep. */
export function drawTree(roots: readonly TreeNode[]): string {
  const found: string[] = []
  const left = roots.toReversed().map((node) => ({ node, head: '', tail: '' }))
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { node, head, tail } = next
    const [first = '', ...rest] = node.lines
    const bar = node.children.length > 0 ? '│ ' : '  '
    found.push(head + first, ...rest.map((line) => tail + bar + line))
    const last = node.children.length - 1
    for (const [i, child] of [...node.children.entries()].reverse()) {
      const [branch, below] = i === last ? ['└─ ', '   '] : ['├─ ', '│  ']
      left.push({ node: child, head: tail + branch, tail: tail + below })
    }
  }
  return found.map((line) => `${line.trimEnd()}\n`).join('')
}
