import { expect, test } from 'bun:test'
import { decodeText, encodeText } from '../../../src/images/text.ts'

test('valid UTF-8 reads as text', () => {
  for (const text of ['', 'plain', 'é', '€', '𝄞', 'a\u0000b', '\ud7ff\ue000\uffff']) {
    expect(decodeText(Buffer.from(text, 'utf8'))).toBe(text)
    expect(Buffer.from(encodeText(text)).equals(Buffer.from(text, 'utf8'))).toBe(true)
  }
})

test('any bytes come back as they were', () => {
  const random = (seed: number) => (seed * 1103515245 + 12345) & 0x7fffffff
  let seed = 1
  for (let round = 0; round < 2000; round++) {
    const bytes = new Uint8Array(round % 24)
    for (let i = 0; i < bytes.length; i++) {
      seed = random(seed)
      // Much of what is cut or overlong UTF-8, so that the odd cases come up.
      bytes[i] = round % 2 === 0 ? 0x80 | (seed >>> 16) : seed >>> 16
    }
    const back = encodeText(decodeText(bytes))
    expect(Buffer.from(back).toString('hex')).toBe(Buffer.from(bytes).toString('hex'))
  }
})

test.each([
  ['a lone byte', 'ff', '\udcff'],
  ['an overlong slash', 'c0af', '\udcc0\udcaf'],
  ['an encoded surrogate', 'eda080', '\udced\udca0\udc80'],
  ['a cut sequence', 'e282', '\udce2\udc82'],
  ['past the last character', 'f4908080', '\udcf4\udc90\udc80\udc80'],
])('%s is kept byte by byte', (_, hex, text) => {
  expect(decodeText(Buffer.from(hex, 'hex'))).toBe(text)
})
