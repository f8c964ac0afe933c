import type { FdInfo } from '../../kernel/proc/fdinfo.ts'

/** What fdinfo tells of an io_uring (io_uring/fdinfo.c, since Linux 5.12; positions since 6.0). */
export interface UringInfo {
  readonly sqEntries: number
  readonly cqEntries: number
  /** Positions count all entries ever, modulo 2^32. */
  readonly sqHead: number
  readonly cqHead: number
  readonly cqTail: number
  readonly hasThread: boolean
  readonly hasNapi: boolean
  /** Registered files: the slot, and the path of /proc/PID/fd with some characters as octal numbers. */
  readonly files: readonly { readonly slot: number; readonly path: string }[]
  readonly filesCount: number
  /** Registered buffers; a slot may be empty. */
  readonly buffers: readonly (UringBuffer | undefined)[]
  /** Requests that wait for a file to become ready. */
  readonly polls: number
  /** Completions that did not fit into the ring. */
  readonly overflown: number
}

export interface UringBuffer {
  readonly address: bigint
  readonly length: number
}

type Lines = FdInfo['rest']

/** Undefined where this kernel does not tell enough. */
export function uringInfoOf({ rest }: FdInfo): UringInfo | undefined {
  const number = (key: string): number | undefined => {
    const text = rest.find(([name]) => name === key)?.[1]
    return text === undefined ? undefined : Number(text)
  }
  const [sqMask, cqMask] = [number('SqMask'), number('CqMask')]
  const [sqHead, cqHead] = [number('CachedSqHead'), number('CqHead')]
  const cqTail = number('CachedCqTail')
  if (sqMask === undefined || cqMask === undefined) return undefined
  if (sqHead === undefined || cqHead === undefined || cqTail === undefined) return undefined
  return {
    sqEntries: sqMask + 1,
    cqEntries: cqMask + 1,
    sqHead,
    cqHead,
    cqTail,
    hasThread: number('SqThread') !== -1,
    hasNapi: (rest.find(([key]) => key === 'NAPI')?.[1] ?? 'disabled') !== 'disabled',
    files: sectionOf(rest, 'UserFiles').map(([slot, path]) => ({ slot: Number(slot), path })),
    filesCount: number('UserFiles') ?? 0,
    buffers: sectionOf(rest, 'UserBufs').map(([, text]) => bufferOf(text)),
    polls: sectionOf(rest, 'PollList').length,
    overflown: sectionOf(rest, 'CqOverflowList').length,
  }
}

/** Heads of sections; all other lines belong to the one before them. */
const SECTIONS = new Set([
  'SQEs',
  'CQEs',
  'SqThread',
  'UserFiles',
  'UserBufs',
  'PollList',
  'CqOverflowList',
  'NAPI',
])

function sectionOf(lines: Lines, name: string): Lines {
  const start = lines.findIndex(([key]) => key === name) + 1
  if (start === 0) return []
  const end = lines.findIndex(([key], i) => i >= start && SECTIONS.has(key))
  return lines.slice(start, end < 0 ? undefined : end)
}

function bufferOf(text: string): UringBuffer | undefined {
  const [, address, length] = /^0x([0-9a-f]+)\/(\d+)$/.exec(text) ?? []
  if (length === undefined) return undefined
  return { address: BigInt(`0x${address}`), length: Number(length) }
}

/** A path as fdinfo prints it (seq_file_path): blanks and backslashes as octal numbers. */
export const escaped = (path: string): string =>
  path.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)
