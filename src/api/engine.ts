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
  const child = spawn(program, [COMMAND], {
    stdio: ['pipe', 'pipe', 'pipe', ...fds],
    env: cleanEnvironment(),
    // Ctrl-C is for the caller, who may abort; a tree on the caller's terminal needs its session.
    detached: options.shellJob !== true,
  })
  const abort = (): void => void child.stdin!.end()
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

type End = Exclude<Answer, { kind: 'progress' }>

interface Listeners {
  readonly onProgress: Control['onProgress']
  readonly onLog: Control['onLog']
}

function answerOf(child: ChildProcess, request: Request, listeners: Listeners): Promise<End> {
  const { onProgress, onLog } = listeners
  const [input, output, errors] = child.stdio as unknown as Streams
  return new Promise((resolve, reject) => {
    let end: End | undefined
    const last: string[] = []
    const settle = (how: string): void =>
      end === undefined ? reject(engineError([how, ...last].join('\n'))) : resolve(end)

    eachLine(output, (line) => {
      const answer = JSON.parse(line) as Answer
      if (answer.kind !== 'progress') end = answer
      else if (onProgress) onProgress(withoutKind(answer))
    })
    eachLine(errors, (line) => {
      last.push(line)
      if (last.length > LAST_LINES) last.shift()
      onLog?.(line)
    })
    // The engine reads nothing but the request, and is gone perhaps.
    input.on('error', () => {})
    input.write(`${JSON.stringify(request)}\n`)
    child.on('error', (error) => reject(engineError(`cannot be started: ${error.message}`, error)))
    child.on('close', (code, signal) =>
      settle(`ended with ${signal ?? code} and without an answer`),
    )
  })
}

type Streams = readonly [NodeJS.WritableStream, NodeJS.ReadableStream, NodeJS.ReadableStream]

function withoutKind({ stage, bytes, total }: Extract<Answer, { kind: 'progress' }>) {
  return { stage, bytes, total }
}

/** Without what would have Bun run other code than its own. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^BUN(_|$)/.test(name)))
}
