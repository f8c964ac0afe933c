import { syscallName } from '../arch/x86_64/syscalls.ts'
import { fail } from '../errors/error.ts'
import { RLIMIT } from './constants/resource.ts'
import { CLONE } from './constants/sched.ts'
import { SIG } from './constants/signals.ts'
import { Errno } from './errno.ts'
import { startHeartbeat } from './heartbeat.ts'
import { cloneArgs, rlimit64 } from './layout/sched.ts'
import { type Scratch, scratch } from './memory.ts'
import { tryReadLimits } from './proc/limits.ts'
import { checked, spawnTable, sys, sysOnce } from './sys.ts'
import { Table } from './table.ts'
import { type HostPid, hostPid, type LocalAddr, type LocalFd } from './types.ts'
import { decodeStatus, describeStop, type Stop, waitStop } from './wait.ts'

/**
 * Programs that we start: action scripts, and the one that takes our place. Never by the runtime's
 * child_process, which reaps behind our back and eats the stops of tracees.
 */

/** How a program that we started ended. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: number }
  /** It could not be started; `errno` is positive. */
  | { readonly kind: 'not-started'; readonly errno: number }

/** Variables, all that the program gets. */
export type Environment = Readonly<Record<string, string>>

/** {@link runProgram}, for those that take it as a parameter. */
export type RunProgram = (
  argv: readonly string[],
  env: Environment,
  stdio?: Stdio,
  isUnwanted?: () => boolean,
) => ExitStatus

/** What stands at a program's descriptors 0 to 2, where it is not to have ours. */
export interface Stdio {
  readonly stdin?: LocalFd
  readonly stdout?: LocalFd
  readonly stderr?: LocalFd
}

/** What the runtime ignores for itself, and a program expects to be at its default. */
const IGNORED_BY_RUNTIME = [SIG.PIPE, SIG.XFSZ]

/** Descriptors from here on are not a program's business. */
const FIRST_OWN_FD = 3
const ALL_FDS = 0xffff_ffff

/** struct sigaction of the kernel: SIG_DFL with no flags is all zeroes. */
const SIGACTION_SIZE = 32
const SIGSET_SIZE = 8
const MAX_RECORDS_BYTES = 1024

/**
 * Runs a program to its end. Synchronous; may be called while tasks are stopped. `argv[0]` is an
 * absolute path; descriptors 0 to 2 are ours but for those in `stdio`; handled signals go back to
 * their default. Once it `isUnwanted` it is asked to end (SIGTERM), and made to a second later.
 */
export function runProgram(
  argv: readonly string[],
  env: Environment,
  stdio: Stdio = {},
  isUnwanted?: () => boolean,
): ExitStatus {
  using s = scratch()
  const table = new Table(s.take(MAX_RECORDS_BYTES))
  undoRuntime(table, s)
  for (const [number, fd] of [stdio.stdin, stdio.stdout, stdio.stderr].entries())
    if (fd !== undefined) table.call('dup3', fd, number, 0)
  table.attempt('close_range', FIRST_OWN_FD, ALL_FDS, 0)
  const start = table.call('execve', text(s, argv[0]!), vector(s, argv), vector(s, variables(env)))
  const child = spawnChild(table)
  const stop = isUnwanted ? waitWhileWanted(child, isUnwanted) : waitStop(child)
  // Parent and child share memory until the exec: its result is there if there was none.
  const result = start.value
  if (result !== undefined && result < 0n) return { kind: 'not-started', errno: Number(-result) }
  if (stop.kind === 'exited' || stop.kind === 'killed') return stop
  return fail({ code: 'internal', reason: `program ${argv[0]} ${describeStop(stop)}` })
}

/** Milliseconds that a program has to end by itself. */
const PATIENCE = 1000

function waitWhileWanted(child: HostPid, isUnwanted: () => boolean): Stop {
  // The wait ends with each beat: a signal may have come just before it began.
  using _heartbeat = startHeartbeat()
  using s = scratch()
  const status = s.take(8)
  let asked: number | undefined
  for (;;) {
    const result = sysOnce('wait4', child, status.address, 0, 0)
    if (result === child) return decodeStatus(status.view.getInt32(0, true))
    if (result !== -Errno.EINTR) checked(result, 'wait4', { pid: child, kind: 'child' })
    if (asked === undefined && isUnwanted()) {
      asked = performance.now()
      sys('kill', child, SIG.TERM)
    } else if (asked !== undefined && performance.now() > asked + PATIENCE)
      sys('kill', child, SIG.KILL)
  }
}

