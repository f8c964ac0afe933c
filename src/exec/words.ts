import { fail } from '../errors/error.ts'

/** An argument of a system call: a number, or bytes that the task gets and whose address is passed. */
export type CallArgument =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'string'; readonly bytes: Uint8Array }

const LONG_MAX = (1n << 63n) - 1n
const LONG_MIN = -(1n << 63n)

/** `&TEXT` is a string (criu(8), SYSCALLS EXECUTION); all else a number as strtol(3) has them. */
export function parseArgument(word: string): CallArgument {
  if (word.startsWith('&')) return { kind: 'string', bytes: Buffer.from(`${word.slice(1)}\0`) }
  return { kind: 'number', value: parseLong(word) }
}

/** Blanks, a sign, 0x for hexadecimal, 0 for octal; what strtol would cut off is refused. */
const LONG = /^[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))$/

function parseLong(word: string): bigint {
  const found = LONG.exec(word)
  if (!found) {
    return fail({
      code: 'option',
      option: word,
      reason: 'is neither a number nor a string',
      remedy: `a string begins with &: '&${word}'`,
    })
  }
  const [, sign, hex, octal, decimal] = found
  const magnitude = BigInt(hex ? `0x${hex}` : octal ? `0o0${octal}` : decimal!)
  const value = sign === '-' ? -magnitude : magnitude
  if (value > LONG_MAX || value < LONG_MIN)
    fail({ code: 'option', option: word, reason: 'does not fit into a long of 64 bits' })
  return value
}
