import {
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { encode } from '../../src/images/codec.ts'
import { changeMessage, type Pool, poolOf } from './change-message.ts'
import type { Random } from './random.ts'
import { type Image, type Item, namesIn, type Sample } from './sample.ts'

/** A sample with what its damage is made of. */
export interface Victim {
  readonly sample: Sample
  readonly pool: Pool
  /** From it entries and files are taken that do not belong here. */
  readonly stranger: Sample
}

export const victim = (sample: Sample, stranger: Sample): Victim => ({
  sample,
  pool: poolOf(sample),
  stranger,
})

/** What a file is to be: its bytes, gone, or something that is no file. */
type Content = Uint8Array | 'gone' | 'directory' | 'link' | Sparse

/** Bytes, and zeroes behind them that take no room. */
interface Sparse {
  readonly start: Uint8Array
  readonly size: number
}

/** Writes the images of a sample with one to four things wrong; says what. */
export function writeDamaged(victim: Victim, target: string, random: Random): string {
  const changed = new Map<string, Content>()
  const said: string[] = []
  const times = random.chance(70) ? 1 : 2 + random.below(3)
  for (let i = 0; i < times; i++) said.push(damage(victim, changed, random))
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target)
  const { sample } = victim
  for (const file of namesIn(sample.directory)) {
    const path = join(target, file)
    const content = changed.get(file) ?? sample.images.get(file)?.bytes
    if (content === undefined) place(join(sample.directory, file), path)
    else write(path, content)
  }
  return said.join('; ')
}

function place(from: string, to: string): void {
  const stat = lstatSync(from)
  if (stat.isDirectory()) mkdirSync(to)
  else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to)
  else linkOrCopy(from, to)
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to) // another file system
  }
}

function write(path: string, content: Content): void {
  if (content === 'gone') return
  if (content === 'directory') mkdirSync(path)
  else if (content === 'link') symlinkSync('/dev/zero', path)
  else if (content instanceof Uint8Array) writeFileSync(path, content)
  else {
    writeFileSync(path, content.start)
    truncateSync(path, content.size)
  }
}

function damage(victim: Victim, changed: Map<string, Content>, random: Random): string {
  const { sample, stranger, pool } = victim
  const file = random.pick([...sample.images.keys()])
  const image = sample.images.get(file)!
  const before = changed.get(file)
  const bytes = before instanceof Uint8Array ? before : image.bytes
  if (image.items && image.items.length > 0 && random.chance(80)) {
    const [items, what] = changeItems(image.items, file, stranger, pool, random)
    const made = tryEncode(image, items)
    if (made) changed.set(file, made)
    return `${file}: ${what}`
  }
  const [content, what] = changeBytes(bytes, file, stranger, random)
  changed.set(file, content)
  return `${file}: ${what}`
}

function changeItems(
  items: readonly Item[],
  file: string,
  stranger: Sample,
  pool: Pool,
  random: Random,
): [Item[], string] {
  const list = [...items]
  const at = random.below(list.length)
  const item = list[at]!
  switch (random.below(14)) {
    case 0:
      list.splice(at, 1)
      return [list, `entry ${at} away`]
    case 1:
      list.splice(random.below(list.length), 0, item)
      return [list, `entry ${at} twice`]
    case 2: {
      const other = stranger.images.get(file)?.items
      if (!other || other.length === 0) break
      list.splice(at, random.below(2), random.pick(other))
      return [list, `entry ${at} of ${stranger.name}`]
    }
    case 3: {
      const payload = changeLength(item.payload, random)
      list[at] = { ...item, payload }
      return [list, `entry ${at} with ${payload.length} bytes behind it`]
    }
  }
  const message = { ...item.message }
  list[at] = { ...item, message }
  return [list, `entry ${at}: ${changeMessage(item.name, message, pool, random)}`]
}

function changeLength(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.chance(50)) return bytes.subarray(0, random.below(bytes.length + 1))
  return Buffer.concat([bytes, Buffer.alloc(random.pick([1, 2, 8, 4096]), 0x42)])
}

function tryEncode({ header }: Image, items: readonly Item[]): Uint8Array | undefined {
  try {
    const parts = items.flatMap(({ name, message, payload }) => {
      const bytes = encode(name, message as never)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(bytes.length)
      return [length, bytes, payload]
    })
    return Buffer.concat([header, ...parts])
  } catch {
    return undefined // a value that no image can have
  }
}

function changeBytes(
  bytes: Uint8Array,
  file: string,
  stranger: Sample,
  random: Random,
): [Content, string] {
  const copy = Buffer.from(bytes)
  const at = random.below(copy.length + 1)
  switch (random.below(11)) {
    case 0:
      return [copy.subarray(0, at), `cut at ${at}`]
    case 1:
      return ['gone', 'gone']
    case 2:
      return [random.pick(['directory', 'link'] as const), 'no file any more']
    case 3: {
      const size = random.pick([copy.length + 4096, 64 << 20, 2 ** 30, 2 ** 33, 2 ** 42])
      return [{ start: random.chance(50) ? copy : copy.subarray(0, 8), size }, `${size} bytes`]
    }
    case 4:
      return [Buffer.concat([copy.subarray(0, at), copy]), `begins again at ${at}`]
    case 5: {
      const other = stranger.images.get(file) ?? random.pick([...stranger.images.values()])
      return [Buffer.from(other.bytes), `a file of ${stranger.name}`]
    }
    case 6:
      if (copy.length >= 12) copy.writeUInt32LE(random.word(), 8)
      return [copy, 'another length']
    case 7:
      for (let i = 0; i < 8; i++) copy[random.below(copy.length)] = random.word()
      return [copy, 'bytes at random']
    case 8:
      return [Buffer.concat([copy, Buffer.alloc(1 + random.below(64), random.word())]), 'a tail']
    default:
      if (copy.length > 0) copy[at % copy.length]! ^= 1 << random.below(8)
      return [copy, `a bit at ${at}`]
  }
}
