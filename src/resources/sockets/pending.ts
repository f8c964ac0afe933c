import { POLL } from '../../kernel/constants/poll.ts'
import { SO, SOL } from '../../kernel/constants/socket.ts'
import { pollfd } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { pause } from '../../kernel/pause.ts'
import { tryGetOption } from '../../kernel/socket-option.ts'
import { must } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'

/** Places of the numbers that SO_MEMINFO gives (linux/sock_diag.h, SK_MEMINFO_…). */
const MEMINFO = { rmemAlloc: 0, wmemAlloc: 2, count: 9 } as const

function memory(fd: LocalFd, place: number): number {
  const info = tryGetOption(fd, SOL.SOCKET, SO.MEMINFO, 4 * MEMINFO.count)!
  return Buffer.from(info).readUInt32LE(4 * place)
}

/** Memory of what was received and not read yet; 0 for an empty queue. */
export const receiveMemory = (fd: LocalFd): number => memory(fd, MEMINFO.rmemAlloc)

/** What poll tells at once, of the events that are always told and those that are asked for. */
export function pollSocket(fd: LocalFd, events: number): number {
  using s = scratch()
  const request = s.put(pollfd.encode({ fd, events }))
  must('poll', request.address, 1, 0)
  return pollfd.read(request.view, 0).revents
}

/** An error not yet told (SO_ERROR), or one in the error queue: both are gone once they are read. */
export const hasPendingError = (fd: LocalFd): boolean => (pollSocket(fd, 0) & POLL.ERR) !== 0

/** Waits for what a device has not sent yet, so many milliseconds. */
const SEND_PATIENCE = 100

/** Sent and still with the kernel: on its way to a device, or held back by MSG_MORE or UDP_CORK. */
export function holdsUnsent(fd: LocalFd): boolean {
  for (let waited = 0; memory(fd, MEMINFO.wmemAlloc) > 0; waited++) {
    if (waited === SEND_PATIENCE) return true
    pause(1000)
  }
  return false
}
