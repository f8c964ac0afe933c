import type { Process, Snapshot } from '../snapshot/model.ts'
import { fdsView, memsView, psView, rssView } from './crit.ts'
import { filesView, mountsView, socketsView } from './lists.ts'
import { treeView } from './tree.ts'

/** Views of a directory by their name on the command line. */
export const views = {
  tree: { text: treeView, json: (snapshot: Snapshot) => snapshot },
  ps: {
    text: psView,
    json: pick('pid', 'ppid', 'pgid', 'sid', 'state', 'comm', 'command', 'threads'),
  },
  fds: { text: fdsView, json: pick('pid', 'descriptors', 'cwd', 'root') },
  mems: { text: memsView, json: withoutPages },
  rss: { text: rssView, json: pages },
  files: { text: filesView, json: ({ files }: Snapshot) => files },
  sockets: { text: socketsView, json: ({ sockets }: Snapshot) => sockets },
  mounts: { text: mountsView, json: ({ mounts }: Snapshot) => mounts },
} as const satisfies Record<string, View>

export interface View {
  text(snapshot: Snapshot): string
  json(snapshot: Snapshot): unknown
}

export type ViewName = keyof typeof views
export const viewNames = Object.keys(views) as ViewName[]

function pick(...names: (keyof Process)[]) {
  return ({ processes }: Snapshot) =>
    processes.map((process) => Object.fromEntries(names.map((name) => [name, process[name]])))
}

function withoutPages({ processes }: Snapshot) {
  return processes.map(({ pid, exe, memory }) => ({
    pid,
    exe,
    ...(memory && { size: memory.size, saved: memory.saved, mappings: memory.mappings }),
  }))
}

function pages({ processes }: Snapshot) {
  return processes.map(({ pid, memory }) => ({ pid, pages: memory?.pages ?? [] }))
}
