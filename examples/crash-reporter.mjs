/**
 * Runs a program, and keeps its last good state: when it crashes, the report has the images of it as it was
 * some moments before, to be looked at as often as one likes.
 *
 *   node crash-reporter.mjs run DIRECTORY SECONDS PROGRAM [ARGUMENT ...]
 *   node crash-reporter.mjs revive DIRECTORY    brings it back, stopped: attach a debugger, then kill -CONT
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CriuError, dump, restore } from 'criu-ts'

const [command, place, ...rest] = process.argv.slice(2)
const directory = resolve(place)
const [good, next] = [`${directory}/good`, `${directory}/next`]

if (command === 'run') await run(Number(rest[0]), rest.slice(1))
else await revive()

async function run(seconds, program) {
  mkdirSync(directory, { recursive: true })
  const child = spawn('setsid', program, { stdio: ['ignore', 'inherit', 'inherit'] })
  const stop = new AbortController()
  const ended = new Promise((tell) =>
    child.on('exit', (code, signal) => {
      stop.abort()
      tell({ code, signal })
    }),
  )
  const saving = keepState(child.pid, seconds, stop.signal)
  const { code, signal } = await ended
  await saving
  if (code === 0) return
  const report = { program, code, signal, when: new Date().toISOString(), state: existsSync(good) }
  writeFileSync(`${directory}/report.json`, JSON.stringify(report, null, 2))
  console.log(`${program[0]} ended with ${signal ?? code}; the report is in ${directory}`)
}

/** A state replaces the one before only once it is whole. */
async function keepState(tree, seconds, signal) {
  while (!signal.aborted) {
    rmSync(next, { recursive: true, force: true })
    mkdirSync(next)
    try {
      await dump({ tree, imagesDir: next, leaveRunning: true, signal })
      rmSync(good, { recursive: true, force: true })
      renameSync(next, good)
    } catch (error) {
      rmSync(next, { recursive: true, force: true })
      if (!isEnd(error)) console.error(`no state was saved: ${error.message}`)
    }
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {})
  }
}

/** The program is gone, which its exit tells better. */
function isEnd(error) {
  return error instanceof CriuError && ['vanished', 'aborted'].includes(error.detail.code)
}

async function revive() {
  const { pid } = await restore({ imagesDir: good, leaveStopped: true })
  console.log(`process ${pid} stands still: gdb -p ${pid}`)
}
