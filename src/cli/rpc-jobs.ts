import type { JobContext } from '../job/context.ts'
import type { CommandOptions, OptionsOf } from '../job/options.ts'
import { dumpStatsText, restoreStatsText } from '../job/stats-text.ts'
import { O } from '../kernel/constants/fcntl.ts'
import { close, must, open } from '../kernel/sys.ts'
import { openLog } from '../log/file-log.ts'
import { resolve } from '../options/absolute.ts'
import { commandTable } from '../options/commands.ts'
import { configOptions } from '../options/config.ts'
import { normalise } from '../options/normalise.ts'
import type { RawOption } from '../options/raw.ts'
import { rowOf } from '../options/table.ts'
import type { Asked } from '../rpc/options.ts'
import type { JobRequest, Jobs, Restored } from '../rpc/serve.ts'
import { becomeCommand, findProgram, type Program } from './become.ts'
import type { Engine } from './engine.ts'
import type { Io } from './io.ts'
import { openJobLog, withJob } from './job.ts'
import { compatibleVersion } from './version.ts'

/** What the RPC asks for, done as the command line does it. */
export class RpcJobs implements Jobs {
  readonly version = compatibleVersion
  readonly #defaults: readonly RawOption[]
  readonly #engine: Engine
  readonly #io: Io

  /** `defaults`: of configuration files and of our own command line; requests replace them. */
  constructor(defaults: readonly RawOption[], engine: Engine, io: Io) {
    this.#defaults = defaults.map((option) => ({ ...option, shared: true }))
    this.#engine = engine
    this.#io = io
  }

  noteFailure(places: readonly RawOption[], error: unknown): void {
    const [directory, file] = [['work-dir', 'images-dir'], ['log-file']].map((names) =>
      names.flatMap((name) => places.find((one) => one.name === name)?.value ?? []).at(0),
    )
    if (typeof directory !== 'string' || typeof file !== 'string') return
    try {
      const log = openLog({ verbosity: 2, path: resolve(directory, file) })
      log.failure(error)
      log.close()
    } catch {
      // The answer tells it all the same.
    }
  }

  async dump(job: JobRequest): Promise<void> {
    const options = this.#options('dump', job.asked)
    const { dump } = await this.#engine.dump()
    await this.#run(options, job, async (ctx) => {
      await dump(options, ctx)
      if (options.displayStats) this.#io.out(dumpStatsText(ctx.stats))
    })
  }

  async restore(job: JobRequest): Promise<Restored> {
    // The request ends when the tree runs, not with it.
    const detached = { name: 'restore-detached', value: true, spelled: 'RESTORE' }
    const options = this.#options('restore', job.asked, [detached])
    const next = options.execCommand && findProgram(options.execCommand)
    const { restore } = await this.#engine.restore()
    const programs = await this.#engine.programs()
    return this.#run(options, job, async (ctx) => {
      const { root } = await restore(options, ctx)
      if (options.displayStats) this.#io.out(restoreStatsText(ctx.stats))
      const become = (program: Program): never => {
        speakToLog(options.logFile)
        return becomeCommand(program, programs, ctx.log)
      }
      return { root, become: next && (() => become(next)) }
    })
  }

  async check(): Promise<void> {
    ;(await import('../check/check.ts')).demandRequired()
  }

  async cpuinfo(action: 'dump' | 'check', job: JobRequest): Promise<void> {
    const options = this.#options('cpuinfo', job.asked, [], [action])
    await (await import('./commands/cpuinfo.ts')).cpuinfoJob(options)
  }

  /** As soon as there is an option or a command for them. */
  async features() {
    return {
      mem_track: rowOf('track-mem')?.supported ?? false,
      lazy_pages: rowOf('lazy-pages')?.supported ?? false,
      pidfd_store: commandTable['pre-dump'].supported,
    }
  }

  /** Later ones win: the client's configuration file stands behind its request. */
  #options<C extends CommandOptions>(
    command: C,
    asked: Asked,
    more: readonly RawOption[] = [],
    words: readonly string[] = [],
  ): OptionsOf[C] {
    const { raw, configFile } = asked
    try {
      const path = configFile && resolve(process.cwd(), configFile)
      const last = path ? configOptions(path, 'empty') : []
      return normalise(command, [...this.#defaults, ...raw, ...more, ...last], { words })
    } catch (error) {
      this.noteFailure(raw, error)
      throw error
    }
  }

  async #run<T>(
    options: OptionsOf['dump' | 'restore'],
    job: JobRequest,
    body: (ctx: JobContext) => Promise<T>,
  ): Promise<T> {
    using interrupts = await this.#engine.interrupts()
    return await withJob(options, this.#engine, openJobLog(options), interrupts, body, job)
  }
}

const STDOUT = 1
const STDERR = 2

/** What follows has our log for its output, as upstream has it. */
function speakToLog(path: string | undefined): void {
  if (path === undefined || path === '-') return
  const fd = open(path, O.WRONLY | O.APPEND)
  for (const number of [STDOUT, STDERR]) must('dup3', fd, number, 0)
  close(fd)
}
