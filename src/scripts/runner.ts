import { fail } from '../errors/error.ts'
import type { ActionScript, External } from '../job/options.ts'
import { errnoName, errnoText } from '../kernel/errno.ts'
import type { HostPid, LocalFd } from '../kernel/types.ts'
import type { Log } from '../log/log.ts'
import type { Hook } from './hooks.ts'
import { cleanEnvironment, type Environment, type ExitStatus, type RunProgram } from './program.ts'

/** Tells the outside that a job has come to a hook. */
export interface ScriptRunner {
  /**
   * Runs every script at this hook, in their order; all of them, also behind one that failed, so
   * that a later one can undo what it did. `pid`: the tree's root, where it is known by then.
   * Throws `script` for the first that failed. Synchronous. `fd`: goes with the hook, to those who can
   * take a descriptor.
   */
  run(hook: Hook, pid?: HostPid, fd?: LocalFd): void
  /** Nobody is told. */
  readonly isEmpty: boolean
  /** What lies outside of the tree and the options did not name; asked while it stands still. */
  externalObjects?(): readonly External[]
}

/** There is nobody to tell. */
export const noScripts: ScriptRunner = { isEmpty: true, run() {} }

/** Both are told, in this order. */
export function bothRunners(first: ScriptRunner, second: ScriptRunner): ScriptRunner {
  return {
    isEmpty: first.isEmpty && second.isEmpty,
    run(...told) {
      first.run(...told)
      second.run(...told)
    },
    externalObjects: () => [first, second].flatMap((one) => one.externalObjects?.() ?? []),
  }
}

export interface ScriptSettings {
  readonly scripts: readonly ActionScript[]
  readonly imagesDir: string
  readonly log: Log
  readonly runProgram: RunProgram
  /** The environment to pass on; for tests. */
  readonly env?: NodeJS.ProcessEnv
}

/** A runner of `--action-script` programs. */
export function createScriptRunner(settings: ScriptSettings): ScriptRunner {
  return {
    isEmpty: settings.scripts.length === 0,
    run(hook, pid) {
      const env = environment(settings, hook, pid)
      const failures = settings.scripts.flatMap((script) => runOne(settings, script, hook, env))
      const [first] = failures
      if (first !== undefined) fail({ code: 'script', hook, ...first })
    },
  }
}

interface Failure {
  readonly script: string
  readonly reason: string
}

function environment(settings: ScriptSettings, hook: Hook, pid: HostPid | undefined): Environment {
  return {
    ...cleanEnvironment(settings.env),
    CRTOOLS_SCRIPT_ACTION: hook,
    CRTOOLS_IMAGE_DIR: settings.imagesDir,
    ...(pid === undefined ? {} : { CRTOOLS_INIT_PID: String(pid) }),
  }
}

function runOne(
  settings: ScriptSettings,
  script: ActionScript,
  hook: Hook,
  env: Environment,
): Failure[] {
  const name = 'file' in script ? script.file : script.shell
  settings.log.info(`action script ${name} at ${hook}`)
  const reason = trouble(start(settings.runProgram, script, env))
  if (reason === undefined) return []
  settings.log.warn(`action script ${name} at ${hook} ${reason}`)
  return [{ script: name, reason }]
}

const SHELL = '/bin/sh'

function start(run: RunProgram, script: ActionScript, env: Environment): ExitStatus {
  if (!('file' in script)) return run([SHELL, '-c', script.shell], env)
  const status = run([script.file], env)
  // A script without a #! line: execve refuses it, and every shell then reads it itself.
  const unknownFormat = status.kind === 'not-started' && errnoName(status.errno) === 'ENOEXEC'
  return unknownFormat ? run([SHELL, script.file], env) : status
}

/** What went wrong, as a predicate; undefined: it exited with 0. */
function trouble(status: ExitStatus): string | undefined {
  switch (status.kind) {
    case 'exited':
      return status.code === 0 ? undefined : `exited with ${status.code}`
    case 'killed':
      return `was killed by signal ${status.signal}`
    case 'not-started':
      return `could not be started: ${errnoText(status.errno)} (${errnoName(status.errno)})`
    default:
      return status satisfies never
  }
}
