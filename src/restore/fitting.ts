import { fail } from '../errors/error.ts'

/**
 * Does work with what an image says. A number that fits into no structure of the kernel, or a nesting
 * that exhausts the stack, is the image's: nothing else is out of range on a restore.
 */
export function fitting<T>(file: string, what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return fail({ code: 'image', file, reason: `${what}: ${error.message}` }, error)
  }
}
