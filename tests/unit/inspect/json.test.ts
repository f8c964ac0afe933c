import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  catalogue,
  type EntryKind,
  fileName,
  type ImageKind,
} from '../../../src/images/catalogue.ts'
import { decode, encode } from '../../../src/images/codec.ts'
import { ImageDirectory, type PlainKind, type ToWrite } from '../../../src/images/directory.ts'
import { headerBytes, littleEndian } from '../../../src/images/framing.ts'
import { messageNames } from '../../../src/images/schema.ts'
import { decodeImage } from '../../../src/inspect/json/decode.ts'
import { encodeImage } from '../../../src/inspect/json/encode.ts'
import { kindOfName, magicName } from '../../../src/inspect/json/magic-names.ts'
import { messageFromJson, messageToJson } from '../../../src/inspect/json/message.ts'
import { quote, unquote } from '../../../src/inspect/json/quoted-printable.ts'
import { readable, textFromJson, textToJson } from '../../../src/inspect/json/text-value.ts'
import { type Json, parseJson, pretty } from '../../../src/inspect/json/values.ts'
import { sample } from '../images/samples.ts'
import { detailOf, fixtures, Work } from './directory.ts'

const textOf = (path: string): string => [...decodeImage(path)].join('')

/** What comes back of a file by way of JSON. */
function roundTrip(path: string): { text: string; bytes: Buffer } {
  const text = textOf(path)
  JSON.parse(text)
  return { text, bytes: Buffer.concat(encodeImage(text, path)) }
}

/** The entries in a file of this kind, each with what follows it. */
function written(kind: EntryKind, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([headerBytes(catalogue[kind]), ...parts])
}

const framed = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Uint8Array.from(littleEndian(bytes.length)), bytes])

