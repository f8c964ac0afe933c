import type { Messages } from '../../images/gen/messages.ts'
import { cpuid } from '../../kernel/ffi/index.ts'
import { layout, u64 } from '../../kernel/layout/layout.ts'
import { userFpregs, xsaveHeader } from '../../kernel/layout/registers.ts'

/**
 * Extended state of a thread between its two forms: the XSAVE area in standard format, as
 * PTRACE_GETREGSET of NT_X86_XSTATE gives and takes it, and `user_x86_fpregs_entry` of the images.
 * The places of the components are this CPU's own (cpuid leaf 0xd): Intel's and AMD's differ.
 */
type Fpregs = Messages['user_x86_fpregs_entry']
type XsaveEntry = Messages['user_x86_xsave_entry']

/** Bytes of the largest area that we ask for (AMX tiles included). */
export const XSTATE_MAX = 16384

const HEADER_AT = userFpregs.size
const LEGACY_XSAVE = HEADER_AT + xsaveHeader.size
/** The kernel puts the components that the CPU has enabled here (fs: sw_reserved, asm/user.h). */
const XCR0_AT = 464
const xcr0 = layout({ mask: u64 })

/** Bits of xstate_bv (Intel SDM 1, 13.1). The first two are the legacy part. */
const FP = 1n << 0n
const SSE = 1n << 1n

/** Components that an image has fields for, by bit number. */
const COMPONENTS = [
  { bit: 2, field: 'ymmh_space', word: 4, size: 256, name: 'AVX' },
  { bit: 3, field: 'bndreg_state', word: 8, size: 64, name: 'MPX' },
  { bit: 4, field: 'bndcsr_state', word: 8, size: 64, name: 'MPX' },
  { bit: 5, field: 'opmask_reg', word: 8, size: 64, name: 'AVX-512' },
  { bit: 6, field: 'zmm_upper', word: 8, size: 512, name: 'AVX-512' },
  { bit: 7, field: 'hi16_zmm', word: 8, size: 1024, name: 'AVX-512' },
  { bit: 9, field: 'pkru', word: 4, size: 8, name: 'PKU' },
] as const

const PKRU_BIT = 9

const KNOWN = COMPONENTS.reduce((mask, { bit }) => mask | (1n << BigInt(bit)), FP | SSE)

/** Where a component stands in the standard format on this CPU; undefined: the CPU has none. */
export type OffsetOf = (bit: number) => number | undefined

const offsets = new Map<number, number | undefined>()

