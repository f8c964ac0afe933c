// check, explain and readImages: plain objects; nothing is changed.
import { check, dump, explain, readImages } from 'criu-ts'
import { assert, directory, files, lives, rejection } from './tools.mjs'

const pid = Number(process.argv[2])
const imagesDir = directory('images')

const { verdict, features } = await check()
assert.equal(verdict, 'good')
assert.ok(features.length > 3 && features.every(({ name, need, cost }) => name && need && cost))
const some = await check({ feature: [features[0].name] })
assert.deepEqual(
  some.features.map(({ name }) => name),
  [features[0].name],
)
assert.ok((await check({ all: true })).features.length > features.length)
await rejection(check({ feature: ['nonsense'] }), 'option')
await rejection(check({ tree: pid }), 'option')

const found = await explain({ tree: pid })
assert.equal(found.possible, true)
assert.deepEqual(found.obstacles, [])
assert.ok(found.outlook.bytes > 0 && found.outlook.millis > 0)
assert.equal(found.processes[0].pid, pid)
assert.ok(found.lookMicros[0] > 0)
await rejection(explain({ tree: 4_000_000 }), 'vanished')
assert.ok(lives(pid))

await dump({ tree: pid, imagesDir, leaveRunning: true })
const images = await readImages(imagesDir)
assert.equal(images.processes.length, found.processes.length)
assert.equal(images.processes[0].pid, pid)
assert.ok(images.processes[0].descriptors.length > 0)
assert.ok(images.processes[0].memory.mappings.some(({ kind }) => kind === 'stack'))
assert.ok(images.statistics.pagesWritten > 0)
assert.equal(images.images.length, files(imagesDir).length)
assert.equal((await readImages('images')).directory, imagesDir)
await rejection(readImages(directory('empty')), 'image')
