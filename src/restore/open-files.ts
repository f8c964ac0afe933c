import { fail } from '../errors/error.ts'
import type { Messages } from '../images/gen/messages.ts'
import { F } from '../kernel/constants/fcntl.ts'
import { close, must, open } from '../kernel/sys.ts'
import type { Table } from '../kernel/table.ts'
import { type FileId, fileId, type LocalFd, localFd } from '../kernel/types.ts'
import type { FdKind } from '../resources/contract.ts'
import { fdKinds } from '../resources/registry.ts'
import type { FileOpener, RestoreContext, RestoreTask } from '../resources/restore-model.ts'
import { fitting } from './fitting.ts'
import { InheritedFds } from './inherited.ts'

type FdEntry = Messages['fdinfo_entry']

/** Where a kind's own `open` is under way: two that need each other would go on for ever. */
type State = LocalFd | 'opening'

/**
 * Files of the images, opened once each in our own process. Their numbers are above all that any task
 * has in the end, so that a task which inherited them can put them in place one after the other (but
 * see limits.ts).
 */
export class FileTable implements FileOpener, Disposable {
  readonly #context: () => RestoreContext
  /** The lowest number that any of them has. */
  readonly firstFree: number
  readonly #descriptions = new Map<FileId, State>()
  readonly #reopened = new Map<string, LocalFd>()
  readonly #others: LocalFd[] = []
  #inherited: InheritedFds | undefined

  constructor(context: () => RestoreContext, firstFree: number) {
    this.#context = context
    this.firstFree = firstFree
  }

  description(id: FileId): LocalFd {
    const known = this.#descriptions.get(id)
    if (known === 'opening') return this.#damaged(`file ${id} needs itself to be opened`)
    if (known !== undefined) return known
    this.#descriptions.set(id, 'opening')
    const context = this.#context()
    const entry = context.model.files.get(id)
    if (!entry) return this.#damaged(`file ${id} is needed, and in no image`)
    const kind = this.#kindOf(entry.type)
    for (const needed of kind.needs?.(entry, context) ?? []) this.description(needed)
    const inherited = this.#inheritedFds().tryTake(entry, kind, context)
    const fd = this.#raise(inherited ?? this.#ofImage(entry, kind, () => kind.open(entry, context)))
    this.#descriptions.set(id, fd)
    context.log.debug(() => `file ${id} (${kind.tag}) is open as ${fd}`)
    return fd
  }

  reopen(id: FileId, flags: number): LocalFd {
    const key = `${id}:${flags}`
    const known = this.#reopened.get(key)
    if (known !== undefined) return known
    // Through /proc also what has no name any more is reached, and memfds.
    const fd = this.#raise(open(`/proc/self/fd/${this.description(id)}`, flags))
    this.#reopened.set(key, fd)
    return fd
  }

  /** Of `--inherit-fd`: what is given is there, and what must be given is. */
  checkInherited(): void {
    this.#inheritedFds().check(tryKindOf, this.#context())
  }

  /** Is this one to be opened only once the tasks exist. */
  isLate(id: FileId): boolean {
    const context = this.#context()
    const entry = context.model.files.get(id)
    return entry !== undefined && (this.#kindOf(entry.type).late?.(entry, context) ?? false)
  }

  /** Takes over a descriptor of ours that tasks are to inherit as well. */
  adopt(fd: LocalFd): LocalFd {
    const raised = this.#raise(fd)
    this.#others.push(raised)
    return raised
  }

  /** All that is open, for the first task to keep. */
  all(): LocalFd[] {
    const opened = [...this.#descriptions.values()].filter((fd) => fd !== 'opening')
    return [...opened, ...this.#reopened.values(), ...this.#others]
  }

  /** What a kind has to do with each of its files once every task has its own; kind after kind. */
  connect(): void {
    const context = this.#context()
    const byType = Map.groupBy(
      this.#descriptions,
      ([id]) => context.model.files.get(id)!.type as number,
    )
    for (const kind of fdKinds)
      for (const [id, fd] of byType.get(kind.type) ?? []) {
        const entry = context.model.files.get(id)!
        if (fd !== 'opening') this.#ofImage(entry, kind, () => kind.connect?.(entry, fd, context))
      }
  }

  /** What a task itself has to do with one of its files, by the number that it has there. */
  connectIn(task: RestoreTask, { id, fd }: FdEntry, table: Table): void {
    const context = this.#context()
    const entry = context.model.files.get(fileId(id))!
    const kind = this.#kindOf(entry.type)
    this.#ofImage(entry, kind, () => kind.connectIn?.(task, entry, fd, table, context))
  }

  [Symbol.dispose](): void {
    for (const fd of this.all()) close(fd)
    this.#descriptions.clear()
    this.#reopened.clear()
    this.#others.length = 0
  }

  #inheritedFds(): InheritedFds {
    this.#inherited ??= new InheritedFds(this.#context().options.inheritFds)
    return this.#inherited
  }

  #kindOf(type: number): FdKind {
    return tryKindOf(type) ?? this.#damaged(`a file of type ${type}, which nobody knows`)
  }

  #ofImage<T>({ id }: { id: number }, { tag }: FdKind, work: () => T): T {
    return fitting(this.#context().images.pathOf('files'), `file ${id}, ${tag}`, work)
  }

  #damaged(reason: string): never {
    return fail({ code: 'image', file: this.#context().images.pathOf('files'), reason })
  }

  #raise(fd: LocalFd): LocalFd {
    if (fd >= this.firstFree) return fd
    const raised = must('fcntl', fd, F.DUPFD_CLOEXEC, this.firstFree)
    close(fd)
    return localFd(raised)
  }
}

const tryKindOf = (type: number): FdKind | undefined => fdKinds.find((one) => one.type === type)
