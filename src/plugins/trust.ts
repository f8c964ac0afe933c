import { fail } from '../errors/error.ts'
import { O } from '../kernel/constants/fcntl.ts'
import { errnoName } from '../kernel/errno.ts'
import { isDirectory, isFile, readdirSync, readlinkSync } from '../kernel/fs.ts'
import { type FileStat, statFd } from '../kernel/stat.ts'
import { owned, sys, tryOpen } from '../kernel/sys.ts'

const WRITABLE_BY_OTHERS = 0o022
const ROOT = 0

/**
 * Code that runs with all our rights may be changed by nobody but root and us: the directory, all that is
 * in it, and every directory above it belong to root or to us, and others cannot write to them. Not even
 * where names are safe (/tmp, sticky): a module is looked for in `node_modules` of all directories above.
 * Returns the directory's real path, and the files right in it. Throws `option`.
 */
export function trustedDirectory(path: string): {
  readonly path: string
  readonly files: string[]
} {
  const real = look(path).path
  for (let above: string | undefined = real; above !== undefined; above = parentOf(above))
    check(above, look(above).stat)
  const files = walk(real, real)
  return { path: real, files: files.filter((file) => parentOf(file) === real).sort() }
}

/** All regular files in it and below; links may not lead out. */
function walk(directory: string, root: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = `${directory}/${name}`
    const { path: real, stat } = look(path)
    if (real !== path && !real.startsWith(`${root}/`)) refuse(path, `leads out of it, to ${real}`)
    check(path, stat)
    if (isDirectory(stat)) return real === path ? walk(path, root) : []
    return isFile(stat) ? [path] : []
  })
}

/** What a path leads to through links. */
function look(path: string): { readonly path: string; readonly stat: FileStat } {
  const opened = tryOpen(path, O.PATH)
  if (opened < 0) return refuse(path, `cannot be looked at (${errnoName(-opened)})`)
  using file = owned(opened)
  return { path: readlinkSync(`/proc/self/fd/${file.fd}`), stat: statFd(file.fd) }
}

function check(path: string, { uid, mode }: FileStat): void {
  if (uid !== ROOT && uid !== sys('geteuid')) refuse(path, `belongs to another user (${uid})`)
  if ((mode & WRITABLE_BY_OTHERS) !== 0) refuse(path, 'can be written by others')
}

const parentOf = (path: string): string | undefined =>
  path === '/' ? undefined : path.slice(0, Math.max(1, path.lastIndexOf('/')))

function refuse(path: string, reason: string): never {
  return fail({
    code: 'option',
    option: '--libdir',
    reason: `needs a directory that root alone can change: ${path} ${reason}`,
  })
}
