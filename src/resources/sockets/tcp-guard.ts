import { IPPROTO } from '../../kernel/constants/ip.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { SIG, SIG_HOW } from '../../kernel/constants/signals.ts'
import { AF, SO, SOL } from '../../kernel/constants/socket.ts'
import { TCP, TCP_REPAIR } from '../../kernel/constants/tcp.ts'
import { WAIT_KIND } from '../../kernel/constants/wait.ts'
import { sockaddrNl } from '../../kernel/layout/netlink.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { memoryAt, scratch } from '../../kernel/memory.ts'
import { pause } from '../../kernel/pause.ts'
import { intBytes } from '../../kernel/socket-option.ts'
import { checked, close, must, spawnTable, sys } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import { type HostPid, hostPid, type LocalFd } from '../../kernel/types.ts'

import type { Removal } from '../../network-lock/nftables.ts'

/** A socket, and SO_REUSEADDR as it was: the end of a repair sets it to 0. */
export interface Repaired {
  readonly fd: LocalFd
  readonly reuse: boolean
}

/** Bytes of the calls for one socket, and of those around them. */
const [PER_SOCKET, AROUND] = [128, 1024]

/**
 * Outlives us where we are killed: a socket left under repair would never send again, and a locked one
 * in vain. A child with a copy of our descriptors waits for the end of a pipe that we alone hold open;
 * then it ends every repair, and unlocks the network. It runs a table of system calls and nothing else,
 * in memory that we share. In a session of its own, since we may be killed with all of our group.
 */
export class RepairGuard implements Disposable {
  readonly #pid: HostPid
  readonly #pipe: number
  readonly #address: bigint
  readonly #size: number

  constructor(sockets: readonly Repaired[], removals: readonly Removal[]) {
    this.#size = AROUND + sockets.length * PER_SOCKET
    const flags = MAP.PRIVATE | MAP.ANONYMOUS
    this.#address = BigInt(must('mmap', 0, this.#size, PROT.READ | PROT.WRITE, flags, -1, 0))
    const [read, write] = makePipe()
    const table = new Table(memoryAt(this.#address, this.#size))
    const everySignal = table.data(new Uint8Array(8).fill(0xff))
    table.attempt('rt_sigprocmask', SIG_HOW.BLOCK, everySignal, 0, 8)
    table.call('setsid')
    table.call('close', write)
    table.call('read', read, table.space(8), 1)
    endRepairs(table, sockets)
    for (const removal of removals) unlock(table, removal)
    table.call('exit', 0)
    this.#pid = hostPid(checked(spawnTable(cloneArgs.encode({ flags: CLONE.VM }), table), 'clone3'))
    this.#pipe = write
    while (sys('getpgid', this.#pid) === sys('getpgid', 0)) pause(0)
    close(read)
    for (const { socket } of removals) socket[Symbol.dispose]()
  }

  /** Nobody is to end the repairs any more. */
  [Symbol.dispose](): void {
    must('kill', this.#pid, SIG.KILL)
    must('wait4', this.#pid, 0, WAIT_KIND.ALL, 0)
    close(this.#pipe)
    must('munmap', this.#address, this.#size)
  }
}

/** Calls that end the repair of sockets, without a word to their peers. */
export function endRepairs(table: Table, sockets: readonly Repaired[]): void {
  const off = table.data(intBytes(TCP_REPAIR.OFF_NO_WP))
  const [no, yes] = [table.data(intBytes(0)), table.data(intBytes(1))]
  for (const { fd, reuse } of sockets) {
    table.attempt('setsockopt', fd, IPPROTO.TCP, TCP.REPAIR, off, 4)
    table.attempt('setsockopt', fd, SOL.SOCKET, SO.REUSEADDR, reuse ? yes : no, 4)
  }
}

function unlock(table: Table, { socket, datagram }: Removal): void {
  const to = table.data(sockaddrNl.encode({ family: AF.NETLINK }))
  table.attempt('sendto', socket.fd, table.data(datagram), datagram.length, 0, to, sockaddrNl.size)
}

function makePipe(): [read: number, write: number] {
  using s = scratch()
  const memory = s.take(8)
  must('pipe2', memory.address, O_CLOEXEC)
  return [memory.view.getInt32(0, true), memory.view.getInt32(4, true)]
}

const O_CLOEXEC = 0o2000000
