import { ARCH, PR, PR_MCE_KILL, PR_SPEC, PR_TSC } from '../../kernel/constants/prctl.ts'
import { PTRACE } from '../../kernel/constants/ptrace.ts'
import { scratch } from '../../kernel/memory.ts'
import { readStat } from '../../kernel/proc/stat.ts'
import { ptrace } from '../../kernel/ptrace.ts'
import { sys } from '../../kernel/sys.ts'
import type { HostPid } from '../../kernel/types.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpContext, DumpTask, DumpThread } from '../dump-model.ts'
import { restoredTask, restoredThread, taskExtra, threadExtra } from '../task-extra.ts'
import { refuse, stopAt } from './refuse.ts'

/** PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE (linux/sched.h): what PR_SET_IO_FLUSHER sets. */
const IO_FLUSHER = 0x0018_0000
/** Permissions for extended state that only who asks for it gets: XTILEDATA (Intel AMX). */
const ASKED_FOR = [18]
const NT_386_IOPERM = 0x201
const SCHED_CORE_GET = 0

/** Controls of speculation, with the state that a task has unless it asked for another. */
const speculation = [
  { which: PR_SPEC.STORE_BYPASS, usual: PR_SPEC.ENABLE },
  { which: PR_SPEC.INDIRECT_BRANCH, usual: PR_SPEC.ENABLE },
  { which: PR_SPEC.L1D_FLUSH, usual: PR_SPEC.DISABLE },
] as const

/** What a thread may set of the CPU by prctl; what cannot be brought back is refused. */
export const cpuControls: TaskAspect = {
  name: 'CPU controls',

  collect(task, dump) {
    for (const thread of task.threads) {
      refuseUnusual(task, thread, dump)
      const { flags } = readStat(thread.proc)
      if ((flags & IO_FLUSHER) === IO_FLUSHER) threadExtra(thread).io_flusher = true
    }
  },

  askProcess(task, table) {
    const table32 = table.space(64)
    const ldt = table.attempt('modify_ldt', 0, table32, 64)
    const permitted = table.space(8)
    const asked = table.attempt('arch_prctl', ARCH.GET_XCOMP_PERM, permitted)
    return () => {
      if (ldt.number > 0) stopAt(task, 'a local descriptor table (modify_ldt)')
      const set = asked.failed ? 0n : permitted.view.getBigUint64(0, true)
      if (ASKED_FOR.some((bit) => (set >> BigInt(bit)) & 1n)) taskExtra(task).xcomp_perm = set
    }
  },

  askThread(_task, thread, table) {
    const tsc = table.space(8)
    table.call('prctl', PR.GET_TSC, tsc)
    const cpuid = table.attempt('arch_prctl', ARCH.GET_CPUID, 0)
    const mce = table.call('prctl', PR.MCE_KILL_GET, 0, 0, 0, 0)
    const controls = speculation.map(({ which, usual }) => ({
      which,
      usual,
      state: table.attempt('prctl', PR.GET_SPECULATION_CTRL, which, 0, 0, 0),
    }))
    return () => {
      const extra = threadExtra(thread)
      const stamp = tsc.view.getInt32(0, true)
      if (stamp !== PR_TSC.ENABLE) extra.tsc = stamp
      if (cpuid.number === 0) extra.cpuid = 0
      if (mce.number !== PR_MCE_KILL.DEFAULT) extra.mce_kill = mce.number
      extra.speculation = controls.flatMap(({ which, usual, state }) => {
        const control = state.failed ? 0 : state.number & ~PR_SPEC.PRCTL
        const own = !state.failed && (state.number & PR_SPEC.PRCTL) !== 0 && control !== usual
        return own ? [{ which, control }] : []
      })
    }
  },

  placeProcess(task, table, restore) {
    const permitted = restoredTask(task, restore)?.xcomp_perm ?? 0n
    for (const bit of ASKED_FOR)
      if ((permitted >> BigInt(bit)) & 1n) table.call('arch_prctl', ARCH.REQ_XCOMP_PERM, bit)
  },

  placeThread(task, thread, table, restore) {
    const extra = restoredThread(task, thread, restore)
    if (extra?.io_flusher) table.call('prctl', PR.SET_IO_FLUSHER, 1, 0, 0, 0)
    if (extra?.mce_kill !== undefined)
      table.call('prctl', PR.MCE_KILL, PR_MCE_KILL.SET, extra.mce_kill, 0, 0)
    for (const { which, control } of extra?.speculation ?? [])
      table.call('prctl', PR.SET_SPECULATION_CTRL, which, control, 0, 0)
    if (extra?.cpuid === 0) table.call('arch_prctl', ARCH.SET_CPUID, 0)
  },

  // Behind seccomp, whose strict mode takes the time stamp counter away (arch/x86/kernel/process.c).
  finishThread(task, thread, table, restore) {
    const tsc = restoredThread(task, thread, restore)?.tsc
    if (tsc !== undefined) table.call('prctl', PR.SET_TSC, tsc)
  },
}

function refuseUnusual(task: DumpTask, thread: DumpThread, dump: DumpContext): void {
  const { tid } = thread.seized
  const { raw } = thread.status
  const say = (what: string) => refuse(dump, task, `thread ${tid} uses ${what}`)
  if (raw.get('x86_Thread_features')?.trim()) say('a shadow stack')
  const mask = raw.get('untag_mask')?.trim()
  if (mask !== undefined && mask !== '0xffffffffffffffff') say('tagged addresses (LAM)')
  if (dispatchesCalls(tid)) say('a dispatch of its system calls (PR_SET_SYSCALL_USER_DISPATCH)')
  if (hasPorts(tid)) say('I/O ports (ioperm)')
  if (coreCookie(tid) !== 0n) say('a core of its own (PR_SCHED_CORE)')
}

/** struct ptrace_sud_config: mode, selector, offset, length. */
function dispatchesCalls(tid: HostPid): boolean {
  using s = scratch()
  const memory = s.take(32)
  const result = ptrace(PTRACE.GET_SYSCALL_USER_DISPATCH_CONFIG, tid, 32, memory.address)
  return result >= 0 && memory.view.getBigUint64(0, true) !== 0n
}

function hasPorts(tid: HostPid): boolean {
  using s = scratch()
  const vector = s.take(16)
  // The first word of the bitmap will do: without a bitmap there is an error.
  vector.view.setBigUint64(0, s.take(8).address, true)
  vector.view.setBigUint64(8, 8n, true)
  return ptrace(PTRACE.GETREGSET, tid, NT_386_IOPERM, vector.address) >= 0
}

function coreCookie(tid: HostPid): bigint {
  using s = scratch()
  const memory = s.take(8)
  const result = sys('prctl', PR.SCHED_CORE, SCHED_CORE_GET, tid, 0, memory.address)
  return result < 0 ? 0n : memory.view.getBigUint64(0, true)
}
