import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { CriuError } from '../../src/errors/error.ts'
import { sentence } from '../../src/errors/sentence.ts'
import { catalogue } from '../../src/images/catalogue.ts'
import { ImageDirectory, type PagemapKind, type PlainKind } from '../../src/images/directory.ts'
import { normalise } from '../../src/options/normalise.ts'
import { makePlan } from '../../src/restore/plan.ts'
import { printPlan } from '../../src/restore/plan-text.ts'
import { readModel } from '../../src/restore/read.ts'
import { victim, writeDamaged } from './damage.ts'
import { Random } from './random.ts'
import { readSample } from './sample.ts'

/**
 * read-loop.ts CORPUS WORK SEED SECONDS: damages images and reads them, within this process: to the plan
 * of their restore, and each of them by itself. Before a case is tried its number stands in WORK/case; a
 * case that does not end is for who has started us to notice. What was found is printed, a line each.
 */
const [corpus, work, seed, seconds] = process.argv.slice(2) as [string, string, string, string]

/** All that a reading process may hold at once, the runtime included. */
const LARGEST_KIB = 256 * 1024

const samples = readdirSync(corpus)
  .filter((name) => /^\d+$/.test(name))
  .map((name) => {
    const title = readFileSync(join(corpus, name, 'name'), 'utf8').trim()
    return readSample(title, join(corpus, name, 'images'))
  })

const options = normalise('restore', [
  { name: 'images-dir', value: work, spelled: '-D' },
  ...['tcp-established', 'file-locks', 'shell-job'].map((name) => ({
    name,
    value: true as const,
    spelled: `--${name}`,
  })),
])

function readAll(images: ImageDirectory): void {
  printPlan(makePlan(readModel(images), options))
}

/** Each image that is there, with its payload: also those that no model holds. */
function readEach(images: ImageDirectory): void {
  for (const { kind, id } of images.list()) {
    if (!kind || catalogue[kind].entry === undefined || catalogue[kind].header === 'raw') continue
    const isPagemap = kind === 'pagemap' || kind === 'pagemap-shmem'
    attempt(() => {
      if (isPagemap) images.readPagemap(kind as PagemapKind, id!)
      else images.readWithPayload(kind as PlainKind, id)
    })
  }
}

/** What it threw that no damaged image should lead to. */
let strange: unknown

function attempt(work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    const code = error instanceof CriuError ? error.detail.code : 'internal'
    if (code === 'internal') strange = error
    return false
  }
}

const peak = () => Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1])

function found(number: number, what: string, reason: unknown): void {
  const text = reason instanceof CriuError ? sentence(reason) : String(reason)
  const where =
    reason instanceof Error ? reason.stack?.split('\n').find((l) => l.includes('/src/')) : ''
  console.log(`FOUND ${number}\t${text}\t${where?.trim() ?? ''}\t${what}`)
}

const marker = openSync(join(work, 'case'), 'w')
const end = performance.now() + Number(seconds) * 1000
const target = join(work, 'images')
const counts = { cases: 0, read: 0 }
const only = process.env.FUZZ_CASE
let highest = 0
for (let number = only ? Number(only) : 0; performance.now() < end; number++) {
  const random = new Random(Number(seed) * 1_000_003 + number)
  const sample = random.pick(samples)
  const what = `${sample.name}: ${writeDamaged(victim(sample, random.pick(samples)), target, random)}`
  writeSync(marker, `${number}\t${what}\n`.padEnd(400), 0)
  Bun.gc(number % 32 === 0)
  writeFileSync('/proc/self/clear_refs', '5')
  strange = undefined
  const begun = performance.now()
  {
    using images = ImageDirectory.open(target)
    if (attempt(() => readAll(images))) counts.read++
    if (strange === undefined) readEach(images)
  }
  const took = performance.now() - begun
  if (strange !== undefined) found(number, what, strange)
  if (took > 2000) found(number, what, `it took ${took.toFixed(0)} ms`)
  const memory = peak()
  if (memory > LARGEST_KIB) found(number, what, `it took ${memory} KiB`)
  highest = Math.max(highest, memory)
  counts.cases++
  if (only) {
    console.log(what)
    break
  }
}
closeSync(marker)
if (!only) rmSync(target, { recursive: true, force: true })
console.log(`${counts.cases} cases, ${counts.read} of them could be read; ${highest} KiB at most`)
