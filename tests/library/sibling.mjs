// restoreSibling makes the root a child of the caller.
import { readFileSync } from 'node:fs'
import { dump, restore } from 'criu-ts'
import { assert, directory } from './tools.mjs'

const pid = Number(process.argv[2])
const imagesDir = directory('images')
await dump({ tree: pid, imagesDir })
await restore({ imagesDir, restoreSibling: true })
const [, parent] = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
assert.equal(Number(parent), process.pid)
