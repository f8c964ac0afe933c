import type { Process, Snapshot } from '../snapshot/model.ts'
import { columns, drawTree, plural, size, type TreeNode } from './layout.ts'

/** The tree with what each process has, and what the whole takes. */
export function treeView(snapshot: Snapshot): string {
  const total = snapshot.images.reduce((sum, image) => sum + image.size, 0)
  const { statistics, parent } = snapshot
  const head = [
    ['images', `${snapshot.directory}: ${plural(snapshot.images.length, 'file')}, ${size(total)}`],
    ...(parent === undefined ? [] : [['parent', parent]]),
    ...(statistics === undefined ? [] : [['frozen', milliseconds(statistics.frozen)]]),
    ...sharedLine(snapshot),
    ...mountLine(snapshot),
  ]
  return `${columns(head)}\n${drawTree(nodes(snapshot.processes))}`
}

const milliseconds = (micros: number): string => `${(micros / 1000).toFixed(1)} ms`

function sharedLine({ sharedMemory }: Snapshot): string[][] {
  if (sharedMemory.length === 0) return []
  const saved = sharedMemory.reduce((sum, one) => sum + one.saved, 0)
  return [['shared', `${plural(sharedMemory.length, 'segment')}, ${size(saved)} saved`]]
}

function mountLine({ mounts }: Snapshot): string[][] {
  if (mounts.length === 0) return []
  const spaces = new Set(mounts.map((mount) => mount.namespace)).size
  return [['mounts', `${mounts.length} in ${plural(spaces, 'namespace')}`]]
}

/** Roots are those whose parent is none of the images' own. */
export function nodes(processes: readonly Process[]): TreeNode[] {
  const byParent = Map.groupBy(processes, (process) => process.ppid)
  const pids = new Set(processes.map((process) => process.pid))
  const made = new Map<number, TreeNode & { readonly children: TreeNode[] }>()
  for (const process of processes) made.set(process.pid, { lines: linesOf(process), children: [] })
  for (const [parent, children] of byParent) {
    made.get(parent)?.children.push(...children.map((child) => made.get(child.pid)!))
  }
  return processes
    .filter(({ ppid, pid }) => !pids.has(ppid) || ppid === pid)
    .map(({ pid }) => made.get(pid)!)
}

function linesOf(process: Process): string[] {
  const { pid, comm, command, state, exitCode, memory, threads, descriptors } = process
  const shown = command.length > 0 ? command.join(' ') : comm
  if (memory === undefined) return [`${pid} ${comm} (${ending(state, exitCode)})`]
  const stopped = state === 'alive' ? '' : ` (${state})`
  const sockets = descriptors.filter(({ type }) => type.endsWith('SK')).length
  return [
    `${pid} ${shown}${stopped}`,
    [
      `${size(memory.saved)} of ${size(memory.size)} saved`,
      plural(memory.mappings.length, 'mapping'),
      plural(threads.length, 'thread'),
      plural(descriptors.length, 'descriptor'),
      ...(sockets === 0 ? [] : [plural(sockets, 'socket')]),
    ].join(', '),
  ]
}

/** As wait(2) tells it: a signal in the low seven bits, an exit status above. */
function ending(state: string, code: number): string {
  if (state !== 'dead') return state
  return code & 0x7f ? `dead, signal ${code & 0x7f}` : `dead, exit code ${(code >>> 8) & 0xff}`
}
