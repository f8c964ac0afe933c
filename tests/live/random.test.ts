import { liveTest } from '../harness/live.ts'

/**
 * Trees of processes, threads and objects at random (tests/programs/random.c), each from a seed that
 * its title tells. `RANDOM_TREES` says how many, `RANDOM_SEED` the first seed.
 */
const trees = Number(process.env.RANDOM_TREES ?? 12)
const first = Number(process.env.RANDOM_SEED ?? Date.now() % 1_000_000_000)

/** What is new in each restored tree: numbers of inodes and of eventfds, order of an epoll's targets. */
const OPTIONS = '--file-locks --tcp-established'
const NUMBERS = 'it_value|ticks|eventfd-id|tfd:|inotify wd'

for (let seed = first; seed < first + trees; seed++)
  liveTest(`a tree made from seed ${seed}`, 'random tree', {
    args: [String(seed)],
    allow: NUMBERS,
    dumpArgs: OPTIONS,
    restoreArgs: OPTIONS,
    network: true,
  })
