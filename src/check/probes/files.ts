import { fail } from '../../errors/error.ts'
import { BPF } from '../../kernel/constants/bpf.ts'
import { LOCK, O, RESOLVE } from '../../kernel/constants/fcntl.ts'
import { TIOC } from '../../kernel/constants/ioctl.ts'
import { IPC } from '../../kernel/constants/ipc.ts'
import { KCMP } from '../../kernel/constants/kcmp.ts'
import { MFD } from '../../kernel/constants/mman.ts'
import { FAN, IN } from '../../kernel/constants/notify.ts'
import { CLOCK, TFD } from '../../kernel/constants/time.ts'
import { Errno } from '../../kernel/errno.ts'
import { tryHandleOf, tryOpenByHandle } from '../../kernel/file-handle.ts'
import { epollEvent, openHow } from '../../kernel/layout/files.ts'
import { ioUringParams } from '../../kernel/layout/io-uring.ts'
import { kcmpEpollSlot } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { fdInfoValue, readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { trySysctl } from '../../kernel/proc/system.ts'
import { checked, must, open, owned, sys } from '../../kernel/sys.ts'
import { localFd } from '../../kernel/types.ts'
import type { Feature } from '../feature.ts'
import { askInt } from '../ground.ts'

const EPOLL_CTL_ADD = 1
const POLLIN = 1
const LAST_PTY = 4096

const infoOf = (fd: number, key: string): string | undefined =>
  fdInfoValue(readFdInfo('/proc/self', fd), key)

function memfd(flags: number = MFD.CLOEXEC) {
  using s = scratch()
  return owned(must('memfd_create', s.string('criu-check'), flags))
}

/** What a pseudoterminal is known by, and the other end opened through it. */
function openPty(): void {
  using master = owned(open('/dev/ptmx', O.RDWR | O.NOCTTY))
  const number = askInt((at) => sys('ioctl', master.fd, TIOC.GPTN, at), 'ioctl(TIOCGPTN)')
  if (number < 0 || number > LAST_PTY) fail({ code: 'conflict', reason: `TIOCGPTN says ${number}` })
  using s = scratch()
  checked(sys('ioctl', master.fd, TIOC.SPTLCK, s.take(4).address), 'ioctl(TIOCSPTLCK)')
  const flags = O.RDWR | O.NOCTTY | O.CLOEXEC
  using _slave = owned(checked(sys('ioctl', master.fd, TIOC.GPTPEER, flags), 'ioctl(TIOCGPTPEER)'))
}

function tellTimer(): string | undefined {
  using timer = owned(must('timerfd_create', CLOCK.MONOTONIC, TFD.CLOEXEC))
  if (infoOf(timer.fd, 'clockid') !== '1') return 'fdinfo does not tell of the clock'
  using s = scratch()
  const ticks = s.take(8)
  ticks.view.setBigUint64(0, 3n, true)
  checked(sys('ioctl', timer.fd, TFD.IOC_SET_TICKS, ticks.address), 'ioctl(TFD_IOC_SET_TICKS)')
  return undefined
}

function compareTargets(): string | undefined {
  using epoll = owned(must('epoll_create1', O.CLOEXEC))
  using event = owned(must('eventfd2', 0, O.CLOEXEC))
  using s = scratch()
  const asked = s.put(epollEvent.encode({ events: POLLIN }))
  must('epoll_ctl', epoll.fd, EPOLL_CTL_ADD, event.fd, asked.address)
  const slot = s.put(kcmpEpollSlot.encode({ efd: epoll.fd, tfd: event.fd, toff: 0 }))
  const own = process.pid
  const order = sys('kcmp', own, own, KCMP.EPOLL_TFD, event.fd, slot.address)
  return checked(order, 'kcmp(KCMP_EPOLL_TFD)') === 0 ? undefined : 'it does not find the target'
}

function openByHandle(): void {
  using root = owned(open('/', O.RDONLY | O.DIRECTORY))
  const found = tryHandleOf(localFd(root.fd))
  if (!found) fail({ code: 'conflict', reason: 'the root file system has no handles' })
  const fd = tryOpenByHandle('/', found.handle, O.RDONLY)
  using _again = owned(checked(fd, 'open_by_handle_at'))
}

function watch(): string | undefined {
  using instance = owned(must('inotify_init1', O.CLOEXEC))
  using s = scratch()
  must('inotify_add_watch', instance.fd, s.string('/'), IN.DELETE_SELF)
  return /fhandle/.test(infoOf(instance.fd, 'inotify wd') ?? '')
    ? undefined
    : 'fdinfo does not tell the handle of what is watched'
}

/** 32 bits of keys and values, one of them. */
function makeMap(): void {
  const attributes = Uint8Array.from(
    new Uint8Array(Uint32Array.of(BPF_MAP_TYPE_HASH, 4, 4, 1).buffer),
  )
  using s = scratch()
  const result = sys('bpf', BPF.MAP_CREATE, s.put(attributes).address, attributes.length)
  using _map = owned(checked(result, 'bpf(BPF_MAP_CREATE)'))
}

const BPF_MAP_TYPE_HASH = 1

export const fileFeatures: readonly Feature[] = [
  {
    name: 'mnt_id',
    need: 'required',
    what: 'on which mount a file was opened (mnt_id in /proc/PID/fdinfo)',
    cost: 'open files cannot be dumped',
    remedy: 'Linux 3.15',
    probe() {
      using file = owned(open('/', O.RDONLY | O.DIRECTORY))
      return readFdInfo('/proc/self', file.fd).mntId > 0 ? undefined : 'fdinfo does not tell it'
    },
  },
  {
    name: 'eventfd',
    need: 'required',
    what: 'what event descriptors hold (/proc/PID/fdinfo of eventfd, signalfd, epoll)',
    cost: 'programs that use them (nearly all servers) cannot be dumped',
    remedy: 'CONFIG_EVENTFD, CONFIG_SIGNALFD, CONFIG_EPOLL',
    probe() {
      using event = owned(must('eventfd2', 5, O.CLOEXEC))
      return infoOf(event.fd, 'eventfd-count')?.trim() === '5'
        ? undefined
        : 'fdinfo does not tell it'
    },
  },
  {
    name: 'kcmp_epoll',
    need: 'extra',
    what: 'which file an epoll waits for (kcmp with KCMP_EPOLL_TFD)',
    cost: 'an epoll whose targets were closed or moved by dup cannot be dumped',
    remedy: 'Linux 4.13 with CONFIG_CHECKPOINT_RESTORE',
    probe: compareTargets,
  },
  {
    name: 'timerfd',
    need: 'extra',
    what: 'timer descriptors, and to set their expirations (TFD_IOC_SET_TICKS)',
    cost: 'programs that use timerfd cannot be restored',
    remedy: 'Linux 3.17 with CONFIG_CHECKPOINT_RESTORE',
    probe: tellTimer,
  },
  {
    name: 'tty',
    need: 'extra',
    what: 'pseudoterminals (/dev/ptmx, TIOCGPTPEER)',
    cost: 'programs on terminals cannot be restored',
    remedy: 'Linux 4.13, and a mounted devpts',
    probe: openPty,
  },
  {
    name: 'fdinfo_lock',
    need: 'extra',
    what: 'locks that a file has (lock in /proc/PID/fdinfo)',
    cost: 'file locks cannot be dumped (--file-locks)',
    remedy: 'Linux 4.1',
    probe() {
      using file = memfd()
      must('flock', file.fd, LOCK.EX)
      return readFdInfo('/proc/self', file.fd).locks.length === 1 ? undefined : 'it is not told'
    },
  },
  {
    name: 'openat2',
    need: 'extra',
    what: 'to open a path without following links out of a directory (openat2)',
    cost: 'trees with mount namespaces are restored less safely',
    remedy: 'Linux 5.6',
    probe() {
      using s = scratch()
      const how = openHow.encode({ flags: BigInt(O.PATH), resolve: BigInt(RESOLVE.IN_ROOT) })
      using root = owned(open('/', O.PATH | O.DIRECTORY))
      const { address } = s.put(how)
      using _fd = owned(must('openat2', root.fd, s.string('.'), address, openHow.size))
    },
  },
  {
    name: 'file_handles',
    need: 'extra',
    what: 'to open a file by its handle (open_by_handle_at)',
    cost: 'what inotify and fanotify watch has to be searched for (--force-irmap)',
    remedy: 'Linux 2.6.39 with CONFIG_FHANDLE',
    capability: 'DAC_READ_SEARCH',
    probe: openByHandle,
  },
  {
    name: 'inotify',
    need: 'extra',
    what: 'what inotify watches (/proc/PID/fdinfo)',
    cost: 'programs that watch files cannot be dumped',
    remedy: 'CONFIG_INOTIFY_USER and CONFIG_FHANDLE',
    probe: watch,
  },
  {
    name: 'fanotify',
    need: 'extra',
    what: 'fanotify',
    cost: 'programs that use it cannot be restored',
    remedy: 'CONFIG_FANOTIFY',
    capability: 'SYS_ADMIN',
    probe() {
      using _instance = owned(must('fanotify_init', FAN.CLOEXEC, O.RDONLY))
    },
  },
  {
    name: 'io_uring',
    need: 'extra',
    what: 'io_uring',
    cost: 'programs that use it cannot be restored',
    remedy: 'Linux 5.1 with CONFIG_IO_URING, and the sysctl kernel.io_uring_disabled at 0',
    probe() {
      using s = scratch()
      using _ring = owned(must('io_uring_setup', 1, s.take(ioUringParams.size).address))
    },
  },
  {
    name: 'bpf_map',
    need: 'extra',
    what: 'maps of BPF (bpf with BPF_MAP_CREATE)',
    cost: 'programs that hold BPF maps cannot be restored',
    remedy: 'Linux 4.4 with CONFIG_BPF_SYSCALL',
    capability: 'BPF',
    probe: makeMap,
  },
  {
    name: 'mqueue',
    need: 'extra',
    what: 'POSIX message queues',
    cost: 'programs that use them cannot be restored',
    remedy: 'CONFIG_POSIX_MQUEUE',
    probe() {
      using s = scratch()
      const name = s.string(`criu-check-${process.pid}`)
      using _queue = owned(must('mq_open', name, O.RDWR | O.CREAT | O.EXCL | O.CLOEXEC, 0o600, 0))
      must('mq_unlink', name)
    },
  },
  {
    name: 'ipc',
    need: 'extra',
    what: 'System V objects with an id of choice (kernel.shm_next_id, msg_next_id, sem_next_id)',
    cost: 'programs with System V shared memory, queues or semaphores cannot be restored',
    remedy: 'Linux 3.9 with CONFIG_SYSVIPC and CONFIG_CHECKPOINT_RESTORE',
    probe() {
      const id = must('shmget', IPC.PRIVATE, 4096, 0o600)
      must('shmctl', id, IPC.RMID, 0)
      const missing = ['shm', 'msg', 'sem'].filter(
        (kind) => trySysctl('/proc', `kernel/${kind}_next_id`) === undefined,
      )
      if (missing.length > 0)
        fail({
          code: 'syscall',
          operation: `open of kernel.${missing[0]}_next_id`,
          errno: Errno.ENOENT,
        })
    },
  },
]
