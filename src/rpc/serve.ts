import { CriuError, fail } from '../errors/error.ts'
import { EXIT_FAILURE, EXIT_OK } from '../errors/exit.ts'
import { sentence } from '../errors/sentence.ts'
import type { Messages } from '../images/gen/messages.ts'
import type { Abort } from '../job/abort.ts'
import type { RpcClient } from '../job/context.ts'
import { Errno } from '../kernel/errno.ts'
import { statFd } from '../kernel/stat.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import { waitForStatus } from '../kernel/wait.ts'
import type { Log } from '../log/log.ts'
import type { RawOption } from '../options/raw.ts'
import type { Command } from '../options/row.ts'
import type { ScriptRunner } from '../scripts/runner.ts'
import { Directories } from './directory.ts'
import {
  decodeRequest,
  encodeResponse,
  failure,
  type Request,
  RequestType,
  type Response,
} from './message.ts'
import { ClientHooks } from './notify.ts'
import { type Asked, type Asker, askedBy, placesOf } from './options.ts'
import { clientFailed, type RpcSocket } from './socket.ts'

type Features = Messages['criu_features']

/** One request to dump, restore or look at CPUs, ready for the engine. */
export interface JobRequest {
  readonly asked: Asked
  readonly client: RpcClient
  hooks(log: Log, abort: Abort): ScriptRunner
  /** Throws once the client has hung up. */
  check(): void
}

export interface Restored {
  readonly root: HostPid
  /** What this process becomes once the client has its answer (exec_cmd). */
  readonly become?: (() => never) | undefined
}

/** Who does what is requested: the functions that serve the command line as well. */
export interface Jobs {
  readonly version: { readonly major: number; readonly minor: number; readonly sublevel: number }
  /** Tells of a request that cannot be done in the log that it was to have: callers look there. */
  noteFailure(places: readonly RawOption[], error: unknown): void
  dump(job: JobRequest): Promise<void>
  restore(job: JobRequest): Promise<Restored>
  check(): Promise<void>
  cpuinfo(action: 'dump' | 'check', job: JobRequest): Promise<void>
  /** Which of them this program and kernel have. */
  features(): Promise<Required<Pick<Features, 'mem_track' | 'lazy_pages' | 'pidfd_store'>>>
}

/** What a connection may ask for. */
export interface Terms {
  /** It came to the service. */
  readonly isServed: boolean
  /** What restored tasks may have at most; undefined: all that we have. */
  readonly capabilities?: bigint
}

/** Serves one connection to its end; the exit code of the process that does nothing else. */
export async function serve(socket: RpcSocket, jobs: Jobs, terms: Terms): Promise<number> {
  for (let served = 0; ; served++) {
    let request: Request
    try {
      const packet = socket.receive()
      if (!packet) return served > 0 ? EXIT_OK : EXIT_FAILURE
      request = decodeRequest(packet)
    } catch (error) {
      answer(socket, failure(RequestType.EMPTY, error))
      return EXIT_FAILURE
    }
    using directories = new Directories(socket.peer)
    const outcome = await new Service(socket, jobs, terms, directories).serve(request)
    answer(socket, outcome.response)
    outcome.become?.()
    if (!request.keep_open || !outcome.response.success) return EXIT_OK
  }
}

/** One that has hung up meanwhile, or was dumped and killed, wants no answer. */
function answer(socket: RpcSocket, response: Response): void {
  try {
    socket.send(encodeResponse(response))
  } catch (error) {
    // It is all the same to the job, which is done.
    if (!(error instanceof CriuError)) throw error
  }
}

interface Outcome {
  readonly response: Response
  readonly become?: Restored['become']
}

/** One request. */
class Service {
  readonly #socket: RpcSocket
  readonly #jobs: Jobs
  readonly #terms: Terms
  readonly #directories: Directories

  constructor(socket: RpcSocket, jobs: Jobs, terms: Terms, directories: Directories) {
    this.#socket = socket
    this.#jobs = jobs
    this.#terms = terms
    this.#directories = directories
  }

  async serve(request: Request): Promise<Outcome> {
    try {
      return await this.#run(request)
    } catch (error) {
      const text = this.#directories.named(sentence(error))
      return { response: { ...failure(request.type, error, text), ...failedParts(request) } }
    }
  }

