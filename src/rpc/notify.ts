import type { Abort } from '../job/abort.ts'
import type { External } from '../job/options.ts'
import { tryReadStatus } from '../kernel/proc/status.ts'
import type { HostPid, LocalFd } from '../kernel/types.ts'
import type { Log } from '../log/log.ts'
import { parseExternal } from '../options/external.ts'
import type { Hook } from '../scripts/hooks.ts'
import type { ScriptRunner } from '../scripts/runner.ts'
import { decodeRequest, encodeResponse, type Request, RequestType } from './message.ts'
import { clientFailed, type RpcSocket } from './socket.ts'

/** Hooks whose notification names the root of the tree. */
const withPid: readonly string[] = ['setup-namespaces', 'post-restore']

/** A name of upstream's that only clients are told; no script is run. */
const QUERY = 'query-ext-files'

/**
 * Tells the client of each hook, where it wants to know, and waits for its answer. At each hook a job
 * ends as a failed one where the client has hung up meanwhile: nobody would learn what became of it.
 */
export class ClientHooks implements ScriptRunner {
  readonly #socket: RpcSocket
  readonly #log: Log
  readonly #abort: Abort
  readonly isEmpty: boolean

  constructor(socket: RpcSocket, isAsked: boolean, log: Log, abort: Abort) {
    this.#abort = abort
    this.#socket = socket
    this.#log = log
    this.isEmpty = !isAsked
  }

  run(hook: Hook, pid?: HostPid, fd?: LocalFd): void {
    if (this.#socket.isHungUp) clientFailed(`hung up before ${hook}`)
    if (!this.isEmpty) this.#ask(hook, withPid.includes(hook) ? pid : undefined, fd)
  }

  /** What the client knows to lie outside of the tree: it is asked while the tree stands still. */
  externalObjects(): readonly External[] {
    if (this.isEmpty) return []
    const { opts } = this.#ask(QUERY)
    const sockets = (opts?.unix_sk_ino ?? []).map(({ inode }) => `unix[${inode}]`)
    return [...sockets, ...(opts?.external ?? [])].map((text) => {
      const parsed = parseExternal(text)
      if (parsed.ok) return parsed.value
      return clientFailed(`answered ${QUERY} with criu_opts.external, which ${parsed.reason}`)
    })
  }

  #ask(script: string, pid?: HostPid, fd?: LocalFd): Request {
    this.#refuseHeld(script)
    this.#log.info(`telling the client of ${script}`)
    const notify = { script, ...(pid === undefined ? {} : { pid }) }
    const told = encodeResponse({ type: RequestType.NOTIFY, success: true, notify })
    this.#socket.send(told, fd === undefined ? [] : [fd])
    const packet =
      this.#socket.receive(isEnded(this.#abort) ? undefined : this.#abort) ??
      clientFailed(`hung up at ${script}`)
    const answer = decodeRequest(packet)
    if (answer.type !== RequestType.NOTIFY)
      clientFailed(`answered ${script} with another request (${answer.type})`)
    if (!answer.notify_success) clientFailed(`answered that ${script} has failed`)
    return answer
  }

  /** One that is in the tree cannot answer while it stands still: both would wait for ever. */
  #refuseHeld(script: string): void {
    const { pid } = this.#socket.peer
    if (pid === 0 || tryReadStatus(`/proc/${pid}`)?.tracerPid !== process.pid) return
    clientFailed(`cannot be told of ${script}: it is a part of the tree that is dumped`)
  }
}

/** Of a job that was ended already the hooks that undo what it did are told as ever. */
function isEnded(abort: Abort): boolean {
  try {
    abort.check()
    return false
  } catch {
    return true
  }
}
