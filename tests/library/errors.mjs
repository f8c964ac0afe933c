// What goes wrong comes as a CriuError: its detail, a sentence, the chain of causes.
import { CriuError, check, dump, restore } from 'criu-ts'
import { assert, directory, files, lives, rejection } from './tools.mjs'

const pid = Number(process.argv[2])
const imagesDir = directory('images')

const wrong = (options) => rejection(dump({ tree: pid, imagesDir, ...options }), 'option')
const mistyped = await wrong({ leaveRuning: true })
assert.deepEqual(mistyped.detail, {
  code: 'option',
  option: 'leaveRuning',
  reason: 'is no option of criu',
  remedy: 'did you mean leaveRunning?',
})
assert.equal(mistyped.message, 'leaveRuning is no option of criu; did you mean leaveRunning?')
assert.equal(mistyped.name, 'CriuError')
for (const tree of ['abc', 0, -1, 1.5, null, {}, [pid], true]) await wrong({ tree })
await wrong({ tree: undefined })
await wrong({ imagesDir: 7 })
await wrong({ leaveRunning: 'yes' })
await wrong({ verbosity: 'high' })
await wrong({ actionScript: [{}] })
await wrong({ restoreSibling: true, nonsense: 1 })
await wrong({ leaveRunning: true, leaveStopped: true })
await wrong({ pageServer: true })
await wrong({ 'leave-running': true })
for (const name of ['help', 'version', 'close', 'displayStats', 'restoreDetached', 'execCmd'])
  assert.match((await wrong({ [name]: true })).message, /for the command line alone/)
await rejection(dump({ tree: process.pid, imagesDir }), 'option').catch(() =>
  rejection(dump({ tree: process.pid, imagesDir }), 'vanished').catch(() =>
    rejection(dump({ tree: process.pid, imagesDir }), 'conflict'),
  ),
)

await rejection(dump({ tree: 4_000_000, imagesDir }), 'vanished')
const missing = await rejection(restore({ imagesDir }), 'image')
assert.match(missing.message, /inventory\.img/)

const absent = await rejection(dump({ tree: pid, imagesDir, program: '/not/there' }), 'engine')
assert.ok(absent.cause instanceof Error)
await rejection(dump({ tree: pid, imagesDir, program: '/bin/true' }), 'engine')
assert.match(
  (await rejection(dump({ tree: pid, imagesDir, program: process.execPath }), 'engine')).message,
  /no answer/,
)

// Another program, which prints something else.
await rejection(check({ program: '/bin/echo' }), 'engine')
await rejection(restore({ imagesDir, inheritFd: ['fd[999]:x'] }), 'option')

const failing = await rejection(
  dump({ tree: pid, imagesDir, actionScript: ['exit 3 # a script'] }),
  'script',
)
assert.equal(failing.detail.hook, 'pre-dump')
assert.ok(failing instanceof Error && failing instanceof CriuError)
assert.deepEqual(files(imagesDir), [])
assert.ok(lives(pid))

// A pid that is taken; its cause crosses the process too.
await dump({ tree: pid, imagesDir, leaveRunning: true })
const taken = await rejection(restore({ imagesDir }), 'conflict')
assert.equal(taken.detail.pid, pid)
assert.match(taken.stack, /at /)
assert.ok(lives(pid))
