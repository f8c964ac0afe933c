import type { FdKind, TaskAspect } from './contract.ts'
import { credentials } from './task/credentials.ts'
import { extra } from './task/extra.ts'
import { limits } from './task/limits.ts'
import { signals } from './task/signals.ts'
import { timers } from './task/timers.ts'

/** The only list of file kinds; asked in this order. */
export const fdKinds: readonly FdKind[] = []

/**
 * The only list of task aspects; in this order they run at each hook. Signals are queued before the
 * limit of their number is set; credentials go last, since all others may need privileges.
 */
export const taskAspects: readonly TaskAspect[] = [timers, signals, limits, credentials, extra]