describe('an image as JSON and back', () => {
  for (const name of readdirSync(fixtures).filter((file) => !file.endsWith('.md'))) {
    test(`${name} comes back byte for byte`, () => {
      const path = join(fixtures, name)
      expect(roundTrip(path).bytes).toEqual(readFileSync(path))
    })
  }

  test('every kind, with every field set and fields that nobody knows', () => {
    using work = new Work()
    const kinds = (Object.keys(catalogue) as ImageKind[]).filter(
      (kind): kind is EntryKind => catalogue[kind].entry !== undefined,
    )
    for (const kind of kinds) {
      if (PAYLOADS.has(kind)) continue
      const { entry, head } = catalogue[kind]
      const entries = [0, 1, 2].map((turn) => framed(encode(entry, sample(entry, turn) as never)))
      if (head) entries.unshift(framed(encode(head, sample(head, 0) as never)))
      const path = work.file(fileName(kind, catalogue[kind].file.includes('%') ? 1 : undefined))
      writeFileSync(path, written(kind, ...entries))
      const { text, bytes } = roundTrip(path)
      expect(bytes).toEqual(readFileSync(path))
      expect(text).not.toContain('$wire')
      expect(text).toContain('$unknown')
    }
  })

  test('every message in many forms', () => {
    for (const name of messageNames()) {
      for (let turn = 0; turn < 8; turn++) {
        const message = sample(name, turn)
        const json = JSON.parse(pretty(messageToJson(name, message))) as Json
        const back = messageFromJson(name, json, { file: name })
        expect(encode(name, back as never)).toEqual(encode(name, message as never))
      }
    }
  })

  test('payloads of all kinds', () => {
    using work = new Work()
    using images = ImageDirectory.open(work.path)
    const bytes = (length: number, seed = 7): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => (i * seed) & 0xff)
    const desc = sample('ipc_desc_entry', 1)
    const put = <K extends PlainKind>(kind: K, entry: ToWrite<never>, id?: number): string => {
      images.writeWithPayload(kind, [entry as never], id)
      return work.file(fileName(kind, id))
    }
    const of = <N extends Parameters<typeof sample>[0]>(name: N, fields: object): never =>
      ({ ...sample(name, 1), ...fields }) as never
    const files = [
      put('pipes-data', { entry: of('pipe_data_entry', { bytes: 1000 }), payload: bytes(1000) }),
      put('fifo-data', { entry: of('pipe_data_entry', { bytes: 0 }), payload: bytes(0) }),
      put('sk-queues', { entry: of('sk_packet_entry', { length: 5 }), payload: bytes(5) }),
      put('bpfmap-data', {
        entry: of('bpfmap_data_entry', { keys_bytes: 8, values_bytes: 9 }),
        payload: bytes(17),
      }),
      put(
        'tcp-stream',
        { entry: of('tcp_stream_entry', { inq_len: 3, outq_len: 4 }), payload: bytes(7) },
        9,
      ),
      put(
        'ipcns-sem',
        {
          entry: of('ipc_sem_entry', { desc, nsems: 3 }),
          payload: Uint8Array.of(1, 0, 2, 1, 3, 0, 0, 0),
        },
        1,
      ),
      put(
        'ipcns-sem',
        {
          entry: of('ipc_sem_entry', { desc, nsems: 3 }),
          payload: Uint8Array.of(1, 0, 2, 1, 3, 0, 9, 9),
        },
        2,
      ),
      put(
        'ipcns-shm',
        {
          entry: of('ipc_shm_entry', { desc, size: 10n, in_pagemaps: undefined }),
          payload: bytes(12),
        },
        1,
      ),
      put('ipcns-shm', { entry: of('ipc_shm_entry', { desc, size: 10n, in_pagemaps: true }) }, 2),
      put(
        'ghost-file',
        { entry: of('ghost_file_entry', { chunks: undefined }), payload: bytes(3 * 1024 * 1024) },
        1,
      ),
      put(
        'ghost-file',
        {
          entry: of('ghost_file_entry', { chunks: true }),
          parts: [
            { entry: { off: 0n, len: 4096n }, payload: bytes(4096) },
            { entry: { off: 8192n, len: 4096n }, payload: bytes(4096, 3) },
          ],
        },
        2,
      ),
      put(
        'ipcns-msg',
        {
          entry: of('ipc_msg_entry', { desc, qnum: 2 }),
          parts: [
            { entry: { mtype: 1n, msize: 5 }, payload: Uint8Array.of(1, 2, 3, 4, 5, 0, 0, 0) },
            { entry: { mtype: 2n, msize: 6 }, payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
          ],
        },
        1,
      ),
    ]
    for (const path of files) expect(roundTrip(path).bytes).toEqual(readFileSync(path))
    expect(JSON.parse(textOf(files[5]!)).entries[0].extra).toEqual([1, 258, 3])
  })

  test('bytes that JSON cannot tell of are kept: order, long varints, packed lists', () => {
    using work = new Work()
    const path = work.file('pstree.img')
    const odd = [
      Uint8Array.of(0x20, 1, 0x18, 2, 0x10, 3, 0x08, 4),
      Uint8Array.of(0x08, 0x84, 0x80, 0x00, 0x10, 3, 0x18, 2, 0x20, 1),
      Uint8Array.of(0x08, 4, 0x10, 3, 0x18, 2, 0x20, 1, 0x2a, 2, 5, 6),
      Uint8Array.of(0x08, 9, 0x08, 4, 0x10, 3, 0x18, 2, 0x20, 1),
    ]
    writeFileSync(path, written('pstree', ...odd.map(framed)))
    const { text, bytes } = roundTrip(path)
    expect(bytes).toEqual(readFileSync(path))
    expect(text.match(/\$wire/g)).toHaveLength(4)
    // An edit wins over what was kept.
    const edited = JSON.parse(text)
    edited.entries[0].pid = 77
    const changed = Buffer.concat(encodeImage(JSON.stringify(edited), path))
    expect(decode('pstree_entry', changed.subarray(12, 12 + changed.readUInt32LE(8))).pid).toBe(77)
  })

  test('an image of version 1 keeps its short header', () => {
    using work = new Work()
    const path = work.file('pstree.img')
    const now = readFileSync(join(fixtures, 'pstree.img'))
    writeFileSync(path, now.subarray(4))
    const { text, bytes } = roundTrip(path)
    expect(bytes).toEqual(now.subarray(4))
    expect(JSON.parse(text)).toMatchObject({ magic: 'PSTREE', img_version: 1 })
  })

  test('the form is that of crit', () => {
    const json = JSON.parse(textOf(join(fixtures, 'pstree.img')))
    expect(json).toEqual({
      magic: 'PSTREE',
      entries: [{ pid: 30101, ppid: 0, pgid: 30101, sid: 30101, threads: [30101] }],
    })
    expect(JSON.parse(textOf(join(fixtures, 'core-30101.img'))).entries[0].mtype).toBe('X86_64')
  })

  test('every kind has a name, and two have one only where they are of one format', () => {
    const kinds = (Object.keys(catalogue) as ImageKind[]).filter((kind) => catalogue[kind].entry)
    for (const kind of kinds) {
      const found = kindOfName(magicName(kind))!
      expect(catalogue[found].magic).toBe(catalogue[kind].magic)
      expect(catalogue[found].entry).toBe(catalogue[kind].entry!)
    }
  })
})

