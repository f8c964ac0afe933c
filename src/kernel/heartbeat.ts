import { MAP, PROT } from './constants/mman.ts'
import { memoryAt, scratch } from './memory.ts'
import { checked, must, sys } from './sys.ts'

/** sigaction's handler and restorer (asm/signal.h). */
const CODE = [
  0xc3, // ret: nothing is done, a system call was interrupted
  0xb8,
  15,
  0,
  0,
  0, // mov eax,15 (rt_sigreturn)
  0x0f,
  0x05, // syscall
]
const RESTORER = 1
const SA_RESTORER = 0x0400_0000n
const SIGSET_SIZE = 8
/** A signal that neither runtime uses. */
const SIGNAL = 63
const SIGEV_THREAD_ID = 4
const CLOCK_MONOTONIC = 1
const INTERVAL_NANOS = 200_000_000n

let handlerInstalled = false

/**
 * Interrupts whatever system call this thread blocks in, five times a second, until disposed: wait4 of
 * the leader of a thread group whose other threads are our tracees sleeps for ever once the group was
 * killed (ptrace(2), "Death under ptrace"), and only a signal ends that (see wait.ts).
 */
export function startHeartbeat(): Disposable {
  if (!handlerInstalled) installHandler()
  using s = scratch()
  const event = s.take(64)
  event.view.setInt32(8, SIGNAL, true)
  event.view.setInt32(12, SIGEV_THREAD_ID, true)
  event.view.setInt32(16, sys('gettid'), true)
  const id = s.take(8)
  must('timer_create', CLOCK_MONOTONIC, event.address, id.address)
  const timer = id.view.getInt32(0, true)
  const times = s.take(32)
  times.view.setBigUint64(8, INTERVAL_NANOS, true)
  times.view.setBigUint64(24, INTERVAL_NANOS, true)
  must('timer_settime', timer, 0, times.address, 0)
  return { [Symbol.dispose]: () => void sys('timer_delete', timer) }
}

function installHandler(): void {
  const prot = PROT.READ | PROT.WRITE | PROT.EXEC
  const flags = MAP.PRIVATE | MAP.ANONYMOUS
  const address = BigInt(checked(sys('mmap', 0, CODE.length, prot, flags, -1, 0), 'mmap'))
  memoryAt(address, CODE.length).bytes.set(CODE)
  using s = scratch()
  const action = s.take(32)
  action.view.setBigUint64(0, address, true)
  // No SA_RESTART: the call is to end.
  action.view.setBigUint64(8, SA_RESTORER, true)
  action.view.setBigUint64(16, address + BigInt(RESTORER), true)
  must('rt_sigaction', SIGNAL, action.address, 0, SIGSET_SIZE)
  handlerInstalled = true
}
