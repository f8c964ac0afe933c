/** What is measured, and what is to be reached. */
export interface Figure {
  /** Its name on the command line and the mode of bench/subject.c. */
  readonly mode: string
  readonly title: (amount: number) => string
  /** How much of it; MiB of memory in those that are `memory`. 0: nothing that could be halved. */
  readonly amount: number
  readonly memory: boolean
  /** Greatest ratio to a plain copy of the same memory. */
  readonly goalRatio?: number
  /** Greatest time of the whole process, in ms. */
  readonly goalMs?: number
  /** What one of them is called, to tell what each costs. */
  readonly each?: string
  /** Further options of both jobs. */
  readonly options?: readonly string[]
}

/** A whole job, or one of its stages, may take so many times longer for twice the work. */
export const GROWTH_GOAL = 2.5

/** Growth below this is noise, in ms. */
export const GROWTH_FLOOR_MS = 5

/** The program's own start: `--version`, in ms. */
export const START_GOAL_MS = 15

export const figures: readonly Figure[] = [
  { mode: 'tiny', title: () => 'tiny process', amount: 0, memory: false, goalMs: 30 },
  {
    mode: 'memory',
    title: (n) => `${n} MiB of memory`,
    amount: 1024,
    memory: true,
    goalRatio: 1.5,
  },
  { mode: 'family', title: (n) => `8 children sharing ${n} MiB`, amount: 256, memory: true },
  { mode: 'processes', title: (n) => `${n} processes`, amount: 100, memory: false },
  { mode: 'threads', title: (n) => `${n} threads`, amount: 200, memory: false },
  { mode: 'descriptors', title: (n) => `${n} descriptors`, amount: 1000, memory: false },
  { mode: 'mappings', title: (n) => `${n} mappings`, amount: 2000, memory: false },
  { mode: 'pipes', title: (n) => `${n} pipes`, amount: 5000, memory: false, each: 'pipe' },
  { mode: 'unix', title: (n) => `${n} unix pairs`, amount: 2000, memory: false, each: 'pair' },
  {
    mode: 'tcp',
    title: (n) => `${n} TCP connections, queues full`,
    amount: 1000,
    memory: false,
    each: 'connection',
    options: ['--tcp-established'],
  },
  { mode: 'epoll', title: (n) => `${n} epoll entries`, amount: 1000, memory: false, each: 'entry' },
]

/** Memory of the subject that measures how long it stands still, in MiB. */
export const GAP_AMOUNT = 1024
