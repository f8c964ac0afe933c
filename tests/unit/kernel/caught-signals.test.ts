import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { CaughtSignals } from '../../../src/kernel/caught-signals.ts'
import { SIG } from '../../../src/kernel/constants/signals.ts'
import { sys } from '../../../src/kernel/sys.ts'

const raise = (signal: number): number => sys('kill', process.pid, signal)

test('signals are noted and do not end us', () => {
  using caught = new CaughtSignals([SIG.HUP, SIG.TERM])
  expect([caught.signal, caught.count]).toEqual([undefined, 0])
  raise(SIG.TERM)
  expect([caught.signal, caught.count]).toEqual([SIG.TERM, 1])
  raise(SIG.HUP)
  expect([caught.signal, caught.count]).toEqual([SIG.HUP, 2])
})

test('one that is ignored stays ignored, and a handler that was there comes back', () => {
  {
    using outer = new CaughtSignals([SIG.INT])
    {
      using inner = new CaughtSignals([SIG.INT])
      raise(SIG.INT)
      expect([inner.count, outer.count]).toEqual([1, 0])
    }
    raise(SIG.INT)
    expect(outer.count).toBe(1)
  }
  // The runtime ignores it.
  using caught = new CaughtSignals([SIG.PIPE])
  raise(SIG.PIPE)
  expect(caught.count).toBe(0)
})

test('who waits for us sees which signal it was', () => {
  const module = join(import.meta.dir, '../../../src/kernel/caught-signals.ts')
  const script = `
    const { CaughtSignals, dieBySignal } = await import(${JSON.stringify(module)})
    const caught = new CaughtSignals([15])
    process.kill(process.pid, 'SIGTERM')
    console.log(caught.signal)
    dieBySignal(caught.signal)
    console.log('still there')`
  const done = Bun.spawnSync([process.execPath, '-e', script])
  expect([done.stdout.toString(), done.signalCode]).toEqual(['15\n', 'SIGTERM'])
})
