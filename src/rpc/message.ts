import { CriuError } from '../errors/error.ts'
import { crErrno } from '../errors/exit.ts'
import { sentence } from '../errors/sentence.ts'
import { decode, encode } from '../images/codec.ts'
import { criu_req_type } from '../images/gen/enums.ts'
import type { Messages } from '../images/gen/messages.ts'
import { displayPath, pathFromText } from '../kernel/proc/bytes.ts'
import { clientFailed } from './socket.ts'

export type Request = Messages['criu_req']
export type Response = Messages['criu_resp']
export const RequestType = criu_req_type
export type RequestType = criu_req_type

/** Bytes of an answer at most: clients in Go read into a buffer of that size, and no more. */
const LONGEST_ANSWER = 8192
/** For all but the text of an error. */
const RESERVED = 512

/** Throws `client` for what is no request. */
export function decodeRequest(packet: Uint8Array): Request {
  try {
    return asText(decode('criu_req', packet, { file: 'request' })) as Request
  } catch (error) {
    const reason = error instanceof CriuError && 'reason' in error.detail ? error.detail.reason : ''
    return clientFailed(`sent what is no request: ${reason}`)
  }
}

/** Strings of images are bytes, those of a request are options: text, as on a command line. */
function asText(value: unknown): unknown {
  if (typeof value === 'string') return displayPath(value)
  if (Array.isArray(value)) return value.map(asText)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asText(part)]))
}

export function encodeResponse(response: Response): Uint8Array {
  const { cr_errmsg } = response
  const bytes = cr_errmsg === undefined ? {} : { cr_errmsg: pathFromText(cr_errmsg) }
  return encode('criu_resp', { ...response, ...bytes })
}

/** Upstream names the number in the answer to a request that has failed, where there is one. */
export function failure(type: RequestType, error: unknown, text = sentence(error)): Response {
  const number = crErrno(error)
  return {
    type,
    success: false,
    ...(number === undefined ? {} : { cr_errno: number }),
    cr_errmsg: shortened(text, LONGEST_ANSWER - RESERVED),
  }
}

/** As many whole characters as fit into so many bytes. */
export function shortened(text: string, bytes: number): string {
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  const mark = '…'
  let end = bytes - Buffer.byteLength(mark)
  // A byte that continues a character is 10xxxxxx.
  while (end > 0 && (encoded[end]! & 0xc0) === 0x80) end--
  return encoded.toString('utf8', 0, end) + mark
}
