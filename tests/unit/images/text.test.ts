import { expect, test } from 'bun:test'
import { decodeText, encodeText } from '../../../src/images/text.ts'

test('any bytes come back as they were, one character each', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  expect(decodeText(bytes).length).toBe(256)
  expect(encodeText(decodeText(bytes))).toEqual(Buffer.from(bytes))
})

test('a character that is no byte is refused', () => {
  expect(() => encodeText('€')).toThrow('not a byte string')
})
