import type { FdKind, TaskAspect } from './contract.ts'
import { epoll } from './events/epoll.ts'
import { eventfd } from './events/eventfd.ts'
import { fanotify } from './events/fanotify.ts'
import { inotify } from './events/inotify.ts'
import { pidfd } from './events/pidfd.ts'
import { signalfd } from './events/signalfd.ts'
import { timerfd } from './events/timerfd.ts'
import { bpfMap } from './files/bpf-map.ts'
import { fifo } from './files/fifo.ts'
import { memfd } from './files/memfd.ts'
import { nsFile } from './files/ns-file.ts'
import { pathFile } from './files/path-file.ts'
import { pipe } from './files/pipe.ts'
import { pluginFile } from './files/plugin-file.ts'
import { refused } from './files/refused.ts'
import { tun, tunDevices } from './files/tun.ts'
import { mqueue } from './ipc/mqueue.ts'
import { sysv } from './ipc/sysv.ts'
import { aio } from './memory/aio.ts'
import { inet } from './sockets/inet.ts'
import { netlink } from './sockets/netlink.ts'
import { packet } from './sockets/packet.ts'
import { unix } from './sockets/unix.ts'
import { cpuControls } from './task/cpu-controls.ts'
import { credentials } from './task/credentials.ts'
import { extra } from './task/extra.ts'
import { identity } from './task/identity.ts'
import { limits } from './task/limits.ts'
import { memoryControls } from './task/memory-controls.ts'
import { rseq } from './task/rseq.ts'
import { scheduling } from './task/scheduling.ts'
import { seccomp } from './task/seccomp.ts'
import { signals } from './task/signals.ts'
import { threadEnds } from './task/thread-ends.ts'
import { timers } from './task/timers.ts'
import { terminalImages } from './terminals/images-aspect.ts'
import { terminal } from './terminals/terminal.ts'
import { uringOutside } from './uring/aspect.ts'
import { uring } from './uring/uring.ts'
import { userfaults } from './userfaults/aspect.ts'
import { userfaultfd } from './userfaults/userfaultfd.ts'

/**
 * The only list of file kinds; asked in this order. `epoll` connects after all that it watches;
 * `refused` takes what all others left.
 */
export const fdKinds: readonly FdKind[] = [
  pipe,
  fifo,
  terminal,
  memfd,
  eventfd,
  signalfd,
  timerfd,
  inotify,
  fanotify,
  pidfd,
  userfaultfd,
  nsFile,
  bpfMap,
  tun,
  netlink,
  packet,
  inet,
  unix,
  mqueue,
  pathFile,
  epoll,
  uring,
  pluginFile,
  refused,
]

/**
 * The only list of task aspects; in this order they run at each hook. Signals are queued before the
 * limit of their number is set; filters are installed while that is allowed; credentials go last,
 * since all others may need privileges.
 */
export const taskAspects: readonly TaskAspect[] = [
  identity,
  threadEnds,
  rseq,
  scheduling,
  memoryControls,
  aio,
  timers,
  uringOutside,
  signals,
  sysv,
  seccomp,
  cpuControls,
  userfaults,
  tunDevices,
  limits,
  credentials,
  extra,
  terminalImages,
]