  async #run(request: Request): Promise<Outcome> {
    const { type } = request
    const job = (command: Command): JobRequest => this.#job(command, request)
    switch (type) {
      case RequestType.DUMP:
        await this.#jobs.dump(job('dump'))
        return { response: { type, success: true, dump: { restored: false } } }
      case RequestType.RESTORE: {
        const { root, become } = await this.#jobs.restore(job('restore'))
        return { response: { type, success: true, restore: { pid: root } }, become }
      }
      case RequestType.CHECK:
        await this.#jobs.check()
        return { response: { type, success: true } }
      case RequestType.CPUINFO_DUMP:
        await this.#jobs.cpuinfo('dump', job('cpuinfo'))
        return { response: { type, success: true } }
      case RequestType.CPUINFO_CHECK:
        await this.#jobs.cpuinfo('check', job('cpuinfo'))
        return { response: { type, success: true } }
      case RequestType.FEATURE_CHECK:
        return { response: { type, success: true, features: await this.#features(request) } }
      case RequestType.VERSION:
        return { response: { type, success: true, version: this.#version() } }
      case RequestType.WAIT_PID:
        return { response: { type, success: true, status: waitFor(request) } }
      case RequestType.PRE_DUMP:
      case RequestType.SINGLE_PRE_DUMP:
        return unsupported('a pre-dump')
      case RequestType.PAGE_SERVER:
      case RequestType.PAGE_SERVER_CHLD:
        return unsupported('a page server')
      case RequestType.NOTIFY:
      case RequestType.EMPTY:
        return clientFailed(`sent a request of type ${type}, which asks for nothing`)
      default: {
        const unknown: never = type
        return clientFailed(`sent a request of the unknown type ${unknown}`)
      }
    }
  }

  #job(command: Command, { opts }: Request): JobRequest {
    if (!opts)
      return clientFailed('sent a request without criu_opts, which tell where the images are')
    const { isServed, capabilities } = this.#terms
    const isLimited = capabilities !== undefined
    const asker: Asker = {
      peer: this.#socket.peer,
      directories: this.#directories,
      isServed,
      isLimited,
    }
    const places = placesOf(opts, asker)
    let asked: Asked
    try {
      asked = askedBy(command, opts, asker, places)
    } catch (error) {
      this.#jobs.noteFailure(places, error)
      throw error
    }
    return {
      asked,
      client: {
        socket: statFd(this.#socket.fd).ino,
        takesMasters: asked.takesMasters,
        keepsCgroups: asked.keepsCgroups,
        ...(capabilities === undefined ? {} : { capabilities }),
      },
      hooks: (log, abort) => new ClientHooks(this.#socket, asked.notify, log, abort),
      check: () => {
        if (this.#socket.isHungUp) clientFailed('hung up')
      },
    }
  }

  /** What was not asked for is answered with false, as upstream does. */
  async #features({ features: asked }: Request): Promise<Features> {
    if (!asked) return clientFailed('sent a FEATURE_CHECK that names no feature')
    const has = await this.#jobs.features()
    return {
      mem_track: (asked.mem_track ?? false) && has.mem_track,
      lazy_pages: (asked.lazy_pages ?? false) && has.lazy_pages,
      pidfd_store: (asked.pidfd_store ?? false) && has.pidfd_store,
    }
  }

  /** Without a gitid: a client that sees one counts the next minor version. */
  #version(): Response['version'] {
    const { major, minor, sublevel } = this.#jobs.version
    return {
      major_number: major,
      minor_number: minor,
      ...(sublevel === 0 ? {} : { sublevel }),
    }
  }
}

/** Upstream sends these with failures too, and clients may look at them first. */
function failedParts({ type }: Request): Partial<Response> {
  switch (type) {
    case RequestType.DUMP:
      return { dump: { restored: false } }
    case RequestType.RESTORE:
      return { restore: { pid: -1 } }
    case RequestType.CPUINFO_CHECK:
      return { cr_errno: -Errno.ENOTSUP }
    default:
      return {}
  }
}

const unsupported = (what: string): never =>
  fail({ code: 'option', option: what, reason: 'is not supported yet' })

/** The status, as wait4 has it, of a child that an earlier request of this connection has left. */
function waitFor({ pid = 0 }: Request): number {
  if (pid === 0) return clientFailed('sent a WAIT_PID without a pid')
  return waitForStatus(hostPid(pid))
}
