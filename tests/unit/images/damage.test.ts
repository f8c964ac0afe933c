import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CriuError } from '../../../src/errors/error.ts'
import type { ImageId } from '../../../src/images/catalogue.ts'
import { ImageDirectory, type PlainKind } from '../../../src/images/directory.ts'

const fixtures = join(import.meta.dirname, 'fixtures')
const work = mkdtempSync(join(tmpdir(), 'criu-images-'))
const directory = ImageDirectory.open(work)
afterAll(() => {
  directory.close()
  rmSync(work, { recursive: true })
})

const images: readonly (readonly [name: string, kind: PlainKind | 'pagemap', id?: ImageId])[] = [
  ['inventory.img', 'inventory'],
  ['core-30101.img', 'core', 30101],
  ['mm-30101.img', 'mm', 30101],
  ['files.img', 'files'],
  ['pstree.img', 'pstree'],
  ['fdinfo-2.img', 'fdinfo', 2],
  ['ids-30101.img', 'ids', 30101],
  ['pagemap-30101.img', 'pagemap', 30101],
  ['pipes-data.img', 'pipes-data'],
  ['sk-queues.img', 'sk-queues'],
  ['ghost-file-1.img', 'ghost-file', 1],
  ['stats-dump', 'stats-dump'],
]

/** Reads the image in each way there is; only an image error may come of it. */
function defect(kind: PlainKind | 'pagemap', id: ImageId | undefined): string | undefined {
  try {
    using opened = ImageDirectory.open(directory.fd)
    if (kind === 'pagemap') {
      expect(opened.readPagemapEntries(kind, id!).entries.length).toBe(
        opened.readPagemap(kind, id!).table.count,
      )
    } else opened.readWithPayload(kind, id)
  } catch (error) {
    if (error instanceof CriuError && error.detail.code === 'image') return error.detail.reason
    throw error
  }
  return undefined
}

/** Offsets at which a file without payload may end: behind the header and behind each entry. */
function ends(bytes: Buffer, header: number): Set<number> {
  const found = new Set([header])
  for (let at = header; at < bytes.length; found.add(at)) at += 4 + bytes.readUInt32LE(at)
  return found
}

describe.each(images)('%s', (name, kind, id) => {
  const whole = readFileSync(join(fixtures, name))
  const damaged = (bytes: Uint8Array) => {
    writeFileSync(join(work, name), bytes)
    return defect(kind, id)
  }
  const payload = kind === 'pipes-data' || kind === 'sk-queues' || kind === 'ghost-file'

  test('is read as it is', () => {
    expect(damaged(whole)).toBeUndefined()
  })

  test('cut off at any offset: an error, unless it ends behind an entry', () => {
    const allowed = ends(payload ? whole.subarray(0, 8) : whole, kind === 'inventory' ? 4 : 8)
    for (let end = 0; end < whole.length; end++) {
      const found = damaged(whole.subarray(0, end))
      if (!payload) expect([end, found === undefined && !allowed.has(end)]).toEqual([end, false])
    }
  })

  test('with any bit flipped: an error, or another value', () => {
    for (let at = 0; at < whole.length; at++) {
      const copy = Buffer.from(whole)
      copy[at]! ^= 1 << (at % 8)
      const found = damaged(copy)
      if (at < 4) expect(found).toStartWith('wrong magic 0x')
    }
  })

  test('with bytes at its end: an error', () => {
    if (kind === 'ghost-file') return
    expect(damaged(Buffer.concat([whole, Buffer.from('abc')]))).toBe('trailing garbage of 3 bytes')
  })
})
