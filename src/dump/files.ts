import type { Obstacle } from '../errors/error.ts'
import type { Messages } from '../images/gen/messages.ts'
import { O } from '../kernel/constants/fcntl.ts'
import { KCMP } from '../kernel/constants/kcmp.ts'
import { readFdInfo } from '../kernel/proc/fdinfo.ts'
import { type ProcLink, readLink } from '../kernel/proc/links.ts'
import { statFd } from '../kernel/stat.ts'
import { close, open, sys } from '../kernel/sys.ts'
import { type FileId, fileId, type LocalFd, traceeFd } from '../kernel/types.ts'
import type { FdKind } from '../resources/contract.ts'
import type {
  DumpContext,
  DumpTask,
  FdProbe,
  FileRegistry,
  FoundDescriptor,
} from '../resources/dump-model.ts'
import { hasState } from '../resources/files/device-file.ts'
import { tryExternalFile } from '../resources/files/external-file.ts'
import { dumpLocks } from '../resources/files/locks-dump.ts'
import { tryPluginFile } from '../resources/files/plugin-dump.ts'
import { obstacle } from './collect.ts'
import { KcmpIds } from './kcmp-ids.ts'
import { probeFds } from './probe-fds.ts'

type FileEntry = Messages['file_entry']
type FdInfoEntry = Messages['fdinfo_entry']

const FD_CLOEXEC = 1
/** Of fd_types. */
const REG = 1
const EXT = 16

/**
 * All open files of the tree: gives ids to open file descriptions, asks their kinds for entries, and
 * keeps our copies of the descriptors until the dump is over.
 */
export class DumpFiles implements FileRegistry, Disposable {
  readonly #kinds: readonly FdKind[]
  readonly #self = process.pid
  readonly #known = new Map<string, KcmpIds<LocalFd>>()
  readonly #byPath = new Map<string, FileId>()
  readonly #kindOf = new Map<FileId, FdKind>()
  readonly #copies: number[] = []
  readonly #entries: FileEntry[] = []
  readonly #descriptors: FoundDescriptor[] = []
  /** Those that the queue of a socket leads to. */
  readonly #held: FoundDescriptor[] = []
  /** fdinfo images by files_id: one for each descriptor table. */
  readonly fdinfo = new Map<number, FdInfoEntry[]>()
  #next = 1
  #context: DumpContext | undefined

  constructor(kinds: readonly FdKind[]) {
    this.#kinds = kinds
  }

  /** The context is made with this registry in it; it must be known before anything is asked. */
  begin(context: DumpContext): void {
    this.#context = context
  }

  get entries(): readonly FileEntry[] {
    return this.#entries
  }

  get descriptors(): readonly FoundDescriptor[] {
    return this.#descriptors
  }

