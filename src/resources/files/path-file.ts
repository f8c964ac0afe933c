import type { FdKind } from '../contract.ts'
import { connectOwner } from './async.ts'
import { regOf } from './entry-part.ts'
import { inheritedAs } from './external-file.ts'
import { inheritDescription } from './inherit.ts'
import { isOpenedByPath, nameOf } from './name.ts'
import { isLate, openReg, regEntryOf } from './reg-entry.ts'
import { writeRemaps } from './remap-dump.ts'

/** REG of fd_types. */
const TYPE = 1

/**
 * Whatever a path opens: regular files, directories, devices without a state, O_PATH, files of
 * procfs and sysfs; also those that have lost their name.
 */
export const pathFile: FdKind = {
  tag: 'file',
  type: TYPE,
  recognise: isOpenedByPath,
  dump(probe, id, dump) {
    const name = nameOf(probe, id, dump)
    return name === undefined ? undefined : { reg: regEntryOf(probe, id, name, dump) }
  },
  // Fifos and terminals have names too; what they noted is written here with the rest.
  finishDump: writeRemaps,

  inheritedAs: (entry, restore) => inheritedAs(regOf(entry), restore),
  inherit: (entry, given, restore) => inheritDescription(given, regOf(entry), restore),
  late: (entry, restore) => isLate(regOf(entry), restore),
  open: (entry, restore) => openReg(regOf(entry), restore),
  connect(entry, fd, restore) {
    const { flags, fown } = regOf(entry)
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}
