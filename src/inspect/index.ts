/** Views over images, for the library and the command line. */
export { type CoreFile, dumpCore } from './core/write.ts'
export { diffImages } from './diff/diff.ts'
export type * from './diff/model.ts'
export { decodeImage } from './json/decode.ts'
export { encodeImage } from './json/encode.ts'
export type * from './snapshot/model.ts'
export { readImages } from './snapshot/read.ts'
