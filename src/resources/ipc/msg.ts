import type { ToWrite } from '../../images/directory.ts'
import type { Messages } from '../../images/gen/messages.ts'
import type { Part, WithPayload } from '../../images/payload.ts'
import { IPC, MSGRCV } from '../../kernel/constants/ipc.ts'
import { msqidDs } from '../../kernel/layout/ipc.ts'
import { scratch } from '../../kernel/memory.ts'
import { readSysvMsg, type SysvMsg } from '../../kernel/proc/sysvipc.ts'
import { checked, sys } from '../../kernel/sys.ts'
import { runAs } from './as-process.ts'
import {
  checkKey,
  checkSame,
  conflict,
  describe,
  MSG_KIND,
  makeWithId,
  nameOf,
  permissions,
} from './desc.ts'
import { outsider } from './users.ts'

type MsgEntry = Messages['ipc_msg_entry']

/** struct msgbuf (man 2 msgrcv): the type, a long, before the text. */
const TYPE_SIZE = 8

/**
 * A queue's entry and its messages. They are read by MSG_COPY (since Linux 3.8, with
 * CONFIG_CHECKPOINT_RESTORE), which takes nothing out and notes nobody.
 */
export function msgImage(queue: SysvMsg): ToWrite<MsgEntry> {
  const { id, qnum } = queue
  const entry = { desc: describe(queue), qnum, qbytes: qbytesOf(id) }
  const parts = Array.from({ length: qnum }, (_, i) => copyMessage(queue, i))
  return { entry, parts }
}

function qbytesOf(id: number): number {
  using s = scratch()
  const memory = s.take(msqidDs.size)
  checked(sys('msgctl', id, IPC.STAT, memory.address), 'msgctl(IPC_STAT)')
  return Number(msqidDs.read(memory.view, 0).qbytes)
}

function copyMessage({ id, cbytes }: SysvMsg, index: number): Part {
  using s = scratch()
  const buffer = s.take(TYPE_SIZE + cbytes)
  const flags = MSGRCV.COPY | IPC.NOWAIT
  const length = checked(
    sys('msgrcv', id, buffer.address, cbytes, index, flags),
    'msgrcv(MSG_COPY)',
    { remedy: 'it takes a kernel with CONFIG_CHECKPOINT_RESTORE' },
  )
  const payload = new Uint8Array(Math.ceil(length / 8) * 8)
  payload.set(buffer.bytes.subarray(TYPE_SIZE, TYPE_SIZE + length))
  return { entry: { mtype: buffer.view.getBigUint64(0, true), msize: length }, payload }
}

/** What stands in the way of the queues of the images, before anything is changed. */
export function checkMsg(images: readonly WithPayload<MsgEntry>[]): SysvMsg[] {
  const present = readSysvMsg('/proc')
  return images.flatMap(({ entry }) => {
    checkKey(MSG_KIND, entry.desc, present)
    const found = present.find(({ id }) => id === entry.desc.id)
    if (found) checkUnused(entry, found)
    return found ? [found] : []
  })
}

/** It has outlived the dumped tasks: a new one with their messages takes its place. */
function checkUnused({ desc }: MsgEntry, found: SysvMsg): void {
  checkSame(MSG_KIND, desc, found)
  const user = outsider([found.lspid, found.lrpid], new Set())
  if (user !== undefined) conflict(MSG_KIND, found, `is there and used by process ${user}`)
}

/** Makes a queue with its messages. */
export function restoreMsg(
  { entry, parts }: WithPayload<MsgEntry>,
  extra: Messages['criuts_msg'] | undefined,
): void {
  const { desc, qbytes } = entry
  makeWithId(MSG_KIND, desc, { key: desc.key | 0, pid: 0 }, (table, key, flags) =>
    table.attempt('msgget', key, flags),
  )
  using s = scratch()
  const given = s.put(permissions(desc, msqidDs.size))
  given.view.setBigUint64(msqidDs.offsets.qbytes, BigInt(qbytes), true)
  checked(sys('msgctl', desc.id, IPC.SET, given.address), 'msgctl(IPC_SET)', {
    kind: nameOf(MSG_KIND, desc),
    remedy: `a queue of ${qbytes} bytes takes CAP_SYS_RESOURCE, or kernel.msgmnb of as many`,
  })
  send(desc.id, parts as readonly MessagePart[], extra?.lspid ?? 0)
  if (extra && extra.lrpid !== 0) markReceiver(desc.id, parts as readonly MessagePart[], extra)
}

interface MessagePart {
  readonly entry: Messages['ipc_msg']
  readonly payload: Uint8Array
}

/** Bytes of messages that one table sends. */
const BATCH = 1 << 20
const OVERHEAD = 128

/** All messages in order, by a process with the pid that sent last. */
function send(id: number, parts: readonly MessagePart[], pid: number): void {
  for (let at = 0; at < parts.length; ) {
    const batch: MessagePart[] = []
    let size = 0
    while (at < parts.length && (batch.length === 0 || size < BATCH)) {
      const part = parts[at++]!
      batch.push(part)
      size += part.payload.length + OVERHEAD
    }
    const table = runAs(
      { pid },
      (calls) => {
        for (const { entry, payload } of batch) {
          const slot = calls.space(TYPE_SIZE + payload.length)
          slot.view.setBigUint64(0, entry.mtype, true)
          slot.bytes.set(payload, TYPE_SIZE)
          calls.call('msgsnd', id, slot, entry.msize, IPC.NOWAIT)
        }
      },
      size,
    )
    const failure = table.failure()
    if (failure) checked(-failure.errno, 'msgsnd', { kind: `System V message queue ${id}` })
  }
}

/** An empty message of a type of its own goes from the last sender to the last receiver. */
function markReceiver(
  id: number,
  parts: readonly MessagePart[],
  { lspid, lrpid }: Messages['criuts_msg'],
): void {
  const types = new Set(parts.map(({ entry }) => entry.mtype))
  let type = 1n
  while (types.has(type)) type++
  runAs({ pid: lspid }, (table) => {
    const message = table.space(TYPE_SIZE)
    message.view.setBigUint64(0, type, true)
    table.call('msgsnd', id, message, 0, IPC.NOWAIT)
  })
  runAs({ pid: lrpid }, (table) => {
    table.call('msgrcv', id, table.space(TYPE_SIZE), 0, type, IPC.NOWAIT)
  })
}
