import type { Messages } from '../../images/gen/messages.ts'
import { type OwnFields, ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { type FileHandle, MAX_HANDLE_SIZE } from '../../kernel/file-handle.ts'
import type { FdInfo } from '../../kernel/proc/fdinfo.ts'
import { type FileId, fileId } from '../../kernel/types.ts'

type HandleEntry = Messages['fh_entry']

/** An inode that is watched, as fdinfo tells of it. */
export interface WatchedInode {
  /** Of the superblock, as the kernel writes device numbers. */
  readonly device: number
  readonly ino: bigint
  readonly handle: FileHandle | undefined
}

/** A line of fdinfo: numbers in hexadecimal, by name (`wd`, `mask`), and the inode if it has one. */
export interface MarkLine {
  readonly get: (name: string) => number
  readonly has: (name: string) => boolean
  readonly inode: WatchedInode
}

/** Lines such as `inotify wd:3 ino:9e7e sdev:800013 mask:800afce … f_handle:7e9e0000640d1b6d`. */
export function markLines(info: FdInfo, subsystem: string): MarkLine[] {
  return info.rest
    .filter(([key]) => key.startsWith(`${subsystem} `))
    .map(([key, value]) => parseMark(`${key.slice(subsystem.length + 1)}:${value}`))
}

function parseMark(text: string): MarkLine {
  const fields = new Map(text.split(' ').map((one) => one.split(':') as [string, string]))
  const get = (name: string) => Number.parseInt(fields.get(name) ?? '0', 16)
  const hex = fields.get('f_handle')
  return {
    get,
    has: (name) => fields.has(name),
    inode: {
      device: get('sdev'),
      ino: BigInt(`0x${fields.get('ino') ?? '0'}`),
      handle:
        hex === undefined
          ? undefined
          : { type: get('fhandle-type'), bytes: new Uint8Array(Buffer.from(hex, 'hex')) },
    },
  }
}

/** How a watched inode is found again. */
export interface WatchedPlace {
  /** Where it was at the dump. */
  readonly path: string | undefined
  /** A restore is to go by the path: the handle does not lead there, or --force-irmap says so. */
  readonly byPath: boolean
  /** A file of the images that is this very inode. */
  readonly file: FileId | undefined
}

/**
 * Fields of ours: an open file that is the inode, and the path for the case that the handle leads
 * nowhere, since the files were moved to another file system.
 */
const FIELD = { file: 15000, path: 15001 } as const

/** Numbers of 64 bits that upstream always writes for a handle. */
const WORDS = MAX_HANDLE_SIZE / 8

export function handleEntry({ handle }: WatchedInode, place: WatchedPlace): HandleEntry {
  const bytes = new Uint8Array(MAX_HANDLE_SIZE)
  bytes.set(handle?.bytes ?? [])
  const words = new BigUint64Array(bytes.buffer, 0, WORDS)
  const { path, byPath, file } = place
  const own = new Map<number, bigint | Uint8Array>()
  if (file !== undefined) own.set(FIELD.file, BigInt(file))
  if (path !== undefined && !byPath) own.set(FIELD.path, Buffer.from(path, 'latin1'))
  const entry: HandleEntry = {
    bytes: handle?.bytes.length ?? 0,
    type: handle?.type ?? 0,
    handle: [...words],
    ...(path !== undefined && byPath && { path }),
  }
  return withOwnFields(entry, own)
}

/** Undefined where there is none. */
export function handleOfEntry({ bytes, type, handle }: HandleEntry): FileHandle | undefined {
  if (bytes === 0 || bytes > handle.length * 8) return undefined
  const words = BigUint64Array.from(handle)
  return { type, bytes: new Uint8Array(words.buffer, 0, bytes) }
}

export function placeOfEntry(entry: HandleEntry): WatchedPlace {
  const own: OwnFields = ownFieldsOf(entry)
  const [file, hint] = [own.get(FIELD.file), own.get(FIELD.path)]
  return {
    path: entry.path ?? (hint instanceof Uint8Array ? latin1(hint) : undefined),
    byPath: entry.path !== undefined,
    file: typeof file === 'bigint' ? fileId(Number(file)) : undefined,
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
