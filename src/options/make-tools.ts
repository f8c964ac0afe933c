import { fail } from '../errors/error.ts'
import type {
  CheckOptions,
  CpuinfoOptions,
  ExecOptions,
  ExplainOptions,
  ServiceOptions,
} from '../job/options.ts'
import { resolve } from './absolute.ts'
import type { FileProbe } from './file-probe.ts'
import type { Given } from './given.ts'
import { commonOptions, cpuCap, dumpOptions, treeOf } from './make-jobs.ts'

/** The options of the commands that neither dump nor restore. */

export function checkOptions(given: Given, files: FileProbe): CheckOptions {
  const all = given.flag('all')
  return {
    command: 'check',
    ...commonOptions(given, files),
    extra: all || given.flag('extra'),
    experimental: all || given.flag('experimental'),
    features: given.list('feature'),
  }
}

export function execOptions(given: Given, files: FileProbe): ExecOptions {
  const [call, ...args] = given.words
  return {
    command: 'exec',
    ...commonOptions(given, files),
    tree: given.has('pid') ? given.number('pid') : treeOf(given, 'to run a system call'),
    timeout: given.number('timeout'),
    call: call!,
    arguments: args,
  }
}

const runnable = { fpu: true, cpu: false, ins: true }

export function cpuinfoOptions(given: Given, files: FileProbe): CpuinfoOptions {
  const [action] = given.words
  if (action !== 'dump' && action !== 'check') {
    return fail({
      code: 'option',
      option: 'cpuinfo',
      reason: `knows dump and check, not ${action}`,
    })
  }
  return {
    command: 'cpuinfo',
    ...commonOptions(given, files),
    action,
    // What could run there can run here, and that must be told.
    cpuCap: { ...(given.has('cpu-cap') ? cpuCap(given) : runnable), image: true },
  }
}

/** Upstream's clients look for it in their current directory as well. */
const SOCKET = 'criu_service.socket'

export function serviceOptions(given: Given, files: FileProbe): ServiceOptions {
  const common = commonOptions(given, files)
  const pidfile = given.text('pidfile')
  return {
    command: 'service',
    ...common,
    address: resolve(common.workDir, given.text('address') ?? SOCKET),
    pidfile: pidfile === undefined ? undefined : resolve(common.workDir, pidfile),
    daemon: given.flag('daemon'),
    statusFd: given.has('status-fd') ? given.number('status-fd') : undefined,
  }
}

export const explainOptions = (given: Given, files: FileProbe): ExplainOptions => ({
  ...dumpOptions(given, files),
  command: 'explain',
  json: given.flag('json'),
})
