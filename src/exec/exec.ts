import { Syscall, type SyscallName } from '../arch/x86_64/syscalls.ts'
import { resultOf, timedCall } from '../arch/x86_64/timed-calls.ts'
import { CriuError, fail } from '../errors/error.ts'
import { sentence } from '../errors/sentence.ts'
import { startDeadline } from '../job/deadline.ts'
import type { ExecOptions } from '../job/options.ts'
import { Errno } from '../kernel/errno.ts'
import { startHeartbeat } from '../kernel/heartbeat.ts'
import { readMaps } from '../kernel/proc/maps.ts'
import { tryReadStat } from '../kernel/proc/stat.ts'
import { readStatus, tryReadStatus } from '../kernel/proc/status.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import type { Log } from '../log/log.ts'
import { Infection } from '../tracee/infection.ts'
import { releaseProcess } from '../tracee/release.ts'
import { seizeAlone } from '../tracee/seize.ts'
import type { SeizedProcess, SeizedThread } from '../tracee/thread.ts'
import { isCall, whyRefused } from './calls.ts'
import { type CallArgument, parseArgument } from './words.ts'

/** What a call returned: −errno on failure. */
export type CallResult = bigint

/**
 * Runs one system call in a task: in the thread that was named itself, so that its descriptors, its
 * current directory and its credentials are what it works with. The process is stopped meanwhile, and
 * goes on as it was; strings are there for as long as the call takes.
 */
export function execCall(options: ExecOptions, log: Log): CallResult {
  const { call } = options
  const name = isCall(call) ? call : unknownCall(call)
  const why = whyRefused(name)
  if (why !== undefined) fail({ code: 'option', option: name, reason: why })
  const args = options.arguments.map(parseArgument)
  const tid = hostPid(options.tree)
  const pid = ownerOf(tid)
  using _heartbeat = startHeartbeat()
  const held = seizeAlone(pid, startDeadline('stopping the process', options.timeout))
  try {
    const thread = held.threads.find((one) => one.tid === tid)
    if (!thread) fail({ code: 'vanished', pid: tid, reason: 'the thread has ended' })
    refuseIfAsleep(name, thread)
    return runIn(held, thread, { name, args, seconds: options.timeout }, log)
  } catch (error) {
    throw ofDeadProcess(error, pid)
  } finally {
    // A call that killed it leaves nothing to be let go.
    tolerate(log, () => releaseProcess(held))
  }
}

interface Call {
  readonly name: SyscallName
  readonly args: readonly CallArgument[]
  readonly seconds: number
}

function runIn(held: SeizedProcess, thread: SeizedThread, call: Call, log: Log): CallResult {
  const infection = infect(held, log)
  let result: CallResult | undefined
  try {
    const deadline = startDeadline(`${call.name} in process ${held.pid}`, call.seconds)
    infection.visitBefore(
      thread,
      (_, table) => {
        const args = call.args.map((arg) =>
          arg.kind === 'number' ? arg.value : table.data(arg.bytes),
        )
        const answer = table.attempt(call.name, ...args)
        return () => {
          result = answer.value
        }
      },
      deadline,
    )
  } finally {
    tolerate(log, () => infection.cure())
  }
  return result!
}

function infect(held: SeizedProcess, log: Log): Infection {
  const proc = `/proc/${held.pid}`
  const { signals } = readStatus(proc)
  const pending = held.threads.reduce(
    (sum, { tid }) => sum | readStatus(`${proc}/task/${tid}`).signals.pending,
    signals.pending | signals.sharedPending,
  )
  const { caught, ignored } = signals
  const isStopped = held.stopSignal !== 0
  return new Infection(held, readMaps(proc), { caught, ignored, pending, isStopped }, log)
}

const unknownCall = (name: string): never =>
  fail({ code: 'option', option: name, reason: 'is no system call of this kernel' })

/** Flag of /proc/PID/stat (linux/sched.h): a thread of the kernel. */
const PF_KTHREAD = 0x0020_0000

/** The process that a thread belongs to, if something can be run in it. */
function ownerOf(tid: HostPid): HostPid {
  const stat = tryReadStat(`/proc/${tid}`)
  const status = tryReadStatus(`/proc/${tid}`)
  if (!stat || !status) return fail({ code: 'vanished', pid: tid, reason: 'no such process' })
  const refuse = (reason: string) => fail({ code: 'option', option: '--tree', reason })
  if (status.tgid === process.pid) refuse('names criu itself')
  if (stat.flags & PF_KTHREAD) refuse(`names ${stat.comm} (pid ${tid}), a thread of the kernel`)
  if (status.state === 'Z') fail({ code: 'vanished', pid: tid, reason: 'it is a zombie' })
  return hostPid(status.tgid)
}

/**
 * The kernel keeps what it needs to go on with an interrupted sleep, poll or futex once for each
 * thread: another such call would make it forget, and the thread's own end with EINTR.
 */
function refuseIfAsleep(name: SyscallName, { registers, tid }: SeizedThread): void {
  if (!timedCall(Syscall[name], false)) return
  if (resultOf(registers) !== -BigInt(Errno.ERESTART_RESTARTBLOCK)) return
  fail({
    code: 'option',
    option: name,
    reason: `would break the wait with a timeout that thread ${tid} is in`,
    remedy: 'name another thread by -t, or try again once it is over',
  })
}

/** What failed since the call ended the process says that. */
function ofDeadProcess(error: unknown, pid: HostPid): unknown {
  const state = tryReadStat(`/proc/${pid}`)?.state ?? 'X'
  if (state !== 'Z' && state !== 'X') return error
  const reason = 'it ended in the system call, or was killed meanwhile'
  return new CriuError({ code: 'vanished', pid, reason }, { cause: error })
}

function tolerate(log: Log, action: () => void): void {
  try {
    action()
  } catch (error) {
    log.warn(sentence(error))
  }
}
