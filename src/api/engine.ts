import { type ChildProcess, spawn } from 'node:child_process'
import type { Control } from './control.ts'
import { abortedError, decodeError, engineError } from './errors.ts'
import { passInherited } from './inherited.ts'
import { eachLine } from './lines.ts'
import { findProgram } from './program.ts'
import type { Answer, JobName, Request } from './wire.ts'

/** What the program does one job for us by; no help mentions it. */
const COMMAND = 'library'

/** So many of the last lines that the engine wrote are told where it ended without an answer. */
const LAST_LINES = 5

/**
 * Has one job done by an engine of its own: tasks are stopped by calls that wait, which must not be
 * ours. While the engine's input is open, somebody waits for the job; if we end, the job is aborted.
 */
export async function runJob<R>(
  command: JobName,
  given: Readonly<Record<string, unknown>> & Control,
): Promise<R> {
  const { signal, onProgress, onLog, program = findProgram(), ...rest } = given
  if (signal?.aborted) throw abortedError(signal.reason)
  const { options, fds } = passInherited(rest)
  // Ctrl-C is for the caller, who may abort; a tree on the caller's terminal needs its session.
  const child = start(program, fds, options.shellJob !== true)
  const abort = (): void => void child.stdin?.end()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const answer = await answerOf(child, { command, options }, { onProgress, onLog })
    if (answer.kind === 'result') return answer.result as R
    const isAborted = answer.error.detail?.code === 'aborted'
    throw decodeError(answer.error, isAborted ? signal?.reason : undefined)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function start(program: string, fds: readonly number[], detached: boolean): ChildProcess {
  const stdio = ['pipe' as const, 'pipe' as const, 'pipe' as const, ...fds]
  try {
    return spawn(program, [COMMAND], { stdio, env: cleanEnvironment(), detached })
  } catch (error) {
    throw notStarted(error)
  }
}

type End = Exclude<Answer, { kind: 'progress' }>
interface Listeners {
  readonly onProgress: Control['onProgress'] | undefined
  readonly onLog: Control['onLog'] | undefined
}
type Streams = readonly [NodeJS.WritableStream, NodeJS.ReadableStream, NodeJS.ReadableStream]

/** Tells the engine what to do, and waits for its last word and its end. */
function answerOf(child: ChildProcess, request: Request, listeners: Listeners): Promise<End> {
  const [input, output, errors] = child.stdio as unknown as Streams
  const last: string[] = []
  let end: End | undefined
  const note = (line: string): void => {
    last.push(line)
    if (last.length > LAST_LINES) last.shift()
  }
  eachLine(output, (line) => {
    const answer = tryParse(line)
    if (answer === undefined) note(line)
    else if (answer.kind !== 'progress') end = answer
    else {
      const { kind: _, ...progress } = answer
      listeners.onProgress?.(progress)
    }
  })
  eachLine(errors, (line) => {
    note(line)
    listeners.onLog?.(line)
  })
  // The engine reads nothing but the request, and is gone perhaps.
  input.on('error', () => {})
  input.write(`${JSON.stringify(request)}\n`)
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(notStarted(error)))
    child.on('close', (code, signal) => {
      if (end !== undefined) resolve(end)
      else reject(engineError([`ended with ${signal ?? code} and no answer`, ...last].join('\n')))
    })
  })
}

/** Undefined: another program than ours is there. */
function tryParse(line: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(line)
    return typeof answer === 'object' && answer !== null && 'kind' in answer
      ? (answer as Answer)
      : undefined
  } catch {
    return undefined
  }
}

const notStarted = (error: unknown): Error =>
  engineError(`cannot be started: ${error instanceof Error ? error.message : error}`, error)

/** Without what would have Bun run other code than its own. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^BUN(_|$)/.test(name)))
}
