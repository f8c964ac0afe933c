import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Obstacle } from '../../../../src/errors/error.ts'
import { ImageDirectory } from '../../../../src/images/directory.ts'
import type { Messages } from '../../../../src/images/gen/messages.ts'
import type { DumpOptions, RestoreOptions } from '../../../../src/job/options.ts'
import { noProgress } from '../../../../src/job/progress.ts'
import { F, O } from '../../../../src/kernel/constants/fcntl.ts'
import { readFdInfo } from '../../../../src/kernel/proc/fdinfo.ts'
import { readLink } from '../../../../src/kernel/proc/links.ts'
import { readStat } from '../../../../src/kernel/proc/stat.ts'
import { readStatus } from '../../../../src/kernel/proc/status.ts'
import { statFd } from '../../../../src/kernel/stat.ts'
import { close, must } from '../../../../src/kernel/sys.ts'
import {
  type FileId,
  fileId,
  hostPid,
  type LocalFd,
  localFd,
  nsPid,
  traceeFd,
} from '../../../../src/kernel/types.ts'
import { silentLog } from '../../../../src/log/log.ts'
import type {
  DumpContext,
  DumpTask,
  FdProbe,
  FoundDescriptor,
} from '../../../../src/resources/dump-model.ts'
import { writeSharedMemory } from '../../../../src/resources/memory/dump-shared.ts'
import { fdKinds } from '../../../../src/resources/registry.ts'
import type { RestoreContext, RestoreTask } from '../../../../src/resources/restore-model.ts'

type FileEntry = Messages['file_entry']

/** A dump and a restore of descriptors of this very process: kinds alone, without the engine. */
export class FilesJob implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'criu-files-'))
  readonly images = ImageDirectory.create(join(this.directory, 'images'))
  readonly obstacles: Obstacle[] = []
  readonly entries: FileEntry[] = []
  /** Entry of each descriptor that was dumped, by its number. */
  readonly byFd = new Map<number, FileEntry>()
  #ends: ((succeeded: boolean) => void)[] = []
  #next = 1
  readonly #opened = new Map<FileId, LocalFd>()
  readonly #copies: number[] = []
  readonly #descriptors: FoundDescriptor[] = []
  readonly #options: Partial<DumpOptions>

  constructor(options: Partial<DumpOptions> = {}) {
    this.#options = options
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /** Dumps descriptors of ours, each a description of its own. */
  dump(...fds: readonly number[]): void {
    const context = this.#dumpContext()
    for (const fd of fds) this.#dumpOne(this.#probe(context.tasks[0]!, fd), context)
    for (const kind of fdKinds) kind.collectInFlight?.(context)
    for (const kind of fdKinds) kind.finishDump?.(context)
    writeSharedMemory([], countFrom(1), context)
    this.images.write('files', this.entries)
    // As the engine does once all is written: a fifo that is still open keeps its bytes.
    for (const fd of this.#copies.splice(0)) close(fd)
  }

  /** Ends the dump. */
  end(succeeded = true): void {
    for (const action of this.#ends.reverse()) action(succeeded)
    this.#ends = []
  }

  /** Opens all that was dumped, in the order of the descriptors; closes nothing. */
  restore(): LocalFd[] {
    const context = this.#restoreContext()
    const opened = [...this.byFd.values()].map((entry) => {
      const kind = fdKinds.find(({ type }) => type === entry.type)!
      return { kind, entry, fd: kind.open(entry, context) }
    })
    for (const { entry, fd } of opened) this.#opened.set(fileId(entry.id), fd)
    for (const kind of fdKinds)
      for (const one of opened) if (one.kind === kind) kind.connect?.(one.entry, one.fd, context)
    this.end()
    return opened.map(({ fd }) => fd)
  }

  [Symbol.dispose](): void {
    this.images.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #dumpOne(probe: FdProbe, context: DumpContext): void {
    const id = context.files.nextId()
    this.#descriptors.push({ probe, id })
    const kind = fdKinds.find((one) => one.recognise(probe))!
    const entry = kind.dump(probe, id, context)
    if (!entry) return
    const whole: FileEntry = { ...entry, type: kind.type as FileEntry['type'], id }
    this.entries.push(whole)
    if (probe.fd !== undefined) this.byFd.set(probe.fd, whole)
  }

  #probe(task: DumpTask, fd: number): FdProbe {
    const local = localFd(must('fcntl', fd, F.DUPFD_CLOEXEC, 0))
    this.#copies.push(local)
    const info = readFdInfo('/proc/self', fd)
    return {
      task,
      fd: traceeFd(fd),
      path: `/proc/self/fd/${fd}`,
      local,
      stat: statFd(local),
      link: readLink(`/proc/self/fd/${fd}`),
      flags: info.flags & ~O.CLOEXEC,
      info,
    }
  }

  #dumpContext(): DumpContext {
    const task = {
      pid: hostPid(process.pid),
      nsPid: nsPid(process.pid),
      proc: `/proc/${process.pid}`,
      stat: readStat('/proc/self'),
      status: readStatus('/proc/self'),
      threads: [],
      maps: [],
    } as Partial<DumpTask> as DumpTask
    const options = {
      ghostLimit: 1 << 20,
      linkRemap: false,
      evasiveDevices: false,
      shellJob: false,
    }
    const context: Partial<DumpContext> = {
      log: silentLog as DumpContext['log'],
      stats: noStats,
      progress: noProgress,
      options: { finalState: 'killed', ...options, ...this.#options } as DumpOptions,
      images: this.images,
      tasks: [task],
      files: {
        idOfPath: () => fileId(0),
        idOfHeld: () => undefined,
        nextId: () => fileId(this.#next++),
        add: (entry) => this.entries.push(entry),
        descriptors: this.#descriptors,
      },
      refuse: (obstacle) => this.obstacles.push(obstacle),
      atEnd: (action) => this.#ends.push(action),
    }
    return context as DumpContext
  }

  #restoreContext(): RestoreContext {
    const files = this.images.readAll('files')
    const fds = [...this.byFd].map(([fd, { id, type }]) => ({ id, type, fd, flags: 0 }))
    const task = { nsPid: nsPid(process.pid), pid: hostPid(process.pid), threads: [], fds }
    const context: Partial<RestoreContext> = {
      log: silentLog as RestoreContext['log'],
      stats: noStats,
      progress: noProgress,
      options: { root: undefined, shellJob: this.#options.shellJob ?? false } as RestoreOptions,
      images: this.images,
      files: {
        description: (id) => this.#opened.get(id)!,
        reopen: () => {
          throw new Error('nothing is opened again here')
        },
      },
      model: {
        tasks: [task as Partial<RestoreTask> as RestoreTask],
        files: new Map(files.map((entry) => [fileId(entry.id), entry])),
        inventory: {} as Messages['inventory_entry'],
        terminals: [],
      },
      atEnd: (action) => this.#ends.push(action),
    }
    return context as RestoreContext
  }
}

const noStats = { count() {} } as Partial<DumpContext['stats']> as DumpContext['stats']

function* countFrom(first: number): Generator<number> {
  for (let n = first; ; n++) yield n
}

/** What the kernel tells of a descriptor. */
export const infoOf = (fd: number) => readFdInfo('/proc/self', fd)
export const closeAll = (fds: readonly number[]): void => {
  for (const fd of fds) close(fd)
}
