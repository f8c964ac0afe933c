import type { JobLog } from '../log/file-log.ts'
import type { Plugins } from '../plugins/plugins.ts'
import type { ScriptRunner } from '../scripts/runner.ts'
import type { Abort } from './abort.ts'
import type { Progress } from './progress.ts'
import type { Stats } from './stats.ts'

/**
 * What every stage of a job is handed besides its options. Never module state: two jobs in one
 * process (the RPC service, the library) must not see each other.
 */
export interface JobContext {
  readonly log: JobLog
  /** Runs the action scripts of a hook; synchronous, may be called while tasks are stopped. */
  readonly scripts: ScriptRunner
  readonly stats: Stats
  /** Told by the stages and by what moves bytes; `noProgress` if nobody listens. */
  readonly progress: Progress
  /** Asked between steps; undefined: the job cannot be ended but by killing us. */
  readonly abort?: Abort
  /** Keep what we cannot (`--libdir`); undefined: there are none. */
  readonly plugins?: Plugins
  /** Whom the job is done for, if by RPC. */
  readonly client?: RpcClient
}

/** What stages and kinds must know of a client of the RPC, besides its options. */
export interface RpcClient {
  /** Inode of our end of the connection: the other end may be in the tree (a dump of the client). */
  readonly socket: bigint
  /** It takes the masters of pseudoterminals of which the tree has the slave alone. */
  readonly takesMasters: boolean
  /** It wants tasks to come back in the cgroups that they were in (manage_cgroups). */
  readonly keepsCgroups: boolean
  /** What it may have restored tasks have; undefined: as much as we. */
  readonly capabilities?: bigint
}
