import { expect, test } from 'bun:test'
import { noteHandler, RESTORER_OFFSET } from '../../../../src/arch/x86_64/signal-note.ts'
import { assemble, hexOf, inLineComments, sourceBetween } from './assembler.ts'

const note = 0x7f12_3456_7890n
const lines = inLineComments(sourceBetween('signal-note.ts', 'Uint8Array.from', '])')).map((line) =>
  line.replace('NOTE', `0x${note.toString(16)}`),
)

test('the handler is what its comments assemble to', () => {
  expect(lines.length).toBe(6)
  expect(hexOf(noteHandler(note))).toBe(assemble(lines))
})

test('its restorer stands where it is said', () => {
  expect(hexOf(noteHandler(note).subarray(RESTORER_OFFSET))).toBe(assemble(lines.slice(4)))
})
