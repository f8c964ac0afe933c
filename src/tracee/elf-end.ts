import { fail } from '../errors/error.ts'

const ELF_MAGIC = 0x464c457f
const CLASS_AT = 4
const CLASS_64 = 2
const SHT_NOBITS = 8

/** Places in the header of the file and of a section, in both classes (elf(5)). */
const LAYOUT_64 = { shoff: 40, entsize: 58, shnum: 60, type: 4, offset: 24, size: 32, wide: true }
const LAYOUT_32 = { shoff: 32, entsize: 46, shnum: 48, type: 4, offset: 16, size: 20, wide: false }

/** How many bytes of an ELF image its header, sections and table of sections take. */
export function elfEnd(image: Uint8Array): number {
  const view = new DataView(image.buffer, image.byteOffset, image.length)
  if (view.getUint32(0, true) !== ELF_MAGIC)
    fail({ code: 'internal', reason: 'the vDSO is no ELF image' })
  const layout = image[CLASS_AT] === CLASS_64 ? LAYOUT_64 : LAYOUT_32
  const word = (at: number) =>
    layout.wide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true)
  const table = word(layout.shoff)
  const size = view.getUint16(layout.entsize, true)
  const count = view.getUint16(layout.shnum, true)
  let end = table + size * count
  for (let i = 0; i < count; i++) {
    const section = table + i * size
    if (view.getUint32(section + layout.type, true) === SHT_NOBITS) continue
    end = Math.max(end, word(section + layout.offset) + word(section + layout.size))
  }
  if (end > image.length) fail({ code: 'internal', reason: 'the vDSO is larger than its mapping' })
  return end
}