  nextId(): FileId {
    return fileId(this.#next++)
  }

  add(entry: FileEntry): void {
    this.#entries.push(entry)
  }

  /** All descriptors of a task; those of a shared table are looked at once. */
  addTask(task: DumpTask): void {
    if (this.fdinfo.has(task.ids.files_id)) return
    const table: FdInfoEntry[] = []
    this.fdinfo.set(task.ids.files_id, table)
    for (const { probe, closeOnExec } of probeFds(task)) {
      this.#copies.push(probe.local)
      const known = this.#idOfDescription(probe)
      if (!known) continue
      table.push({
        id: known.id,
        flags: closeOnExec ? FD_CLOEXEC : 0,
        type: known.kind.type as FdInfoEntry['type'],
        fd: probe.fd!,
      })
    }
  }

  idOfPath(task: DumpTask, path: string, flags: number): FileId {
    const link = readLink(path)
    const local = open(path, O.PATH)
    const stat = statFd(local)
    const key = `${stat.dev}:${stat.ino}:${linkText(link)}:${flags}`
    const known = this.#byPath.get(key)
    if (known !== undefined) {
      close(local)
      return known
    }
    this.#copies.push(local)
    const id = this.nextId()
    this.#byPath.set(key, id)
    const info = { pos: 0n, flags } as FdProbe['info']
    this.#ask({ task, fd: undefined, path, local, stat, link, flags, info }, id)
    return id
  }

  idOfHeld(socket: FdProbe, fd: LocalFd): FileId | undefined {
    const path = `/proc/self/fd/${fd}`
    const info = readFdInfo('/proc/self', fd)
    const probe: FdProbe = {
      task: socket.task,
      fd: traceeFd(fd),
      path,
      local: fd,
      stat: statFd(fd),
      link: readLink(path),
      flags: info.flags & ~O.CLOEXEC,
      info,
      inFlight: socket.inFlight ?? socket.fd!,
    }
    const id = this.#idOf(probe)
    this.#held.push({ probe, id })
    this.#copies.push(fd)
    return this.#kindOf.has(id) ? id : undefined
  }

  /** Lets every kind write what it could only know at the end. */
  finish(): void {
    for (const kind of this.#kinds) kind.collectInFlight?.(this.#context!)
    for (const kind of this.#kinds) kind.finishDump?.(this.#context!)
    dumpLocks(this.#context!, this.#held)
  }

  /** Has every kind write what changes its objects for a moment; nothing stands in the way any more. */
  drain(): void {
    for (const kind of new Set(this.#kindOf.values())) kind.drain?.(this.#context!)
  }

  [Symbol.dispose](): void {
    for (const fd of this.#copies) close(fd)
    this.#copies.length = 0
  }

  #idOfDescription(probe: FdProbe): { id: FileId; kind: FdKind } | undefined {
    const id = this.#idOf(probe)
    this.#descriptors.push({ probe, id })
    const kind = this.#kindOf.get(id)
    return kind ? { id, kind } : undefined
  }

  #idOf(probe: FdProbe): FileId {
    const { stat, flags } = probe
    const key = `${stat.dev}:${stat.ino}:${flags}`
    let same = this.#known.get(key)
    if (!same) {
      same = new KcmpIds((a, b) => sys('kcmp', this.#self, this.#self, KCMP.FILE, a, b))
      this.#known.set(key, same)
    }
    const { id, isNew } = same.idOf(probe.local, () => this.nextId())
    if (isNew) this.#ask(probe, fileId(id))
    return fileId(id)
  }

  #ask(probe: FdProbe, id: FileId): void {
    const external = tryExternalFile(probe, id, this.#context!)
    let kind = this.#kinds.find((one) => (external ? one.type === REG : one.recognise(probe)))
    const kept = external ? undefined : this.#tryPlugins(probe, id, kind)
    if (kept) kind = this.#kinds.find(({ type }) => type === EXT)
    if (!kind) {
      this.#context!.refuse(unknownFile(probe))
      return
    }
    const entry = external ? { reg: external } : (kept ?? kind.dump(probe, id, this.#context!))
    if (!entry) return
    this.#kindOf.set(id, kind)
    this.#entries.push({ ...entry, type: kind.type as FileEntry['type'], id })
  }

  /** Plugins are asked for what would be refused: what no kind knows, and devices with a state. */
  #tryPlugins(probe: FdProbe, id: FileId, kind: FdKind | undefined) {
    if (this.#context!.plugins === undefined) return undefined
    const isLeft = kind === undefined || kind === this.#kinds.at(-1)
    if (!isLeft && !(kind.type === REG && hasState(probe))) return undefined
    return tryPluginFile(probe, id, this.#context!)
  }
}

function unknownFile(probe: FdProbe): Obstacle {
  const where = probe.fd === undefined ? probe.path : `fd ${probe.fd}`
  return obstacle(probe.task, where, `file of a kind that is not known (${linkText(probe.link)})`)
}

/** A link as a name and as a key: different files never have the same one. */
function linkText(link: ProcLink): string {
  switch (link.kind) {
    case 'path':
    case 'unreachable':
      return `${link.kind} ${link.path}${link.deleted ? ' (deleted)' : ''}`
    case 'pipe':
    case 'socket':
      return `${link.kind}:[${link.ino}]`
    case 'namespace':
      return `${link.type}:[${link.ino}]`
    case 'anon':
    case 'memfd':
      return `${link.kind}:${link.name}`
    case 'other':
      return link.text
    default: {
      const never: never = link
      return never
    }
  }
}
