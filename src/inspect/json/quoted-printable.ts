/**
 * Names of unix sockets in JSON, as crit has them: quoted-printable (RFC 2045), since many begin with a
 * zero byte. `=00criu-interop`.
 */
export function quote(bytes: Uint8Array): string {
  return [...bytes].map((byte, i) => letterOf(byte, i === bytes.length - 1)).join('')
}

const SPACE = 0x20
const TILDE = 0x7e
const EQUALS = 0x3d

function letterOf(byte: number, last: boolean): string {
  const plain = byte >= SPACE && byte <= TILDE && byte !== EQUALS && !(last && byte === SPACE)
  return plain ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** The bytes again; a line break behind `=` is none of them. Undefined: it is no such text. */
export function unquote(text: string): Uint8Array | undefined {
  const joined = text.replace(/=\r?\n/g, '')
  if (/=(?![0-9A-Fa-f]{2})|[\x80-\uffff]/.test(joined)) return undefined
  const plain = joined.replace(/=(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(plain, 'latin1')
}
