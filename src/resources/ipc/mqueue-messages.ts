import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { mqAttr } from '../../kernel/layout/ipc.ts'
import type { StructValue } from '../../kernel/layout/layout.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { memoryAt, scratch } from '../../kernel/memory.ts'
import { checked, must, spawnTable, sys } from '../../kernel/sys.ts'
import { Result, type Slot, Table } from '../../kernel/table.ts'
import { hostPid, type LocalFd } from '../../kernel/types.ts'
import { waitStop } from '../../kernel/wait.ts'

type Message = Messages['criuts_mqueue_message']

/** Attributes of a queue: its sizes, and how many messages it has. */
export function attributesOf(fd: LocalFd): StructValue<typeof mqAttr> {
  using s = scratch()
  const memory = s.take(mqAttr.size)
  must('mq_getsetattr', fd, 0, memory.address)
  return mqAttr.read(memory.view, 0)
}

/** Of each message: two records, its priority, and what aligns them. */
const OVERHEAD = 2 * 64 + 64

/**
 * Messages of a queue, in the order in which they would be received. There is no call that looks without
 * taking: one table takes all and sends them again, in some microseconds, and so in the same order, also
 * where we are killed in between. It is for a queue that nobody else uses and that has no registration
 * of mq_notify. `fd` is O_NONBLOCK.
 */
export function copyMessages(fd: LocalFd): Message[] {
  const { curmsgs, msgsize } = attributesOf(fd)
  const [count, size] = [Number(curmsgs), Number(msgsize)]
  if (count === 0) return []
  const length = count * (size + OVERHEAD) + 4096
  const flags = MAP.PRIVATE | MAP.ANONYMOUS | MAP.POPULATE
  const address = BigInt(must('mmap', 0, length, PROT.READ | PROT.WRITE, flags, -1, 0))
  try {
    return takeAndGive(fd, new Table(memoryAt(address, length)), count, size)
  } finally {
    sys('munmap', address, length)
  }
}

interface Taken {
  readonly content: Slot
  readonly priority: Slot
  readonly length: Result
}

function takeAndGive(fd: LocalFd, table: Table, count: number, size: number): Message[] {
  const taken: Taken[] = []
  const sent: Result[] = []
  for (let i = 0; i < count; i++) {
    const [content, priority] = [table.space(size), table.space(8)]
    const length = table.attempt('mq_timedreceive', fd, content, size, priority, 0)
    taken.push({ content, priority, length })
  }
  for (const { content, priority, length } of taken)
    sent.push(table.attempt('mq_timedsend', fd, content, length, wordAt(table, priority), 0))
  runApart(table)
  checkAll(taken, sent)
  return taken.map(({ content, priority, length }) => ({
    priority: priority.view.getUint32(0, true),
    content: content.bytes.slice(0, length.number),
  }))
}

/** In a process of a moment that shares our memory: where we are killed meanwhile, it comes to its end. */
function runApart(table: Table): void {
  const args = cloneArgs.encode({ flags: CLONE.VM | CLONE.VFORK | CLONE.FILES })
  waitStop(hostPid(checked(spawnTable(args, table), 'clone3 of a process of a moment')))
}

/** A word of the table's data as the argument of a call. */
const wordAt = (table: Table, slot: Slot): Result =>
  new Result(table.memory.view, Number(slot.address - table.base))

/** Between two of these calls somebody would have to open the queue and use it. */
function checkAll(taken: readonly Taken[], sent: readonly Result[]): void {
  for (const [i, { length }] of taken.entries()) {
    if (length.number >= 0 && sent[i]!.number === 0) continue
    const errno = length.number < 0 ? -length.number : -sent[i]!.number
    fail({ code: 'syscall', operation: 'mq_timedsend', errno, kind: 'POSIX message queue' })
  }
}

export function sendMessages(fd: LocalFd, messages: readonly Message[]): void {
  for (const { priority, content } of messages) {
    using s = scratch()
    const { address } = s.put(content)
    const result = sys('mq_timedsend', fd, address, content.length, priority, 0)
    checked(result, 'mq_timedsend', { kind: 'POSIX message queue' })
  }
}
