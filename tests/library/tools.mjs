import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CriuError } from 'criu-ts'

export { assert, sleep }

/** A new, empty directory of that name, absolute. */
export function directory(name) {
  rmSync(name, { recursive: true, force: true })
  mkdirSync(name)
  return `${process.cwd()}/${name}`
}

/** The detail of the error with which a promise is rejected. */
export async function rejection(promise, code) {
  const error = await promise.then(
    (value) => assert.fail(`fulfilled: ${JSON.stringify(value)}`),
    (reason) => reason,
  )
  assert.ok(error instanceof CriuError, String(error?.stack ?? error))
  assert.equal(error.detail.code, code, error.message)
  assert.ok(error.message.length > 10, error.message)
  return error
}

/** Is there a process that has not ended. */
export const lives = (pid) => existsSync(`/proc/${pid}/stat`) && !isZombie(pid)

import { readFileSync } from 'node:fs'

function isZombie(pid) {
  try {
    return /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return true
  }
}

export const files = (path) => readdirSync(path)

/** Until something holds; fails after some seconds. */
export async function until(what, holds) {
  for (const begun = Date.now(); !(await holds()); await sleep(20))
    if (Date.now() - begun > 20_000) assert.fail(`not within 20 s: ${what}`)
}