/** From cpuid leaf 0xd: eax is the size, ebx the offset. */
export const offsetOnThisCpu: OffsetOf = (bit) => {
  if (!offsets.has(bit)) {
    const { eax, ebx } = cpuid(0xd, bit)
    offsets.set(bit, eax === 0 || ebx === 0 ? undefined : ebx)
  }
  return offsets.get(bit)
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const featuresOf = (area: Uint8Array): bigint => xcr0.decode(area, XCR0_AT).mask

/**
 * Components in use that the image format has no field for, by bit number (17 and 18: AMX, 19: APX):
 * a thread that has some cannot be dumped.
 */
export function unsupportedComponents(area: Uint8Array): number[] {
  if (area.length < LEGACY_XSAVE) return []
  const { xstate_bv } = xsaveHeader.decode(area, HEADER_AT)
  const rest = xstate_bv & ~KNOWN
  return Array.from({ length: 63 }, (_, bit) => bit).filter((bit) => (rest >> BigInt(bit)) & 1n)
}

/** The area of NT_X86_XSTATE as the images have it. */
export function encodeFpregs(area: Uint8Array, offsetOf: OffsetOf = offsetOnThisCpu): Fpregs {
  const { padding: _, ...legacy } = userFpregs.decode(area)
  const message = { ...legacy, padding: [] }
  if (area.length < LEGACY_XSAVE) return message
  return { ...message, xsave: encodeXsave(area, offsetOf) }
}

function encodeXsave(area: Uint8Array, offsetOf: OffsetOf): XsaveEntry {
  const { xstate_bv } = xsaveHeader.decode(area, HEADER_AT)
  const entry: XsaveEntry = {
    xstate_bv: xstate_bv & KNOWN,
    ymmh_space: [],
    bndreg_state: [],
    bndcsr_state: [],
    opmask_reg: [],
    zmm_upper: [],
    hi16_zmm: [],
    pkru: [],
  }
  const view = viewOf(area)
  const enabled = featuresOf(area)
  for (const { bit, field, word, size } of COMPONENTS) {
    const at = offsetOf(bit)
    if (at === undefined || !((enabled >> BigInt(bit)) & 1n) || at + size > area.length) continue
    // In its initial state: all of it is zero, but for PKRU (arch/x86/kernel/fpu/xstate.c). Loops, not Array.from, for the rest: this runs once for
    // each thread, and hardly ever as compiled code.
    const used = bit === PKRU_BIT || ((xstate_bv >> BigInt(bit)) & 1n) !== 0n
    if (!used) entry[field] = new Array(size / word).fill(word === 4 ? 0 : 0n)
    else if (word === 4)
      for (let i = 0; i < size; i += 4) entry[field].push(view.getUint32(at + i, true))
    else for (let i = 0; i < size; i += 8) entry[field].push(view.getBigUint64(at + i, true))
  }
  return entry
}

/** Names of what the image's thread uses and this CPU (whose area is `current`) does not have. */
export function missingComponents(
  entry: Fpregs,
  current: Uint8Array,
  offsetOf: OffsetOf = offsetOnThisCpu,
): string[] {
  const used = entry.xsave?.xstate_bv ?? 0n
  const enabled = featuresOf(current)
  const names = COMPONENTS.filter(({ bit, field }) => {
    if (!((used >> BigInt(bit)) & 1n) || (entry.xsave?.[field].length ?? 0) === 0) return false
    return offsetOf(bit) === undefined || !((enabled >> BigInt(bit)) & 1n)
  }).map(({ name }) => name as string)
  // A shadow stack is no part of this area, and is not restored.
  if ((entry.xsave?.cet?.cet ?? 0n) !== 0n) names.push('shadow stack')
  return [...new Set(names)]
}

/**
 * The area to hand to PTRACE_SETREGSET. `current` is what PTRACE_GETREGSET gives of the same thread
 * now: the kernel wants the very same length, and its words in the padding are kept.
 */
export function decodeFpregs(
  entry: Fpregs,
  current: Uint8Array,
  offsetOf: OffsetOf = offsetOnThisCpu,
): Uint8Array {
  const area = new Uint8Array(current.length)
  const view = viewOf(area)
  const { padding } = userFpregs.decode(current)
  userFpregs.write(view, 0, { ...entry, padding })
  if (area.length < LEGACY_XSAVE) return area
  const { xsave } = entry
  // Images of CPUs without XSAVE have the legacy part alone, all of it in use.
  let present = xsave === undefined ? FP | SSE : xsave.xstate_bv & (FP | SSE)
  for (const { bit, field, word, size } of COMPONENTS) {
    const values = xsave?.[field] ?? []
    const at = offsetOf(bit)
    const used = ((xsave?.xstate_bv ?? 0n) >> BigInt(bit)) & 1n
    if (!used || values.length === 0 || at === undefined || at + size > area.length) continue
    present |= 1n << BigInt(bit)
    for (let i = 0; i < Math.min(values.length, size / word); i++) {
      if (word === 4) view.setUint32(at + i * 4, Number(values[i]), true)
      else view.setBigUint64(at + i * 8, BigInt(values[i]!), true)
    }
  }
  xsaveHeader.write(view, HEADER_AT, { xstate_bv: present, xcomp_bv: 0n, reserved: [] })
  return area
}
