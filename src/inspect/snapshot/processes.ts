import { CriuError, fail } from '../../errors/error.ts'
import type { ImageDirectory } from '../../images/directory.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { decodeText } from '../../images/text.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { readable } from '../json/text-value.ts'
import { type AddressSpace, AddressSpaces } from './address-spaces.ts'
import { type Files, typeName } from './files.ts'
import { memoryOf, type Shared, type SharedNumbers } from './memory.ts'
import type { Descriptor, Process, ProcessState, Thread } from './model.ts'
import { type PageMaps, readMemory } from './page-maps.ts'
import { SharedIds } from './shared.ts'

type Core = Messages['core_entry']
type Ids = Messages['task_kobj_ids_entry']
type Member = Messages['pstree_entry']

/** Argument vectors longer than this are cut. */
const MOST_ARGUMENTS = 64 * 1024

/** Reads the processes one after the other; what several share is read once. */
export class ProcessReader {
  readonly #maps: PageMaps
  readonly #files: Files
  readonly #shared: Shared
  readonly #spaces: AddressSpaces

  constructor(maps: PageMaps, files: Files, numbers: SharedNumbers, pids: readonly number[]) {
    this.#spaces = new AddressSpaces(maps.directory, pids)
    this.#maps = maps
    this.#files = files
    const ids = new SharedIds(maps.directory, (id) => files.entry(id)?.memfd?.inode_id)
    const ranges = (id: number) => maps.get('pagemap-shmem', id)?.ranges() ?? []
    this.#shared = {
      files,
      numbers,
      ranges: (vma) => {
        const id = ids.of(vma)
        return id === undefined ? undefined : ranges(id)
      },
    }
  }

  get #images(): ImageDirectory {
    return this.#maps.directory
  }

  read(member: Member): Process {
    const { pid, ppid, pgid, sid } = member
    const core = this.#images.readOne('core', pid)
    const task = core.tc ?? this.#broken('core', pid, 'it has no state of a process (tc)')
    const ids = this.#images.tryReadOne('ids', pid) ?? core.ids
    const fs = this.#images.tryReadOne('fs', pid)
    const space = this.#spaces.of(pid)
    const creds = core.thread_core?.creds ?? this.#images.tryReadOne('creds', pid)
    return {
      pid,
      ppid,
      pgid,
      sid,
      state: stateOf(task.task_state),
      exitCode: task.exit_code,
      comm: readable(task.comm),
      command: space ? this.#command(space) : [],
      exe: space && this.#files.name(space.mm.exe_file_id),
      cwd: fs && this.#files.name(fs.cwd_id),
      root: fs && this.#files.name(fs.root_id),
      uid: creds?.uid,
      gid: creds?.gid,
      threads: this.#threads(member, core),
      memory: space && this.#memory(space),
      descriptors: ids ? this.#descriptors(ids.files_id) : [],
      namespaces: ids ? namespacesOf(ids) : {},
    }
  }

  #broken(kind: 'core', pid: number, reason: string): never {
    return fail({ code: 'image', file: this.#images.pathOf(kind, pid), entry: 0, reason })
  }

  #memory({ owner, vmas }: AddressSpace) {
    return memoryOf(vmas, this.#maps.get('pagemap', owner)?.ranges() ?? [], this.#shared)
  }

  /**
   * From the few bytes of its stack that hold it. Pages that are missing or damaged are no affair of
   * who only looks: a copy of the images without them can be shown as well.
   */
  #command({ owner, mm: { mm_arg_start, mm_arg_end } }: AddressSpace): string[] {
    const length = Math.min(Number(mm_arg_end - mm_arg_start), MOST_ARGUMENTS)
    const map = length > 0 ? this.#maps.get('pagemap', owner) : undefined
    try {
      const bytes = map && readMemory(map, Number(mm_arg_start), length)
      return bytes === undefined ? [] : argumentsOf(bytes)
    } catch (error) {
      if (error instanceof CriuError && error.detail.code === 'image') return []
      throw error
    }
  }

  #threads({ pid, threads }: Member, leader: Core): Thread[] {
    return threads.map((tid) => {
      const core = tid === pid ? leader : this.#images.readOne('core', tid)
      const comm = core.thread_core?.comm ?? (tid === pid ? core.tc?.comm : undefined)
      const ip = core.thread_info?.gpregs.ip
      return {
        tid,
        comm: comm === undefined ? undefined : readable(comm),
        instruction: ip === undefined ? undefined : `0x${ip.toString(16)}`,
      }
    })
  }

  #descriptors(table: number): Descriptor[] {
    return (this.#images.tryReadAll('fdinfo', table) ?? []).map(({ id, flags, type, fd }) => ({
      fd,
      // FD_CLOEXEC or O_CLOEXEC: images have the one, /proc/PID/fdinfo the other.
      closeOnExec: (flags & (1 | O.CLOEXEC)) !== 0,
      type: typeName(type),
      id,
      name: this.#files.name(id) ?? `${typeName(type)}.${id}`,
    }))
  }
}

const argumentsOf = (bytes: Uint8Array): string[] =>
  decodeText(bytes).replace(/\0$/, '').split('\0').map(readable)

/** Task states of the image format. */
const STATES: Readonly<Record<number, ProcessState>> = { 1: 'alive', 2: 'dead', 3: 'stopped' }
const stateOf = (state: number): ProcessState => STATES[state] ?? 'unknown'

function namespacesOf(ids: Ids): Record<string, number> {
  const found: Record<string, number> = {}
  for (const kind of ['pid', 'net', 'ipc', 'uts', 'mnt', 'user', 'cgroup', 'time'] as const) {
    const id = ids[`${kind}_ns_id`]
    if (id !== undefined) found[kind] = id
  }
  return found
}
