// A user's program: the types of the package. Compiled, not run.
import {
  CriuError,
  dump,
  explain,
  type Obstacle,
  type Plugin,
  readImages,
  restore,
  type Snapshot,
} from 'criu-ts'

const { signal } = new AbortController()
const saved = await dump({
  tree: 1,
  imagesDir: 'x',
  ghostLimit: '2M',
  external: ['unix[5]'],
  signal,
  onProgress: ({ stage, bytes }) => console.log(stage.length + bytes),
})
const pages: number = saved.pages + (saved.stats.pagesWritten ?? 0)
const { pid } = await restore({ imagesDir: 'x', inheritFd: ['fd[1]:pipe:[5]'] })

// @ts-expect-error: mistyped
await dump({ tree: 1, imagesDirr: 'x' })
// @ts-expect-error: the tree is needed
await dump({})
// @ts-expect-error: no number
await dump({ tree: '1' })

const obstacles = (error: unknown): readonly Obstacle[] =>
  error instanceof CriuError && error.detail.code === 'obstacles' ? error.detail.obstacles : []

const images: Snapshot = await readImages('x')
const plugin = {
  name: 'x',
  dumpExtFile: ({ path }) => (path === '/dev/x' ? { path } : undefined),
  restoreExtFile: () => 3,
} satisfies Plugin
console.log(pages, pid, obstacles, images.processes, plugin, await explain({ tree: 1 }))
