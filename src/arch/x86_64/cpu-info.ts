import type { Messages } from '../../images/gen/messages.ts'
import { cpuid } from '../../kernel/ffi/index.ts'

/** What the image cpuinfo tells of a CPU (cpuinfo_x86_entry), read by the cpuid instruction. */
export type CpuInfo = Messages['cpuinfo_x86_entry']

const CAPABILITY_VERSION = 2

/** cpuinfo_x86_entry.vendor */
const VENDORS: Readonly<Record<string, number>> = { GenuineIntel: 1, AuthenticAMD: 2 }

type Register = 'eax' | 'ebx' | 'ecx' | 'edx'

/**
 * Where each capability word of version 2 comes from: leaf, subleaf, register. Words without a source
 * are the kernel's own notes, or of vendors that are gone: 0. Version 1 has the first twelve.
 */
const WORDS: readonly (readonly [number, number, Register] | undefined)[] = [
  [1, 0, 'edx'],
  [0x8000_0001, 0, 'edx'],
  undefined,
  undefined,
  [1, 0, 'ecx'],
  undefined,
  [0x8000_0001, 0, 'ecx'],
  undefined,
  undefined,
  [7, 0, 'ebx'],
  [0xd, 1, 'eax'],
  [7, 0, 'ecx'],
  [0xf, 1, 'edx'],
  [0x8000_0008, 0, 'ebx'],
  [6, 0, 'eax'],
  [0x8000_000a, 0, 'edx'],
  [0xf, 0, 'edx'],
  [0x8000_0007, 0, 'ebx'],
  [7, 0, 'edx'],
]

/** A leaf past the last one answers for another: 0 in its place. */
function ask(leaf: number, subleaf: number, register: Register): number {
  const last = cpuid(leaf >= 0x8000_0000 ? 0x8000_0000 : 0).eax >>> 0
  return last < leaf ? 0 : cpuid(leaf, subleaf)[register] >>> 0
}

/** The CPU that we run on. */
export function readCpuInfo(): CpuInfo {
  const version = ask(1, 0, 'eax')
  const base = (version >> 8) & 15
  const family = base + (base === 15 ? (version >> 20) & 255 : 0)
  const model = ((version >> 4) & 15) + (base >= 6 ? ((version >> 16) & 15) << 4 : 0)
  return {
    vendor_id: VENDORS[vendorName()] ?? 0,
    cpu_family: family,
    model,
    stepping: version & 15,
    capability_ver: CAPABILITY_VERSION,
    capability: WORDS.map((source) => (source ? ask(...source) : 0)),
    model_id: modelName(),
    xfeatures_mask: BigInt(ask(0xd, 0, 'eax')) | (BigInt(ask(0xd, 0, 'edx')) << 32n),
    xsave_size: ask(0xd, 0, 'ebx'),
    xsave_size_max: ask(0xd, 0, 'ecx'),
  } as CpuInfo
}

function vendorName(): string {
  const { ebx, ecx, edx } = cpuid(0)
  return textOf([ebx, edx, ecx])
}

function modelName(): string {
  const leaves = [0x8000_0002, 0x8000_0003, 0x8000_0004]
  if (ask(0x8000_0000, 0, 'eax') < 0x8000_0004) return ''
  const words = leaves.flatMap((leaf) => {
    const { eax, ebx, ecx, edx } = cpuid(leaf)
    return [eax, ebx, ecx, edx]
  })
  return textOf(words).replace(/\0.*$/, '').trim()
}

const textOf = (words: readonly number[]): string =>
  Buffer.from(Uint32Array.from(words).buffer).toString('latin1')
