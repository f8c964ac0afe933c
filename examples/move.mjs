/**
 * Moves a process to another host: saves it here, copies the images, brings it back there. What it has
 * open by path must be there too; that it listens at a port comes along.
 *
 *   node move.mjs PID FROM TO
 *
 * FROM and TO are hosts: here network namespaces (/proc/PID/ns/net), entered by nsenter. Between machines
 * `on` would be `ssh HOST node move.mjs …`, and `copy` rsync.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dump, restore } from 'criu-ts'

const roles = { save, bring }
const [first, ...rest] = process.argv.slice(2)
await (first in roles ? roles[first](...rest) : move(first, ...rest))

async function move(pid, from, to) {
  const here = mkdtempSync('images-')
  const there = mkdtempSync('copied-')
  await on(from, 'save', pid, here)
  copy(here, there)
  try {
    await on(to, 'bring', there)
  } catch (error) {
    // There it cannot go on: it does here.
    await on(from, 'bring', here)
    throw error
  } finally {
    for (const images of [here, there]) rmSync(images, { recursive: true })
  }
}

async function save(pid, imagesDir) {
  const { frozenMicros, pages } = await dump({
    tree: Number(pid),
    imagesDir,
    tcpEstablished: false,
  })
  console.log(`saved ${pages} pages in ${Math.round(frozenMicros / 1000)} ms`)
}

async function bring(imagesDir) {
  const { pid } = await restore({ imagesDir })
  console.log(`process ${pid} goes on`)
}

/** Runs a part of this program on a host. */
async function on(host, ...words) {
  const command = [`--net=${host}`, process.execPath, fileURLToPath(import.meta.url), ...words]
  const [code] = await once(spawn('nsenter', command, { stdio: 'inherit' }), 'close')
  if (code !== 0) throw new Error(`${words[0]} on ${host} ended with ${code}`)
}

function copy(from, to) {
  cpSync(from, to, { recursive: true })
}
