import type { FdKind, TaskAspect } from './contract.ts'

/** The only list of file kinds; asked in this order. */
export const fdKinds: readonly FdKind[] = []

/** The only list of task aspects; in this order they run at each hook. */
export const taskAspects: readonly TaskAspect[] = []
