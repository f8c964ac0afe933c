import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { IPC } from '../../kernel/constants/ipc.ts'
import { Errno } from '../../kernel/errno.ts'
import { writeFileSync } from '../../kernel/fs.ts'
import { ipcPerm } from '../../kernel/layout/ipc.ts'
import type { SysvObject } from '../../kernel/proc/sysvipc.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { Result, Table } from '../../kernel/table.ts'
import type { RestoreContext } from '../restore-model.ts'
import { runAs } from './as-process.ts'

type Desc = Messages['ipc_desc_entry']

/** One of the three kinds of System V objects, as messages name it. */
export interface SysvKind {
  readonly name: 'shared memory' | 'semaphore set' | 'message queue'
  /** What ipcrm(1) is told, and what the file of the next id begins with. */
  readonly letter: 'm' | 's' | 'q'
  readonly prefix: 'shm' | 'sem' | 'msg'
}

export const SHM_KIND: SysvKind = { name: 'shared memory', letter: 'm', prefix: 'shm' }
export const SEM_KIND: SysvKind = { name: 'semaphore set', letter: 's', prefix: 'sem' }
export const MSG_KIND: SysvKind = { name: 'message queue', letter: 'q', prefix: 'msg' }

export function describe({ id, key, uid, gid, cuid, cgid, mode }: SysvObject): Desc {
  return { id, key: key >>> 0, uid, gid, cuid, cgid, mode }
}

/** As the kernel prints keys: `System V semaphore set 5 (key 0x00001234)`. */
export const nameOf = ({ name }: SysvKind, { id, key }: { id: number; key: number }): string =>
  `System V ${name} ${id} (key 0x${(key >>> 0).toString(16).padStart(8, '0')})`

/** The fields of struct ipc64_perm that IPC_SET takes, at the start of a struct of `size` bytes. */
export function permissions(desc: Desc, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  const { uid, gid, mode } = desc
  ipcPerm.write(new DataView(bytes.buffer), 0, { ...ipcPerm.zero(), uid, gid, mode: mode & 0o777 })
  return bytes
}

/** What stands in the way of putting an object back, and what the user can do. */
export function conflict(kind: SysvKind, object: { id: number; key: number }, why: string): never {
  const remedy = `remove it if nobody needs it any more (ipcrm -${kind.letter} ${object.id})`
  return fail({ code: 'conflict', reason: `${nameOf(kind, object)} ${why}`, remedy })
}

/**
 * An object of that id which is there already has outlived the dumped tasks, if it is the same in what
 * never changes; any other is in the way.
 */
export function checkSame(kind: SysvKind, desc: Desc, found: SysvObject): void {
  const same = found.key >>> 0 === desc.key && found.cuid === desc.cuid && found.cgid === desc.cgid
  if (!same) conflict(kind, found, 'is not the one of the images, which has its id')
}

/** Nobody else may have the key. */
export function checkKey(kind: SysvKind, desc: Desc, present: readonly SysvObject[]): void {
  const other = present.find(
    ({ id, key }) => desc.key !== 0 && key >>> 0 === desc.key && id !== desc.id,
  )
  if (other) conflict(kind, other, `has the key of ${kind.name} ${desc.id} of the images`)
}

/**
 * Makes an object with the id, key and creator of the images, in place of the one that may have outlived
 * the dumped tasks: `get` adds the call that makes it. The next id is chosen by
 * /proc/sys/kernel/*_next_id (since Linux 3.9).
 */
export function makeWithId(
  kind: SysvKind,
  desc: Desc,
  { key, pid }: { readonly key: number; readonly pid: number },
  get: (table: Table, key: number, flags: number) => Result,
): void {
  chooseNextId(kind, desc.id)
  const flags = IPC.CREAT | IPC.EXCL | (desc.mode & 0o777)
  let result: Result | undefined
  runAs({ pid, uid: desc.cuid, gid: desc.cgid }, (table) => {
    result = get(table, key, flags)
  })
  const got = Number(result!.value ?? -Errno.EPERM)
  if (got === desc.id) return
  if (got >= 0) {
    remove(kind, got)
    conflict(kind, desc, 'cannot have its id: another object is at its place')
  }
  checked(got, `${kind.prefix}get`, { kind: nameOf(kind, { id: desc.id, key }) })
}

/** On failure what was made goes, but for what was there before. */
export function removeIfFailed(kind: SysvKind, id: number, restore: RestoreContext): void {
  restore.atEnd((succeeded) => {
    if (!succeeded) tryRemove(kind, id)
  })
}

function chooseNextId({ prefix }: SysvKind, id: number): void {
  const path = `/proc/sys/kernel/${prefix}_next_id`
  try {
    writeFileSync(path, String(id))
  } catch (error) {
    const errno = -((error as NodeJS.ErrnoException).errno ?? -Errno.EIO)
    const remedy = 'it takes a kernel with CONFIG_CHECKPOINT_RESTORE and CAP_CHECKPOINT_RESTORE'
    fail({ code: 'syscall', operation: 'write', path, errno, remedy })
  }
}

export const remove = (kind: SysvKind, id: number): number =>
  checked(tryRemove(kind, id), `${kind.prefix}ctl(IPC_RMID)`)

function tryRemove({ prefix }: SysvKind, id: number): number {
  if (prefix === 'sem') return sys('semctl', id, 0, IPC.RMID)
  return sys(prefix === 'shm' ? 'shmctl' : 'msgctl', id, IPC.RMID, 0)
}
