import { EXIT_OK } from '../../errors/exit.ts'
import type { Io } from '../io.ts'
import { versionText } from '../version.ts'

export function versionCommand(io: Io): number {
  io.out(versionText)
  return EXIT_OK
}
