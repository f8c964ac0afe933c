import { expect, test } from 'bun:test'
import { CriuError } from '../../../src/errors/error.ts'
import { decode, encode } from '../../../src/images/codec.ts'
import {
  decodeRequest,
  encodeResponse,
  failure,
  RequestType,
  shortened,
} from '../../../src/rpc/message.ts'

test('a text that is too long ends in three dots, between two characters', () => {
  expect(shortened('short', 5)).toBe('short')
  expect(shortened('abcdef', 5)).toBe('ab…')
  expect(shortened('äöüßé', 8)).toBe('äö…')
  expect(shortened('äöüßé', 7)).toBe('äö…')
  for (let bytes = 3; bytes < 30; bytes++)
    expect(Buffer.byteLength(shortened('€'.repeat(20), bytes))).toBeLessThanOrEqual(bytes)
})

test('a failure has the number of upstream, where there is one, and fits into 8 KiB', () => {
  const gone = new CriuError({ code: 'vanished', pid: 7, reason: 'no such process' })
  expect(failure(RequestType.DUMP, gone)).toEqual({
    type: 1,
    success: false,
    cr_errno: 3,
    cr_errmsg: 'process 7 is gone: no such process',
  })
  const long = new CriuError({ code: 'image', file: 'x', reason: 'ü'.repeat(9000) })
  expect(encodeResponse(failure(RequestType.RESTORE, long)).length).toBeLessThan(8192)
})

test('texts are UTF-8 in both directions', () => {
  const packet = encode('criu_req', {
    type: 1,
    opts: { images_dir_fd: 3, root: Buffer.from('/grün').toString('latin1') },
  } as never)
  expect(decodeRequest(packet).opts?.root).toBe('/grün')
  const answer = decode('criu_resp', encodeResponse({ type: 1, success: false, cr_errmsg: 'grün' }))
  expect(Buffer.from(answer.cr_errmsg!, 'latin1').toString()).toBe('grün')
})

test('what is no request is the client’s failure', () => {
  for (const bytes of [[], [0xff], [0x10, 1], [8]])
    expect(() => decodeRequest(Uint8Array.from(bytes))).toThrow(CriuError)
})
