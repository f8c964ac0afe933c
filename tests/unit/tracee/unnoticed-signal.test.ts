import { expect, test } from 'bun:test'
import { SIG } from '../../../src/kernel/constants/signals.ts'
import { unnoticedSignal } from '../../../src/tracee/unnoticed-signal.ts'

const set = (...signals: number[]) => signals.reduce((all, n) => all | (1n << BigInt(n - 1)), 0n)
const all = (1n << 64n) - 1n
const none = { caught: 0n, ignored: 0n, pending: 0n, isStopped: false }
/** Handlers as a program in Go has them. */
const go = { ...none, caught: all & ~set(9, 18, 19, 20, 21, 22, 32, 34) }

test('a signal that is ignored by default is taken', () => {
  expect(unnoticedSignal(none)).toBe(SIG.URG)
  expect(unnoticedSignal({ ...none, caught: set(SIG.URG, SIG.CHLD) })).toBe(SIG.WINCH)
})

test('else one that the program ignores', () => {
  const caught = set(SIG.URG, SIG.CHLD, SIG.WINCH)
  expect(unnoticedSignal({ ...none, caught, ignored: set(SIG.TSTP, SIG.PIPE) })).toBe(SIG.PIPE)
  expect(unnoticedSignal({ ...none, caught, ignored: set(SIG.PIPE), pending: set(SIG.PIPE) })).toBe(
    SIG.CONT,
  )
})

test('else SIGCONT, where it changes nothing', () => {
  expect(unnoticedSignal(go)).toBe(SIG.CONT)
  expect(unnoticedSignal({ ...go, isStopped: true })).toBeUndefined()
  expect(unnoticedSignal({ ...go, pending: set(SIG.TSTP) })).toBeUndefined()
  expect(unnoticedSignal({ ...go, caught: all })).toBeUndefined()
})
