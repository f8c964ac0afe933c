import { IPC, SEM, SEMVMX } from '../../kernel/constants/ipc.ts'
import { sembuf } from '../../kernel/layout/ipc.ts'

/** One operation of semop(2). */
export interface SemOp {
  readonly num: number
  readonly op: number
  readonly flg: number
}

/**
 * Operations on one semaphore that leave its value as it is, and change the caller's adjustment for it
 * (semadj, man 2 semop) by −`undo`: steps with SEM_UNDO, each beside one without that takes it back. A
 * value must not leave 0 to SEMVMX between them, so each step goes the way where there is room, by at
 * most what there is: 16384 or more.
 */
export function ladder(num: number, value: number, undo: number): SemOp[] {
  const ops: SemOp[] = []
  const room = Math.max(value, SEMVMX - value)
  const first = value >= SEMVMX - value ? -1 : 1
  for (let left = Math.abs(undo); left > 0; ) {
    const step = Math.min(left, room)
    const withUndo = { num, op: Math.sign(undo) * step, flg: SEM.UNDO | IPC.NOWAIT }
    const without = { num, op: -withUndo.op, flg: IPC.NOWAIT }
    ops.push(...(Math.sign(undo) === first ? [withUndo, without] : [without, withUndo]))
    left -= step
  }
  return ops
}

/** Operations that never succeed together: to wait for zero, and to take one from that. */
export const impossible = (num: number): SemOp[] => [
  { num, op: 0, flg: IPC.NOWAIT },
  { num, op: -1, flg: IPC.NOWAIT },
]

/** Operations that change nothing but who changed the semaphore last. */
export function touch(num: number, value: number): SemOp[] {
  const op = value === SEMVMX ? -1 : 1
  return [op, -op].map((one) => ({ num, op: one, flg: IPC.NOWAIT }))
}

export function encodeOps(ops: readonly SemOp[]): Uint8Array {
  const bytes = new Uint8Array(ops.length * sembuf.size)
  const view = new DataView(bytes.buffer)
  for (const [i, op] of ops.entries()) sembuf.write(view, i * sembuf.size, op)
  return bytes
}
