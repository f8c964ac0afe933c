/**
 * Snapshots of a long job, each hour, to go back to any of them.
 *
 *   node rewind.mjs run DIRECTORY SECONDS PROGRAM [ARGUMENT ...]   start it in DIRECTORY, and save it regularly
 *   node rewind.mjs back DIRECTORY NUMBER                          go on from that snapshot
 *
 * DIRECTORY/work is the job's, DIRECTORY/NUMBER a snapshot: images, and `files` as they were at that moment.
 */
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CriuError, dump, restore } from 'criu-ts'

const [command, place, ...rest] = process.argv.slice(2)
const directory = resolve(place)
const work = `${directory}/work`
const pidFile = `${directory}/pid`

if (command === 'run') await run(Number(rest[0]), rest.slice(1))
else await goBack(rest[0])

async function run(seconds, program) {
  mkdirSync(work, { recursive: true })
  const job = spawn('setsid', program, { cwd: work, stdio: 'ignore' })
  writeFileSync(pidFile, String(job.pid))
  const ended = new Promise((tell) => job.on('exit', () => tell(true)))
  while (!(await Promise.race([ended, sleep(seconds * 1000)]))) await snapshot(job.pid)
}

/** The job stands still for some milliseconds; its files are copied in that time. */
async function snapshot(tree) {
  const imagesDir = `${directory}/${next()}`
  mkdirSync(imagesDir)
  const copy = `[ $CRTOOLS_SCRIPT_ACTION != post-dump ] || cp -a --reflink=auto '${work}' '${imagesDir}/files'`
  try {
    const { frozenMicros } = await dump({
      tree,
      imagesDir,
      leaveRunning: true,
      actionScript: [copy],
    })
    console.log(`${imagesDir}: it stood still for ${frozenMicros / 1000} ms`)
  } catch (error) {
    // It goes on as it was. Its end is no failure.
    rmSync(imagesDir, { recursive: true })
    if (!(error instanceof CriuError) || error.detail.code !== 'vanished') throw error
  }
}

function next() {
  return 1 + Math.max(0, ...readdirSync(directory).map((name) => Number(name) || 0))
}

async function goBack(number) {
  const imagesDir = `${directory}/${number}`
  const pid = Number(readFileSync(pidFile, 'utf8'))
  await end(pid)
  rmSync(work, { recursive: true })
  cpSync(`${imagesDir}/files`, work, { recursive: true, preserveTimestamps: true })
  await restore({ imagesDir })
  console.log(`process ${pid} goes on from ${imagesDir}`)
}

/** It leads a session and a process group: all of it. */
async function end(pid) {
  if (existsSync(`/proc/${pid}`)) process.kill(-pid, 'SIGKILL')
  while (existsSync(`/proc/${pid}`)) await sleep(10)
}
