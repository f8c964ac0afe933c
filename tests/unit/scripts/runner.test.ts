import { describe, expect, test } from 'bun:test'
import { CriuError } from '../../../src/errors/error.ts'
import type { ActionScript } from '../../../src/job/options.ts'
import { hostPid } from '../../../src/kernel/types.ts'
import { silentLog } from '../../../src/log/log.ts'
import { cleanEnvironment, type ExitStatus } from '../../../src/scripts/program.ts'
import { createScriptRunner } from '../../../src/scripts/runner.ts'

type Call = { argv: readonly string[]; env: Record<string, string> }

function runner(scripts: readonly ActionScript[], answers: readonly ExitStatus[] = []) {
  const calls: Call[] = []
  const made = createScriptRunner({
    scripts,
    imagesDir: '/img',
    log: silentLog,
    env: { PATH: '/bin', BUN_OPTIONS: '--preload=x', BUN_BE_BUN: '1', BUNDLE: 'kept' },
    runProgram: (argv, env) => {
      calls.push({ argv, env: { ...env } })
      return answers[calls.length - 1] ?? { kind: 'exited', code: 0 }
    },
  })
  return { made, calls }
}

function reasonOf(fn: () => void): unknown {
  try {
    fn()
  } catch (error) {
    return (error as CriuError).detail
  }
  return undefined
}

test('a script gets hook, image directory and pid, and nothing of Bun', () => {
  const { made, calls } = runner([{ file: '/x.sh' }])
  made.run('setup-namespaces', hostPid(7))
  expect(calls).toEqual([
    {
      argv: ['/x.sh'],
      env: {
        PATH: '/bin',
        BUNDLE: 'kept',
        CRTOOLS_SCRIPT_ACTION: 'setup-namespaces',
        CRTOOLS_IMAGE_DIR: '/img',
        CRTOOLS_INIT_PID: '7',
      },
    },
  ])
})

test('without a pid there is no CRTOOLS_INIT_PID', () => {
  const { made, calls } = runner([{ file: '/x.sh' }])
  made.run('pre-dump')
  expect(calls[0]?.env).not.toHaveProperty('CRTOOLS_INIT_PID')
})

test('a command line goes to the shell', () => {
  const { made, calls } = runner([{ shell: 'echo hi' }])
  made.run('pre-dump')
  expect(calls[0]?.argv).toEqual(['/bin/sh', '-c', 'echo hi'])
})

test('a script without #! is read by the shell', () => {
  const { made, calls } = runner([{ file: '/x.sh' }], [{ kind: 'not-started', errno: 8 }])
  made.run('pre-dump')
  expect(calls.map((call) => call.argv)).toEqual([['/x.sh'], ['/bin/sh', '/x.sh']])
})

describe('a script that fails', () => {
  const statuses: readonly (readonly [ExitStatus, string])[] = [
    [{ kind: 'exited', code: 3 }, 'exited with 3'],
    [{ kind: 'killed', signal: 9 }, 'was killed by signal 9'],
    [{ kind: 'not-started', errno: 13 }, 'could not be started: Permission denied (EACCES)'],
  ]
  test.each(statuses)('%p fails the job', (status, reason) => {
    const { made } = runner([{ file: '/x.sh' }], [status])
    expect(() => made.run('post-dump')).toThrow(CriuError)
    const again = runner([{ file: '/x.sh' }], [status])
    expect(reasonOf(() => again.made.run('post-dump'))).toEqual({
      code: 'script',
      script: '/x.sh',
      hook: 'post-dump',
      reason,
    })
  })

  test('does not keep the others from running', () => {
    const { made, calls } = runner([{ file: '/a' }, { file: '/b' }], [{ kind: 'exited', code: 1 }])
    expect(() => made.run('network-lock')).toThrow(CriuError)
    expect(calls.map((call) => call.argv[0])).toEqual(['/a', '/b'])
  })
})

test('the environment for others keeps all but Bun', () => {
  expect(cleanEnvironment({ BUN: '1', BUN_INSTALL: 'x', BUNGEE: 'y', A: undefined })).toEqual({
    BUNGEE: 'y',
  })
})
