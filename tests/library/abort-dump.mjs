// A dump that is aborted leaves the tree running and no images, whenever it is; one that is over stays.
import { writeFileSync } from 'node:fs'
import { dump } from 'criu-ts'
import { assert, directory, files, lives, rejection, sleep, until } from './tools.mjs'

const pid = Number(process.argv[2])

// Before it begins.
const early = await rejection(
  dump({ tree: pid, imagesDir: directory('images'), signal: AbortSignal.abort('changed my mind') }),
  'aborted',
)
assert.equal(early.cause, 'changed my mind')

// At each hook: the script waits until the abort is made.
for (const hook of ['pre-dump', 'network-lock']) {
  const imagesDir = directory('images')
  const signs = directory('signs')
  const script = `[ $CRTOOLS_SCRIPT_ACTION != ${hook} ] || { : >${signs}/here; while [ ! -e ${signs}/go ]; do sleep 0.01; done; }`
  const controller = new AbortController()
  const job = dump({ tree: pid, imagesDir, actionScript: [script], signal: controller.signal })
  const rejected = rejection(job, 'aborted')
  await until(`the hook ${hook}`, () => files(signs).includes('here'))
  controller.abort()
  await sleep(50)
  writeFileSync(`${signs}/go`, '')
  await rejected
  assert.deepEqual(files(imagesDir), [], hook)
  assert.ok(lives(pid))
}

// A script that would never end is ended.
for (const hook of ['pre-dump', 'network-lock', 'post-dump']) {
  const imagesDir = directory('images')
  const signs = directory('signs')
  const script = `[ $CRTOOLS_SCRIPT_ACTION != ${hook} ] || { : >${signs}/here; exec sleep 1000; }`
  const controller = new AbortController()
  const job = dump({ tree: pid, imagesDir, actionScript: [script], signal: controller.signal })
  const rejected = rejection(job, 'aborted')
  await until(`the hook ${hook}`, () => files(signs).includes('here'))
  controller.abort('too slow')
  await rejected
  assert.deepEqual(files(imagesDir), [], hook)
  assert.ok(lives(pid))
}

// At each stage that progress tells, and at any moment.
let [aborted, saved] = [0, 0]
for (const moment of ['probe', 'seize', 'drain', 'infect', 'pages', 'write', 5, 20, 60, 90, 120]) {
  const imagesDir = directory('images')
  const controller = new AbortController()
  const onProgress = ({ stage }) => stage === moment && controller.abort()
  if (typeof moment === 'number') setTimeout(() => controller.abort(), moment)
  const options = { tree: pid, imagesDir, leaveRunning: true, signal: controller.signal }
  const result = await dump({ ...options, onProgress }).catch((error) => error)
  if (result instanceof Error) {
    assert.equal(result.detail?.code, 'aborted', result.message)
    assert.deepEqual(files(imagesDir), [], `images, aborted at ${moment}`)
    aborted++
  } else {
    assert.ok(files(imagesDir).includes('inventory.img'))
    saved++
  }
  assert.ok(lives(pid), `the tree, aborted at ${moment}`)
}
console.log(`${aborted} aborted, ${saved} saved`)
assert.ok(aborted >= 4)
