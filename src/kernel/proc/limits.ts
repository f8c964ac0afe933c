import { fail } from '../../errors/error.ts'
import { readProcFile, tryReadProcFile } from './read.ts'

/** Soft and hard value; {@link RLIM_INFINITY} for unlimited. */
export interface Limit {
  readonly soft: bigint
  readonly hard: bigint
}

/** RLIM64_INFINITY of asm-generic/resource.h. */
export const RLIM_INFINITY = 2n ** 64n - 1n

/** Titles in /proc/PID/limits in the order of RLIMIT_… numbers, 0 to 15 (fs/proc/base.c). */
const titles = [
  'Max cpu time',
  'Max file size',
  'Max data size',
  'Max stack size',
  'Max core file size',
  'Max resident set',
  'Max processes',
  'Max open files',
  'Max locked memory',
  'Max address space',
  'Max file locks',
  'Max pending signals',
  'Max msgqueue size',
  'Max nice priority',
  'Max realtime priority',
  'Max realtime timeout',
] as const

/** Parses a limits file into the limits by their RLIMIT_… number. */
export function parseLimits(text: string): Limit[] {
  const lines = text.split('\n')
  return titles.map((title) => {
    const line = lines.find((candidate) => candidate.startsWith(`${title} `))
    const [soft, hard] = line?.slice(title.length).trim().split(/ +/) ?? []
    if (soft === undefined || hard === undefined) {
      fail({ code: 'internal', reason: `/proc/PID/limits has no line «${title}»` })
    }
    return { soft: limitValue(soft), hard: limitValue(hard) }
  })
}

/** Reads `limits` under `/proc/PID`; needs no privilege over the task, unlike prlimit. */
export const readLimits = (path: string): Limit[] => parseLimits(readProcFile(`${path}/limits`))

/** Like {@link readLimits}; undefined when the process is gone. */
export function tryReadLimits(path: string): Limit[] | undefined {
  const text = tryReadProcFile(`${path}/limits`)
  return text ? parseLimits(text) : undefined
}

const limitValue = (text: string): bigint => (text === 'unlimited' ? RLIM_INFINITY : BigInt(text))
