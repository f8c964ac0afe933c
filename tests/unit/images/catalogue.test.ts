import { expect, test } from 'bun:test'
import {
  catalogue,
  fileName,
  type ImageKind,
  recogniseFile,
} from '../../../src/images/catalogue.ts'
import { messageNames } from '../../../src/images/schema.ts'

const kinds = Object.keys(catalogue) as ImageKind[]

test('names of files lead back to their kind', () => {
  for (const kind of kinds) {
    const id = catalogue[kind].file.includes('%') ? 300 : undefined
    const found = recogniseFile(fileName(kind, id))
    // Upstream used one name for pages with and without a header.
    if (kind !== 'pages-old') expect(found?.kind).toBe(kind)
    expect(found?.id).toBe(id as never)
  }
})

test('ids are decimal, or hexadecimal where upstream has them so', () => {
  expect(fileName('core', 17)).toBe('core-17.img')
  expect(fileName('ghost-file', 255)).toBe('ghost-file-ff.img')
  expect(fileName('pagemap-shmem', 18446744073709551615n)).toContain('18446744073709551615')
  expect(recogniseFile('pagemap-shmem-18446744073709551615.img')).toEqual({
    kind: 'pagemap-shmem',
    id: 18446744073709551615n,
  })
})

test('foreign names are no images', () => {
  for (const name of [
    '',
    'core-.img',
    'core-1x.img',
    'core-1.img.bak',
    'dump.log',
    'core-%u.img',
  ]) {
    expect(recogniseFile(name)).toBeUndefined()
  }
})

test('entries are messages that there are, and magics differ', () => {
  const names = new Set<string>(messageNames())
  for (const kind of kinds) {
    const { entry, head, header, magic } = catalogue[kind]
    if (entry !== undefined) expect(names).toContain(entry)
    if (head !== undefined) expect(names).toContain(head)
    expect(magic === undefined).toBe(header === 'raw')
  }
  const templates = kinds.map((kind) => catalogue[kind].file)
  expect(new Set(templates).size).toBe(templates.length - 1)
})
