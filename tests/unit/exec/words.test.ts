import { expect, test } from 'bun:test'
import type { CriuError } from '../../../src/errors/error.ts'
import { callNames, isCall, whyRefused } from '../../../src/exec/calls.ts'
import { parseArgument } from '../../../src/exec/words.ts'

const number = (word: string) => {
  const argument = parseArgument(word)
  return argument.kind === 'number' ? argument.value : undefined
}

const refusal = (word: string): string => {
  try {
    parseArgument(word)
  } catch (error) {
    const { detail } = error as CriuError
    return detail.code === 'option' ? detail.reason : detail.code
  }
  return ''
}

test('numbers as strtol takes them: decimal, hexadecimal, octal, with sign and blanks before', () => {
  const cases: [string, bigint][] = [
    ['0', 0n],
    ['42', 42n],
    ['+42', 42n],
    ['-1', -1n],
    ['0x1f', 31n],
    ['-0XfF', -255n],
    ['010', 8n],
    ['-017', -15n],
    ['00', 0n],
    [' \t7', 7n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
  ]
  for (const [word, value] of cases) expect([word, number(word)]).toEqual([word, value])
})

test('what strtol would cut off, or has no digits, is refused', () => {
  for (const word of ['', 'abc', '12abc', '0x', '08', '1.5', '--1', '1 2', '7 '])
    expect([word, refusal(word)]).toEqual([word, 'is neither a number nor a string'])
})

test('what does not fit into a long is refused', () => {
  for (const word of ['9223372036854775808', '-9223372036854775809', '0xffffffffffffffff'])
    expect([word, refusal(word)]).toEqual([word, 'does not fit into a long of 64 bits'])
})

test('a string is all behind the first &, with a closing zero', () => {
  const bytes = (word: string) => {
    const argument = parseArgument(word)
    return argument.kind === 'string' ? Buffer.from(argument.bytes).toString() : undefined
  }
  expect(bytes('&/foo/bar')).toBe('/foo/bar\0')
  expect(bytes('&')).toBe('\0')
  expect(bytes('&&12')).toBe('&12\0')
  expect(bytes('&grün')).toBe('grün\0')
})

test('calls are known by the kernel’s names', () => {
  for (const name of ['open', 'close', 'pidfd_getfd', 'io_uring_setup', 'openat2'])
    expect(isCall(name)).toBe(true)
  for (const name of ['opn', 'constructor', 'toString', '']) expect(isCall(name)).toBe(false)
})

test('what would end or multiply a task is not run', () => {
  const refused = callNames.filter((name) => whyRefused(name) !== undefined)
  for (const name of ['exit', 'exit_group', 'execve', 'clone', 'clone3', 'fork', 'vfork'])
    expect(refused as string[]).toContain(name)
  for (const name of ['open', 'close', 'kill', 'mmap', 'dup2'])
    expect(refused as string[]).not.toContain(name)
})
