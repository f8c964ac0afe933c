import type { CpuInfo } from './cpu-info.ts'

/**
 * Instructions that programs use, by capability word of the image and bit (Intel SDM 2A and AMD APM 3,
 * cpuid), with the names of /proc/cpuinfo. A program that looked for them once goes on using them.
 */
const INSTRUCTIONS: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  0: {
    4: 'tsc',
    8: 'cx8',
    15: 'cmov',
    19: 'clflush',
    23: 'mmx',
    24: 'fxsr',
    25: 'sse',
    26: 'sse2',
  },
  1: { 11: 'syscall', 22: 'mmxext', 25: 'fxsr_opt', 27: 'rdtscp', 30: '3dnowext', 31: '3dnow' },
  4: {
    0: 'pni',
    1: 'pclmulqdq',
    9: 'ssse3',
    12: 'fma',
    13: 'cx16',
    19: 'sse4_1',
    20: 'sse4_2',
    22: 'movbe',
    23: 'popcnt',
    25: 'aes',
    26: 'xsave',
    28: 'avx',
    29: 'f16c',
    30: 'rdrand',
  },
  6: {
    0: 'lahf_lm',
    5: 'abm',
    6: 'sse4a',
    8: '3dnowprefetch',
    11: 'xop',
    15: 'lwp',
    16: 'fma4',
    21: 'tbm',
    29: 'mwaitx',
  },
  9: {
    0: 'fsgsbase',
    3: 'bmi1',
    4: 'hle',
    5: 'avx2',
    8: 'bmi2',
    11: 'rtm',
    14: 'mpx',
    16: 'avx512f',
    17: 'avx512dq',
    18: 'rdseed',
    19: 'adx',
    21: 'avx512ifma',
    23: 'clflushopt',
    24: 'clwb',
    26: 'avx512pf',
    27: 'avx512er',
    28: 'avx512cd',
    29: 'sha_ni',
    30: 'avx512bw',
    31: 'avx512vl',
  },
  10: { 0: 'xsaveopt', 1: 'xsavec', 2: 'xgetbv1' },
  11: {
    0: 'prefetchwt1',
    1: 'avx512vbmi',
    3: 'pku',
    5: 'waitpkg',
    6: 'avx512_vbmi2',
    8: 'gfni',
    9: 'vaes',
    10: 'vpclmulqdq',
    11: 'avx512_vnni',
    12: 'avx512_bitalg',
    14: 'avx512_vpopcntdq',
    22: 'rdpid',
    25: 'cldemote',
    27: 'movdiri',
    28: 'movdir64b',
    29: 'enqcmd',
  },
  13: { 0: 'clzero', 4: 'rdpru' },
  18: {
    2: 'avx512_4vnniw',
    3: 'avx512_4fmaps',
    8: 'avx512_vp2intersect',
    14: 'serialize',
    16: 'tsxldtrk',
    22: 'amx_bf16',
    23: 'avx512_fp16',
    24: 'amx_tile',
    25: 'amx_int8',
  },
}

/** Components of the extended state by their bit in XCR0 (Intel SDM 1, 13.1). */
const STATES =
  'x87 SSE AVX MPX MPX AVX-512 AVX-512 AVX-512 PT PKU PASID CET CET HDC UINTR LBR HWP AMX AMX APX'.split(
    ' ',
  )

const BITS = Array.from({ length: 32 }, (_, bit) => bit)

const instruction = (word: number, bit: number): string | undefined => INSTRUCTIONS[word]?.[bit]

/** Names of the bits that one list of words has and another lacks; words both know alone. */
function lacking(
  from: readonly number[],
  against: readonly number[],
  nameOf: (word: number, bit: number) => string | undefined,
): string[] {
  return from.slice(0, against.length).flatMap((word, i) => {
    const only = (word & ~against[i]!) >>> 0
    return BITS.filter((bit) => (only >>> bit) & 1).flatMap((bit) => nameOf(i, bit) ?? [])
  })
}

/** Instructions of the image's CPU that this one does not have. */
export function missingInstructions(image: CpuInfo, here: CpuInfo): string[] {
  return lacking(image.capability, here.capability, instruction)
}

/** Parts of the extended state that the image's CPU has and this one does not. */
export function missingStates(image: CpuInfo, here: CpuInfo): string[] {
  const only = (image.xfeatures_mask ?? 0n) & ~(here.xfeatures_mask ?? 0n)
  const bits = Array.from({ length: 64 }, (_, bit) => bit)
  return bits
    .filter((bit) => (only >> BigInt(bit)) & 1n)
    .map((bit) => STATES[bit] ?? `extended state ${bit}`)
}

/** All that differs between the two, whichever has more. */
export function differences(image: CpuInfo, here: CpuInfo): string[] {
  const nameOf = (word: number, bit: number) =>
    instruction(word, bit) ?? `feature ${bit} of word ${word}`
  const vendor = image.vendor_id === here.vendor_id ? [] : ['another vendor']
  return [
    ...vendor,
    ...lacking(image.capability, here.capability, nameOf),
    ...lacking(here.capability, image.capability, nameOf).map((name) => `${name} (new here)`),
  ]
}
