// Descriptors of the caller by the numbers that the caller has, 1 among them.
import { openSync, readlinkSync } from 'node:fs'
import { dump, restore } from 'criu-ts'
import { assert, directory } from './tools.mjs'

const pid = Number(process.argv[2])
const name = readlinkSync(`/proc/${pid}/fd/50`)
const imagesDir = directory('images')
await dump({ tree: pid, imagesDir })
const fd = openSync('next', 'a')
await restore({ imagesDir, inheritFd: [`fd[${fd}]:${name}`] })
assert.equal(readlinkSync(`/proc/${pid}/fd/50`), `${process.cwd()}/next`)
