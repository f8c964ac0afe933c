/** linux/time.h, linux/timerfd.h. */

/** Clocks. */
export const CLOCK = {
  REALTIME: 0,
  MONOTONIC: 1,
  PROCESS_CPUTIME_ID: 2,
  THREAD_CPUTIME_ID: 3,
  MONOTONIC_RAW: 4,
  REALTIME_COARSE: 5,
  MONOTONIC_COARSE: 6,
  BOOTTIME: 7,
  REALTIME_ALARM: 8,
  BOOTTIME_ALARM: 9,
  TAI: 11,
} as const

/** Timers of getitimer. */
export const ITIMER = {
  REAL: 0,
  VIRTUAL: 1,
  PROF: 2,
} as const

/** Flags of timer_settime and clock_nanosleep. */
export const TIMER = {
  ABSTIME: 0x1,
} as const

/** Flags of timerfd_create and timerfd_settime; TFD_IOC_SET_TICKS sets the expirations not yet read. */
export const TFD = {
  TIMER_ABSTIME: 0x1,
  TIMER_CANCEL_ON_SET: 0x2,
  NONBLOCK: 0x800,
  CLOEXEC: 0x80000,
  IOC_SET_TICKS: 0x40085400,
} as const
