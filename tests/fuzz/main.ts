import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, criuPath } from '../harness/live.ts'
import { fewRecipes, recipes } from './samples.ts'

/**
 * npm run fuzz -- [--seconds N] [--seed N] [--few] [--case N]
 *
 * Dumps subjects of the live tests, damages their images, and reads them: half of the time within one
 * process, to the plan of a restore; the other half by `criu restore`, in namespaces of its own. No
 * damage may crash it, hang it, take more than 256 MiB, be told as a mistake of ours, or leave anything.
 *
 * The same seed makes the same damage of the same images. `--few`: a small corpus. `--case N`: that case
 * of each half alone, and what it is.
 */

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
  readonly few: boolean
  readonly only?: number
}

const here = import.meta.dir
const init = resolve(here, '../.build/init')
/** A case that takes longer than the loops allow has hung. */
const PATIENCE = 30

/** What was found, a line each, and what was done. */
export interface Findings {
  readonly found: readonly string[]
  readonly summary: readonly string[]
}

export async function fuzz(options: FuzzOptions): Promise<Findings> {
  await build()
  const shm = '/dev/shm'
  const work = mkdtempSync(join(existsSync(shm) ? shm : tmpdir(), 'criu-fuzz-'))
  try {
    const criu = criuPath()
    makeCorpus(work, criu, options.few)
    const half = Math.ceil(options.seconds / 2)
    const lines = [readLoop(work, half, options), restoreLoop(work, criu, half, options)].flat()
    return {
      found: lines.filter((line) => line.startsWith('FOUND')),
      summary: lines.filter((line) => !line.startsWith('FOUND')),
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function makeCorpus(work: string, criu: string, few: boolean): void {
  const list = (few ? fewRecipes : recipes).map(({ subject, dump = '' }) => `${subject}|${dump}`)
  const done = Bun.spawnSync(
    ['unshare', '--net', init, '300', 'bash', join(here, 'corpus.sh'), work],
    { stdin: Buffer.from(`${list.join('\n')}\n`), env: { ...process.env, CRIU: criu } },
  )
  if (done.exitCode !== 0) throw new Error(`no corpus: ${done.stderr}`)
}

const environment = ({ only }: FuzzOptions) =>
  only === undefined ? process.env : { ...process.env, FUZZ_CASE: String(only) }

function readLoop(work: string, seconds: number, options: FuzzOptions): string[] {
  const area = join(work, 'read')
  mkdirSync(area)
  const done = Bun.spawnSync(
    [process.execPath, join(here, 'read-loop.ts'), work, area, `${options.seed}`, `${seconds}`],
    { env: environment(options), timeout: (seconds + PATIENCE) * 1000, killSignal: 'SIGKILL' },
  )
  const lines = done.stdout.toString().trim().split('\n')
  if (done.exitCode === 0) return lines
  const last = readFileSync(join(area, 'case'), 'latin1').trim()
  const how = done.exitedDueToTimeout ? 'hang' : `ended with ${done.exitCode ?? done.signalCode}`
  return [...lines, `FOUND ${last}\t${how}\t${done.stderr.toString().slice(-2000)}`]
}

function restoreLoop(work: string, criu: string, seconds: number, options: FuzzOptions): string[] {
  const limit = `${seconds + PATIENCE}`
  const loop = [process.execPath, join(here, 'restore-loop.ts'), criu, work]
  const place = ['bash', join(here, 'place.sh'), work]
  const done = Bun.spawnSync(
    ['unshare', '--net', init, limit, ...place, ...loop, `${options.seed}`, `${seconds}`],
    { env: environment(options) },
  )
  const lines = done.stdout.toString().trim().split('\n')
  if (done.exitCode === 0) return lines
  return [...lines, `FOUND\tended with ${done.exitCode}\t${done.stderr.toString().slice(-2000)}`]
}

if (import.meta.main) {
  const value = (name: string): number | undefined => {
    const at = process.argv.indexOf(name)
    return at < 0 ? undefined : Number(process.argv[at + 1])
  }
  const only = value('--case')
  const { found, summary } = await fuzz({
    seconds: value('--seconds') ?? 60,
    seed: value('--seed') ?? Math.floor(Date.now() / 1000) % 100_000,
    few: process.argv.includes('--few'),
    ...(only === undefined ? {} : { only }),
  })
  for (const line of [...found, ...summary]) console.log(line)
  process.exit(found.length > 0 ? 1 : 0)
}