/** Tested with payload that fits their entries. */
const PAYLOADS = new Set<EntryKind>([
  'pipes-data',
  'fifo-data',
  'sk-queues',
  'tcp-stream',
  'ipcns-sem',
  'ipcns-shm',
  'ipcns-msg',
  'bpfmap-data',
  'ghost-file',
])

describe('what crit writes is read', () => {
  const entry = { pid: 1, ppid: 0, pgid: 1, sid: 1 }
  const bytesOf = (json: unknown): Buffer => Buffer.concat(encodeImage(JSON.stringify(json), 'x'))

  test('numbers in hexadecimal, as strings and past 2^53', () => {
    const plain = bytesOf({ magic: 'PSTREE', entries: [{ ...entry, pid: 255 }] })
    expect(bytesOf({ magic: 'PSTREE', entries: [{ ...entry, pid: '0xff' }] })).toEqual(plain)
    expect(bytesOf({ magic: 'PSTREE', entries: [{ ...entry, pid: '255' }] })).toEqual(plain)
    expect(
      parseJson('{"a":18446744073709551615,"b":"18446744073709551615 \\" 1","c":-12}'),
    ).toEqual({
      a: '18446744073709551615',
      b: '18446744073709551615 " 1',
      c: -12,
    })
  })

  test('base64 with line breaks', () => {
    const extra = Buffer.from('x'.repeat(100))
      .toString('base64')
      .replace(/(.{76})/, '$1\n')
    const json = {
      magic: 'PIPES_DATA',
      entries: [{ pipe_id: 1, bytes: 100, size: 4096, extra: `${extra}\n` }],
    }
    expect(bytesOf(json).subarray(-100).toString()).toBe('x'.repeat(100))
  })
})

