import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { PR } from '../../kernel/constants/prctl.ts'
import { PTRACE } from '../../kernel/constants/ptrace.ts'
import { SECCOMP, SECCOMP_FILTER_FLAG, SECCOMP_MODE } from '../../kernel/constants/seccomp.ts'
import { seccompMetadata, sockFilter, sockFprog } from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { mustPtrace } from '../../kernel/ptrace.ts'
import type { Table } from '../../kernel/table.ts'
import type { HostPid } from '../../kernel/types.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpContext } from '../dump-model.ts'
import type { RestoreContext, RestoreTask, RestoreThread } from '../restore-model.ts'

type Filter = Messages['seccomp_filter']

/**
 * Seccomp: the filters of each thread, oldest first, each naming the one before it. Threads and
 * processes that have the same filters share them in the image, which is one for the whole tree.
 *
 * On restore every thread's tracer holds PTRACE_O_SUSPEND_SECCOMP, so that filters can come before the
 * credentials that allow to install them go.
 */
export const seccomp: TaskAspect = {
  name: 'seccomp',

  collect(task, dump) {
    for (const thread of task.threads) {
      const { seccompMode } = thread.status
      if (seccompMode === SECCOMP_MODE.DISABLED) continue
      thread.core.seccomp_mode = seccompMode as Messages['thread_core_entry']['seccomp_mode']
      if (seccompMode === SECCOMP_MODE.FILTER)
        thread.core.seccomp_filter = noteChain(
          dump,
          filtersOf(thread.seized.tid, thread.status.seccompFilters),
        )
    }
  },

  finishDump(dump) {
    dump.images.write('seccomp', [{ seccomp_filters: filtersOfDump(dump) }])
  },

  // What all threads share is installed in all at once: only filters that are the same object, not
  // of the same content, let the program use SECCOMP_FILTER_FLAG_TSYNC later.
  placeThread(task, thread, table, restore) {
    if (thread !== task.threads[0] || task.threads.length === 1) return
    for (const filter of sharedChain(task, restore))
      install(filter, SECCOMP_FILTER_FLAG.TSYNC, table)
  },

  finishThread(task, thread, table, restore) {
    const shared = task.threads.length === 1 ? 0 : sharedChain(task, restore).length
    for (const filter of chainOf(thread, restore).slice(shared)) install(filter, 0, table)
    if (thread.core.thread_core?.seccomp_mode === SECCOMP_MODE.STRICT)
      table.call('prctl', PR.SET_SECCOMP, SECCOMP_MODE.STRICT, 0)
  },
}

const dumped = new WeakMap<DumpContext, Filter[]>()

function filtersOfDump(dump: DumpContext): Filter[] {
  const known = dumped.get(dump) ?? []
  dumped.set(dump, known)
  return known
}

/** Adds what is new of a chain; the index of its youngest filter. */
function noteChain(dump: DumpContext, chain: readonly Filter[]): number {
  const all = filtersOfDump(dump)
  let prev: number | undefined
  for (const filter of chain) {
    const same = all.findIndex((other) => other.prev === prev && equal(other, filter))
    const entry = prev === undefined ? filter : { ...filter, prev }
    prev = same >= 0 ? same : all.push(entry) - 1
  }
  return prev!
}

const equal = (a: Filter, b: Filter): boolean =>
  a.flags === b.flags && Buffer.compare(a.filter, b.filter) === 0

/** Oldest first (kernel/seccomp.c, get_nth_filter). */
function filtersOf(tid: HostPid, count: number): Filter[] {
  return Array.from({ length: count }, (_, i) => {
    using s = scratch()
    const length = mustPtrace('ptrace(SECCOMP_GET_FILTER)', PTRACE.SECCOMP_GET_FILTER, tid, i, 0)
    const code = s.take(length * sockFilter.size)
    const get = PTRACE.SECCOMP_GET_FILTER
    mustPtrace('ptrace(SECCOMP_GET_FILTER)', get, tid, i, code.address)
    const data = s.put(seccompMetadata.encode({ filter_off: BigInt(i) }))
    const { size } = seccompMetadata
    mustPtrace('ptrace(SECCOMP_GET_METADATA)', PTRACE.SECCOMP_GET_METADATA, tid, size, data.address)
    const flags = Number(seccompMetadata.decode(data.bytes).flags)
    return { filter: code.bytes.slice(), flags }
  })
}

/** Filters of a thread, oldest first. */
function chainOf(thread: RestoreThread, restore: RestoreContext): Filter[] {
  const core = thread.core.thread_core
  if (core?.seccomp_mode !== SECCOMP_MODE.FILTER) return []
  const all = restore.images.tryReadOne('seccomp')?.seccomp_filters ?? []
  const chain: Filter[] = []
  for (let index = core.seccomp_filter; index !== undefined; ) {
    const filter: Filter | undefined = all[index]
    if (!filter || (filter.prev !== undefined && filter.prev >= index))
      return fail({
        code: 'image',
        file: restore.images.pathOf('seccomp'),
        entry: 0,
        reason: `filter ${index} of thread ${thread.nsTid} is not there, or names no older one`,
      })
    chain.unshift(filter)
    index = filter.prev
  }
  return chain
}

/** The filters that all threads of a process begin with. */
function sharedChain(task: RestoreTask, restore: RestoreContext): Filter[] {
  const [first = [], ...others] = task.threads.map((thread) => chainOf(thread, restore))
  const end = first.findIndex((filter, i) => others.some((chain) => !sameAt(chain, i, filter)))
  return end < 0 ? first : first.slice(0, end)
}

const sameAt = (chain: readonly Filter[], i: number, filter: Filter): boolean => {
  const other = chain[i]
  return other !== undefined && other.prev === filter.prev && equal(other, filter)
}

function install(filter: Filter, flags: number, table: Table): void {
  const program = sockFprog.encode({
    len: filter.filter.length / sockFilter.size,
    filter: table.data(filter.filter).address,
  })
  const all = (filter.flags ?? 0) | flags
  table.call('seccomp', SECCOMP.SET_MODE_FILTER, all, table.data(program))
}
