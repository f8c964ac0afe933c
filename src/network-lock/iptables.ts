import { fail } from '../errors/error.ts'
import { MFD } from '../kernel/constants/mman.ts'
import { scratch } from '../kernel/memory.ts'
import { inNetNamespace, type NetNamespace } from '../kernel/netlink/namespace.ts'
import { readProcFile, tryReadProcFile } from '../kernel/proc/read.ts'
import { type ExitStatus, findProgram, runProgram } from '../kernel/program.ts'
import { checked, must, owned, sys } from '../kernel/sys.ts'
import type { LocalFd } from '../kernel/types.ts'
import { addressText, type Connection, type IpVersion, onTheWire, versionOf } from './connection.ts'
import { isStale, type LockMark, markText, parseMark } from './mark.ts'
import { EXEMPT_MARK } from './nft-messages.ts'
import { hasChains } from './nftables.ts'

/**
 * The lock as a chain of the table `filter`, by the programs iptables-restore and iptables-save: for
 * machines whose kernel or administrator has no nf_tables. INPUT and OUTPUT lead into it by a rule whose
 * comment is the mark; in it, two rules for each connection.
 */

/** The programs of a version of IP: `iptables-save`, `iptables-restore` and their like. */
const families: readonly { readonly version: IpVersion; readonly name: string }[] = [
  { version: 4, name: 'iptables' },
  { version: 6, name: 'ip6tables' },
]

/** Seconds to wait for somebody else who is changing rules. */
const PATIENCE = '10'

const CHAIN_PREFIX = 'CRIU-'

/**
 * Can there be a lock by iptables? Known without running its programs: their rules are in nf_tables, or,
 * by those of before, in tables of which /proc tells when they are in use.
 */
export function mayHaveChains(namespace?: NetNamespace): boolean {
  const listed = (): boolean =>
    ['ip_tables_names', 'ip6_tables_names'].some((names) =>
      tryReadProcFile(`/proc/thread-self/net/${names}`)?.split('\n').includes('filter'),
    )
  const isLegacy = namespace === undefined ? listed() : inNetNamespace(namespace, listed)
  return isLegacy || hasChains(CHAIN_PREFIX, namespace)
}

/** Makes the lock, in the network namespace that we are in. */
export function lock(chain: string, connections: readonly Connection[], mark: LockMark): void {
  const wire = connections.map(onTheWire)
  const made: string[] = []
  try {
    for (const { version, name } of families) {
      const own = wire.filter((one) => versionOf(one) === version)
      if (own.length === 0) continue
      apply(name, lockRules(chain, own, mark))
      made.push(name)
    }
  } catch (error) {
    for (const name of made) remove(name, rulesOf(name), chain)
    throw error
  }
}

/** Removes a lock; false: there is none of that name. */
export function unlock(chain: string): boolean {
  const removed = families.map(({ name }) => remove(name, rulesOf(name), chain))
  return removed.includes(true)
}

/** Removes locks that outlived their jobs (see mark.ts); their chains' names. */
export function sweep(): string[] {
  return families.flatMap(({ name }) => {
    const rules = rulesOf(name)
    const stale = staleChains(rules)
    for (const chain of stale) remove(name, rules, chain)
    return stale
  })
}

/** What iptables-restore reads to make a lock. */
export function lockRules(
  chain: string,
  connections: readonly Connection[],
  mark: LockMark,
): string {
  const enter = `-p tcp -m comment --comment "${markText(mark)}" -j ${chain}`
  return transaction([
    `:${chain} - [0:0]`,
    `-A ${chain} -m mark --mark 0x${EXEMPT_MARK.toString(16)} -j RETURN`,
    ...connections.flatMap(({ local, remote }) => [
      `-A ${chain} ${match(local, remote)} -j DROP`,
      `-A ${chain} ${match(remote, local)} -j DROP`,
    ]),
    `-I INPUT ${enter}`,
    `-I OUTPUT ${enter}`,
  ])
}

/** What removes it again, by what iptables-save said; undefined: there is no such chain. */
export function unlockRules(saved: string, chain: string): string | undefined {
  const lines = saved.split('\n')
  if (!lines.some((line) => line.startsWith(`:${chain} `))) return undefined
  const entries = lines.filter(
    (line) => /^-A (INPUT|OUTPUT) /.test(line) && leadsTo(line) === chain,
  )
  const deletions = entries.map((line) => line.replace('-A', '-D'))
  return transaction([...deletions, `-F ${chain}`, `-X ${chain}`])
}

/** Chains that a rule with the mark of a job which is no more leads to. */
export function staleChains(saved: string): string[] {
  const stale = saved.split('\n').flatMap((line) => {
    const mark = parseMark(line)
    const chain = leadsTo(line)
    return mark && chain !== undefined && isStale(mark) ? [chain] : []
  })
  return [...new Set(stale)]
}

const leadsTo = (rule: string): string | undefined => / -j (CRIU-\S+)/.exec(rule)?.[1]

const match = (from: Connection['local'], to: Connection['local']): string =>
  `-p tcp -s ${addressText(from.address)} --sport ${from.port} -d ${addressText(to.address)} --dport ${to.port}`

const transaction = (lines: readonly string[]): string =>
  ['*filter', ...lines, 'COMMIT', ''].join('\n')

function remove(name: string, saved: string, chain: string): boolean {
  const rules = unlockRules(saved, chain)
  if (rules !== undefined) apply(name, rules)
  return rules !== undefined
}

/** The present rules; none where there is no program, and so no lock that it made. */
function rulesOf(name: string): string {
  const program = findProgram(`${name}-save`)
  return program === undefined ? '' : run([program, '-t', 'filter'], '')
}

function apply(name: string, rules: string): void {
  const program = findProgram(`${name}-restore`) ?? failMissing(`${name}-restore`)
  run([program, '--noflush', '--wait', PATIENCE], rules)
}

const failMissing = (program: string): never =>
  fail({
    code: 'conflict',
    reason: `connections cannot be locked by iptables: there is no program ${program}`,
    remedy: 'install iptables, or use --network-lock nftables or --network-lock skip',
  })

/** Runs a program that must succeed; what it wrote. */
function run(argv: readonly string[], input: string): string {
  using stdin = temporaryFile(input)
  using stdout = temporaryFile()
  using stderr = temporaryFile()
  const status = runProgram(
    argv,
    { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
    { stdin: stdin.fd, stdout: stdout.fd, stderr: stderr.fd },
  )
  if (status.kind === 'exited' && status.code === 0) return textOf(stdout.fd)
  return fail({
    code: 'conflict',
    reason: `${argv[0]} ${ending(status)}: ${textOf(stderr.fd).trim().replaceAll('\n', ' ')}`,
    remedy: 'see what is wrong there, or use --network-lock nftables or --network-lock skip',
  })
}

function ending(status: ExitStatus): string {
  if (status.kind === 'exited') return `exited with ${status.code}`
  if (status.kind === 'killed') return `was killed by signal ${status.signal}`
  return `could not be started (errno ${status.errno})`
}

/** In memory; its position is at the start. */
function temporaryFile(content = ''): ReturnType<typeof owned> {
  using s = scratch()
  const file = owned(must('memfd_create', s.string('criu'), MFD.CLOEXEC))
  const data = Buffer.from(content, 'latin1')
  for (let at = 0; at < data.length; ) {
    const part = s.put(data.subarray(at, at + (1 << 20)))
    at += checked(sys('pwrite64', file.fd, part.address, part.bytes.length, at), 'write rules')
  }
  return file
}

const textOf = (fd: LocalFd): string => readProcFile(`/proc/self/fd/${fd}`)
