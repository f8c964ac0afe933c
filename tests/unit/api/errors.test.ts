import { expect, test } from 'bun:test'
import { decodeError } from '../../../src/api/errors.ts'
import { encodeError } from '../../../src/cli/library/encode-error.ts'
import { CriuError } from '../../../src/errors/error.ts'
import { sentence } from '../../../src/errors/sentence.ts'

const across = (error: unknown): Error =>
  decodeError(JSON.parse(JSON.stringify(encodeError(error))))

test('an error of ours crosses the channel whole', () => {
  const cause = new CriuError({ code: 'syscall', operation: 'open', errno: 2, path: '/x' })
  const error = new CriuError({ code: 'vanished', pid: 7, reason: 'it was killed' }, { cause })
  const made = across(error)
  expect(made).toBeInstanceOf(CriuError)
  expect((made as CriuError).detail).toEqual(error.detail)
  expect(made.message).toBe(sentence(error))
  expect((made.cause as CriuError).detail).toEqual(cause.detail)
  expect(made.stack).toContain('errors.test.ts')
})

test('another error keeps its name and message', () => {
  const made = across(new TypeError('x is no function', { cause: 'text' }))
  expect(made).not.toBeInstanceOf(CriuError)
  expect([made.name, made.message]).toEqual(['TypeError', 'x is no function'])
  expect((made.cause as Error).message).toBe('text')
})
