import type { HostPid } from '../kernel/types.ts'

/** What a finished dump says about itself. */
export interface DumpReport {
  readonly root: HostPid
  readonly tasks: number
  readonly threads: number
  /** Pages written to the images. */
  readonly pages: number
  /** How long the tasks stood still, in microseconds. */
  readonly frozenMicros: number
}

/** What a finished restore says about itself. */
export interface RestoreReport {
  /** Pid of the restored root in our pid namespace. */
  readonly root: HostPid
  readonly tasks: number
  readonly threads: number
  readonly pages: number
}
