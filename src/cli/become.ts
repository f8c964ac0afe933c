import { fail } from '../errors/error.ts'
import { isExecutable, isFile, tryStatSync } from '../kernel/fs.ts'
import type { JobLog } from '../log/file-log.ts'
import { cleanEnvironment } from '../scripts/program.ts'
import type { ProgramModule } from './engine.ts'

/** A command whose program was found. */
export interface Program {
  readonly path: string
  readonly argv: readonly string[]
}

/**
 * Finds what `--exec-cmd` names, as a shell would. Asked before the restore begins: a mistyped name
 * must not come to light when the tree already runs. Throws `option`.
 */
export function findProgram(argv: readonly string[], path = process.env.PATH ?? ''): Program {
  const name = argv[0]!
  const places = name.includes('/') ? [name] : path.split(':').map((dir) => `${dir || '.'}/${name}`)
  const found = places.find(isProgram)
  if (found !== undefined) return { path: found, argv }
  return fail({ code: 'option', option: '--exec-cmd', reason: `names no program: ${name}` })
}

/** Becomes that program; returns only by throwing `syscall`. */
export function becomeCommand(program: Program, programs: ProgramModule, log: JobLog): never {
  log.info(`becoming ${program.path}`)
  log.flush()
  const errno = programs.replaceProgram(program.path, program.argv, cleanEnvironment())
  return fail({ code: 'syscall', operation: 'execve', errno, path: program.path })
}

function isProgram(path: string): boolean {
  const stat = isExecutable(path) ? tryStatSync(path) : undefined
  return stat !== undefined && isFile(stat)
}
