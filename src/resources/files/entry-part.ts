import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'

type FileEntry = Messages['file_entry']

/** The part of a file_entry that its type announces. */
export function partOf<K extends keyof FileEntry & string>(
  entry: FileEntry,
  name: K,
): NonNullable<FileEntry[K]> {
  const part = entry[name]
  if (part !== undefined && part !== null) return part
  return fail({ code: 'image', file: 'files.img', reason: `file ${entry.id} has no ${name}` })
}

export const regOf = (entry: FileEntry): Messages['reg_file_entry'] => partOf(entry, 'reg')
