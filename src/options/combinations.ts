import { fail } from '../errors/error.ts'
import type { DumpOptions, RestoreOptions } from '../job/options.ts'
import type { FileProbe } from './file-probe.ts'

/** Options that are each right and do not go together. Throws `option`. */
export function refuseCombinations(
  options: DumpOptions | RestoreOptions,
  has: (name: string) => boolean,
  files: FileProbe,
): void {
  if (options.command === 'dump') refuseDump(options, has)
  else refuseRestore(options, files)
}

function refuseDump(options: DumpOptions, has: (name: string) => boolean): void {
  if (has('leave-running') && has('leave-stopped')) {
    fail({
      code: 'option',
      option: '--leave-stopped',
      reason: 'contradicts --leave-running',
      remedy: 'give one of them',
    })
  }
  if (options.tree === process.pid) {
    fail({ code: 'option', option: '--tree', reason: 'names criu itself' })
  }
}

function refuseRestore(options: RestoreOptions, files: FileProbe): void {
  if (options.sibling && !options.detached) {
    fail({
      code: 'option',
      option: '--restore-sibling',
      reason: 'makes sense with --restore-detached only',
      remedy: 'add -d',
    })
  }
  if (options.pidfile !== undefined && files.exists(options.pidfile)) {
    fail({
      code: 'option',
      option: '--pidfile',
      reason: `names ${options.pidfile}, which exists`,
      remedy: 'remove it or take another name',
    })
  }
}
