import type { Messages } from '../../images/gen/messages.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { must } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { O_ASYNC } from './async.ts'
import { fillPipe } from './pipe-content.ts'
import { ownFieldsOf } from './pipe-fields.ts'

type FileEntry = Messages['file_entry']

interface Content {
  readonly entry: Messages['pipe_data_entry']
  readonly bytes: Uint8Array
}

/**
 * The pipes (or fifos) of a restore. All descriptions of one are opened together: then the ends that
 * served to fill it can be closed at once, and no reader sees a writer that is not there.
 */
export class PipeSet {
  readonly #contents: ReadonlyMap<number, Content>
  readonly #members: ReadonlyMap<number, readonly FileEntry[]>
  readonly #opened = new Map<number, LocalFd>()
  readonly #filled = new Set<number>()

  constructor(
    kind: 'pipes-data' | 'fifo-data',
    pipeIdOf: (entry: FileEntry) => number | undefined,
    { images, model }: RestoreContext,
  ) {
    const contents = images.tryReadWithPayload(kind) ?? []
    this.#contents = new Map(
      contents.map(({ entry, payload }) => [entry.pipe_id, { entry, bytes: payload }]),
    )
    const known = [...model.files.values()].flatMap((entry) => {
      const id = pipeIdOf(entry)
      return id === undefined ? [] : [{ id, entry }]
    })
    const byPipe = Map.groupBy(known, ({ id }) => id)
    this.#members = new Map(
      [...byPipe].map(([id, all]) => [id, all.map(({ entry }) => entry)] as const),
    )
  }

  /** A description that was opened with the others of its pipe. */
  take(id: number): LocalFd | undefined {
    const fd = this.#opened.get(id)
    this.#opened.delete(id)
    return fd
  }

  /** All descriptions of a pipe; at least the one that is asked for. */
  members(pipeId: number, entry: FileEntry): readonly FileEntry[] {
    const members = this.#members.get(pipeId) ?? []
    return members.some(({ id }) => id === entry.id) ? members : [...members, entry]
  }

  put(id: number, fd: LocalFd): void {
    this.#opened.set(id, fd)
  }

  /** Whether the end that the tree lacks was open elsewhere: our images tell. */
  isHeldOutside(pipeId: number): boolean {
    const content = this.#contents.get(pipeId)
    return content !== undefined && ownFieldsOf(content.entry).outside === true
  }

  /** The bytes that nobody had read yet, and that were not put anywhere so far. */
  unreadOf(pipeId: number): number {
    return this.#filled.has(pipeId) ? 0 : (this.#contents.get(pipeId)?.bytes.length ?? 0)
  }

  /** Size and content, through a write end that does not block. */
  fill(pipeId: number, writeEnd: number): void {
    const content = this.#contents.get(pipeId)
    if (!content) return
    this.#filled.add(pipeId)
    const { size } = content.entry
    // Upstream writes 0 where a very old kernel did not tell it.
    fillPipe(writeEnd, size || undefined, content.bytes, ownFieldsOf(content.entry).packets)
  }
}

/** The flags that fcntl can set, all at once; O_ASYNC waits for its owner. */
export const setFlags = (fd: number, flags: number): void => {
  must('fcntl', fd, F.SETFL, flags & ~(O_ASYNC | O.ACCMODE))
}
