import { sentence } from '../errors/sentence.ts'
import { CAP, LINUX_CAPABILITY_VERSION_3 } from '../kernel/constants/capability.ts'
import { F } from '../kernel/constants/fcntl.ts'
import { PR, PR_CAP_AMBIENT } from '../kernel/constants/prctl.ts'
import { capData, capHeader, encodeAll } from '../kernel/layout/index.ts'
import type { Scratch } from '../kernel/memory.ts'
import { startProgram } from '../kernel/program.ts'
import { close, must } from '../kernel/sys.ts'
import type { Table } from '../kernel/table.ts'
import { type HostPid, type LocalFd, localFd } from '../kernel/types.ts'
import { tryWaitStop } from '../kernel/wait.ts'
import type { Log } from '../log/log.ts'
import { ownProgram } from '../scripts/own-program.ts'
import { encodeResponse, failure, RequestType } from './message.ts'
import { clientFailed, type Peer, peerGroups, RpcSocket } from './socket.ts'
import { type Standing, standingOf } from './standing.ts'
import { ANY, TERMS_VARIABLE } from './terms.ts'

/** Connections that one user may have at a time: the others are to have their turn. */
const PER_USER = 32

interface Worker {
  readonly pid: HostPid
  /** Ready to be read once the worker has ended. */
  readonly pidfd: LocalFd
  readonly uid: number
}

/** The processes that serve clients, each one connection. */
export class Workers {
  readonly #log: Log
  readonly #workers: Worker[] = []

  constructor(log: Log) {
    this.#log = log
  }

  get pidfds(): readonly LocalFd[] {
    return this.#workers.map(({ pidfd }) => pidfd)
  }

  /** Waits for those that have ended. */
  reap(): void {
    for (const worker of [...this.#workers]) {
      if (!tryWaitStop(worker.pid)) continue
      close(worker.pidfd)
      this.#workers.splice(this.#workers.indexOf(worker), 1)
      this.#log.info(`process ${worker.pid} has served its client`)
    }
  }

  /** Has a new connection served; it is closed here in any case. */
  take(fd: LocalFd): void {
    try {
      const socket = new RpcSocket(fd)
      try {
        this.#start(socket)
      } catch (error) {
        this.#log.error(sentence(error))
        socket.send(encodeResponse(failure(RequestType.EMPTY, error)))
      }
    } catch {
      // It has hung up.
    } finally {
      close(fd)
    }
  }

  #start(socket: RpcSocket): void {
    const { peer } = socket
    const standing = standingOf(peer)
    if (standing.kind === 'refused') clientFailed(standing.reason)
    if (this.#workers.filter(({ uid }) => uid === peer.uid).length >= PER_USER)
      clientFailed(`has ${PER_USER} connections already, with all others of user ${peer.uid}`)
    const terms = standing.kind === 'limited' ? String(standing.capabilities) : ANY
    const { argv, env } = ownProgram(['swrk', String(WORKER_FD)], { [TERMS_VARIABLE]: terms })
    const pid = startProgram(argv, env, (table, s) => prepare(table, s, socket, standing))
    const pidfd = localFd(must('pidfd_open', pid, 0))
    this.#workers.push({ pid, pidfd, uid: peer.uid })
    this.#log.info(`process ${pid} serves process ${peer.pid} of user ${peer.uid}`)
  }
}

/** The number that a connection has in the process that serves it. */
const WORKER_FD = 3
const ALL_FDS = 0xffff_ffff

/**
 * The worker has the connection, our standard descriptors and the client's current directory. For a
 * limited client it is a process of that user and its groups before it reads a single byte.
 */
function prepare(table: Table, s: Scratch, { fd, peer }: RpcSocket, standing: Standing): void {
  table.attempt('chdir', s.path(`/proc/${peer.pid}/cwd`))
  if (fd === WORKER_FD) table.call('fcntl', fd, F.SETFD, 0)
  else table.call('dup3', fd, WORKER_FD, 0)
  table.call('close_range', WORKER_FD + 1, ALL_FDS, 0)
  if (standing.kind !== 'limited') return
  becomeUser(table, s, peer, peerGroups(fd))
  keepCapabilities(table, s, standing.capabilities | (1n << BigInt(CAP.CHECKPOINT_RESTORE)))
}

function becomeUser(table: Table, s: Scratch, { uid, gid }: Peer, groups: Uint8Array): void {
  table.call('setgroups', groups.length / 4, s.put(groups).address)
  table.call('setresgid', gid, gid, gid)
  table.call('prctl', PR.SET_KEEPCAPS, 1)
  table.call('setresuid', uid, uid, uid)
}

/** Through the exec as well (man 7 capabilities: the ambient set). */
function keepCapabilities(table: Table, s: Scratch, set: bigint): void {
  const words = [set, set >> 32n].map((word) => Number(BigInt.asUintN(32, word)))
  const data = words.map((word) => ({ effective: word, permitted: word, inheritable: word }))
  const header = s.put(capHeader.encode({ version: LINUX_CAPABILITY_VERSION_3, pid: 0 }))
  table.call('capset', header.address, s.put(encodeAll(capData, data)).address)
  for (let cap = 0; cap < 64; cap++)
    if ((set >> BigInt(cap)) & 1n)
      table.call('prctl', PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, cap, 0, 0)
}
