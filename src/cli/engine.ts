import type { JobContext } from '../job/context.ts'
import type { DumpOptions, RestoreOptions } from '../job/options.ts'
import type { DumpReport, RestoreReport } from '../job/report.ts'
import type { HostPid } from '../kernel/types.ts'
import type { Environment, RunProgram } from '../scripts/program.ts'
import type { Interrupts } from './interrupts.ts'

/** `dump/dump.ts`. */
export interface DumpModule {
  dump(options: DumpOptions, ctx: JobContext): Promise<DumpReport>
}

/** `restore/restore.ts`. */
export interface RestoreModule {
  restore(options: RestoreOptions, ctx: JobContext): Promise<RestoreReport>
  /** The plan as text, made from the images alone. */
  plan(options: RestoreOptions, ctx: JobContext): Promise<string>
  /** Blocks until the restored root, a child of ours, has ended. */
  waitForRoot(root: HostPid): void
}

/** `kernel/program.ts`. */
export interface ProgramModule {
  readonly runProgram: RunProgram
  /** Becomes another program (execve); returns the errno if that fails. `path` is absolute. */
  replaceProgram(path: string, argv: readonly string[], env: Environment): number
}

/**
 * The parts of the program that are loaded when a command needs them: `--version`, `--help` and a
 * refused option must not wait for protobuf and FFI. Tests pass their own.
 */
export interface Engine {
  dump(): Promise<DumpModule>
  restore(): Promise<RestoreModule>
  programs(): Promise<ProgramModule>
  /** From now on signals do not end us, but the job. */
  interrupts(): Promise<Interrupts>
}

export const engine: Engine = {
  dump: () => import('../dump/dump.ts'),
  restore: () => import('../restore/restore.ts'),
  programs: () => import('../kernel/program.ts'),
  interrupts: async () => new (await import('./interrupts.ts')).SignalInterrupts(),
}
