import { fail } from '../../errors/error.ts'
import type { Progress } from '../../job/progress.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, open, owned, sys } from '../../kernel/sys.ts'
import type { Table } from '../../kernel/table.ts'
import type { HostPid, LocalFd, TraceeFd } from '../../kernel/types.ts'
import type { Infection } from '../../tracee/infection.ts'
import { FdChannel } from '../../tracee/pass-fds.ts'
import { addWrites, groupWrites, type PageSegment, type PageWrite } from './dump-pages.ts'

const COPY_SIZE = 1 << 20

/** Who writes pages: the helper in a task, or a copy of the task's memory. */
export interface PageWriter {
  readonly pid: HostPid
  table(): Table
  start(table: Table): void
  finish(table: Table, what?: string): void
}

/** Gives the task's helper the image to write to; its number there, and in copies made from then on. */
export function passImage(infection: Infection, image: LocalFd): TraceeFd {
  using channel = new FdChannel(infection, infection.helper)
  return channel.send([image])[0]!
}

/** Pages of one task on their way into its image. */
export class PageWriting {
  readonly #writer: PageWriter
  readonly #fd: TraceeFd
  readonly #writes: Iterator<PageWrite, undefined>
  readonly #progress: Progress
  #running: { readonly table: Table; readonly written: readonly PageWrite[] } | undefined

  constructor(
    writer: PageWriter,
    image: TraceeFd,
    segments: readonly PageSegment[],
    progress: Progress,
  ) {
    this.#writer = writer
    this.#progress = progress
    this.#fd = image
    this.#writes = groupWrites(segments) as Iterator<PageWrite, undefined>
  }

  /** Starts the next table; false once all is written. */
  start(): boolean {
    const table = this.#writer.table()
    const { written } = addWrites(table, this.#writes, this.#fd, this.#progress.grain)
    this.#running = written.length > 0 ? { table, written } : undefined
    if (this.#running) this.#writer.start(table)
    return this.#running !== undefined
  }

  /** Waits for it, and compares what was written with what was asked. */
  finish(): void {
    const { table, written } = this.#running!
    this.#writer.finish(table, 'write its pages')
    let bytes = 0
    written.forEach(({ length, pieces }, i) => {
      bytes += length
      const { result } = table.record(i)
      if (result !== BigInt(length))
        fail({
          code: 'syscall',
          operation: `pwrite of ${length} bytes of memory from 0x${pieces[0]!.address.toString(16)}, of which ${result} were written`,
          errno: 28, // ENOSPC: a short write to a regular file has no other cause
          pid: this.#writer.pid,
          remedy: 'free space on the file system of the image directory',
        })
    })
    this.#progress.advance(bytes)
  }
}

/**
 * Writes the pages of several tasks, all at the same time. Where one fails, the others' tables come to
 * their end all the same: a task cannot be left while one runs.
 */
export function writeAll(tasks: readonly PageWriting[]): void {
  for (let busy = tasks.filter((task) => task.start()); busy.length > 0; ) {
    const failures = busy.flatMap((task) => failureOf(() => task.finish()))
    if (failures.length > 0) throw failures[0]
    busy = busy.filter((task) => task.start())
  }
}

function failureOf(action: () => void): unknown[] {
  try {
    action()
    return []
  } catch (error) {
    return [error]
  }
}

/**
 * Pages that the task cannot read itself (PROT_NONE), through /proc/PID/mem and memory of ours outside
 * the JavaScript heap.
 */
export function copyUnreadable(
  pid: HostPid,
  image: LocalFd,
  segments: readonly PageSegment[],
  progress: Progress,
): void {
  const unreadable = segments.filter((segment) => segment.source === 'mem')
  if (unreadable.length === 0) return
  using mem = owned(open(`/proc/${pid}/mem`, O.RDONLY))
  using s = scratch()
  const buffer = s.takeDirty(COPY_SIZE)
  for (const { address, length, offset } of unreadable) {
    for (let done = 0; done < length; ) {
      const asked = Math.min(COPY_SIZE, length - done)
      const got = checked(
        sys('pread64', mem.fd, buffer.address, asked, address + done),
        'read of the memory of a task',
        { pid },
      )
      checked(sys('pwrite64', image, buffer.address, got, offset + done), 'write of pages')
      if (got === 0) fail({ code: 'syscall', operation: 'read of memory', errno: 5, pid })
      done += got
      progress.advance(got)
    }
  }
}
