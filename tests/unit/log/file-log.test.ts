import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CriuError } from '../../../src/errors/error.ts'
import { noProgress } from '../../../src/job/progress.ts'
import { openLog } from '../../../src/log/file-log.ts'
import { stage } from '../../../src/log/stage.ts'

let directory = ''
let path = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'))
  path = join(directory, 'dump.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

const written = (name = path): string => readFileSync(name, 'utf8')

/** A clock that shows the same moment 1234567 µs after the log was opened. */
function still(): () => number {
  let asked = false
  return () => {
    const first = !asked
    asked = true
    return first ? 0 : 1234.567
  }
}

describe('lines', () => {
  test('have the time, and the place for errors and warnings', () => {
    const log = openLog({ verbosity: 4, path, now: still() })
    log.error('broken')
    log.warn('odd')
    log.info('here')
    log.debug(() => 'deep')
    log.close()
    const [error, warn, ...rest] = written().trimEnd().split('\n')
    expect(error).toMatch(/^\(01\.234567\) Error \(.*file-log\.test\.ts:\d+\): broken$/)
    expect(warn).toMatch(/^\(01\.234567\) Warn {2}\(.*file-log\.test\.ts:\d+\): odd$/)
    expect(rest).toEqual(['(01.234567) here', '(01.234567) deep'])
  })

  test('have no time below level 3', () => {
    const log = openLog({ verbosity: 2, path })
    log.warn('odd')
    log.close()
    expect(written()).toMatch(/^Warn {2}\(/)
  })

  test.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
  ])('level %d writes the first %d kinds', (verbosity, count) => {
    const log = openLog({ verbosity, path })
    log.error('a')
    log.warn('b')
    log.info('c')
    log.debug(() => 'd')
    log.close()
    expect(written().split('\n').length - 1).toBe(count)
  })

  test('of one text each carry the head', () => {
    const log = openLog({ verbosity: 1, path })
    log.error('one\ntwo')
    log.close()
    expect(written().match(/Error \(/g)).toHaveLength(2)
  })

  test('below warnings are held back, and written with the next warning', () => {
    const log = openLog({ verbosity: 3, path })
    log.info('held')
    expect(written()).toBe('')
    log.warn('odd')
    expect(written()).toContain('held')
    log.close()
  })

  test('a debug text is not made when nobody reads it', () => {
    const log = openLog({ verbosity: 3, path })
    log.debug(() => {
      throw new Error('made')
    })
    log.close()
  })
})

test('an existing file is emptied, not replaced', () => {
  writeFileSync(path, 'old')
  const before = statSync(path).ino
  openLog({ verbosity: 1, path }).close()
  expect(statSync(path).ino).toBe(before)
  expect(written()).toBe('')
})

test('a log that cannot be opened is an option error', () => {
  const gone = join(directory, 'gone', 'x.log')
  expect(() => openLog({ verbosity: 1, path: gone })).toThrow(CriuError)
})

test('a failure is located where it was thrown, with its causes at level 4', () => {
  const log = openLog({ verbosity: 4, path })
  const cause = new Error('deeper')
  log.failure(new CriuError({ code: 'internal', reason: 'x' }, { cause }))
  log.close()
  expect(written()).toMatch(/Error \(.*file-log\.test\.ts:\d+\): criu itself is at fault: x/)
  expect(written()).toContain('caused by: ')
  expect(written()).toContain('deeper')
})

describe('logs of tasks', () => {
  test('share the file, with the pid before each line', () => {
    const log = openLog({ verbosity: 3, path, now: still() })
    log.forTask(42).info('hello')
    log.close()
    expect(written()).toBe('(01.234567)     42: hello\n')
  })

  test('or have files of their own', () => {
    const log = openLog({ verbosity: 3, path, perTask: true, now: still() })
    expect(log.forTask(42)).toBe(log.forTask(42))
    log.forTask(42).info('hello')
    log.forTask(43).error('broken')
    log.close()
    expect(written()).toBe('')
    expect(written(`${path}.42`)).toBe('(01.234567) hello\n')
    expect(written(`${path}.43`)).toContain('broken')
  })
})

describe('a stage', () => {
  test('tells how long it took, and stays synchronous', () => {
    const log = openLog({ verbosity: 3, path })
    expect(stage({ log, progress: noProgress }, 'seize', () => 7)).toBe(7)
    log.close()
    expect(written()).toMatch(/seize begins\n.*seize done after \d+\.\d{3} ms\n/)
  })

  test('tells that it failed', async () => {
    const log = openLog({ verbosity: 3, path })
    const thrown = () =>
      stage({ log, progress: noProgress }, 'seize', () => Promise.reject(new Error('no')))
    expect(thrown()).rejects.toThrow('no')
    await thrown().catch(() => {})
    log.close()
    expect(written()).toContain('seize failed after')
  })
})
