import { fail, type Obstacle } from '../errors/error.ts'
import type { InheritedFd } from '../job/options.ts'
import { F, O } from '../kernel/constants/fcntl.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { must, sys } from '../kernel/sys.ts'
import { type LocalFd, localFd } from '../kernel/types.ts'
import type { FdKind, Inheritable } from '../resources/contract.ts'
import { VMA } from '../resources/memory/vma-bits.ts'
import type { RestoreContext } from '../resources/restore-model.ts'

type FileEntry = Parameters<FdKind['open']>[0]
type KindOf = (type: number) => FdKind | undefined

/** Descriptors of ours that take the place of objects of the images: `--inherit-fd fd[N]:NAME`. */
export class InheritedFds {
  readonly #given: readonly InheritedFd[]

  constructor(given: readonly InheritedFd[]) {
    this.#given = given
  }

  /** A new descriptor for an entry, where one was given for it. */
  tryTake(entry: FileEntry, kind: FdKind, restore: RestoreContext): LocalFd | undefined {
    if (this.#given.length === 0) return undefined
    const object = kind.inheritedAs?.(entry, restore)
    const all = this.#given.filter(({ resource }) => resource === object?.name)
    // Both ends of a pipe may be given, one descriptor each.
    const given = all.find(({ fd }) => accessOf(fd) === accessIn(entry)) ?? all[0]
    if (!given) return undefined
    restore.log.debug(() => `file ${entry.id} is fd ${given.fd}, inherited as ${given.resource}`)
    const fd = localFd(given.fd)
    return kind.inherit?.(entry, fd, restore) ?? localFd(must('fcntl', fd, F.DUPFD_CLOEXEC, 0))
  }

  /**
   * Before anything is opened: each given descriptor is open, and what nothing else can take the place
   * of was given. One that nothing of the images asks for does no harm: runtimes give all they have.
   */
  check(kindOf: KindOf, restore: RestoreContext): void {
    for (const { fd, resource } of this.#given) refuseClosed(fd, resource)
    const objects = new Map<number, Inheritable>()
    for (const [id, entry] of restore.model.files) {
      const object = kindOf(entry.type)?.inheritedAs?.(entry, restore)
      if (object) objects.set(id, object)
    }
    const obstacles = missing(
      objects,
      new Set(this.#given.map(({ resource }) => resource)),
      restore,
    )
    if (obstacles.length > 0) fail({ code: 'obstacles', obstacles, restoring: true })
    const names = new Set([...objects.values()].map(({ name }) => name))
    for (const { fd, resource } of this.#given)
      if (!names.has(resource))
        restore.log.warn(
          `--inherit-fd fd[${fd}]:${displayPath(resource)} has no effect: the images hold no such file`,
        )
  }
}

const accessOf = (fd: number): number => sys('fcntl', fd, F.GETFL) & O.ACCMODE

/** Ends of pipes are what may be given apart. */
const accessIn = ({ pipe }: FileEntry): number | undefined => pipe && pipe.flags & O.ACCMODE

function refuseClosed(fd: number, resource: string): void {
  if (sys('fcntl', fd, F.GETFD) >= 0) return
  fail({
    code: 'option',
    option: `--inherit-fd fd[${fd}]:${displayPath(resource)}`,
    reason: `names descriptor ${fd}, which is not open`,
    remedy: `start criu with it, as in: criu restore … ${fd}<FILE`,
  })
}

function missing(
  objects: ReadonlyMap<number, Inheritable>,
  given: ReadonlySet<string>,
  { model }: RestoreContext,
): Obstacle[] {
  const lost = (id: number): Inheritable | undefined => {
    const object = objects.get(id)
    return object?.needed !== undefined && !given.has(object.name) ? object : undefined
  }
  return model.tasks.flatMap((task) => {
    const comm = displayPath(task.core.tc?.comm ?? '')
    const mapped = (task.mm?.vmas ?? []).filter(
      ({ status }) => status & (VMA.filePrivate | VMA.fileShared),
    )
    const places = [
      ...task.fds.map(({ fd, id }) => [`fd ${fd}`, id] as const),
      ...mapped.map(
        ({ start, end, shmid }) =>
          [`memory ${start.toString(16)}-${end.toString(16)}`, Number(shmid)] as const,
      ),
    ]
    return places.flatMap(([where, id]) => {
      const object = lost(id)
      if (!object) return []
      const remedy = `restore with --inherit-fd fd[N]:${displayPath(object.name)}`
      return [{ pid: task.nsPid, comm, where, what: object.needed!, remedy }]
    })
  })
}
