import { CriuError, type ErrorDetail, fail } from '../errors/error.ts'
import { sentence } from '../errors/sentence.ts'
import { CAP, type CapName, capName, hasCap } from '../kernel/constants/capability.ts'
import { Errno } from '../kernel/errno.ts'
import { readStatus } from '../kernel/proc/status.ts'
import { type Log, silentLog } from '../log/log.ts'
import type { Feature, Finding, Need } from './feature.ts'
import { featureOf, features } from './features.ts'
import { Ground } from './ground.ts'

/** What is asked for: categories, as criu(8) has them. The first is always meant. */
export interface Wish {
  readonly extra: boolean
  readonly experimental: boolean
}

/** Features of the categories asked for. */
export function wanted({ extra, experimental }: Wish): Feature[] {
  const needs: Need[] = ['required']
  if (extra) needs.push('extra')
  if (experimental) needs.push('experimental')
  return features.filter(({ need }) => needs.includes(need))
}

/** Features by the names that a caller gave. Throws `option` for one that nobody knows. */
export const featuresNamed = (names: readonly string[]): Feature[] =>
  names.map((name) => featureOf(name) ?? unknown(name))

const unknown = (name: string): never =>
  fail({
    code: 'option',
    option: '--feature',
    reason: `knows no ${name}`,
    remedy: 'criu check --feature list tells all names',
  })

export const featureNames = (): string[] => features.map(({ name }) => name)

/** Throws `conflict` where something is missing that every tree needs. */
export function demandRequired(): void {
  const found = tryFeatures(wanted({ extra: false, experimental: false }), silentLog)
  const missing = found.flatMap(({ feature, missing: why }) => (why ? [feature.name] : []))
  if (missing.length === 0) return
  const reason = `this machine lacks what every tree needs: ${missing.join(', ')}`
  fail({ code: 'conflict', reason, remedy: 'criu check tells what to do' })
}

/** Tries features out on the running kernel, with the privileges that we have. */
export function tryFeatures(some: readonly Feature[], log: Log): Finding[] {
  using ground = new Ground()
  return some.map((feature) => {
    const begun = performance.now()
    const finding = tryFeature(feature, ground)
    const { missing } = finding
    const millis = (performance.now() - begun).toFixed(3)
    log.info(`${feature.name}: ${missing === undefined ? 'there' : missing} (${millis} ms)`)
    return finding
  })
}

function tryFeature(feature: Feature, ground: Ground): Finding {
  const { remedy, capability } = feature
  try {
    const missing = feature.probe(ground) ?? undefined
    return { feature, missing, remedy }
  } catch (error) {
    const detail = error instanceof CriuError ? error.detail : undefined
    if (detail === undefined) throw error
    return { feature, missing: whatFailed(detail), remedy: remedyOf(detail, capability) ?? remedy }
  }
}

/** The bare cause: what to do about it is the feature's to say. */
function whatFailed(detail: ErrorDetail): string {
  return sentence(new CriuError(detail)).split('; ')[0]!
}

const REFUSALS: readonly number[] = [Errno.EPERM, Errno.EACCES]

/** The kernel may have it, and not for us. */
function remedyOf(detail: ErrorDetail, capability: CapName | undefined): string | undefined {
  if (detail.code !== 'syscall' || !REFUSALS.includes(detail.errno)) return undefined
  // A namespace to try it in takes that one, whatever the feature itself does.
  const name = detail.operation === 'clone3' ? 'SYS_ADMIN' : (capability ?? 'SYS_ADMIN')
  const has = hasCap(readStatus('/proc/self').caps.effective, CAP[name])
  return has
    ? 'something forbids it in spite of our privileges: a container, a security module'
    : `run criu as root, or with ${capName(CAP[name])}`
}
