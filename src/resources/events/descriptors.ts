import type { FileId } from '../../kernel/types.ts'
import type { DumpTask, FoundDescriptor } from '../dump-model.ts'

type DescriptorTable = ReadonlyMap<number, FoundDescriptor>

/** The descriptors of a tree, by what one looks for. A task stands for all that share its table. */
export class Descriptors {
  /** One descriptor of each file. */
  readonly files: readonly FoundDescriptor[]
  readonly #byInode: ReadonlyMap<bigint, readonly FoundDescriptor[]>
  readonly #byTask: ReadonlyMap<DumpTask, DescriptorTable>
  readonly #byFile: ReadonlyMap<FileId, readonly FoundDescriptor[]>

  constructor(all: readonly FoundDescriptor[]) {
    this.#byFile = Map.groupBy(all, ({ id }) => id)
    this.files = [...this.#byFile.values()].map(([first]) => first!)
    this.#byInode = Map.groupBy(this.files, ({ probe }) => probe.stat.ino)
    this.#byTask = new Map(
      [...Map.groupBy(all, ({ probe }) => probe.task)].map(([task, own]) => [
        task,
        new Map(own.map((one) => [one.probe.fd as number, one] as const)),
      ]),
    )
  }

  tableOf(task: DumpTask): DescriptorTable {
    return this.#byTask.get(task) ?? new Map()
  }

  /** One descriptor of each file with that inode number. */
  withInode(ino: bigint): readonly FoundDescriptor[] {
    return this.#byInode.get(ino) ?? []
  }

  /** Tasks that have the file open. */
  holders(file: FileId): Set<DumpTask> {
    return new Set(this.#byFile.get(file)?.map(({ probe }) => probe.task))
  }

  /** The first of them, as the images list tasks. */
  firstHolder(file: FileId): DumpTask {
    return this.#byFile.get(file)![0]!.probe.task
  }

  /** The lowest number at which a task has the file. */
  numberOf(task: DumpTask, file: FileId): number | undefined {
    return this.#byFile.get(file)?.find(({ probe }) => probe.task === task)?.probe.fd
  }
}
