import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'

/** Everything happens in one directory, by one program. */
export interface Place {
  readonly directory: string
  readonly criu: string
}

/** Milliseconds of a whole process, and of each stage that its log names. */
export interface Timing {
  readonly whole: number
  /** Processor time of the same process: what is left of it when the machine is busy. */
  readonly cpu: number
  readonly stages: ReadonlyMap<string, number>
}

/** Runs a program to its end and gives its output; throws with what it said where it fails. */
export function run(place: Place, command: readonly string[]): string {
  const done = Bun.spawnSync([...command], { cwd: place.directory, stdin: 'ignore' })
  if (done.exitCode !== 0) throw new Error(`${command.join(' ')}: ${done.stderr}`)
  return done.stdout.toString()
}

/** Starts a subject; its pid once it is set up. */
export const startSubject = (place: Place, mode: string, amount: number): number =>
  Number(run(place, [join(place.directory, 'subject'), mode, String(amount)]))

/** Kills a subject and all that it started, and waits until they are gone. */
export function killSubject(pid: number): void {
  process.kill(-pid, 'SIGKILL')
  waitGone(pid)
}

export function waitGone(pid: number): void {
  for (let i = 0; i < 1000 && existsSync(`/proc/${pid}`); i++) Bun.sleepSync(5)
  if (existsSync(`/proc/${pid}`)) throw new Error(`process ${pid} does not end`)
}

/** Writes out what other measurements have left in the page cache, so that nobody else pays. */
export const settle = (place: Place): void => void run(place, ['sync', '-f', '.'])

/** A plain write of memory to a file, or a read of it; milliseconds. */
export const copy = (place: Place, direction: 'out' | 'in', mib: number): number =>
  Number(run(place, [join(place.directory, 'subject'), `copy-${direction}`, String(mib), 'copy'])) /
  1000

export const dump = (place: Place, pid: number, ...more: string[]): Timing => {
  putAside(place)
  mkdirSync(join(place.directory, 'images'))
  return timed(place, ['dump', '-t', String(pid), '-o', 'dump.log', ...more])
}

let aside = 0

/**
 * Puts the images of the dump before out of the way. Only pages are removed: ext4 searches long for an
 * inode where some were freed a moment ago, and files made then take a millisecond each.
 */
function putAside({ directory }: Place): void {
  const images = join(directory, 'images')
  if (!existsSync(images)) return
  for (const name of readdirSync(images))
    if (name.startsWith('pages-')) truncateSync(join(images, name))
  renameSync(images, join(directory, `images-${aside++}`))
}

export const restore = (place: Place, ...more: string[]): Timing =>
  timed(place, ['restore', '-d', '-o', 'restore.log', ...more])

/** One job of criu, its own start included. */
function timed(place: Place, words: readonly string[]): Timing {
  const images = join(place.directory, 'images')
  // To a file, not a pipe: a restored tree must not keep us waiting for the end of it.
  const output = openSync(join(place.directory, 'output'), 'w')
  const command = [place.criu, ...words, '-D', images, '-v3']
  const begun = performance.now()
  const done = Bun.spawnSync(command, {
    cwd: place.directory,
    stdio: ['ignore', output, output],
  })
  const whole = performance.now() - begun
  closeSync(output)
  if (done.exitCode !== 0) {
    const said = readFileSync(join(place.directory, 'output'), 'utf8')
    throw new Error(`${command.join(' ')}:\n${said}${errors(join(images, logOf(words)))}`)
  }
  const cpu = Number(done.resourceUsage.cpuTime.total) / 1000
  return { whole, cpu, stages: stagesOf(readFileSync(join(images, logOf(words)), 'latin1')) }
}

const logOf = (words: readonly string[]): string => words[words.indexOf('-o') + 1]!

const errors = (path: string): string =>
  existsSync(path)
    ? readFileSync(path, 'latin1')
        .split('\n')
        .filter((line) => line.includes('Error ('))
        .join('\n')
    : ''

/** Stages by the lines `NAME done after N ms`; one that ran more than once is summed. */
export function stagesOf(log: string): Map<string, number> {
  const stages = new Map<string, number>()
  for (const [, name, ms] of log.matchAll(/(?:^|[\s:])(\S+) done after ([\d.]+) ms/gm))
    stages.set(name!, (stages.get(name!) ?? 0) + Number(ms))
  return stages
}
