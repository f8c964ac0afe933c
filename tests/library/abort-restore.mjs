// A restore that is aborted leaves no process; one that is over leaves its tree.
import { writeFileSync } from 'node:fs'
import { dump, restore } from 'criu-ts'
import { assert, directory, files, lives, rejection, sleep, until } from './tools.mjs'

const pid = Number(process.argv[2])
const imagesDir = directory('images')
await dump({ tree: pid, imagesDir })

for (const hook of ['pre-restore', 'setup-namespaces', 'post-setup-namespaces', 'post-restore']) {
  const signs = directory('signs')
  const script = `[ $CRTOOLS_SCRIPT_ACTION != ${hook} ] || { : >${signs}/here; while [ ! -e ${signs}/go ]; do sleep 0.01; done; }`
  const controller = new AbortController()
  const options = { imagesDir, actionScript: [script], signal: controller.signal, pidfile: 'pid' }
  const rejected = rejection(restore(options), 'aborted')
  await until(`the hook ${hook}`, () => files(signs).includes('here'))
  controller.abort(new Error('no more'))
  await sleep(50)
  writeFileSync(`${signs}/go`, '')
  assert.equal((await rejected).cause?.message, 'no more')
  assert.ok(!lives(pid), `the tree, aborted at ${hook}`)
  assert.ok(!files(imagesDir).includes('pid'))
}

let aborted = 0
for (const moment of ['read', 'open', 'create', 'place', 'connect', 1, 10, 30, 50]) {
  const controller = new AbortController()
  const onProgress = ({ stage }) => stage === moment && controller.abort()
  if (typeof moment === 'number') setTimeout(() => controller.abort(), moment)
  const options = { imagesDir, onProgress, signal: controller.signal }
  const result = await restore(options).catch((error) => error)
  if (result instanceof Error) {
    assert.equal(result.detail?.code, 'aborted', result.message)
    assert.ok(!lives(pid), `the tree, aborted at ${moment}`)
    aborted++
  } else {
    assert.ok(lives(pid))
    await dump({ tree: pid, imagesDir: directory('images') })
  }
}
console.log(`${aborted} aborted`)
assert.ok(aborted >= 3)
await restore({ imagesDir })
