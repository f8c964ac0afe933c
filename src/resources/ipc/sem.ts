import type { Messages } from '../../images/gen/messages.ts'
import type { Part, WithPayload } from '../../images/payload.ts'
import { IPC, SEMCTL } from '../../kernel/constants/ipc.ts'
import { semidDs } from '../../kernel/layout/ipc.ts'
import { scratch } from '../../kernel/memory.ts'
import { readSysvSem, type SysvSem } from '../../kernel/proc/sysvipc.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import { runAs } from './as-process.ts'
import {
  checkKey,
  checkSame,
  conflict,
  describe,
  makeWithId,
  nameOf,
  permissions,
  SEM_KIND,
} from './desc.ts'
import type { TreeSem } from './tree-objects.ts'
import { outsider } from './users.ts'

type SemEntry = Messages['ipc_sem_entry']

export const valuesOf = ({ id, nsems }: SysvSem): number[] =>
  Array.from({ length: nsems }, (_, i) => must('semctl', id, i, SEMCTL.GETVAL))

/** A set's entry and its values, 16 bits each, as the images have them. */
export function semImage({ sem }: TreeSem): {
  entry: SemEntry
  payload: Uint8Array
  parts: Part[]
} {
  const payload = new Uint8Array(Math.ceil((sem.nsems * 2) / 8) * 8)
  const view = new DataView(payload.buffer)
  for (const [i, value] of valuesOf(sem).entries()) view.setUint16(i * 2, value, true)
  return { entry: { desc: describe(sem), nsems: sem.nsems }, payload, parts: [] }
}

/** The values that an image has of a set. */
export function imageValues({ entry, payload }: WithPayload<SemEntry>): number[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  return Array.from({ length: entry.nsems }, (_, i) => view.getUint16(i * 2, true))
}

/** What stands in the way of the sets of the images, before anything is changed. */
export function checkSem(images: readonly WithPayload<SemEntry>[]): SysvSem[] {
  const present = readSysvSem('/proc')
  return images.flatMap(({ entry }) => {
    checkKey(SEM_KIND, entry.desc, present)
    const found = present.find(({ id }) => id === entry.desc.id)
    if (found) checkUnused(entry, found)
    return found ? [found] : []
  })
}

/** It has outlived the dumped tasks: a new one with their values takes its place. */
function checkUnused({ desc }: SemEntry, found: SysvSem): void {
  checkSame(SEM_KIND, desc, found)
  for (let i = 0; i < found.nsems; i++) {
    const user = outsider([must('semctl', desc.id, i, SEMCTL.GETPID)], new Set())
    if (user !== undefined) conflict(SEM_KIND, found, `is there and used by process ${user}`)
    const waiting = sys('semctl', desc.id, i, SEMCTL.GETNCNT)
    if (waiting + sys('semctl', desc.id, i, SEMCTL.GETZCNT) > 0)
      conflict(SEM_KIND, found, 'is there and another process waits for it')
  }
}

/** Makes a set with its values. */
export function restoreSem(
  image: WithPayload<SemEntry>,
  extra: Messages['criuts_sem'] | undefined,
): void {
  const { desc, nsems } = image.entry
  makeWithId(SEM_KIND, desc, { key: desc.key | 0, pid: 0 }, (table, key, flags) =>
    table.attempt('semget', key, nsems, flags),
  )
  using s = scratch()
  const given = s.put(permissions(desc, semidDs.size)).address
  const kind = nameOf(SEM_KIND, desc)
  checked(sys('semctl', desc.id, 0, IPC.SET, given), 'semctl(IPC_SET)', { kind })
  setValues(desc.id, imageValues(image), extra?.pids ?? [])
}

const RECORD = 64

/** Each value by a process with the pid that changed it last; one that nobody has touched stays so. */
function setValues(id: number, values: readonly number[], pids: readonly number[]): void {
  const byPid = Map.groupBy(values.keys(), (i) => pids[i] ?? 0)
  for (const [pid, numbers] of byPid) {
    const wanted = numbers.filter((i) => pid !== 0 || values[i] !== 0)
    if (wanted.length === 0) continue
    const table = runAs(
      { pid },
      (calls) => {
        for (const i of wanted) calls.call('semctl', id, i, SEMCTL.SETVAL, values[i]!)
      },
      wanted.length * RECORD,
    )
    const failure = table.failure()
    if (failure) checked(-failure.errno, 'semctl(SETVAL)')
  }
}
