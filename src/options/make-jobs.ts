import { fail } from '../errors/error.ts'
import type {
  ActionScript,
  CommonOptions,
  CpuCap,
  DumpOptions,
  JobOptions,
  RestoreOptions,
  Verbosity,
} from '../job/options.ts'
import { resolve } from './absolute.ts'
import {
  noExtUnixSk,
  parseExternal,
  parseExtUnixSk,
  parseFileValidation,
  parseInheritFd,
  parseNetworkLock,
} from './external.ts'
import type { FileProbe } from './file-probe.ts'
import { demand, type Given } from './given.ts'
import { defaultCpuCap, type Parsed, parseActionScript, parseCpuCap } from './values.ts'

export function dumpOptions(given: Given, files: FileProbe): DumpOptions {
  const freezer = given.text('freeze-cgroup')
  return {
    command: 'dump',
    ...jobOptions(given, files),
    tree: treeOf(given, 'for a dump'),
    finalState: given.flag('leave-running')
      ? 'running'
      : given.flag('leave-stopped')
        ? 'stopped'
        : 'killed',
    linkRemap: given.flag('link-remap'),
    ghostFiemap: given.flag('ghost-fiemap'),
    ghostLimit: given.number('ghost-limit'),
    timeout: given.number('timeout'),
    skipInFlight: given.flag('skip-in-flight'),
    forceIrmap: given.flag('force-irmap'),
    irmapScanPaths: given.list('irmap-scan-path').map((path) => resolve(files.cwd(), path)),
    freezeCgroup: freezer === undefined ? undefined : directory(freezer, 'freeze-cgroup', files),
  }
}

/** The pid of -t, which the command must have. */
export const treeOf = (given: Given, purpose: string): number =>
  given.has('tree') ? given.number('tree') : needsTree(purpose)

const needsTree = (purpose: string): never =>
  fail({
    code: 'option',
    option: '--tree',
    reason: `is needed ${purpose}`,
    remedy: 'give the pid of the root process with -t PID',
  })

export function restoreOptions(given: Given, files: FileProbe): RestoreOptions {
  const job = jobOptions(given, files)
  const root = given.text('root')
  const pidfile = given.text('pidfile')
  return {
    command: 'restore',
    ...job,
    // By default instructions are compared as well, with images that tell of them.
    cpuCap: given.has('cpu-cap') ? job.cpuCap : { ...job.cpuCap, ins: true },
    detached: given.flag('restore-detached'),
    sibling: given.flag('restore-sibling'),
    leaveStopped: given.flag('leave-stopped'),
    pidfile: pidfile === undefined ? undefined : resolve(job.workDir, pidfile),
    logPid: given.flag('log-pid') && job.logFile !== undefined && job.logFile !== '-',
    skipFileRwxCheck: given.flag('skip-file-rwx-check'),
    root: root === undefined ? undefined : directory(root, 'root', files),
    execCommand: given.has('exec-cmd') ? given.list('exec-cmd') : undefined,
    inheritFds: given
      .list('inherit-fd')
      .map((text) => demand(parseInheritFd(text), given.spelled('inherit-fd'))),
    dryRun: given.flag('dry-run'),
  }
}

function jobOptions(given: Given, files: FileProbe): JobOptions {
  return {
    ...commonOptions(given, files),
    actionScripts: given.list('action-script').map((text) => actionScript(text, given, files)),
    shellJob: given.flag('shell-job'),
    evasiveDevices: given.flag('evasive-devices'),
    cpuCap: cpuCap(given),
    tcpEstablished: given.flag('tcp-established'),
    tcpClose: given.flag('tcp-close'),
    networkLock: optional('network-lock', given, parseNetworkLock),
    extUnixSk: optional('ext-unix-sk', given, parseExtUnixSk) ?? noExtUnixSk,
    fileValidation: optional('file-validation', given, parseFileValidation) ?? 'buildid',
    fileLocks: given.flag('file-locks'),
    external: given
      .list('external')
      .map((text) => demand(parseExternal(text), given.spelled('external'))),
    displayStats: given.flag('display-stats'),
    libdir: given.has('libdir') ? directory(given.text('libdir')!, 'libdir', files) : undefined,
  }
}

/** What every command has. */
export function commonOptions(given: Given, files: FileProbe): CommonOptions {
  const imagesDir = directory(given.text('images-dir') ?? '.', 'images-dir', files)
  const workDir = directory(given.text('work-dir') ?? imagesDir, 'work-dir', files)
  const logFile = given.text('log-file')
  return {
    imagesDir,
    workDir,
    verbosity: given.number('verbosity') as Verbosity,
    logFile: logFile === undefined || logFile === '-' ? logFile : resolve(workDir, logFile),
    idle: given.idle,
  }
}

export const cpuCap = (given: Given): CpuCap =>
  optional('cpu-cap', given, parseCpuCap) ?? defaultCpuCap

function optional<T>(
  name: string,
  given: Given,
  parse: (text: string) => Parsed<T>,
): T | undefined {
  return given.has(name) ? demand(parse(given.text(name)!), given.spelled(name)) : undefined
}

function actionScript(text: string, given: Given, files: FileProbe): ActionScript {
  const parsed = parseActionScript(text, (path) => resolve(files.cwd(), path), files.isFile)
  return demand(parsed, given.spelled('action-script'))
}

function directory(path: string, name: string, files: FileProbe): string {
  const absolute = resolve(files.cwd(), path)
  if (files.isDirectory(absolute)) return absolute
  const reason = files.exists(absolute) ? 'is no directory' : 'does not exist'
  return fail({ code: 'option', option: `--${name}`, reason: `names ${absolute}, which ${reason}` })
}
