import { fail } from '../errors/error.ts'
import { POLL } from '../kernel/constants/poll.ts'
import { AF, SOCK } from '../kernel/constants/socket.ts'
import { fileType } from '../kernel/constants/stat.ts'
import { errnoText } from '../kernel/errno.ts'
import { tryStatSync, unlinkSync } from '../kernel/fs.ts'
import { pollfd } from '../kernel/layout/files.ts'
import { encodeAll } from '../kernel/layout/index.ts'
import { scratch } from '../kernel/memory.ts'
import { pause } from '../kernel/pause.ts'
import { must, sys } from '../kernel/sys.ts'
import { type LocalFd, localFd } from '../kernel/types.ts'
import type { JobLog } from '../log/file-log.ts'
import { Workers } from './workers.ts'

/** sockaddr_un has room for so many bytes of a path, with its closing zero (man 7 unix). */
const LONGEST_PATH = 108
/** Who may connect is all the same: each gets what is its own. */
const ANYBODY = 0o666
const BACKLOG = 16

/** A socket at a path that clients can connect to; one that a service left there is replaced. */
export function listenAt(path: string): LocalFd {
  const name = Buffer.from(`${path}\0`)
  if (name.length > LONGEST_PATH) refuse(`must be shorter than ${LONGEST_PATH} bytes, not ${path}`)
  const before = tryStatSync(path)
  if (before && fileType(before.mode) !== 'socket') refuse(`names ${path}, which is no socket`)
  if (before) unlinkSync(path)
  using s = scratch()
  const fd = localFd(must('socket', AF.UNIX, SOCK.SEQPACKET | SOCK.CLOEXEC, 0))
  const address = s.put(Buffer.concat([Uint8Array.of(AF.UNIX, 0), name]))
  const bound = sys('bind', fd, address.address, address.bytes.length)
  if (bound < 0) refuse(`names ${path}: ${errnoText(-bound)}`)
  must('chmod', s.path(path), ANYBODY)
  must('listen', fd, BACKLOG)
  return fd
}

const refuse = (reason: string): never => fail({ code: 'option', option: '--address', reason })

const FOREVER = -1
/** Microseconds: while the kernel has no descriptors or memory for another connection. */
const SHORTAGE = 100_000

/** Takes connections for ever, each to a process of its own. */
export function serveAll(listener: LocalFd, log: JobLog): never {
  const workers = new Workers(log)
  for (;;) {
    log.flush()
    const [isAsked] = waitFor([listener, ...workers.pidfds])
    workers.reap()
    if (!isAsked) continue
    const fd = sys('accept4', listener, 0, 0, SOCK.CLOEXEC)
    if (fd >= 0) workers.take(localFd(fd))
    else pause(SHORTAGE)
  }
}

/** Which of them can be read. */
function waitFor(fds: readonly LocalFd[]): boolean[] {
  using s = scratch()
  const polls = fds.map((fd) => ({ fd, events: POLL.IN, revents: 0 }))
  const memory = s.put(encodeAll(pollfd, polls))
  must('poll', memory.address, fds.length, FOREVER)
  return fds.map((_, i) => pollfd.read(memory.view, i * pollfd.size).revents !== 0)
}
