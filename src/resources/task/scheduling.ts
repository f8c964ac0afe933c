import { PR } from '../../kernel/constants/prctl.ts'
import { PRIO } from '../../kernel/constants/resource.ts'
import { SCHED, SCHED_FLAG } from '../../kernel/constants/sched.ts'
import { type StructValue, schedAttr } from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { readStat } from '../../kernel/proc/stat.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { HostPid } from '../../kernel/types.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpContext, DumpTask, DumpThread } from '../dump-model.ts'
import type { RestoreThread } from '../restore-model.ts'
import { restoredThread, type ThreadExtra, threadExtra } from '../task-extra.ts'
import { placeAffinity, savedAffinity } from './affinity.ts'
import { refuse } from './refuse.ts'

type Attributes = StructValue<typeof schedAttr>

const IOPRIO_WHO_PROCESS = 1
/** Nanoseconds; what a task has unless it was changed (man 2 PR_SET_TIMERSLACK). */
const DEFAULT_SLACK = 50_000n
const REALTIME: readonly number[] = [SCHED.FIFO, SCHED.RR]
/** getpriority(2) gives 20 − nice. */
const NICE_ZERO = 20
const MAX_NODES = 1024
const UTIL_MAX = 1024

/** When and where the kernel lets each thread run: policy, nice, CPUs, I/O priority, slack. */
export const scheduling: TaskAspect = {
  name: 'scheduling',

  collect(task, dump) {
    for (const thread of task.threads) collectThread(task, thread, dump)
  },

  askThread(_task, thread, table) {
    const slack = table.call('prctl', PR.GET_TIMERSLACK)
    const mode = table.space(8)
    const nodes = table.space(MAX_NODES / 8)
    const policy = table.attempt('get_mempolicy', mode, nodes, MAX_NODES, 0, 0)
    return () => {
      const extra = threadExtra(thread)
      // 0 is what a real-time policy makes of it.
      if (slack.value !== DEFAULT_SLACK && slack.value !== 0n) extra.timer_slack = slack.value
      const memory = policy.failed ? 0 : mode.view.getInt32(0, true)
      if (memory !== 0) extra.mempolicy = { mode: memory, nodes: nodes.bytes.slice() }
    }
  },

  placeThread(task, thread, table, restore) {
    const extra = restoredThread(task, thread, restore)
    table.call('prctl', PR.SET_TIMERSLACK, extra?.timer_slack ?? DEFAULT_SLACK)
    if (!extra?.mempolicy) return
    const { mode, nodes } = extra.mempolicy
    table.call('set_mempolicy', mode, table.data(nodes), nodes.length * 8)
  },

  // From outside and last: no stage of a restore runs with the priority of the task.
  finishOutside(task, thread, restore) {
    const extra = restoredThread(task, thread, restore)
    const tid = thread.tid!
    placeAffinity(tid, extra?.cpus)
    must('ioprio_set', IOPRIO_WHO_PROCESS, tid, extra?.ioprio ?? 0)
    placePolicy(tid, thread, extra?.idle_nice)
    if (extra && needsAttributes(extra)) placeAttributes(tid, extra)
  },
}

function collectThread(task: DumpTask, thread: DumpThread, dump: DumpContext): void {
  const { tid } = thread.seized
  const found = attributesOf(tid)
  if (found.sched_policy === SCHED.DEADLINE)
    refuse(
      dump,
      task,
      `thread ${tid} has the policy SCHED_DEADLINE`,
      'give it another policy first',
    )
  const resets = found.sched_flags & BigInt(SCHED_FLAG.RESET_ON_FORK)
  thread.core.sched_nice = NICE_ZERO - must('getpriority', PRIO.PROCESS, tid)
  thread.core.sched_policy = found.sched_policy | (resets ? SCHED.RESET_ON_FORK : 0)
  if (REALTIME.includes(found.sched_policy)) thread.core.sched_prio = found.sched_priority
  const extra = threadExtra(thread)
  // sched_setattr with SCHED_IDLE takes a nice value that shows as the priority alone.
  const shown = readStat(thread.proc).priority - NICE_ZERO
  if (found.sched_policy === SCHED.IDLE && shown !== thread.core.sched_nice) extra.idle_nice = shown
  const cpus = savedAffinity(tid)
  if (cpus) extra.cpus = cpus
  const ioprio = sys('ioprio_get', IOPRIO_WHO_PROCESS, tid)
  if (ioprio > 0) extra.ioprio = ioprio
  const { sched_runtime, sched_util_min, sched_util_max } = found
  if (!REALTIME.includes(found.sched_policy) && sched_runtime !== attributesOf(0).sched_runtime)
    extra.sched_runtime = sched_runtime
  if (sched_util_min !== 0 || (sched_util_max !== 0 && sched_util_max !== UTIL_MAX)) {
    extra.util_min = sched_util_min
    extra.util_max = sched_util_max
  }
}

function attributesOf(tid: HostPid | 0): Attributes {
  using s = scratch()
  const memory = s.take(schedAttr.size)
  must('sched_getattr', tid, memory.address, schedAttr.size, 0)
  return schedAttr.decode(memory.bytes)
}

function placePolicy(tid: HostPid, thread: RestoreThread, idleNice: number | undefined): void {
  const core = thread.core.thread_core
  if (core?.sched_nice !== undefined) must('setpriority', PRIO.PROCESS, tid, core.sched_nice)
  if (core?.sched_policy === undefined) return
  // Only as the policy changes does the kernel look at the nice value of SCHED_IDLE.
  if (idleNice !== undefined) setIdle(tid, idleNice)
  using s = scratch()
  const parameter = s.take(8)
  parameter.view.setInt32(0, core.sched_prio ?? 0, true)
  const result = sys('sched_setscheduler', tid, core.sched_policy, parameter.address)
  checked(result, 'sched_setscheduler', { pid: tid })
}

function setIdle(tid: HostPid, nice: number): void {
  using s = scratch()
  const { size } = schedAttr
  const attributes = schedAttr.encode({ size, sched_policy: SCHED.IDLE, sched_nice: nice })
  must('sched_setattr', tid, s.put(attributes).address, 0)
}

const needsAttributes = ({ sched_runtime, util_max }: ThreadExtra): boolean =>
  sched_runtime !== undefined || util_max !== undefined

/** A slice of its own (Linux 6.12) and clamps of utilisation. */
function placeAttributes(tid: HostPid, extra: ThreadExtra): void {
  using s = scratch()
  const clamped = extra.util_max !== undefined
  const clamp = SCHED_FLAG.UTIL_CLAMP_MIN | SCHED_FLAG.UTIL_CLAMP_MAX
  const before = attributesOf(tid)
  const attributes = schedAttr.encode({
    ...before,
    size: schedAttr.size,
    sched_flags: before.sched_flags | BigInt(clamped ? clamp : 0),
    sched_runtime: extra.sched_runtime ?? 0n,
    sched_util_min: extra.util_min ?? 0,
    sched_util_max: extra.util_max ?? 0,
  })
  must('sched_setattr', tid, s.put(attributes).address, 0)
}
