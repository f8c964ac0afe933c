import { expect, test } from 'bun:test'
import { explanationText } from '../../../src/cli/explain-text.ts'
import type { Explanation } from '../../../src/dump/explain.ts'
import type { Obstacle } from '../../../src/errors/error.ts'
import { helpingOptions, outlookText, sizeText } from '../../../src/errors/sentence.ts'

const obstacle = (what: string, option?: string): Obstacle => ({
  pid: 7,
  comm: 'server',
  where: 'fd 3',
  what,
  remedy: 'do something',
  ...(option !== undefined && { option }),
})

const explanation = (some: Partial<Explanation>): Explanation => ({
  possible: true,
  obstacles: [],
  options: [],
  possibleWithOptions: true,
  remaining: [],
  outlook: { processes: 1, threads: 2, bytes: 3 << 20, millis: 40.2 },
  processes: [{ pid: 7, comm: 'server', threads: 2, descriptors: 4, memory: 2 << 20 }],
  lookMicros: [8123],
  ...some,
})

test('a tree that can be dumped: what it would be and cost, process by process', () => {
  expect(explanationText(7, explanation({}))).toBe(
    [
      'the tree of process 7 can be dumped as it is',
      'a dump of 1 process with 2 threads would be about 3.0 MiB, and stop them for about 41 ms',
      '',
      'PID  COMMAND  THREADS  DESCRIPTORS   MEMORY',
      '  7  server         2            4  2.0 MiB',
      '',
      'nothing was changed; the tree stood still for 8.1 ms to be looked at',
      '',
    ].join('\n'),
  )
})

test('options that help against all: the command line has them', () => {
  const obstacles = [
    obstacle('a connection', '--tcp-established'),
    obstacle('a lock', '--file-locks'),
  ]
  const options = ['--tcp-established', '--file-locks']
  const text = explanationText(7, explanation({ possible: false, obstacles, options }))
  expect(text).toContain('process 7 (server), fd 3: a connection; do something\n')
  expect(text).toContain('against all of them helps: --tcp-established --file-locks\n')
  expect(text).toContain('\nit can be dumped with --tcp-established --file-locks\n')
})

test('what is left with all options is told', () => {
  const obstacles = [obstacle('a connection', '--tcp-established'), obstacle('a device')]
  const remaining = [obstacle('a device')]
  const options = ['--tcp-established']
  const text = explanationText(
    7,
    explanation({ possible: false, possibleWithOptions: false, obstacles, options, remaining }),
  )
  expect(text).toContain('against 1 of them helps: --tcp-established\n')
  expect(text).toMatch(/\nwith --tcp-established: the tree holds one thing .*\n.*a device; do/)
})

test('options once each, of sizes the largest', () => {
  const options = ['--ghost-limit 5', '-x', '--ghost-limit 12', '-x', '--external unix[4]']
  const obstacles = options.map((option) => obstacle('it', option))
  expect(helpingOptions([...obstacles, obstacle('other')])).toEqual([
    '-x',
    '--external unix[4]',
    '--ghost-limit 12',
  ])
})

test('sizes and times as people read them', () => {
  expect(sizeText(1000)).toBe('1.0 KiB')
  expect(sizeText(300 * 1024)).toBe('300 KiB')
  expect(sizeText(1.5 * 2 ** 30)).toBe('1.5 GiB')
  const outlook = { processes: 2, threads: 1, bytes: 0, millis: 2500 }
  expect(outlookText(outlook)).toMatch(/^a dump of 2 processes with 1 thread .* about 2.5 s$/)
})
