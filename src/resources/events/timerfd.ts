import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { CLOCK, TFD } from '../../kernel/constants/time.ts'
import { itimerspec, timespec } from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import { localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { FdProbe } from '../dump-model.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { freshInfo, isAnon, setFlags } from './anon.ts'

type TimerfdEntry = Messages['timerfd_entry']
type State = Omit<TimerfdEntry, 'id' | 'flags' | 'fown'>

/** TIMERFD of fd_types. */
const TYPE = 17
/** Nanoseconds. */
const SECOND = 1_000_000_000n

/**
 * Timers behind a descriptor. Images hold the time that is left, also of a timer that was set to a
 * moment (TFD_TIMER_ABSTIME): it goes on with that, and time spent as images does not count.
 */
export const timerfd: FdKind = {
  tag: 'timerfd',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'timerfd'),
  dump(probe, id, dump) {
    return { tfd: { id, flags: probe.flags, fown: ownerOf(probe, dump), ...settledState(probe) } }
  },

  open(entry) {
    const { clockid, flags, fown } = partOf(entry, 'tfd')
    const created = sys('timerfd_create', clockid, TFD.CLOEXEC)
    const fd = localFd(checked(created, 'timerfd_create', { kind: `timerfd of clock ${clockid}` }))
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    return fd
  },
  /** Armed only now; before an epoll looks at it (the registry's order): see epoll-restore.ts. */
  connect(entry, fd, restore) {
    const timer = partOf(entry, 'tfd')
    arm(fd, timer)
    if (timer.ticks !== 0n) setTicks(fd, timer.ticks)
    connectOwner(fd, entry.id, timer.flags, timer.fown, restore)
  },
}

/**
 * The state, at a moment when it is whole. Nothing left and nothing to read is a timer that is off, or
 * one whose expiry is under way: a second look, after it took the timer's lock, tells.
 *
 * A periodic timer that has expired stands still until somebody reads it or asks for its time
 * (fs/timerfd.c, do_timerfd_gettime); only then do the ticks of the meantime and the time to the next
 * one show. For its readers that is no change.
 */
function settledState(probe: FdProbe): State {
  const state = stateOf(probe)
  if (state.vsec !== 0n || state.vnsec !== 0n) return state
  using s = scratch()
  must('timerfd_gettime', probe.local, s.take(itimerspec.size).address)
  return stateOf(probe)
}

function stateOf(probe: FdProbe): State {
  const info = freshInfo(probe)
  const [vsec, vnsec] = pair(info('it_value'))
  const [isec, insec] = pair(info('it_interval'))
  return {
    clockid: Number(info('clockid')),
    ticks: BigInt(info('ticks')),
    settime_flags: Number.parseInt(info('settime flags'), 8),
    vsec,
    vnsec,
    isec,
    insec,
  }
}

/** `(99, 995835423)`: seconds and nanoseconds. */
function pair(text: string): [bigint, bigint] {
  const [, sec, nsec] = /^\((\d+), (\d+)\)$/.exec(text) ?? []
  if (sec === undefined || nsec === undefined)
    return fail({ code: 'internal', reason: `fdinfo of a timerfd says ${text}` })
  return [BigInt(sec), BigInt(nsec)]
}

/** Also a timer that is off: the kernel keeps interval and flags of the last call. */
function arm(fd: number, timer: TimerfdEntry): void {
  const { clockid, settime_flags, vsec, vnsec, isec, insec } = timer
  const left = vsec * SECOND + vnsec
  const isMoment = (settime_flags & TFD.TIMER_ABSTIME) !== 0 && left !== 0n
  const value = isMoment ? left + now(clockid) : left
  using s = scratch()
  const setting = itimerspec.encode({
    value: { sec: value / SECOND, nsec: value % SECOND },
    interval: { sec: isec, nsec: insec },
  })
  const result = sys('timerfd_settime', fd, settime_flags, s.put(setting).address, 0)
  checked(result, 'timerfd_settime', { kind: 'timerfd' })
}

/** An alarm clock counts as the clock that it is named after, and can be asked only with an RTC. */
function now(clock: number): bigint {
  const asked = ALARMS.get(clock) ?? clock
  using s = scratch()
  const memory = s.take(timespec.size)
  must('clock_gettime', asked, memory.address)
  const { sec, nsec } = timespec.decode(memory.bytes)
  return sec * SECOND + nsec
}

const ALARMS = new Map<number, number>([
  [CLOCK.REALTIME_ALARM, CLOCK.REALTIME],
  [CLOCK.BOOTTIME_ALARM, CLOCK.BOOTTIME],
])

/** Expirations that nobody has read yet; after the arming, which forgets them. */
function setTicks(fd: number, ticks: bigint): void {
  using s = scratch()
  const memory = s.take(8)
  memory.view.setBigUint64(0, ticks, true)
  checked(sys('ioctl', fd, TFD.IOC_SET_TICKS, memory.address), 'TFD_IOC_SET_TICKS', {
    kind: 'timerfd',
    remedy: 'the kernel must have CONFIG_CHECKPOINT_RESTORE',
  })
}
