import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import type { WithPayload } from '../../images/payload.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { IPC, SHM } from '../../kernel/constants/ipc.ts'
import { MAP } from '../../kernel/constants/mman.ts'
import { shmidDs } from '../../kernel/layout/ipc.ts'
import { scratch } from '../../kernel/memory.ts'
import { readMaps } from '../../kernel/proc/maps.ts'
import { readSysvShm, type SysvShm } from '../../kernel/proc/sysvipc.ts'
import { checked, must, open, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { fillShared } from '../memory/restore-shared.ts'
import type { RestoreContext } from '../restore-model.ts'
import {
  checkKey,
  checkSame,
  conflict,
  makeWithId,
  nameOf,
  permissions,
  remove,
  SHM_KIND,
} from './desc.ts'
import { outsider } from './users.ts'

type ShmEntry = Messages['ipc_shm_entry']
type Extra = Messages['criuts_shm'] | undefined

/** Segments that only we hold so far: removed ones, which live as long as they are attached. */
const held = new WeakMap<RestoreContext, bigint[]>()

/** What stands in the way of the segments of the images, before anything is changed. */
export function checkShm(entries: readonly WithPayload<ShmEntry>[]): SysvShm[] {
  const present = readSysvShm('/proc')
  return entries.flatMap(({ entry }) => {
    checkKey(SHM_KIND, entry.desc, present)
    const found = present.find(({ id }) => id === entry.desc.id)
    if (found) checkUnused(entry, found)
    return found ? [found] : []
  })
}

/** Makes all segments with their content. */
export function restoreShm(
  entries: readonly WithPayload<ShmEntry>[],
  extras: readonly Messages['criuts_shm'][],
  restore: RestoreContext,
): void {
  const addresses: bigint[] = []
  held.set(restore, addresses)
  restore.atEnd(() => letGoOfShm(restore))
  // Removed ones first: another one may have their key since.
  const isRemoved = ({ entry }: WithPayload<ShmEntry>) => (entry.desc.mode & SHM.DEST) !== 0
  for (const one of [...entries].sort((a, b) => Number(isRemoved(b)) - Number(isRemoved(a)))) {
    const { desc } = one.entry
    makeSegment(
      one.entry,
      extras.find(({ id }) => id === desc.id),
    )
    const address = fill(one, restore)
    if (isRemoved(one)) {
      remove(SHM_KIND, desc.id)
      addresses.push(address)
    } else must('shmdt', address)
  }
}

/** Tasks have attached what they need: what is removed stays as long as they do. */
export function letGoOfShm(restore: RestoreContext): void {
  for (const address of held.get(restore)?.splice(0) ?? []) sys('shmdt', address)
}

/** It has outlived the dumped tasks: a new one with their content takes its place. */
function checkUnused({ desc }: ShmEntry, found: SysvShm): void {
  checkSame(SHM_KIND, desc, found)
  if (found.nattch > 0) conflict(SHM_KIND, found, 'is there and attached by other processes')
  const user = outsider([found.lpid], new Set())
  if (user !== undefined) conflict(SHM_KIND, found, `is there and used by process ${user}`)
}

function makeSegment({ desc, size, hugetlb_flag }: ShmEntry, extra: Extra): void {
  const key = (desc.mode & SHM.DEST ? (extra?.name ?? desc.key) : desc.key) | 0
  const huge = hugetlb_flag ? SHM.HUGETLB | (hugetlb_flag & (MAP.HUGE_MASK << MAP.HUGE_SHIFT)) : 0
  makeWithId(SHM_KIND, desc, { key, pid: extra?.cpid ?? 0 }, (table, withKey, flags) =>
    table.attempt('shmget', withKey, size, flags | huge),
  )
}

/** Owner, mode, lock and content; the address where we have it attached. */
function fill({ entry, payload }: WithPayload<ShmEntry>, restore: RestoreContext): bigint {
  const { desc, size } = entry
  using s = scratch()
  const kind = nameOf(SHM_KIND, desc)
  const given = s.put(permissions(desc, shmidDs.size)).address
  checked(sys('shmctl', desc.id, IPC.SET, given), 'shmctl(IPC_SET)', { kind })
  const lock = desc.mode & SHM.LOCKED ? SHM.LOCK : SHM.UNLOCK
  checked(sys('shmctl', desc.id, lock, 0), 'shmctl(SHM_LOCK)', { kind })
  const address = BigInt(checked(sys('shmat', desc.id, 0, 0), 'shmat', { kind }))
  using file = owned(openAttached(address))
  if (entry.in_pagemaps) fillShared(desc.id, file.fd, restore)
  else writePayload(payload.subarray(0, Number(size)), file.fd, kind)
  // The last page was written whole.
  if (!entry.hugetlb_flag) must('ftruncate', file.fd, size)
  return address
}

/** The file behind the mapping that begins there. */
function openAttached(address: bigint): LocalFd {
  const mapping = readMaps('/proc/self').find(({ start }) => start === address)
  if (!mapping)
    return fail({ code: 'internal', reason: 'a segment was attached and is not mapped' })
  const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
  return open(`/proc/self/map_files/${range}`, O.RDWR)
}

const PIECE = 1 << 20

/** Images of old have the content behind the entry. */
function writePayload(bytes: Uint8Array, fd: LocalFd, kind: string): void {
  for (let done = 0; done < bytes.length; done += PIECE) {
    using s = scratch()
    const piece = bytes.subarray(done, done + PIECE)
    const memory = s.put(piece)
    checked(sys('pwrite64', fd, memory.address, piece.length, done), 'pwrite', { kind })
  }
}
