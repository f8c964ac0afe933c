/**
 * A server that takes long to start is started once; then as many as one likes are made from its images,
 * each in a pid namespace (its pid may be taken here) and a network namespace (so may its port) of its own.
 *
 *   node warm.mjs COUNT PORT PROGRAM [ARGUMENT ...]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { dump, restore } from 'criu-ts'

const [first, ...rest] = process.argv.slice(2)
if (first === 'instance') await instance(...rest)
else await warm(Number(first), rest[0], rest.slice(1))

async function warm(count, port, program) {
  const imagesDir = mkdtempSync('images-')
  const server = spawn('setsid', program, { stdio: 'ignore' })
  await answer(port)
  await dump({ tree: server.pid, imagesDir })
  const begun = performance.now()
  const all = Array.from({ length: count }, (_, i) => start(i, port, imagesDir, server.pid))
  const answers = await Promise.all(all)
  console.log(`${count} servers within ${Math.round(performance.now() - begun)} ms:`)
  for (const text of answers) console.log(text.trim())
  rmSync(imagesDir, { recursive: true })
}

/** This very program once more, in namespaces of its own; our pids there are far from the server's. */
async function start(number, port, imagesDir, pid) {
  const lastPid = pid < 10_000 ? 20_000 : 100
  const ownProgram = [process.execPath, import.meta.filename ?? new URL(import.meta.url).pathname]
  const prepare = `ip link set lo up && echo ${lastPid} >/proc/sys/kernel/ns_last_pid && exec "$@"`
  const inside = [prepare, 'sh', ...ownProgram, 'instance', number, port, imagesDir]
  const options = [
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--net',
    'sh',
    '-c',
    ...inside,
  ]
  const child = spawn('unshare', options.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  const texts = []
  child.stdout.on('data', (text) => texts.push(text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`instance ${number} ended with ${code}`)
  return Buffer.concat(texts).toString()
}

/** Here the server would go on until the end of the namespace; this one answers once. */
async function instance(number, port, imagesDir) {
  const own = `${imagesDir}/work-${number}`
  mkdirSync(own)
  const { pid } = await restore({ imagesDir, workDir: own })
  console.log(`${number}: pid ${pid}, ${await answer(port)}`)
  process.kill(pid, 'SIGKILL')
}

async function answer(port) {
  for (let tries = 0; ; tries++) {
    try {
      return await (await fetch(`http://127.0.0.1:${port}/`)).text()
    } catch (error) {
      if (tries === 600) throw error
      await sleep(50)
    }
  }
}
