import { i64, layout } from './layout.ts'

/** struct __kernel_timespec (linux/time_types.h). */
export const timespec = layout({ sec: i64, nsec: i64 })

/** struct __kernel_old_timeval. */
export const timeval = layout({ sec: i64, usec: i64 })

/** struct itimerval (linux/time.h): getitimer, setitimer. */
export const itimerval = layout({ interval: timeval, value: timeval })

/** struct __kernel_itimerspec: timer_settime, timerfd_settime. */
export const itimerspec = layout({ interval: timespec, value: timespec })
