import { test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const harness = import.meta.dir
const checkout = join(harness, '../..')

/** What this CPU can do, in the words of /proc/cpuinfo. */
const cpuFlags = new Set(
  /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' '),
)

export interface LiveOptions {
  /** Arguments of the subject after its mode. */
  args?: readonly string[]
  /** Further arguments of `criu dump`. */
  dumpArgs?: string
  /** Further arguments of `criu restore`. */
  restoreArgs?: string
  /** Lines of the snapshot that may differ: an extended regular expression. */
  allow?: string
  /** How often to dump and restore; 3. */
  rounds?: number
  /** A shell command, run in the test's directory after the start and after each restore. */
  check?: string
  /** A flag of /proc/cpuinfo: on a CPU without it the test is shown as skipped. */
  needs?: string
  /** Run on a pseudo terminal, in the session of the one who dumps. */
  terminal?: boolean
  /** Run in a network namespace of its own. */
  network?: boolean
  /** Seconds after which all is killed; 60. */
  seconds?: number
}

/** Starting so many at once keeps the cores busy; most of a cycle is waiting for the subject. */
const slots = Number(process.env.LIVE_JOBS ?? 2 * availableParallelism())
let running = 0
const waiting: (() => void)[] = []

async function withSlot<T>(work: () => Promise<T>): Promise<T> {
  if (running >= slots) await new Promise<void>((go) => waiting.push(go))
  running++
  try {
    return await work()
  } finally {
    running--
    waiting.shift()?.()
  }
}

interface Outcome {
  status: number
  output: string
}

async function run(command: readonly string[], env: Record<string, string>): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { status: await child.exited, output: out + err }
}

let built: Promise<void> | undefined

/** Builds subjects and tools once for all tests of this run; make skips what is up to date. */
export function build(): Promise<void> {
  built ??= run(['flock', harness, 'make', '-s', '-j2', '-C', harness], {}).then((make) => {
    if (make.status !== 0) throw new Error(`the subjects do not build:\n${make.output}`)
  })
  return built
}

function cycleOptions(options: LiveOptions, refusals: readonly string[]): string[] {
  const pairs: [string, string | undefined][] = [
    ['-D', options.dumpArgs],
    ['-R', options.restoreArgs],
    ['-a', options.allow],
    ['-n', options.rounds?.toString()],
    ['-h', options.check],
    ['-T', options.seconds?.toString()],
    ...refusals.map((regex): [string, string] => ['-r', regex]),
  ]
  const words = pairs.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
  if (options.network) words.unshift('-N')
  return options.terminal ? ['-t', '-s', ...words] : words
}

/** The words as a shell takes them, for the line that repeats a test. */
function shellLine(words: readonly string[]): string {
  const quoted = words.map((w) =>
    /^[\w@%+=:,./-]+$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`,
  )
  return quoted.join(' ')
}

function explain(outcome: Outcome, words: readonly string[], directory: string): string {
  const program = process.env.CRIU ? `CRIU=${shellLine([process.env.CRIU])} ` : ''
  return [
    outcome.output.trimEnd(),
    `kept: ${directory}`,
    `again: ${program}${shellLine(words)}`,
    '',
  ].join('\n')
}

/** Runs a script of this directory in a new directory, which is kept when it fails. */
async function runScript(script: string, words: readonly string[]): Promise<void> {
  await build()
  const directory = await mkdtemp(join(tmpdir(), 'criu-live-'))
  const outcome = await withSlot(() =>
    run([join(harness, script), '-d', directory, ...words], { LIVE_BUILT: '1', CRIU: criuPath() }),
  )
  if (outcome.status !== 0)
    throw new Error(explain(outcome, [`tests/harness/${script}`, ...words], directory))
  await rm(directory, { recursive: true })
}

/** The program under test: `CRIU`, or bin/criu of the checkout; `none` tests the subjects alone. */
export function criuPath(): string {
  const path = process.env.CRIU
  if (!path) return join(checkout, 'bin/criu')
  return path.includes('/') ? resolve(path) : path
}

function define(title: string, words: readonly string[], options: LiveOptions): void {
  // The cycle has its own limit and says what it waited for; a queue of others comes before it.
  const limit = ((options.seconds ?? 60) + 600) * 1000
  const missing = options.needs !== undefined && !cpuFlags.has(options.needs)
  const run = missing ? test.skip : test.concurrent
  run(title, () => runScript('cycle.sh', words), limit)
}

/**
 * The standard life of a subject, as a test: started, dumped and left running, dumped and restored
 * three times, asked to stop; after each step it must go on without a BAD, and its tree be as
 * before. `subject` is `PROGRAM MODE` of tests/programs.
 */
export function liveTest(title: string, subject: string, options: LiveOptions = {}): void {
  const words = [...cycleOptions(options, []), ...subject.split(' '), ...(options.args ?? [])]
  define(title, words, options)
}

/**
 * A dump that must be refused: its log holds an error line for each of `found` (extended regular
 * expressions), no image is left, and the subject goes on with all that it had.
 */
export function refusalTest(
  title: string,
  subject: string,
  found: readonly string[],
  options: LiveOptions = {},
): void {
  const words = [...cycleOptions(options, found), ...subject.split(' '), ...(options.args ?? [])]
  define(title, words, options)
}

export interface SurviveOptions {
  /** Arguments of the subject after its mode. */
  args?: readonly string[]
  /** How many random moments; 50, times `LIVE_KILLS` (1). */
  kills?: number
  /** One mapping of ours may stay: several threads were in the loop, and none could unmap it. */
  mappingMayStay?: boolean
  /** Further arguments of `criu dump` and `criu restore`. */
  dumpArgs?: string
  restoreArgs?: string
  /** Run in a network namespace of its own. */
  network?: boolean
  /** Stopped tasks give back what is ours when they go on; until then they are not compared. */
  stoppedTasks?: boolean
}

/** Kills a dump at each stage and at random moments; the subject must count on as it was. */
export function surviveTest(title: string, subject: string, options: SurviveOptions = {}): void {
  const kills = Math.round((options.kills ?? 50) * Number(process.env.LIVE_KILLS ?? 1))
  const words = [
    ...['-k', String(kills)],
    ...(options.mappingMayStay ? ['-m'] : []),
    ...(options.stoppedTasks ? ['-s'] : []),
    ...(options.network ? ['-N'] : []),
    ...(options.dumpArgs === undefined ? [] : ['-D', options.dumpArgs]),
    ...(options.restoreArgs === undefined ? [] : ['-R', options.restoreArgs]),
    ...subject.split(' '),
    ...(options.args ?? []),
  ]
  test.concurrent(title, () => runScript('survive.sh', words), 900_000)
}
