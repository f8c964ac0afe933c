import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../../src/kernel/program.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'program-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const shell = (line: string, env: Record<string, string> = {}) =>
  runProgram(['/bin/sh', '-c', line], env)

test('a program runs to its end, and its code comes back', () => {
  expect(shell('exit 0')).toEqual({ kind: 'exited', code: 0 })
  expect(shell('exit 37')).toEqual({ kind: 'exited', code: 37 })
  expect(shell('kill -9 $$')).toEqual({ kind: 'killed', signal: 9 })
})

test('one that cannot be started tells why', () => {
  expect(runProgram(['/no/such/program'], {})).toEqual({ kind: 'not-started', errno: 2 })
  expect(runProgram(['/etc/passwd'], {})).toEqual({ kind: 'not-started', errno: 13 })
  const plain = join(directory, 'plain.sh')
  writeFileSync(plain, 'exit 0\n', { mode: 0o755 })
  expect(runProgram([plain], {})).toEqual({ kind: 'not-started', errno: 8 })
})

test('it gets its words, its environment and nothing else of ours', () => {
  const out = join(directory, 'out')
  const status = shell(
    `{ echo "$A"; env | grep -c ^HOME; ls /proc/self/fd; grep SigIgn /proc/self/status; } >'${out}'`,
    { A: 'grüße', PATH: '/usr/bin:/bin' },
  )
  expect(status.kind).toBe('exited')
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n')
  expect(lines.slice(0, 2)).toEqual(['grüße', '0'])
  // 0, 1, 2, and the directory that ls itself has open.
  expect(lines.slice(2, -1)).toEqual(['0', '1', '2', '3'])
  const ignored = BigInt(`0x${lines.at(-1)!.split('\t')[1]}`)
  expect(ignored & ((1n << 12n) | (1n << 24n))).toBe(0n)
})

test('its limit of open files is our caller’s, not the one that the runtime raised for itself', () => {
  const out = join(directory, 'limit')
  shell(`ulimit -Sn >'${out}'`)
  const line = /Max open files +(\d+)/.exec(readFileSync(`/proc/${process.ppid}/limits`, 'utf8'))
  expect(readFileSync(out, 'utf8').trim()).toBe(line?.[1] ?? '')
})

test('leaves no zombie and no used-up scratch memory behind', () => {
  for (let i = 0; i < 50; i++) expect(shell(':').kind).toBe('exited')
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
  expect(children.trim()).toBe('')
})
