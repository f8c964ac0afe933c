import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { tryOpenAs } from '../../kernel/open-as.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, minorOf } from '../../kernel/proc/device.ts'
import { readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { statFd } from '../../kernel/stat.ts'
import { type FileId, type LocalFd, localFd } from '../../kernel/types.ts'
import type { Inheritable } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { ownerOf } from './owner.ts'
import { openFlags } from './reopen.ts'

type RegEntry = Messages['reg_file_entry']

/**
 * Files that the user said live outside of the tree (`--external file[MOUNT:INODE]`,
 * `--external dev[MAJOR/MINOR]:NAME`): nothing of them is looked at. The entry holds the name that a
 * restore asks for, as upstream has it: `ext` is set, and no size or mode is compared.
 */
export function tryExternalFile(
  probe: FdProbe,
  id: FileId,
  dump: DumpContext,
): RegEntry | undefined {
  const name = externalName(probe, dump)
  if (name === undefined) return undefined
  const { flags, info } = probe
  const pos = probe.fd === undefined ? 0n : BigInt.asUintN(64, info.pos)
  return { id, flags, pos, fown: ownerOf(probe, dump), name, ext: true, build_id: [] }
}

function externalName(probe: FdProbe, { options }: DumpContext): string | undefined {
  if (options.external.length === 0) return undefined
  const device = deviceId(probe)
  let mount: number | undefined
  for (const one of options.external) {
    if (one.kind === 'dev' && one.id === device) return `dev[${one.name}]`
    if (one.kind !== 'file' || one.inode !== probe.stat.ino) continue
    mount ??= readFdInfo('/proc/self', probe.local).mntId
    if (one.mount === mount) return `file[${mount.toString(16)}:${one.inode.toString(16)}]`
  }
  return undefined
}

/** `8/1`, of a device file. */
function deviceId({ stat }: FdProbe): string | undefined {
  const type = fileType(stat.mode)
  if (type !== 'char' && type !== 'block') return undefined
  const rdev = Number(stat.rdev)
  return `${majorOf(rdev)}/${minorOf(rdev)}`
}

/** How `--inherit-fd` names it. A device may also come by `--external dev[NAME]:PATH`. */
export function inheritedAs({ name, ext }: RegEntry, restore: RestoreContext): Inheritable {
  if (!ext) return { name: name.replace(/^\//, '') }
  if (devicePathNow(name, restore) !== undefined) return { name }
  return { name, needed: `external ${displayPath(name)}` }
}

function devicePathNow(name: string, { options }: RestoreContext): string | undefined {
  const found = options.external.find((one) => one.kind === 'dev' && name === `dev[${one.id}]`)
  return found?.kind === 'dev' ? found.name : undefined
}

/** An external file that no descriptor was given for: a device, at the path that was given. */
export function openExternal(reg: RegEntry, restore: RestoreContext): LocalFd {
  const option = `--external ${displayPath(reg.name)}`
  const path = devicePathNow(reg.name, restore)
  if (path === undefined)
    return fail({
      code: 'option',
      option,
      reason: 'was said at the dump, and nothing is given for it',
    })
  const fd = tryOpenAs(path, openFlags(reg))
  if (fd < 0)
    return fail({ code: 'syscall', operation: 'open', errno: -fd, path: displayPath(path) })
  const type = fileType(statFd(fd).mode)
  if (type === 'char' || type === 'block') return localFd(fd)
  return fail({ code: 'option', option: `${option}:${displayPath(path)}`, reason: 'is no device' })
}
