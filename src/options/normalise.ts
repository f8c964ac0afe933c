import { fail } from '../errors/error.ts'
import type {
  ActionScript,
  DumpOptions,
  JobCommand,
  JobOptions,
  OptionsOf,
  RestoreOptions,
  Verbosity,
} from '../job/options.ts'
import { resolve } from './absolute.ts'
import { refuseCombinations } from './combinations.ts'
import {
  noExtUnixSk,
  parseExternal,
  parseExtUnixSk,
  parseInheritFd,
  parseNetworkLock,
} from './external.ts'
import { type FileProbe, realFiles } from './file-probe.ts'
import { findOption, type RawOption } from './raw.ts'
import type { Row, Value } from './row.ts'
import { rowOf } from './table.ts'
import {
  defaultCpuCap,
  nextLevel,
  type Parsed,
  parseActionScript,
  parseCpuCap,
  parseValue,
} from './values.ts'

/**
 * Raw options of any source, earlier ones first, to the one frozen value that the engine takes.
 * A later option replaces an earlier one of its name, unless it is a list. Throws `option`.
 */
export function normalise<C extends JobCommand>(
  command: C,
  raw: readonly RawOption[],
  files: FileProbe = realFiles,
): OptionsOf[C] {
  const given = new Given(command, raw)
  const options = makers[command](given, files)
  refuseCombinations(options, given.has, files)
  Object.freeze(options)
  return options
}

const makers: { readonly [C in JobCommand]: (given: Given, files: FileProbe) => OptionsOf[C] } = {
  dump: dumpOptions,
  restore: restoreOptions,
}

/** What was given, checked one by one against the table. */
class Given {
  readonly #values = new Map<string, Value>()
  readonly #spelled = new Map<string, string>()
  readonly idle: string[] = []

  constructor(command: JobCommand, raw: readonly RawOption[]) {
    for (const entry of raw) this.#take(command, entry)
  }

  #take(command: JobCommand, entry: RawOption): void {
    const { row, negated } = findOption(entry.name, entry.spelled)
    const value = this.#read(row, negated && entry.value === true ? false : entry.value, entry)
    if (!row.supported) refuseUnsupported(value, entry.spelled)
    const acts = row.on.includes(command)
    if (!acts && !row.idle.includes(command)) {
      fail({ code: 'option', option: entry.spelled, reason: `does not go with ${command}` })
    }
    if (!acts && value !== false) this.idle.push(`--${row.name}`)
    this.#values.set(row.name, value)
    this.#spelled.set(row.name, entry.spelled)
  }

  #read(row: Row, raw: RawOption['value'], entry: RawOption): Value {
    if (row.kind === 'level') {
      const level = (this.#values.get(row.name) ?? row.fallback) as number
      return demand(nextLevel(level, raw), entry.spelled)
    }
    const value = demand(parseValue(row.kind, raw), entry.spelled)
    const reason = row.check?.(value)
    if (reason !== undefined) fail({ code: 'option', option: entry.spelled, reason })
    if (!row.repeat) return value
    const before = (this.#values.get(row.name) ?? []) as readonly string[]
    return [...before, String(value)]
  }

  readonly has = (name: string): boolean => (this.#values.get(name) ?? false) !== false

  flag(name: string): boolean {
    return this.has(name)
  }

  text(name: string): string | undefined {
    return this.#values.get(name) as string | undefined
  }

  /** A number that has a fallback in the table. */
  number(name: string): number {
    return (this.#values.get(name) ?? rowOf(name)?.fallback) as number
  }

  list(name: string): readonly string[] {
    return (this.#values.get(name) ?? []) as readonly string[]
  }

  /** The option as the caller wrote it. */
  spelled(name: string): string {
    return this.#spelled.get(name) ?? `--${name}`
  }
}

/** A flag that is off asks for nothing, so it is taken even where the option is not there yet. */
function refuseUnsupported(value: Value, spelled: string): void {
  if (value === false) return
  fail({ code: 'option', option: spelled, reason: 'is not supported yet' })
}

function demand<T>(parsed: Parsed<T>, spelled: string): T {
  return parsed.ok ? parsed.value : fail({ code: 'option', option: spelled, reason: parsed.reason })
}

function dumpOptions(given: Given, files: FileProbe): DumpOptions {
  const freezer = given.text('freeze-cgroup')
  return {
    command: 'dump',
    ...jobOptions(given, files),
    tree: given.has('tree') ? given.number('tree') : needsTree(),
    finalState: given.flag('leave-running')
      ? 'running'
      : given.flag('leave-stopped')
        ? 'stopped'
        : 'killed',
    linkRemap: given.flag('link-remap'),
    ghostLimit: given.number('ghost-limit'),
    timeout: given.number('timeout'),
    skipInFlight: given.flag('skip-in-flight'),
    forceIrmap: given.flag('force-irmap'),
    irmapScanPaths: given.list('irmap-scan-path').map((path) => resolve(files.cwd(), path)),
    freezeCgroup: freezer === undefined ? undefined : directory(freezer, 'freeze-cgroup', files),
  }
}

const needsTree = (): never =>
  fail({
    code: 'option',
    option: '--tree',
    reason: 'is needed for a dump',
    remedy: 'give the pid of the root process with -t PID',
  })

function restoreOptions(given: Given, files: FileProbe): RestoreOptions {
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
    root: root === undefined ? undefined : directory(root, 'root', files),
    execCommand: given.has('exec-cmd') ? given.list('exec-cmd') : undefined,
    inheritFds: given
      .list('inherit-fd')
      .map((text) => demand(parseInheritFd(text), given.spelled('inherit-fd'))),
    dryRun: given.flag('dry-run'),
  }
}

function jobOptions(given: Given, files: FileProbe): JobOptions {
  const imagesDir = directory(given.text('images-dir') ?? '.', 'images-dir', files)
  const workDir = directory(given.text('work-dir') ?? imagesDir, 'work-dir', files)
  const logFile = given.text('log-file')
  const cap = given.text('cpu-cap')
  return {
    imagesDir,
    workDir,
    verbosity: given.number('verbosity') as Verbosity,
    logFile: logFile === undefined || logFile === '-' ? logFile : resolve(workDir, logFile),
    close: given.list('close').map(Number),
    actionScripts: given.list('action-script').map((text) => actionScript(text, given, files)),
    shellJob: given.flag('shell-job'),
    evasiveDevices: given.flag('evasive-devices'),
    cpuCap: cap === undefined ? defaultCpuCap : demand(parseCpuCap(cap), given.spelled('cpu-cap')),
    tcpEstablished: given.flag('tcp-established'),
    tcpClose: given.flag('tcp-close'),
    networkLock: optional('network-lock', given, parseNetworkLock),
    extUnixSk: optional('ext-unix-sk', given, parseExtUnixSk) ?? noExtUnixSk,
    fileLocks: given.flag('file-locks'),
    external: given
      .list('external')
      .map((text) => demand(parseExternal(text), given.spelled('external'))),
    displayStats: given.flag('display-stats'),
    idle: given.idle,
  }
}

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
