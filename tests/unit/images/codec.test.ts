import { describe, expect, test } from 'bun:test'
import { CriuError } from '../../../src/errors/error.ts'
import { decode, encode, make } from '../../../src/images/codec.ts'
import { unknownFields } from '../../../src/images/message.ts'
import { defaultsOf, enumValueName, messageNames, schemaOf } from '../../../src/images/schema.ts'
import { sample } from './samples.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const plain = (message: unknown) => ({ ...(message as object), [unknownFields]: undefined })

function reasonOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof CriuError && error.detail.code === 'image') return error.detail.reason
    throw error
  }
  throw new Error('no error')
}

describe('every message', () => {
  test('comes back as it was, all fields set, unknown ones too', () => {
    expect(messageNames().length).toBeGreaterThan(150)
    for (const name of messageNames()) {
      for (const turn of [0, 1, 2, 3, 4, 5]) {
        const message = sample(name, turn)
        const wire = encode(name, message)
        const back = decode(name, wire)
        expect(plain(back)).toEqual(plain(message))
        expect(hex(back[unknownFields]!)).toBe(hex(message[unknownFields]!))
        expect(hex(encode(name, back))).toBe(hex(wire))
      }
    }
  })

  test('cut off anywhere gives a CriuError or a shorter message', () => {
    for (const name of messageNames()) {
      const wire = encode(name, sample(name, 1))
      const step = Math.ceil(wire.length / 60)
      for (let end = 0; end < wire.length; end += step) {
        try {
          decode(name, wire.subarray(0, end))
        } catch (error) {
          expect(error).toBeInstanceOf(CriuError)
        }
      }
    }
  })
})

describe('the wire', () => {
  test('a negative int32 has ten bytes, as proto2 wants it', () => {
    const entry = { fd: -1, pgrp: 0, timeout: 0, minproto: 0, maxproto: 0, mode: 0 }
    expect(hex(encode('autofs_entry', entry))).toStartWith('08ffffffffffffffffff0110')
  })

  test('a negative int32 in five bytes is read as well', () => {
    const wire = bytes('08ffffffff0f 1000 1800 2000 2800 3000')
    expect(decode('autofs_entry', wire).fd).toBe(-1)
  })

  test('repeated fields are written one by one, and read packed too', () => {
    const entry = make('pstree_entry', { pid: 1, ppid: 2, pgid: 3, sid: 4, threads: [5, 300] })
    expect(hex(encode('pstree_entry', entry))).toBe('08011002180320042805' + '28ac02')
    expect(decode('pstree_entry', bytes('08011002180320042a0305ac02')).threads).toEqual([5, 300])
  })

  test('a message given twice is merged, a number given twice is the last one', () => {
    expect(decode('pstree_entry', bytes('0801 0802 1002 1803 2004')).pid).toBe(2)
    const features = [{ mem_track: true }, { lazy_pages: true }].map((part) =>
      Buffer.from(encode('criu_features', part)).toString('hex').padStart(4, '0'),
    )
    const wire = bytes(`0801 1001 4202${features[0]} 4202${features[1]}`)
    const whole = decode('criu_resp', wire).features
    expect(whole).toEqual({ mem_track: true, lazy_pages: true })
  })

  test('values of enums that we do not know are kept', () => {
    const wire = encode('fdinfo_entry', { id: 1, flags: 0, type: 77 as never, fd: 0 })
    expect(decode('fdinfo_entry', wire).type as number).toBe(77)
    expect(enumValueName('fd_types', 77)).toBeUndefined()
    expect(enumValueName('fd_types', 1)).toBe('REG')
  })

  test('an optional field that is absent stays absent, and its default can be asked for', () => {
    const fields = { id: 1, flags: 0, pos: 0n, name: '/x' }
    const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 }
    const entry = decode('reg_file_entry', encode('reg_file_entry', { ...fields, fown }))
    expect(entry.mnt_id).toBeUndefined()
    expect({ ...defaultsOf('reg_file_entry'), ...entry }.mnt_id).toBe(-1)
    expect(defaultsOf('criu_opts').cpu_cap).toBe(0xffff_ffff)
  })
})

describe('defects', () => {
  test.each([
    ['required field pgid is missing', '08011002'],
    ['threads: 3 bytes announced, 2 left', '2a030101'],
    ['pid: wire type 2 instead of 0', '0a0101'],
    ['pid: a number is cut off', '0880'],
    ['pid: a number has more than 64 bits', '08ffffffffffffffffffffff01'],
    ['a field with number 0', '0001'],
    ['unknown wire type 7', 'ff0f00'],
    ['unknown wire type 3', 'fb0f00'],
  ])('%s', (reason, wire) => {
    expect(reasonOf(() => decode('pstree_entry', bytes(wire)))).toBe(`pstree_entry: ${reason}`)
  })

  test('an error deep inside names the way to it', () => {
    const wire = bytes('0a0e 0801 1002 1803 2004 2805 3006 3880 1009')
    expect(reasonOf(() => decode('ipc_sem_entry', wire))).toStartWith('ipc_sem_entry: desc: id: ')
  })

  test('endless nesting ends in an error', () => {
    let wire = encode('aa_namespace', make('aa_namespace', { name: 'x' }))
    for (let i = 0; i < 300; i++) {
      const inner = Buffer.concat([bytes('0a0178'), bytes('1a'), varint(wire.length), wire])
      wire = new Uint8Array(inner)
    }
    expect(reasonOf(() => decode('aa_namespace', wire))).toContain('nested deeper than 100')
  })

  test.each([
    ['pid: number -1 is no uint32', -1],
    ['pid: number 4294967296 is no uint32', 2 ** 32],
    ['pid: number 1.5 is no uint32', 1.5],
    ['pid: bigint 1 is no uint32', 1n],
    ['pid: string 1 is no uint32', '1'],
    ['pid: required, but not given', undefined],
  ])('not written: %s', (reason, pid) => {
    const entry = { pid: pid as number, ppid: 0, pgid: 0, sid: 0 }
    expect(reasonOf(() => encode('pstree_entry', entry))).toBe(`pstree_entry: ${reason}`)
  })
})

test('all fields have different names and numbers', () => {
  for (const name of messageNames()) {
    const { fields } = schemaOf(name)
    expect(new Set(fields.map((field) => field.number)).size).toBe(fields.length)
    expect(new Set(fields.map((field) => field.name)).size).toBe(fields.length)
  }
})

function varint(value: number): Uint8Array {
  const parts: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.from([...parts, rest])
    parts.push((rest & 0x7f) | 0x80)
  }
}
