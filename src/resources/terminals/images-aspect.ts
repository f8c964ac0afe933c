import type { TaskAspect } from '../contract.ts'
import { writeTerminals } from './write.ts'

/**
 * Writes what the kind `terminal` has collected, once nothing can be refused any more. How sessions
 * get their terminals back is part of the plan: see sessions.ts.
 */
export const terminalImages: TaskAspect = {
  name: 'terminals',
  finishDump: writeTerminals,
}
