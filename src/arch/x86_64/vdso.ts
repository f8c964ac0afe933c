/**
 * The vDSO as an ELF image in memory: where its functions are, and how a call into an old one is led
 * to the present one's.
 */
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT = { NULL: 0n, HASH: 4n, STRTAB: 5n, SYMTAB: 6n, GNU_HASH: 0x6ffffef5n } as const
const STT_FUNC = 2
const MOST_SYMBOLS = 1024
const CLASS_AT = 4
const CLASS_32 = 1

/** Where things stand in the file header, a program header, an entry of PT_DYNAMIC, a symbol (elf(5)). */
const LAYOUT_64 = {
  word: 8,
  header: { phoff: 32, phentsize: 54, phnum: 56 },
  segment: { offset: 8, vaddr: 16 },
  symbol: { size: 24, info: 4, section: 6, value: 8 },
} as const
const LAYOUT_32 = {
  word: 4,
  header: { phoff: 28, phentsize: 42, phnum: 44 },
  segment: { offset: 4, vaddr: 8 },
  symbol: { size: 16, info: 12, section: 14, value: 4 },
} as const
type Layout = typeof LAYOUT_64 | typeof LAYOUT_32

/** A vDSO of 32 bits, as programs of that width have it. */
export const isCompatVdso = (image: Uint8Array): boolean => image[CLASS_AT] === CLASS_32

const readWord = (view: DataView, { word }: Layout, at: number): bigint =>
  word === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))

/** Offsets of its functions from its start, by name. Throws RangeError for damaged bytes. */
export function vdsoFunctions(image: Uint8Array): Map<string, number> {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const layout = isCompatVdso(image) ? LAYOUT_32 : LAYOUT_64
  const { base, dynamic } = segments(view, layout)
  const at = (type: bigint): number | undefined => {
    const value = dynamic.get(type)
    return value === undefined ? undefined : Number(value - base)
  }
  const symbols = at(DT.SYMTAB)
  const strings = at(DT.STRTAB)
  const count = symbolCount(view, at(DT.HASH), at(DT.GNU_HASH), layout)
  const functions = new Map<string, number>()
  if (symbols === undefined || strings === undefined) return functions
  const places = layout.symbol
  for (let i = 1; i < Math.min(count, MOST_SYMBOLS); i++) {
    const symbol = symbols + i * places.size
    const isFunction = (view.getUint8(symbol + places.info) & 0xf) === STT_FUNC
    if (!isFunction || view.getUint16(symbol + places.section, true) === 0) continue
    const name = strings + view.getUint32(symbol, true)
    const text = Buffer.from(image.subarray(name, image.indexOf(0, name))).toString('latin1')
    functions.set(text, Number(readWord(view, layout, symbol + places.value) - base))
  }
  return functions
}

function segments(view: DataView, layout: Layout): { base: bigint; dynamic: Map<bigint, bigint> } {
  const { phoff, phentsize, phnum } = layout.header
  const headers = Number(readWord(view, layout, phoff))
  const [size, count] = [view.getUint16(phentsize, true), view.getUint16(phnum, true)]
  let base = 0n
  const dynamic = new Map<bigint, bigint>()
  for (let i = 0; i < count; i++) {
    const header = headers + i * size
    const type = view.getUint32(header, true)
    if (type === PT_LOAD) base = readWord(view, layout, header + layout.segment.vaddr)
    if (type !== PT_DYNAMIC) continue
    const start = Number(readWord(view, layout, header + layout.segment.offset))
    for (let at = start; ; at += 2 * layout.word) {
      const tag = readWord(view, layout, at)
      if (tag === DT.NULL) break
      dynamic.set(tag, readWord(view, layout, at + layout.word))
    }
  }
  return { base, dynamic }
}

/** DT_HASH says how many; with DT_GNU_HASH alone the end of the longest chain does. */
function symbolCount(
  view: DataView,
  hash: number | undefined,
  gnu: number | undefined,
  { word }: Layout,
): number {
  if (hash !== undefined) return view.getUint32(hash + 4, true)
  if (gnu === undefined) return 0
  const [buckets, first, bloom] = [0, 4, 8].map((at) => view.getUint32(gnu + at, true))
  const table = gnu + 16 + bloom! * word
  let last = 0
  for (let i = 0; i < buckets!; i++) last = Math.max(last, view.getUint32(table + i * 4, true))
  if (last < first!) return first!
  const chains = table + buckets! * 4
  while (!(view.getUint32(chains + (last - first!) * 4, true) & 1)) last++
  return last + 1
}

/** Bytes of {@link jumpTo}, which an old function must have for itself. */
export const jumpSize = (compat: boolean): number => (compat ? 5 : 12)

/**
 * A jump to stand at `from`. 64 bits: mov rax,target; jmp rax, since rax is where such a function puts
 * its result, and free before. 32 bits: jmp rel32, which reaches everything and changes no register
 * (__kernel_vsyscall is passed its number in eax).
 */
export function jumpTo(target: bigint, from: bigint, compat: boolean): Uint8Array {
  if (compat) {
    const distance = Number(BigInt.asIntN(32, target - from - BigInt(jumpSize(true))))
    return Uint8Array.from([0xe9, ...new Uint8Array(Int32Array.of(distance).buffer)])
  }
  const address = new Uint8Array(BigUint64Array.of(target).buffer)
  return Uint8Array.from([0x48, 0xb8, ...address, 0xff, 0xe0])
}

/**
 * Longest __kernel_vsyscall: three pushes, a move, sysenter or syscall, int 0x80, three pops, ret
 * (arch/x86/entry/vdso/vdso32/system_call.S).
 */
const VSYSCALL_SIZE = 16

/**
 * Is this a place within __kernel_vsyscall behind where a jump stands: a system call is made there, or
 * has been, and what follows (pops and a return) reads nothing of the kernel's. Nearly every waiting
 * thread of a 32-bit program is there.
 */
export function isInVsyscall(image: Uint8Array, offset: number): boolean {
  if (!isCompatVdso(image)) return false
  const start = vdsoFunctions(image).get('__kernel_vsyscall')
  if (start === undefined) return false
  return offset >= start + jumpSize(true) && offset < start + VSYSCALL_SIZE
}
