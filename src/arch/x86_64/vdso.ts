/**
 * The vDSO as an ELF image in memory: where its functions are, and how a call into an old one is led
 * to the present one's.
 */
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT = { NULL: 0n, HASH: 4n, STRTAB: 5n, SYMTAB: 6n, GNU_HASH: 0x6ffffef5n } as const
const SYMBOL_SIZE = 24
const STT_FUNC = 2
const MOST_SYMBOLS = 1024

/** Offsets of its functions from its start, by name. Throws RangeError for damaged bytes. */
export function vdsoFunctions(image: Uint8Array): Map<string, number> {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const { base, dynamic } = segments(view)
  const at = (type: bigint): number | undefined => {
    const value = dynamic.get(type)
    return value === undefined ? undefined : Number(value - base)
  }
  const symbols = at(DT.SYMTAB)
  const strings = at(DT.STRTAB)
  const count = symbolCount(view, at(DT.HASH), at(DT.GNU_HASH))
  const functions = new Map<string, number>()
  if (symbols === undefined || strings === undefined) return functions
  for (let i = 1; i < Math.min(count, MOST_SYMBOLS); i++) {
    const symbol = symbols + i * SYMBOL_SIZE
    const isFunction = (view.getUint8(symbol + 4) & 0xf) === STT_FUNC
    if (!isFunction || view.getUint16(symbol + 6, true) === 0) continue
    const name = strings + view.getUint32(symbol, true)
    const text = Buffer.from(image.subarray(name, image.indexOf(0, name))).toString('latin1')
    functions.set(text, Number(view.getBigUint64(symbol + 8, true) - base))
  }
  return functions
}

function segments(view: DataView): { base: bigint; dynamic: Map<bigint, bigint> } {
  const headers = Number(view.getBigUint64(32, true))
  const [size, count] = [view.getUint16(54, true), view.getUint16(56, true)]
  let base = 0n
  const dynamic = new Map<bigint, bigint>()
  for (let i = 0; i < count; i++) {
    const header = headers + i * size
    const type = view.getUint32(header, true)
    if (type === PT_LOAD) base = view.getBigUint64(header + 16, true)
    if (type !== PT_DYNAMIC) continue
    for (let at = Number(view.getBigUint64(header + 8, true)); ; at += 16) {
      const tag = view.getBigUint64(at, true)
      if (tag === DT.NULL) break
      dynamic.set(tag, view.getBigUint64(at + 8, true))
    }
  }
  return { base, dynamic }
}

/** DT_HASH says how many; with DT_GNU_HASH alone the end of the longest chain does. */
function symbolCount(view: DataView, hash: number | undefined, gnu: number | undefined): number {
  if (hash !== undefined) return view.getUint32(hash + 4, true)
  if (gnu === undefined) return 0
  const [buckets, first, bloom] = [0, 4, 8].map((at) => view.getUint32(gnu + at, true))
  const table = gnu + 16 + bloom! * 8
  let last = 0
  for (let i = 0; i < buckets!; i++) last = Math.max(last, view.getUint32(table + i * 4, true))
  if (last < first!) return first!
  const chains = table + buckets! * 4
  while (!(view.getUint32(chains + (last - first!) * 4, true) & 1)) last++
  return last + 1
}

/** Bytes of {@link jumpTo}. */
export const JUMP_SIZE = 12

/** mov rax,target; jmp rax: rax is where such a function puts its result, and free before. */
export function jumpTo(target: bigint): Uint8Array {
  return Uint8Array.from([
    0x48,
    0xb8,
    ...new Uint8Array(BigUint64Array.of(target).buffer),
    0xff,
    0xe0,
  ])
}
