import { CriuError, fail } from '../errors/error.ts'
import type { Abort } from '../job/abort.ts'
import { CaughtSignals, dieBySignal } from '../kernel/caught-signals.ts'
import { SIG, signalName } from '../kernel/constants/signals.ts'
import type { RunProgram } from '../scripts/program.ts'

/**
 * A job may be ended by Ctrl-C, by SIGTERM, or by the end of its terminal: then all is undone first that
 * a failed job undoes. Until disposed, these signals do not end us by themselves.
 */
export interface Interrupts extends Abort, Disposable {
  /** What comes while a program runs ends the program: it would end the job only after it. */
  whileWanted(run: RunProgram): RunProgram
  /** What went wrong for such a signal: Ctrl-C goes to scripts and to what is restored as well. */
  reasonOf(error: unknown): unknown
  /** Gives the signals back. One that came meanwhile ends us now, as if nothing had held it back. */
  die(): void
}

export class SignalInterrupts implements Interrupts {
  readonly #caught = new CaughtSignals([SIG.HUP, SIG.INT, SIG.TERM])

  check(): void {
    const { signal } = this.#caught
    if (signal !== undefined) fail({ code: 'aborted', signal: signalName(signal) })
  }

  whileWanted(run: RunProgram): RunProgram {
    return (argv, env, stdio) => {
      const before = this.#caught.count
      return run(argv, env, stdio, () => this.#caught.count > before)
    }
  }

  reasonOf(error: unknown): unknown {
    const { signal } = this.#caught
    if (signal === undefined || !(error instanceof CriuError)) return error
    if (!causedBySignals.includes(error.detail.code)) return error
    return new CriuError({ code: 'aborted', signal: signalName(signal) }, { cause: error })
  }

  die(): void {
    this[Symbol.dispose]()
    const { signal } = this.#caught
    if (signal !== undefined) dieBySignal(signal)
  }

  [Symbol.dispose](): void {
    this.#caught[Symbol.dispose]()
  }
}

const causedBySignals: readonly CriuError['detail']['code'][] = [
  'script',
  'syscall',
  'tracee',
  'vanished',
]
