/**
 * What every decoded message is: a plain object with the fields' upstream names. 64-bit integers are
 * bigint, repeated fields always arrays, absent optional fields undefined.
 */
export interface Message {
  /** Fields that we do not know, as they were on the wire; written back behind all others. */
  [unknownFields]?: Uint8Array | undefined
}

/** Key of the bytes of unknown fields; a symbol, so that no listing of fields meets it. */
export const unknownFields = Symbol('unknown fields')
