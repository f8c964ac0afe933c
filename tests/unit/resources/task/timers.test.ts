import { expect, test } from 'bun:test'
import { extra } from '../../../../src/resources/task/extra.ts'
import { signals } from '../../../../src/resources/task/signals.ts'
import { timers } from '../../../../src/resources/task/timers.ts'
import { Held } from './subjects.ts'

const aspects = [timers, extra]
const FAR_TOO_LONG = 5n

test('timers keep ids, clocks, targets, values, intervals and the time that is left', () => {
  using from = new Held(aspects, 'timers')
  using to = new Held(aspects)
  to.place(from)
  to.ask()
  const before = from.task.core.timers!
  const after = to.task.core.timers!
  expect(before.posix.map((timer) => timer.it_id)).toEqual([0, 2, 3, 4, 5])
  expect(after.posix.map(kind)).toEqual(before.posix.map(kind))
  for (const [i, { vsec }] of before.posix.entries()) {
    expect(vsec - after.posix[i]!.vsec).toBeLessThan(FAR_TOO_LONG)
    expect(vsec - after.posix[i]!.vsec).toBeGreaterThanOrEqual(0n)
  }
  for (const name of ['real', 'virt', 'prof'] as const) {
    expect(after[name].isec).toBe(before[name].isec)
    expect(before[name].vsec - after[name].vsec).toBeLessThan(FAR_TOO_LONG)
  }
  expect(before.real.vsec).toBeGreaterThan(400n)
})

test('the overrun of the last delivery comes back', () => {
  using from = new Held(aspects, 'overrun')
  using to = new Held(aspects)
  expect(from.task.core.timers!.posix[0]!.overrun).toBe(10)
  to.place(from)
  to.ask()
  const [timer] = to.task.core.timers!.posix
  expect(timer!.overrun).toBe(10)
  expect(from.task.core.timers!.posix[0]!.vsec - timer!.vsec).toBeLessThan(FAR_TOO_LONG)
  expect(to.task.status.signals.sharedPending).toBe(0n)
})

test('a timer on the CPU clock of its own thread is found to be that thread’s', () => {
  using from = new Held(aspects, 'thread-timer')
  const [, thread] = from.task.threads
  const { timers: owners } = from.written.get('criu-ts-task')![0] as { timers: unknown[] }
  expect(owners).toEqual([{ it_id: 0, tid: thread!.nsTid }])
  using to = new Held(aspects, 'thread')
  to.place(from)
  to.ask()
  const { timers: after } = to.written.get('criu-ts-task')![0] as { timers: unknown[] }
  expect(after).toEqual([{ it_id: 0, tid: to.task.threads[1]!.nsTid }])
  expect(to.task.core.timers!.posix.map(kind)).toEqual(from.task.core.timers!.posix.map(kind))
})

test('a timer whose signal is pending sends it again, and goes on', () => {
  using from = new Held([...aspects, signals], 'fired')
  using to = new Held([...aspects, signals])
  expect(from.task.core.signals_s!.signals.length).toBe(3)
  to.place(from)
  to.ask()
  expect(to.task.core.signals_s).toEqual(from.task.core.signals_s!)
  const [once, often] = to.task.core.timers!.posix
  expect([once!.vsec, once!.vnsec]).toEqual([0n, 0n])
  expect(often!.isec).toBe(1000n)
  expect(often!.vsec).toBeGreaterThan(400n)
})

const kind = (timer: object) => ({ ...timer, vsec: 0, vnsec: 0, notify_thread_id: 0 })
