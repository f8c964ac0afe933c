import { PTRACE } from '../../kernel/constants/ptrace.ts'
import { closeSync, openSync, readSync, writeSync } from '../../kernel/fs.ts'
import {
  layout,
  pointer,
  ptraceRseqConfiguration,
  rseq as rseqLayout,
  u32,
  u64,
} from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { ptrace } from '../../kernel/ptrace.ts'
import type { HostPid } from '../../kernel/types.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpTask, DumpThread } from '../dump-model.ts'

/** struct rseq_cs (linux/rseq.h): a critical section. */
const criticalSection = layout({
  version: u32,
  flags: u32,
  start_ip: pointer,
  post_commit_offset: u64,
  abort_ip: pointer,
})

/** Restartable sequences: where each thread has its area, and what it was in the middle of. */
export const rseq: TaskAspect = {
  name: 'rseq',

  collect(task) {
    for (const thread of task.threads) {
      const entry = configuration(thread.seized.tid)
      if (!entry) continue
      thread.core.rseq_entry = entry
      leaveCriticalSection(task, thread, entry)
    }
  },

  placeThread(_task, thread, table) {
    const entry = thread.core.thread_core?.rseq_entry
    if (!entry) return
    table.call('rseq', entry.rseq_abi_pointer, entry.rseq_abi_size, 0, entry.signature)
  },

  // Upstream keeps what the thread was in; until now the kernel would have cleared it at each return
  // to user mode. It looks at it again when the thread is let go.
  finishOutside(task, thread) {
    const entry = thread.core.thread_core?.rseq_entry
    if (!entry?.rseq_cs_pointer) return
    const mem = openSync(`/proc/${task.pid}/mem`, 'r+')
    try {
      const bytes = new Uint8Array(BigUint64Array.of(entry.rseq_cs_pointer).buffer)
      writeSync(mem, bytes, 0, bytes.length, Number(csField(entry)))
    } finally {
      closeSync(mem)
    }
  },
}

interface Area {
  readonly rseq_abi_pointer: bigint
  readonly rseq_abi_size: number
  readonly signature: number
}

const csField = (area: Area): bigint => area.rseq_abi_pointer + BigInt(rseqLayout.offsets.rseq_cs)

/** Undefined for a thread without an area; also where the kernel has no rseq. */
function configuration(tid: HostPid): Area | undefined {
  using s = scratch()
  const { size } = ptraceRseqConfiguration
  const memory = s.take(size)
  if (ptrace(PTRACE.GET_RSEQ_CONFIGURATION, tid, size, memory.address) < 0) return undefined
  const found = ptraceRseqConfiguration.decode(memory.bytes)
  if (found.rseq_abi_pointer === 0n) return undefined
  return {
    rseq_abi_pointer: found.rseq_abi_pointer,
    rseq_abi_size: found.rseq_abi_size,
    signature: found.signature,
  }
}

/**
 * A thread stopped within a critical section goes on at its abort handler: that is what the kernel
 * would do, since the thread was preempted (kernel/rseq.c). It must be done here, before the thread
 * runs a system call for us: returning from it outside the section, the kernel forgets the section.
 */
function leaveCriticalSection(task: DumpTask, thread: DumpThread, area: Area): void {
  const mem = openSync(`/proc/${task.pid}/mem`, 'r')
  try {
    const read = (address: bigint, length: number): DataView => {
      const bytes = new Uint8Array(length)
      readSync(mem, bytes, 0, length, Number(address))
      return new DataView(bytes.buffer)
    }
    const pointer = read(csField(area), 8).getBigUint64(0, true)
    if (pointer === 0n) return
    const section = criticalSection.read(read(pointer, criticalSection.size), 0)
    const { registers } = thread.seized
    const offset = BigInt.asUintN(64, registers.get('rip') - section.start_ip)
    if (offset >= section.post_commit_offset) return
    if (read(section.abort_ip - 4n, 4).getUint32(0, true) !== area.signature) return
    registers.set('rip', section.abort_ip).set('orig_rax', -1n)
    const gpregs = thread.machine.gpregs
    if (gpregs) Object.assign(gpregs, { ip: section.abort_ip, orig_ax: 2n ** 64n - 1n })
  } finally {
    closeSync(mem)
  }
}