/** Takes back what the runtime has changed for itself and a program would inherit. */
function undoRuntime(table: Table, s: Scratch): void {
  const defaults = s.take(SIGACTION_SIZE).address
  for (const signal of IGNORED_BY_RUNTIME) {
    table.attempt('rt_sigaction', signal, defaults, 0, SIGSET_SIZE)
  }
  const limit = callersFileLimit(s)
  if (limit !== undefined) table.attempt('prlimit64', 0, RLIMIT.NOFILE, limit, 0)
}

/** Room for the table of a program that is started with preparations. */
const PREPARED_BYTES = 16 * 1024

/**
 * Starts a program and does not wait for its end, which is told to us as its parent. `prepare` adds
 * what the child does before; descriptors are its business too. Throws `syscall` for what fails there.
 */
export function startProgram(
  argv: readonly string[],
  env: Environment,
  prepare: (table: Table, s: Scratch) => void,
): HostPid {
  using s = scratch()
  const table = new Table(s.take(PREPARED_BYTES))
  undoRuntime(table, s)
  prepare(table, s)
  table.call('execve', text(s, argv[0]!), vector(s, argv), vector(s, variables(env)))
  const child = spawnChild(table)
  const failure = table.failure()
  if (failure === undefined) return child
  waitStop(child)
  const operation = syscallName(failure.nr) ?? `system call ${failure.nr}`
  return fail({ code: 'syscall', operation, errno: failure.errno, kind: `starting ${argv[0]}` })
}

/** The caller stands still until the child has become the program (CLONE_VFORK). */
function spawnChild(table: Table): HostPid {
  const args = cloneArgs.encode({
    flags: CLONE.VM | CLONE.VFORK | CLONE.CLEAR_SIGHAND,
    exit_signal: BigInt(SIG.CHLD),
  })
  return hostPid(checked(spawnTable(args, table), 'clone3'))
}

/** Becomes another program. Returns only if that fails: the errno. */
export function replaceProgram(path: string, argv: readonly string[], env: Environment): number {
  using s = scratch()
  const defaults = s.take(SIGACTION_SIZE).address
  for (const signal of IGNORED_BY_RUNTIME) sys('rt_sigaction', signal, defaults, 0, SIGSET_SIZE)
  const limit = callersFileLimit(s)
  if (limit !== undefined) sys('prlimit64', 0, RLIMIT.NOFILE, limit, 0)
  return -sys('execve', text(s, path), vector(s, argv), vector(s, variables(env)))
}

/**
 * The runtime raises our soft limit of open files to the hard one as it starts, and what it was is
 * gone: our parent's is taken for it. Undefined where there is none to ask.
 */
function callersFileLimit(s: Scratch): LocalAddr | undefined {
  const [ours, parents] = ['/proc/self', `/proc/${process.ppid}`].map(
    (path) => tryReadLimits(path)?.[RLIMIT.NOFILE],
  )
  if (ours === undefined || parents === undefined || parents.soft >= ours.hard) return undefined
  return s.put(rlimit64.encode({ rlim_cur: parents.soft, rlim_max: ours.hard })).address
}

/** Where the administrator's programs are when PATH does not say. */
const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The absolute path of a program by its name; undefined: this machine has none. */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | undefined {
  const directories = `${path}:${USUAL_PATH}`.split(':').filter((one) => one.startsWith('/'))
  return directories.map((one) => `${one}/${name}`).find(isExecutable)
}

const AT_FDCWD = -100
const X_OK = 1

function isExecutable(path: string): boolean {
  using s = scratch()
  return sys('faccessat', AT_FDCWD, text(s, path), X_OK) === 0
}

const variables = (env: Environment): string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`)

const text = (s: Scratch, words: string): LocalAddr => s.put(Buffer.from(`${words}\0`)).address

/** A list of strings as execve takes it: their addresses, and 0. */
function vector(s: Scratch, words: readonly string[]): LocalAddr {
  const list = s.take((words.length + 1) * 8)
  words.forEach((word, i) => {
    list.view.setBigUint64(i * 8, text(s, word), true)
  })
  return list.address
}
