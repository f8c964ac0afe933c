import { expect, test } from 'bun:test'
import {
  decodeFpregs,
  encodeFpregs,
  missingComponents,
  unsupportedComponents,
} from '../../../../src/arch/x86_64/xstate.ts'
import { make } from '../../../../src/images/codec.ts'

/** Offsets of the standard format on Intel's processors, with a hole for MPX. */
const intel = (bit: number): number | undefined =>
  ({ 2: 576, 3: 960, 4: 1024, 5: 1088, 6: 1152, 7: 1664, 9: 2688 })[bit]
/** On AMD's, which never had MPX. */
const amd = (bit: number): number | undefined => ({ 2: 576, 5: 832, 6: 896, 7: 1408 })[bit]

function area(length: number, xcr0: bigint, xstateBv: bigint): Uint8Array {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(464, xcr0, true)
  view.setBigUint64(512, xstateBv, true)
  return bytes
}

test('extended state goes from an area into an entry and back to the same bytes', () => {
  const bytes = area(2696, 0x2ffn, 0x2e7n)
  bytes.set(
    bytes.subarray(0, 416).map((_, i) => i),
    0,
  )
  for (const [at, size] of [
    [576, 256],
    [1088, 64],
    [1152, 512],
    [1664, 1024],
    [2688, 8],
  ])
    bytes.fill(at! & 0xff, at!, at! + size!)
  const entry = encodeFpregs(bytes, intel)
  expect(entry.xsave?.zmm_upper.length).toBe(64)
  const back = decodeFpregs(entry, area(2696, 0x2ffn, 0n), intel)
  expect(Buffer.from(back).equals(Buffer.from(bytes))).toBe(true)
})

test('state of one CPU comes to the places that another CPU has for it', () => {
  const bytes = area(2696, 0x2e7n, 0xe7n)
  bytes.fill(7, 1088, 1152)
  const moved = decodeFpregs(encodeFpregs(bytes, intel), area(2432, 0xe7n, 0n), amd)
  expect(moved.subarray(832, 896).every((byte) => byte === 7)).toBe(true)
})

test('an image without XSAVE has its legacy part in use', () => {
  const { xsave: _, ...legacy } = encodeFpregs(area(2432, 7n, 3n), amd)
  const back = decodeFpregs(legacy, area(2432, 7n, 0n), amd)
  expect(new DataView(back.buffer).getBigUint64(512, true)).toBe(3n)
})

test('components that this CPU lacks are named', () => {
  const entry = encodeFpregs(area(2696, 0x2ffn, 0x2e0n), intel)
  expect(missingComponents(entry, area(832, 7n, 0n), amd)).toEqual(['AVX-512', 'PKU'])
})

test('a shadow stack counts as missing', () => {
  const entry = encodeFpregs(area(2432, 7n, 3n), amd)
  const xsave = make('user_x86_xsave_entry', { ...entry.xsave!, cet: { cet: 1n, ssp: 2n } })
  expect(missingComponents({ ...entry, xsave }, area(2432, 7n, 0n), amd)).toEqual(['shadow stack'])
})

test('components without a place in the image are told by their bit', () => {
  expect(unsupportedComponents(area(2696, 0x600ffn, 0x60003n))).toEqual([17, 18])
})
