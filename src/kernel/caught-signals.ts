import { NOTE, noteHandler, RESTORER_OFFSET } from '../arch/x86_64/signal-note.ts'
import { MAP, PROT } from './constants/mman.ts'
import { type Memory, memoryAt, scratch } from './memory.ts'
import { checked, must, sys } from './sys.ts'

const PAGE = 4096
/** struct sigaction of the kernel: handler, flags, restorer, mask; 8 bytes each (asm/signal.h). */
const ACTION_SIZE = 32
const SIGSET_SIZE = 8
const SIG_DFL = 0n
const SIG_IGN = 1n
const SA_RESTORER = 0x0400_0000n
const SIG_UNBLOCK = 1

/**
 * Signals that would end us, held back for a moment: what is under way can be undone first. One that we
 * ignore (nohup, a job in the background of a script) stays ignored.
 */
export class CaughtSignals implements Disposable {
  readonly #note: Memory
  readonly #before: { readonly signal: number; readonly action: Uint8Array }[]

  constructor(signals: readonly number[]) {
    // It stays: another thread could be in the handler when we have no more use for it.
    const prot = PROT.READ | PROT.WRITE
    const flags = MAP.PRIVATE | MAP.ANONYMOUS
    const pages = BigInt(checked(sys('mmap', 0, 2 * PAGE, prot, flags, -1, 0), 'mmap'))
    const note = pages + BigInt(PAGE)
    memoryAt(pages, PAGE).bytes.set(noteHandler(note))
    must('mprotect', pages, PAGE, PROT.READ | PROT.EXEC)
    this.#note = memoryAt(note, 8)
    this.#before = signals.flatMap((signal) => {
      const action = actionOf(signal)
      if (new DataView(action.buffer).getBigUint64(0, true) === SIG_IGN) return []
      setAction(signal, handlerAction(pages))
      return [{ signal, action }]
    })
  }

  /** The one that came last; undefined: none. */
  get signal(): number | undefined {
    return this.#note.view.getInt32(NOTE.SIGNAL, true) || undefined
  }

  /** How many have come so far. */
  get count(): number {
    return this.#note.view.getInt32(NOTE.COUNT, true)
  }

  /** From now on they do what they did before. */
  [Symbol.dispose](): void {
    for (const { signal, action } of this.#before.splice(0)) setAction(signal, action)
  }
}

function handlerAction(code: bigint): Uint8Array {
  const action = new BigUint64Array([code, SA_RESTORER, code + BigInt(RESTORER_OFFSET), 0n])
  return new Uint8Array(action.buffer)
}

function actionOf(signal: number): Uint8Array<ArrayBuffer> {
  using s = scratch()
  const action = s.take(ACTION_SIZE)
  must('rt_sigaction', signal, 0, action.address, SIGSET_SIZE)
  return Uint8Array.from(action.bytes)
}

function setAction(signal: number, action: Uint8Array): void {
  using s = scratch()
  must('rt_sigaction', signal, s.put(action).address, 0, SIGSET_SIZE)
}

/** Ends us as the signal would have: whoever waits for us is to see which. Does not return. */
export function dieBySignal(signal: number): void {
  setAction(signal, new Uint8Array(new BigUint64Array([SIG_DFL, 0n, 0n, 0n]).buffer))
  using s = scratch()
  const set = s.take(SIGSET_SIZE)
  set.view.setBigUint64(0, 1n << BigInt(signal - 1), true)
  sys('rt_sigprocmask', SIG_UNBLOCK, set.address, 0, SIGSET_SIZE)
  sys('kill', process.pid, signal)
}
