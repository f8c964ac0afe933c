// Dump and restore by promises: results, progress, log lines; the event loop goes on.
import { dump, restore } from 'criu-ts'
import { assert, directory, files, lives, sleep } from './tools.mjs'

const pid = Number(process.argv[2])
const imagesDir = directory('images')

let ticks = 0
const timer = setInterval(() => ticks++, 1)
const stages = []
const lines = []
const saved = await dump({
  tree: pid,
  imagesDir,
  leaveRunning: true,
  verbosity: 3,
  onLog: (line) => lines.push(line),
  onProgress: ({ stage, bytes, total }) => {
    assert.ok(bytes <= total)
    stages.push(stage)
  },
})
assert.equal(saved.pid, pid)
assert.equal(saved.tasks, 2)
assert.ok(saved.threads >= 1 && saved.pages > 0 && saved.frozenMicros > 0)
assert.equal(saved.stats.pagesWritten, saved.pages)
assert.ok(ticks > 3, `${ticks} ticks of a timer while a dump was made`)
for (const stage of ['seize', 'pages', 'write']) assert.ok(stages.includes(stage), String(stages))
assert.ok(lines.some((line) => line.includes('seize begins')))
assert.ok(lives(pid))

const again = directory('again')
await dump({ tree: pid, imagesDir: again, logFile: 'dump.log', verbosity: 4 })
assert.ok(!lives(pid))
assert.ok(files(again).includes('dump.log'))
assert.ok(files(again).includes('inventory.img'))

const created = []
const { stats, ...tree } = await restore({
  imagesDir: again,
  onProgress: ({ stage }) => created.push(stage),
})
assert.equal(tree.pid, pid)
assert.equal(tree.tasks, 2)
assert.equal(stats.pagesRestored, tree.pages)
assert.ok(created.includes('place'))
await sleep(100)
assert.ok(lives(pid))
clearInterval(timer)
