import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { victim, writeDamaged } from './damage.ts'
import { Random } from './random.ts'
import { namesIn, readSample } from './sample.ts'
import { recipes } from './samples.ts'

/**
 * restore-loop.ts CRIU CORPUS SEED SECONDS: restores from damaged images, in namespaces where nobody else
 * is (place.sh). Each restore works or fails with one error; what fails leaves nothing behind.
 */
const [criu, corpus, seed, seconds] = process.argv.slice(2) as [string, string, string, string]
const only = process.env.FUZZ_CASE

const LIMIT_MS = 10_000
const LARGEST_KIB = 256 * 1024

interface Target {
  readonly sample: ReturnType<typeof readSample>
  /** The directory that must be there as it was at the dump. */
  readonly home: string
  readonly pristine: string
  readonly options: readonly string[]
}

const targets: Target[] = readdirSync(corpus)
  .filter((name) => /^\d+$/.test(name))
  .map((name) => {
    const title = readFileSync(join(corpus, name, 'name'), 'utf8').trim()
    const [home, pristine] = [join(corpus, name, 'home'), join(corpus, name, 'pristine')]
    if (!existsSync(pristine)) renameSync(home, pristine)
    const options = recipes.find(({ subject }) => subject === title)?.restore?.split(' ') ?? []
    return { sample: readSample(title, join(corpus, name, 'images')), home, pristine, options }
  })

const processes = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name))
const living = (pid: string): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** What a restore could leave behind, but for processes. */
function surroundings(home: string): string {
  const ipc = ['shm', 'sem', 'msg'].map((name) => readFileSync(`/proc/sysvipc/${name}`, 'utf8'))
  return [
    ...namesIn(home).sort(),
    ...ipc,
    ...readdirSync('/sys/class/net').sort(),
    ...readdirSync(process.env.TMPDIR!).sort(),
    readFileSync('/proc/self/mountinfo', 'utf8'),
  ].join('\n')
}

const known = new Set(processes())

/** Ends what a restore has made; true if there was something. */
function endOthers(): boolean {
  let there = false
  for (let i = 0; i < 400; i++) {
    const others = processes().filter((pid) => !known.has(pid))
    if (others.length === 0) return there
    for (const pid of others) {
      if (living(pid)) there = true
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // it has ended
      }
    }
    Bun.sleepSync(2)
  }
  return there
}

function cleanUp(): void {
  Bun.spawnSync(['ipcrm', '--all'])
  for (const link of readdirSync('/sys/class/net'))
    if (link !== 'lo') Bun.spawnSync(['ip', 'link', 'delete', link])
}

const work = join(corpus, 'restore')
const images = join(work, 'images')
const log = join(work, 'log')
const err = join(work, 'err')
const found: string[] = []

function tryCase(number: number): boolean {
  const random = new Random(Number(seed) * 1_000_003 + number)
  const target = random.pick(targets)
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work)
  rmSync(target.home, { recursive: true, force: true })
  Bun.spawnSync(['cp', '-a', target.pristine, target.home])
  const what = `${target.sample.name}: ${writeDamaged(victim(target.sample, random.pick(targets).sample), images, random)}`
  writeFileSync('/proc/sys/kernel/ns_last_pid', '100')
  const before = surroundings(target.home)
  const report = (text: string) => {
    found.push(text)
    console.log(`FOUND ${number}\t${text}\t${what}`)
  }
  const begun = performance.now()
  const done = Bun.spawnSync(
    [criu, 'restore', '-d', '-D', images, '-o', log, '-v4', ...target.options],
    {
      cwd: work,
      stdin: 'ignore',
      stdout: Bun.file(err),
      stderr: Bun.file(err),
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    },
  )
  const took = performance.now() - begun
  const text = existsSync(log) ? readFileSync(log, 'latin1') : ''
  const errors = text.split('\n').filter((line) => line.includes('Error ('))
  const said = errors[0]?.replace(/^\([\d.]+\) /, '') ?? readFileSync(err, 'latin1').slice(0, 200)
  const heads = new Set(errors.map((line) => /Error \([^)]*\)/.exec(line)![0]))
  const memory = done.resourceUsage.maxRSS / 1024
  if (took >= LIMIT_MS) report(`hang, last: ${text.split('\n').at(-2)}`)
  else if (done.exitCode !== 0 && done.exitCode !== 1)
    report(
      `ended with ${done.exitCode ?? done.signalCode}: ${readFileSync(err, 'latin1').slice(0, 300)}`,
    )
  else if (/nobody foresaw|criu itself is at fault/.test(text)) report(said)
  else if (done.exitCode === 1 && heads.size !== 1)
    report(`${heads.size} errors: ${errors.join(' | ')} ${said}`)
  if (memory > LARGEST_KIB) report(`${memory} KiB`)
  const works = done.exitCode === 0
  Bun.sleepSync(1)
  const left = endOthers()
  if (!works) {
    if (left) report(`processes are left: ${said}`)
    const after = surroundings(target.home)
    if (after !== before) report(`left: ${differences(before, after)}: ${said}`)
  }
  if (only) console.log(what, done.exitCode, said)
  cleanUp()
  rmSync(target.home, { recursive: true, force: true })
  return works
}

function differences(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')]
  return [
    ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`),
    ...old.filter((line) => !now.includes(line)).map((line) => `-${line}`),
  ].join(' ')
}

const end = performance.now() + Number(seconds) * 1000
let [cases, restored] = [0, 0]
for (let number = only ? Number(only) : 0; performance.now() < end; number++) {
  if (tryCase(number)) restored++
  cases++
  if (only) break
}
console.log(`${cases} cases, ${restored} of them were restored`)
process.exit(found.length > 0 ? 1 : 0)
