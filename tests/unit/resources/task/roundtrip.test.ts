import { expect, test } from 'bun:test'
import { taskAspects } from '../../../../src/resources/registry.ts'
import { Held } from './subjects.ts'

/** Where a thread's own areas lie differs from process to process: tested apart. */
const places = ['rseq', 'thread ends']
const aspects = taskAspects.filter(({ name }) => !places.includes(name))

const cases = {
  'actions, queued signals with their siginfo, an alternate stack': ['signals'],
  'resource limits': ['limits'],
  'ids, groups, four capability sets, securebits, parent-death signal': ['creds'],
  'a plain user who may be dumped': ['plain-user'],
  'a real-time policy, affinity, nice, I/O priority': ['scheduling'],
  'SCHED_IDLE and a raised priority': ['idle'],
  'prctl flags of process and thread, name, personality, out-of-memory weight': ['controls'],
  'filters on top of each other': ['filters'],
  'filters of a task that may install none': ['creds', 'filters'],
  'filters shared by threads and one of its own': ['filters-shared', 'thread'],
}

for (const [title, [state, ...more]] of Object.entries(cases)) {
  test(`${title} go over to another process`, () => {
    const threads = more.filter((name) => name === 'thread')
    using from = new Held(aspects, state!, ...more.filter((name) => name !== 'thread'))
    using to = new Held(aspects, ...threads)
    to.place(from)
    to.ask()
    expect(comparable(to)).toEqual(comparable(from))
    expect(from.obstacles).toEqual([])
  })
}

/** All that was dumped, but for what the core of a restore brings back: masks, kernel flags. */
function comparable({ task, written }: Held) {
  return {
    core: { ...task.core, flags: 0, blk_sigset: 0, timers: 0 },
    threads: task.threads.map(({ core }) => ({
      ...core,
      blk_sigset: 0,
      futex_rla: 0,
      rseq_entry: 0,
    })),
    mm: { ...task.mm, mm_brk: 0 },
    images: [...written.values()].map((entries) => JSON.stringify(entries, plain)),
  }
}

const plain = (key: string, value: unknown): unknown => {
  if (key === 'tid') return 0
  return typeof value === 'bigint' ? String(value) : value
}

test('the areas of a thread: rseq, robust list, cleared thread id', () => {
  using from = new Held(taskAspects, 'areas')
  using to = new Held(taskAspects)
  expect(to.task.threads[0]!.core.rseq_entry).toBeUndefined()
  to.place(from)
  to.ask()
  const [before, after] = [from.task.threads[0]!, to.task.threads[0]!]
  expect(after.core).toEqual(before.core)
  expect(after.machine).toEqual(before.machine)
  expect(before.core.rseq_entry).toMatchObject({ rseq_abi_size: 32, signature: 0x12345678 })
})

test('strict mode', () => {
  using from = new Held(aspects, 'strict')
  using to = new Held(aspects)
  expect(from.task.threads[0]!.core.seccomp_mode).toBe(1)
  to.place(from)
  to.ask()
  expect(comparable(to)).toEqual(comparable(from))
})
