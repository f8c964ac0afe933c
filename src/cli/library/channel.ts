import type { Answer, Request } from '../../api/wire.ts'
import { CriuError, fail } from '../../errors/error.ts'
import type { Abort } from '../../job/abort.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { readSync } from '../../kernel/fs.ts'
import { scratch } from '../../kernel/memory.ts'
import { close, must, open, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { writeAll } from '../../log/sink.ts'
import type { RunProgram } from '../../scripts/program.ts'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const NEWLINE = 0x0a

/**
 * The way to the process that uses the library (`api/wire.ts`). Standard input and output are taken
 * away from everybody else: what an action script prints must not stand among the answers.
 */
export class Channel implements Abort {
  readonly #input: LocalFd
  readonly #output: LocalFd

  constructor() {
    this.#input = keep(STDIN)
    this.#output = keep(STDOUT)
    const nothing = open('/dev/null', O.RDONLY)
    must('dup3', nothing, STDIN, 0)
    close(nothing)
    must('dup3', STDERR, STDOUT, 0)
    // The caller may be slow to read its log, and tasks are stopped meanwhile.
    must('fcntl', STDERR, F.SETFL, must('fcntl', STDERR, F.GETFL) | O.NONBLOCK)
  }

  /** The one line that comes in. */
  request(): Request {
    const parts: Buffer[] = []
    const piece = Buffer.alloc(64 * 1024)
    for (;;) {
      const length = readSync(this.#input, piece, 0, piece.length, null)
      if (length === 0) return fail({ code: 'aborted' })
      parts.push(Buffer.from(piece.subarray(0, length)))
      if (piece[length - 1] === NEWLINE) return JSON.parse(Buffer.concat(parts).toString('utf8'))
    }
  }

  answer(answer: Answer): void {
    writeAll(this.#output, Buffer.from(`${JSON.stringify(answer)}\n`))
  }

  /** As answer, but what finds no room is dropped: nobody waits for it. */
  report(answer: Answer): void {
    using s = scratch()
    const poll = s.take(8)
    poll.view.setInt32(0, this.#output, true)
    poll.view.setInt16(4, POLL.OUT, true)
    if (sys('poll', poll.address, 1, 0) === 1) this.answer(answer)
  }

  check(): void {
    if (this.#isClosed()) fail({ code: 'aborted' })
  }

  /** The caller's end of it while a program runs ends the program, as the job would wait for it. */
  whileOpen(run: RunProgram): RunProgram {
    return (argv, env, stdio, isUnwanted = () => false) => {
      const wasClosed = this.#isClosed()
      return run(argv, env, stdio, () => isUnwanted() || (!wasClosed && this.#isClosed()))
    }
  }

  /** What went wrong because of it. */
  reasonOf(error: unknown): unknown {
    const isScript = error instanceof CriuError && error.detail.code === 'script'
    return isScript && this.#isClosed()
      ? new CriuError({ code: 'aborted' }, { cause: error })
      : error
  }

  #isClosed(): boolean {
    using s = scratch()
    const poll = s.take(8)
    poll.view.setInt32(0, this.#input, true)
    poll.view.setInt16(4, POLL.IN, true)
    // Nothing follows the request: what is to be read is the end.
    return sys('poll', poll.address, 1, 0) === 1
  }
}

/** A copy out of the way of programs that we start. */
const keep = (fd: number): LocalFd => localFd(must('fcntl', fd, F.DUPFD_CLOEXEC, 3))
