import { fail } from '../errors/error.ts'
import { sentence } from '../errors/sentence.ts'
import type { NetworkLock } from '../job/options.ts'
import { inNetNamespace, type NetNamespace } from '../kernel/netlink/namespace.ts'
import { readProcFile } from '../kernel/proc/read.ts'
import type { HostPid } from '../kernel/types.ts'
import type { Log } from '../log/log.ts'
import type { Connection } from './connection.ts'
import * as iptables from './iptables.ts'
import { makeMark } from './mark.ts'
import * as nftables from './nftables.ts'
import { anyNoted, forgetLock, noteLock } from './notes.ts'

/**
 * While a tree is dumped, and until it is restored, its connections are locked: the packets of just
 * these, in both directions, are dropped. Nobody else answers for the sockets that are not there, so
 * the peers send again and wait. A lock outlives the criu that made it; `sweepLocks` removes those that
 * should not have.
 */

/** The values of `inventory_entry.network_lock_method`. */
const METHODS: readonly NetworkLock[] = ['iptables', 'nftables', 'skip']

/** What the inventory tells of the lock, for the restore that removes it. */
export interface LockFields {
  readonly network_lock_method?: number | undefined
  readonly dump_criu_run_id?: string | undefined
}

/** Names of chains are at most 28 bytes long: as much of the id as fits. */
const CHAIN_ID_LENGTH = 18

const tableOf = (id: string): string => `${nftables.TABLE_PREFIX}${id}`
const chainOf = (id: string): string => `CRIU-${id.slice(0, CHAIN_ID_LENGTH)}`

/** The lock of a tree that is being dumped. */
export class TreeLock {
  readonly #root: HostPid
  readonly #wish: NetworkLock | undefined
  readonly #log: Log
  readonly #locked = new Set<NetNamespace | undefined>()
  #madeId: string | undefined
  #method: NetworkLock | undefined

  /** `wish`: the option; undefined is the best that there is. */
  constructor(root: HostPid, wish: NetworkLock | undefined, log: Log) {
    this.#root = root
    this.#wish = wish
    this.#log = log
  }

  /**
   * Locks connections of a network namespace (ours, unless it is named), all in one go: once for each
   * namespace. Until `unlock`, and beyond the end of criu where that is not called.
   */
  lock(connections: readonly Connection[], namespace?: NetNamespace): void {
    if (connections.length === 0) return
    if (this.#locked.has(namespace))
      fail({ code: 'internal', reason: 'connections of one namespace are locked twice' })
    sweepLocks(this.#log, namespace)
    // Before it is there: a lock that fails halfway must go too.
    this.#locked.add(namespace)
    noteLock(this.#id)
    this.#method = this.#make(connections, namespace)
    this.#log.info(`locked ${connections.length} connections by ${this.#method}`)
  }

  /** Removes what was locked; the tree goes on. */
  unlock(): void {
    for (const namespace of this.#locked) removeLock(this.#method, this.#id, namespace)
    if (this.#locked.size > 0) forgetLock(this.#id)
    this.#locked.clear()
  }

  /**
   * How somebody who outlives us can unlock, to be known before anything is locked. Of iptables there is
   * no such way: its rules are for the next criu to sweep.
   */
  removals(namespace?: NetNamespace): nftables.Removal[] {
    if (this.#wish === 'iptables' || this.#wish === 'skip') return []
    const removal = nftables.tryRemoval(tableOf(this.#id), namespace)
    return removal ? [removal] : []
  }

  get #id(): string {
    this.#madeId ??= readProcFile('/proc/sys/kernel/random/uuid').trim()
    return this.#madeId
  }

  /** For the inventory. The id is the name of the rules, as upstream has it. */
  get fields(): LockFields {
    const method = METHODS.indexOf(this.#method ?? this.#wish ?? 'iptables')
    if (this.#locked.size === 0 || this.#method === 'skip') return { network_lock_method: method }
    return { network_lock_method: method, dump_criu_run_id: this.#id }
  }

  #make(connections: readonly Connection[], namespace: NetNamespace | undefined): NetworkLock {
    const wish = this.#method ?? this.#wish
    if (wish === 'skip') return 'skip'
    const mark = makeMark(this.#root)
    if (wish !== 'iptables') {
      if (nftables.tryLock(tableOf(this.#id), connections, mark, namespace)) return 'nftables'
      if (wish === 'nftables') failUnsupported()
    }
    within(namespace, () => iptables.lock(chainOf(this.#id), connections, mark))
    return 'iptables'
  }
}

/**
 * Removes the lock that the images tell of, once the restored sockets can answer for themselves. That
 * there is none (another machine, a reboot) is no fault. `root`: what upstream named the rules by before
 * there were ids.
 */
export function unlockRestored(
  { network_lock_method, dump_criu_run_id }: LockFields,
  root: number,
  log: Log,
  namespace?: NetNamespace,
): void {
  const method = METHODS[network_lock_method ?? 0]
  if (method !== 'nftables' && dump_criu_run_id === undefined) return
  const id = dump_criu_run_id ?? String(root)
  if (removeLock(method, id, namespace)) log.info(`unlocked the connections (${method})`)
  forgetLock(id)
}

/** As {@link sweepLocks}, in our own namespace, if a lock was made that nobody has removed. */
export function sweepNotedLocks(log: Log): void {
  if (anyNoted()) sweepLocks(log)
}

/**
 * Removes locks in a network namespace that a killed criu has left to trees which live on. Where that
 * fails the job goes on: they are another job's.
 */
export function sweepLocks(log: Log, namespace?: NetNamespace): void {
  try {
    const swept = nftables.sweep(namespace)
    if (iptables.mayHaveChains(namespace)) swept.push(...within(namespace, iptables.sweep))
    // A chain of iptables is there once for each version of IP.
    for (const name of new Set(swept))
      log.warn(`removed ${name}: a criu that was killed had left it`)
  } catch (error) {
    log.warn(`looking for locks of connections that were left: ${sentence(error)}`)
  }
}

function removeLock(
  method: NetworkLock | undefined,
  id: string,
  namespace: NetNamespace | undefined,
): boolean {
  if (method === 'nftables') return nftables.unlock(tableOf(id), namespace)
  if (method !== 'iptables' || !iptables.mayHaveChains(namespace)) return false
  return within(namespace, () => iptables.unlock(chainOf(id)))
}

const within = <T>(namespace: NetNamespace | undefined, action: () => T): T =>
  namespace === undefined ? action() : inNetNamespace(namespace, action)

const failUnsupported = (): never =>
  fail({
    code: 'conflict',
    reason: 'connections cannot be locked by nftables: this kernel has no nf_tables',
    remedy: 'use --network-lock iptables or --network-lock skip',
  })
