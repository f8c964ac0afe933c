import { liveTest } from '../harness/live.ts'

/** An epoll shows the number of a pipe, which is made anew; a signal may be on its way. */
const options = { allow: 'tfd:|ShdPnd' }

liveTest('epoll_wait without a timeout never ends in EINTR', 'untimed epoll-wait', options)
liveTest('epoll_pwait without a timeout never ends in EINTR', 'untimed epoll-pwait', options)
liveTest('epoll_pwait2 without a timeout never ends in EINTR', 'untimed epoll-pwait2', options)
liveTest('sigwaitinfo never ends in EINTR', 'untimed sigwaitinfo', options)
liveTest('a handler still ends epoll_wait', 'untimed handler', options)