describe('what is no image is one clear error', () => {
  const encoded = (text: string) => detailOf(() => encodeImage(text, 'in.json'))
  const reason = (text: string): string => {
    const detail = encoded(text)
    expect(detail).toMatchObject({ code: 'image', file: 'in.json' })
    return 'reason' in detail ? detail.reason : ''
  }

  test('JSON that is damaged, or of something else', () => {
    expect(reason('{')).toContain('it is no JSON')
    expect(reason('[]')).toContain('no JSON object')
    expect(reason('{"magic":"NOPE","entries":[]}')).toContain('no image has the magic "NOPE"')
    expect(reason('{"magic":"PSTREE"}')).toContain('no list of entries')
  })

  test('a field that is missing, unknown or of another type, with its place', () => {
    const one = (entry: string): string => reason(`{"magic":"PSTREE","entries":[${entry}]}`)
    expect(one('5')).toBe('pstree_entry: it is no object')
    expect(one('{}')).toBe('pstree_entry.pid: it is required, and missing')
    const rest = '"ppid":0,"pgid":1,"sid":1'
    expect(one(`{"pid":"x",${rest}}`)).toBe('pstree_entry.pid: "x" is no whole number')
    expect(one(`{"pid":1.5,${rest}}`)).toBe('pstree_entry.pid: 1.5 is no whole number')
    expect(one(`{"pid":-1,${rest}}`)).toContain('pid')
    expect(one(`{"pid":1,${rest},"threads":7}`)).toBe('pstree_entry.threads: it is no list')
    expect(one(`{"pid":1,${rest},"threads":[true]}`)).toContain('threads[0]: true')
    expect(one(`{"pid":1,${rest},"pidd":2}`)).toBe('pstree_entry: it has no field "pidd"')
    expect(encoded(`{"magic":"PSTREE","entries":[{"pid":1,${rest}},{}]}`)).toMatchObject({
      entry: 1,
    })
  })

  test('payload of another length than its entry says', () => {
    const pipe = (bytes: number, extra: string): string =>
      reason(
        JSON.stringify({ magic: 'PIPES_DATA', entries: [{ pipe_id: 1, bytes, size: 1, extra }] }),
      )
    expect(pipe(5, 'AAAA')).toBe('extra has 3 bytes where the entry says 5')
    expect(pipe(3, '*')).toBe('extra is no base64')
  })

  test('a file that is no image', () => {
    using work = new Work()
    writeFileSync(work.file('pages-1.img'), new Uint8Array(4096))
    writeFileSync(work.file('empty.img'), '')
    const why = (name: string) => detailOf(() => textOf(work.file(name)))
    expect(why('pages-1.img')).toMatchObject({
      code: 'image',
      reason: expect.stringContaining('pages'),
    })
    expect(why('empty.img')).toMatchObject({
      code: 'image',
      reason: 'it begins with the magic of no image',
    })
    expect(why('absent.img')).toMatchObject({ code: 'syscall', errno: 2 })
    expect(why('.')).toMatchObject({ code: expect.stringMatching(/image|syscall/) })
  })

  test('random damage: an error of ours or other bytes, never anything else', () => {
    using work = new Work()
    const path = work.file('core-1.img')
    const whole = readFileSync(join(fixtures, 'core-30101.img'))
    let seed = 1
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return seed % below
    }
    for (let turn = 0; turn < 400; turn++) {
      const bytes = Buffer.from(
        whole.subarray(0, turn % 3 === 0 ? random(whole.length) : undefined),
      )
      for (let i = 0; i < 3 && bytes.length > 0; i++) bytes[random(bytes.length)] = random(256)
      writeFileSync(path, bytes)
      let text: string
      try {
        text = textOf(path)
      } catch (error) {
        expect(error).toMatchObject({ name: 'CriuError', detail: { code: 'image', file: path } })
        continue
      }
      expect(Buffer.concat(encodeImage(text, path))).toEqual(bytes)
    }
  })
})

describe('names', () => {
  test('UTF-8 is text, all else is kept as bytes', () => {
    const latin = Buffer.from('naïve/日本').toString('latin1')
    expect(textToJson(latin)).toBe('naïve/日本')
    for (const name of [latin, '\xff/x', '', 'plain', '\x00'])
      expect(textFromJson(textToJson(name))).toBe(name)
    expect(readable('a\nb\x1b')).toBe('a\\x0ab\\x1b')
    expect(readable('\xff/x')).toBe('\\xff/x')
  })

  test('those of unix sockets are quoted-printable', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(unquote(quote(bytes))).toEqual(Buffer.from(bytes))
    expect(quote(Buffer.from('\0criu-interop'))).toBe('=00criu-interop')
    expect(unquote('a=\nb')).toEqual(Buffer.from('ab'))
    expect(unquote('=zz')).toBeUndefined()
  })
})

test('JSON for people has short lists and objects in one line', () => {
  expect(pretty({ a: [1, 2], b: { c: 'x' }, d: [{ e: [] }], f: undefined })).toBe(
    '{\n  "a": [1, 2],\n  "b": { "c": "x" },\n  "d": [\n    {\n      "e": []\n    }\n  ]\n}',
  )
})
