import { fail } from '../../errors/error.ts'
import type { Command } from '../../options/row.ts'

/** Commands of upstream that are known and not there yet. */
export const laterCommand = (command: Command): never =>
  fail({ code: 'option', option: command, reason: 'is not supported yet' })
