import { tryStatSync } from '../fs.ts'
import { pathBytes } from './bytes.ts'
import { readProcLink, tryReadProcLink } from './read.ts'

/** What the text of a link under /proc/PID/fd (or exe, cwd, root, map_files) says. */
export type ProcLink =
  /** A path from the task's root; `deleted` when the text ends in ` (deleted)`, which is cut off. */
  | { readonly kind: 'path'; readonly path: string; readonly deleted: boolean }
  /** A path that does not lead to it from the task's root (`(unreachable)…`, fs/d_path.c). */
  | { readonly kind: 'unreachable'; readonly path: string; readonly deleted: boolean }
  | { readonly kind: 'pipe'; readonly ino: bigint }
  | { readonly kind: 'socket'; readonly ino: bigint }
  /** `anon_inode:[eventpoll]`; the name is without the brackets (`inotify` has none). */
  | { readonly kind: 'anon'; readonly name: string }
  | { readonly kind: 'memfd'; readonly name: string }
  /** `mnt:[4026531841]`, a namespace. */
  | { readonly kind: 'namespace'; readonly type: string; readonly ino: bigint }
  /** `pidfd` of pidfs before paths were shown, `net:[…]`-like oddities, anything else. */
  | { readonly kind: 'other'; readonly text: string }

const deletedSuffix = ' (deleted)'
const memfdPrefix = '/memfd:'
const unreachablePrefix = '(unreachable)'

/**
 * Sorts the text of a link. The text alone cannot tell a removed file from one whose name ends in
 * ` (deleted)`: ask {@link isDeleted} where a path says `deleted`.
 */
export function parseLink(text: string): ProcLink {
  if (text.startsWith(memfdPrefix) && text.endsWith(deletedSuffix)) {
    return { kind: 'memfd', name: text.slice(memfdPrefix.length, -deletedSuffix.length) }
  }
  if (text.startsWith('/')) return { kind: 'path', ...cutDeleted(text) }
  if (text.startsWith(unreachablePrefix)) {
    return { kind: 'unreachable', ...cutDeleted(text.slice(unreachablePrefix.length)) }
  }
  if (text.startsWith('anon_inode:')) {
    return { kind: 'anon', name: text.slice('anon_inode:'.length).replace(/^\[(.*)\]$/s, '$1') }
  }
  const numbered = /^([a-z_]+):\[(\d+)\]$/.exec(text)
  if (!numbered) return { kind: 'other', text }
  const [, type, number] = numbered
  const ino = BigInt(number!)
  if (type === 'pipe' || type === 'socket') return { kind: type, ino }
  return { kind: 'namespace', type: type!, ino }
}

/** Reads and sorts a link such as `/proc/PID/fd/3`, `/proc/PID/exe`, `/proc/PID/ns/net`. */
export const readLink = (path: string): ProcLink => parseLink(readProcLink(path))

/** Like {@link readLink}; undefined when it is gone. For `exe` also: a kernel thread has none. */
export function tryReadLink(path: string): ProcLink | undefined {
  const text = tryReadProcLink(path)
  return text === undefined ? undefined : parseLink(text)
}

/**
 * Whether a link whose text ends in ` (deleted)` leads to a removed name. It does unless the whole
 * text is the name of the very file that the link opens, seen from the task's root directory
 * (`rootPath`, such as `/proc/PID/root`). A removed name may still have other hard links.
 */
export function isDeleted(linkPath: string, rootPath: string): boolean {
  const text = readProcLink(linkPath)
  if (!text.endsWith(deletedSuffix)) return false
  const target = tryStatSync(pathBytes(linkPath))
  const named = tryStatSync(pathBytes(rootPath + text))
  return !(target && named && target.dev === named.dev && target.ino === named.ino)
}

function cutDeleted(text: string): { path: string; deleted: boolean } {
  const deleted = text.endsWith(deletedSuffix)
  return { path: deleted ? text.slice(0, -deletedSuffix.length) : text, deleted }
}
