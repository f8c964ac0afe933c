import type { Messages } from '../../images/gen/messages.ts'

type UringEntry = Messages['criuts_uring']

/** IORING_MAX_ENTRIES and IORING_MAX_CQ_ENTRIES (io_uring/io_uring.h). */
const MOST_SUBMISSIONS = 1 << 15
const MOST_COMPLETIONS = 1 << 16
/** IORING_MAX_FIXED_FILES and IORING_MAX_REG_BUFFERS (io_uring/rsrc.h). */
const MOST_FILES = 1 << 20
const MOST_BUFFERS = 1 << 14

const isSize = (size: number, most: number): boolean =>
  size > 0 && size <= most && (size & (size - 1)) === 0

/** What cannot be true of any io_uring; undefined: nothing. */
export function uringDefect(entry: UringEntry): string | undefined {
  const { sq_entries: submissions, cq_entries: completions, cq_head: head, cq_tail: tail } = entry
  if (!isSize(submissions, MOST_SUBMISSIONS)) return `${submissions} entries to submit`
  if (!isSize(completions, MOST_COMPLETIONS)) return `${completions} entries to complete`
  if ((tail - head) >>> 0 > completions) return `completions from ${head} to ${tail}`
  const { files_count: count = 0, files, buffers } = entry
  if (count > MOST_FILES) return `${count} registered files`
  const stray = files.find(({ slot }) => slot >= count)
  if (stray) return `a file in slot ${stray.slot} of ${count}`
  if (buffers.length > MOST_BUFFERS) return `${buffers.length} registered buffers`
  return undefined
}
