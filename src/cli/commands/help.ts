import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit.ts'
import type { Command } from '../../options/row.ts'
import { helpText } from '../help.ts'
import type { Io } from '../io.ts'

export function helpCommand(command: Command | undefined, io: Io): number {
  io.out(helpText(command))
  return EXIT_OK
}

/** No command is a failure, as in upstream. */
export function noCommand(io: Io): number {
  io.err(`criu: a command is needed\n\n${helpText(undefined)}`)
  return EXIT_FAILURE
}
