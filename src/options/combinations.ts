import { fail } from '../errors/error.ts'
import type { DumpOptions, ExplainOptions, OptionsOf, RestoreOptions } from '../job/options.ts'
import type { FileProbe } from './file-probe.ts'

/** Options that are each right and do not go together. Throws `option`. */
export function refuseCombinations(
  options: OptionsOf[keyof OptionsOf],
  has: (name: string) => boolean,
  files: FileProbe,
): void {
  if (options.command === 'dump' || options.command === 'explain') refuseDump(options, has)
  else if (options.command === 'restore') refuseRestore(options, files)
  else if (options.command === 'service') refuseOldPidfile(options.pidfile, files)
}

function refuseDump(options: DumpOptions | ExplainOptions, has: (name: string) => boolean): void {
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
  refuseOldPidfile(options.pidfile, files)
}

function refuseOldPidfile(pidfile: string | undefined, files: FileProbe): void {
  if (pidfile === undefined || !files.exists(pidfile)) return
  fail({
    code: 'option',
    option: '--pidfile',
    reason: `names ${pidfile}, which exists`,
    remedy: 'remove it or take another name',
  })
}
