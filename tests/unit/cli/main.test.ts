import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Engine } from '../../../src/cli/engine.ts'
import { main } from '../../../src/cli/main.ts'
import { fail } from '../../../src/errors/error.ts'
import type { DumpOptions, RestoreOptions } from '../../../src/job/options.ts'
import { hostPid } from '../../../src/kernel/types.ts'
import { commandTable } from '../../../src/options/commands.ts'
import { commands } from '../../../src/options/row.ts'
import { table } from '../../../src/options/table.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cli-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** An engine that notes what it was asked, and what it was made of. */
function fakeEngine() {
  const asked: (DumpOptions | RestoreOptions | string)[] = []
  const report = { root: hostPid(7), tasks: 1, threads: 1, pages: 3 }
  const made: Engine = {
    dump: async () => ({
      dump: async (options, ctx) => {
        asked.push(options)
        if (options.tree === 404) fail({ code: 'vanished', pid: 404, reason: 'no such process' })
        ctx.scripts.run('pre-dump')
        ctx.stats.count('pagesWritten', 3)
        return { ...report, frozenMicros: 1 }
      },
    }),
    restore: async () => ({
      restore: async (options) => {
        asked.push(options)
        return report
      },
      plan: async () => 'the plan\n',
      waitForRoot: (root) => asked.push(`waited for ${root}`),
    }),
    programs: async () => ({
      runProgram: (argv) => {
        asked.push(`ran ${argv.join(' ')}`)
        return { kind: 'exited', code: 0 }
      },
      replaceProgram: (path, argv) => {
        asked.push(`became ${path} as ${argv.join(' ')}`)
        return 8
      },
    }),
    interrupts: async () => ({
      check() {},
      whileWanted: (run) => run,
      reasonOf: (error) => error,
      die() {},
      [Symbol.dispose]() {},
    }),
  }
  return { made, asked }
}

async function criu(...argv: string[]) {
  const { made, asked } = fakeEngine()
  let out = ''
  let err = ''
  const io = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
  }
  const code = await main(argv, made, io)
  return { code, out, err, asked }
}

test('--version prints what upstream prints, without a git id', async () => {
  expect(await criu('--version')).toMatchObject({ code: 0, out: 'Version: 4.2\n', err: '' })
  expect(await criu('dump', '-V')).toMatchObject({ code: 0, out: 'Version: 4.2\n' })
})

test('what --version loads is a handful of files, none of protobuf, images or FFI', () => {
  const sources = resolve(import.meta.dir, '../../../src')
  const loaded = closure([join(sources, 'cli/criu.ts'), join(sources, 'cli/commands/version.ts')])
  expect(loaded.filter((file) => /images|ffi|protobuf|koffi|options/.test(file))).toEqual([])
  expect(loaded.length).toBeLessThan(12)
})

/** All files that these import statically, packages included. */
function closure(files: readonly string[]): string[] {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    if (!existsSync(file)) return
    const imports = new Bun.Transpiler({ loader: 'ts' }).scanImports(readFileSync(file, 'utf8'))
    for (const { kind, path } of imports) {
      if (kind === 'import-statement')
        visit(path.startsWith('.') ? resolve(file, '..', path) : path)
    }
  }
  files.forEach(visit)
  return [...seen]
}

describe('help', () => {
  test('is 80 columns wide at most, for the program and each command', async () => {
    for (const argv of [['--help'], ...commands.map((name) => [name, '--help'])]) {
      const { code, out } = await criu(...argv)
      expect(code).toBe(0)
      expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
    }
  })

  test('names every option that works', async () => {
    const texts = await Promise.all(commands.map((name) => criu(name, '-h')))
    const text = texts.map(({ out }) => out).join()
    for (const row of table.filter((one) => one.supported)) expect(text).toContain(`--${row.name}`)
  })

  test('without a command it is a failure', async () => {
    expect(await criu()).toMatchObject({ code: 1, out: '' })
  })
})

describe('dump', () => {
  test('hands typed options to the engine', async () => {
    const { code, asked } = await criu('dump', '-t', '12', '-D', directory, '-R')
    expect(code).toBe(0)
    expect(asked[0]).toMatchObject({ command: 'dump', tree: 12, finalState: 'running' })
  })

  test('prints statistics when asked', async () => {
    const { out } = await criu('dump', '-t', '12', '-D', directory, '--display-stats')
    expect(out).toContain('Memory pages written: 3 (0x3)')
  })

  test('runs action scripts by the injected starter', async () => {
    const { asked } = await criu('dump', '-t', '1', '-D', directory, '--action-script', 'echo hi')
    expect(asked).toContain('ran /bin/sh -c echo hi')
  })

  test('a failure is logged, told and exits with 1', async () => {
    const { code, err } = await criu('dump', '-t', '404', '-D', directory, '-o', 'd.log')
    expect(code).toBe(1)
    expect(err).toContain('criu: process 404 is gone: no such process')
    const log = readFileSync(join(directory, 'd.log'), 'utf8')
    expect(log).toMatch(/^Error \(.*\.ts:\d+\): process 404 is gone/)
  })

  test('options without effect are told in the log', async () => {
    await criu('dump', '-t', '1', '-D', directory, '-o', 'd.log', '-v3', '-d')
    const log = readFileSync(join(directory, 'd.log'), 'utf8')
    expect(log).toContain('--restore-detached has no effect on dump')
  })
})

describe('restore', () => {
  test('detached leaves, otherwise the root is waited for', async () => {
    expect((await criu('restore', '-D', directory, '-d')).asked).toHaveLength(1)
    expect((await criu('restore', '-D', directory)).asked[1]).toBe('waited for 7')
  })

  test('--dry-run prints the plan alone', async () => {
    const { out, asked } = await criu('restore', '-D', directory, '--dry-run')
    expect(out).toBe('the plan\n')
    expect(asked).toEqual([])
  })

  test('--exec-cmd becomes the command; if it cannot, that is a failure', async () => {
    const { code, asked } = await criu(
      'restore',
      '-v0',
      '-D',
      directory,
      '--exec-cmd',
      '--',
      'sh',
      '-c',
      'x',
    )
    expect(asked[1]).toMatch(/^became \/.*\/sh as sh -c x$/)
    expect(code).toBe(1)
  })

  test('a command that is not there is refused before anything is restored', async () => {
    const { code, err, asked } = await criu('restore', '--exec-cmd', '--', 'no-such-program')
    expect({ code, asked }).toEqual({ code: 1, asked: [] })
    expect(err).toContain('--exec-cmd names no program: no-such-program')
  })

  test('--close refuses a descriptor that is not open', async () => {
    const { code, err } = await criu('restore', '-D', directory, '--close', '987')
    expect(code).toBe(1)
    expect(err).toContain('--close names descriptor 987, which is not open')
  })
})

test.each(
  commands.filter((name) => !commandTable[name].supported),
)('%s is refused by name', async (name) => {
  expect(await criu(name)).toMatchObject({ code: 1, err: `criu: ${name} is not supported yet\n` })
})
