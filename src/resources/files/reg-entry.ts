import { fail } from '../../errors/error.ts'
import { make } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O, SEEK } from '../../kernel/constants/fcntl.ts'
import { fileType, S } from '../../kernel/constants/stat.ts'
import { Errno } from '../../kernel/errno.ts'
import { tryOpenAs } from '../../kernel/open-as.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, sys } from '../../kernel/sys.ts'
import { type FileId, type LocalFd, localFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { buildIdOf, tryReadBuildId } from './build-id.ts'
import { openExternal } from './external-file.ts'
import { ownerOf, restoreSignal } from './owner.ts'
import { openOfDead, procPathNow, tryProcPlace } from './proc-file.ts'
import { deadPidOf, tryOpenRemapped } from './remap-restore.ts'
import { openFlags, pathOf } from './reopen.ts'

type RegEntry = Messages['reg_file_entry']

/** The entry of anything that is opened by a path. */
export function regEntryOf(probe: FdProbe, id: FileId, name: string, dump: DumpContext): RegEntry {
  const { flags, stat, info } = probe
  const isRegular = fileType(stat.mode) === 'regular'
  return make('reg_file_entry', {
    id,
    flags,
    pos: probe.fd === undefined ? 0n : BigInt.asUintN(64, info.pos),
    fown: ownerOf(probe, dump),
    name,
    size: isRegular && !isLog(flags) ? stat.size : undefined,
    mode: stat.mode,
    build_id: isRegular ? buildIdOf(probe, dump) : [],
  })
}

/** Files that are only appended to may grow between dump and restore: their size is not recorded. */
const isLog = (flags: number): boolean =>
  (flags & O.APPEND) !== 0 && (flags & O.ACCMODE) === O.WRONLY

/**
 * Opens what the entry names with other flags than it had, to be set right later, and without the
 * rest of its state.
 */
export const openRegWith = (reg: RegEntry, flags: number, restore: RestoreContext): LocalFd =>
  openAnywhere({ ...reg, flags }, restore)

/** Opens what the entry names, as it was: flags, position, signal. */
export function openReg(reg: RegEntry, restore: RestoreContext): LocalFd {
  const fd = openAnywhere(reg, restore)
  if ((reg.flags & O.PATH) === 0) {
    restorePosition(fd, reg)
    restoreSignal(fd, reg.fown)
  }
  return fd
}

function openAnywhere(reg: RegEntry, restore: RestoreContext): LocalFd {
  if (reg.ext) return openExternal(reg, restore)
  const dead = deadPidOf(reg, restore)
  if (dead !== undefined) return openOfDead(reg, dead)
  return tryOpenRemapped(reg, restore) ?? openByName(reg, pathNow(reg, restore), restore)
}

/** Whether it can only be opened once the tasks exist: a file of their own under /proc. */
export const isLate = (reg: RegEntry, restore: RestoreContext): boolean =>
  tryProcPlace(reg, restore) !== undefined

function pathNow(reg: RegEntry, restore: RestoreContext): string {
  const place = tryProcPlace(reg, restore)
  return place ? procPathNow(place, restore) : pathOf(reg)
}

function openByName(reg: RegEntry, path: string, restore: RestoreContext): LocalFd {
  const fd = tryOpenAs(path, openFlags(reg))
  if (fd >= 0) {
    validate(fd, reg, restore)
    return localFd(fd)
  }
  const detail = { operation: 'open', errno: -fd, path: displayPath(path) }
  if (-fd === Errno.EACCES || -fd === Errno.EPERM) return fail({ code: 'syscall', ...detail })
  const remedy = 'the restored program has this file open: put it back as it was at the dump'
  return fail({ code: 'syscall', ...detail, remedy })
}

function restorePosition(fd: LocalFd, reg: RegEntry): void {
  if (reg.pos === 0n) return
  const context = { path: displayPath(reg.name) }
  checked(sys('lseek', fd, reg.pos, SEEK.SET), 'lseek', context)
}

const PERMISSIONS = 0o777

/** Of a device the type alone: --evasive-devices takes another file for it, with other permissions. */
function comparable(mode: number, { options }: RestoreContext): number {
  const type = mode & S.IFMT
  if (type === S.IFCHR || type === S.IFBLK) return type
  return options.skipFileRwxCheck ? mode & ~PERMISSIONS : mode
}

/** The same file as at the dump, as far as its mode, and build-id or size, tell. */
function validate(fd: number, reg: RegEntry, restore: RestoreContext): void {
  const stat = statFd(fd)
  const name = displayPath(reg.name)
  const remedy = 'put the file back as it was at the dump'
  if (reg.mode !== undefined && comparable(reg.mode, restore) !== comparable(stat.mode, restore)) {
    const reason = `${name} has mode ${octal(stat.mode)}, but had ${octal(reg.mode)} at the dump`
    fail({ code: 'conflict', path: name, reason, remedy })
  }
  if (hasBuildId(fd, reg, restore)) return
  if (reg.size !== undefined && (stat.mode & S.IFMT) === S.IFREG && reg.size !== stat.size) {
    const reason = `${name} has ${stat.size} bytes, but had ${reg.size} at the dump`
    fail({ code: 'conflict', path: name, reason, remedy })
  }
}

/**
 * Is it the program or library of the image by its build-id, whatever its size; false where one of them
 * tells none, so that the size must do. Another one is refused.
 */
function hasBuildId(
  fd: number,
  { build_id, name }: RegEntry,
  { options }: RestoreContext,
): boolean {
  if (build_id.length === 0 || options.fileValidation === 'filesize') return false
  const found = tryReadBuildId(fd)
  if (found.length === 0) return false
  if (found.length === build_id.length && found.every((word, i) => word === build_id[i]))
    return true
  const path = displayPath(name)
  return fail({
    code: 'conflict',
    path,
    reason: `${path} is another build of the program or library than at the dump`,
    remedy: 'put the file back as it was at the dump',
  })
}

const octal = (mode: number): string => `0${mode.toString(8)}`
