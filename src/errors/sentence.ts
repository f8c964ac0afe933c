import { errnoName, errnoText } from '../kernel/errno.ts'
import { CriuError, type ErrorDetail, type Obstacle, type Outlook } from './error.ts'

/** The sentence a person reads about an error: what failed, why, and what to do about it. */
export function sentence(error: unknown): string {
  if (error instanceof CriuError) return sentenceOf(error.detail)
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return join(`an error that nobody foresaw: ${text}`, bugRemedy)
}

/** The same from the bare value, as it comes over RPC or from a test. */
export function sentenceOf(detail: ErrorDetail): string {
  switch (detail.code) {
    case 'option':
      return join(`${detail.option} ${detail.reason}`, detail.remedy)
    case 'image':
      return join(`${entryOf(detail)}: ${detail.reason}`, detail.remedy)
    case 'syscall':
      return syscallSentence(detail)
    case 'obstacles':
      return obstacleReport(detail)
    case 'vanished':
      return join(`process ${detail.pid} is gone: ${detail.reason}`, detail.remedy)
    case 'conflict':
      return join(`${detail.reason}${conflictPlace(detail)}`, detail.remedy)
    case 'tracee':
      return traceeSentence(detail)
    case 'timeout':
      return join(
        `${detail.operation} took longer than ${detail.seconds} seconds`,
        detail.remedy ?? 'allow more time with --timeout',
      )
    case 'aborted':
      return `the job was ended by ${detail.signal ?? 'its caller'}`
    case 'engine':
      return `the engine ${detail.reason}`
    case 'plugin':
      return join(`plugin ${detail.plugin}, ${detail.hook}: ${detail.reason}`, detail.remedy)
    case 'script':
      return join(
        `action script ${detail.script} failed at ${detail.hook}: ${detail.reason}`,
        'run it by hand with CRTOOLS_SCRIPT_ACTION set to see why',
      )
    case 'client':
      return `the client of the RPC ${detail.reason}`
    case 'internal':
      return join(`criu itself is at fault: ${detail.reason}`, bugRemedy)
    default:
      return detail satisfies never
  }
}

type DetailOf<C extends ErrorDetail['code']> = Extract<ErrorDetail, { code: C }>

const bugRemedy = 'this is a bug in criu-ts: please report it with the log at -v4'

/** A cause and what to do about it in one sentence. */
const join = (cause: string, remedy: string | undefined): string =>
  remedy === undefined ? cause : `${cause}; ${remedy}`

const entryOf = (detail: DetailOf<'image'>): string =>
  detail.entry === undefined ? detail.file : `${detail.file}, entry ${detail.entry}`

function syscallSentence(detail: DetailOf<'syscall'>): string {
  const { operation, kind, path, pid, errno } = detail
  const object = kind === undefined ? '' : ` for ${kind}`
  const place = path === undefined ? '' : ` on ${path}`
  const task = pid === undefined ? '' : ` in process ${pid}`
  const cause = `${errnoText(errno)} (${errnoName(errno)})`
  return join(
    `${operation}${object}${place}${task} failed: ${cause}`,
    detail.remedy ?? errnoRemedy(errno),
  )
}

/** What helps against an error number whatever the call was; undefined: it depends on the call. */
function errnoRemedy(errno: number): string | undefined {
  switch (errnoName(errno)) {
    case 'EPERM':
    case 'EACCES':
      return 'run criu as root, with all capabilities'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'make room there, or choose another directory with -D'
    case 'ENOMEM':
      return 'free some memory, or raise the limit of the cgroup that criu runs in'
    case 'EMFILE':
      return 'raise the limit of open files (ulimit -n)'
    case 'EROFS':
      return 'choose a directory that can be written with -D or -W'
    case 'ENOSYS':
      return 'this kernel lacks the call: a newer one is needed'
    default:
      return undefined
  }
}

function conflictPlace(detail: DetailOf<'conflict'>): string {
  const parts = [
    detail.pid === undefined ? undefined : `pid ${detail.pid}`,
    detail.path === undefined ? undefined : detail.path,
  ].filter((part) => part !== undefined && !detail.reason.includes(part))
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function traceeSentence(detail: DetailOf<'tracee'>): string {
  const cause = `process ${detail.pid} should have come to ${detail.expected}, but: ${detail.found}`
  const registers = detail.registers === undefined ? '' : `\n${detail.registers}`
  return `${join(cause, 'the log at -v4 shows what led there')}${registers}`
}

/** One line for each obstacle, in the order of their processes. */
function obstacleReport({ obstacles, restoring, outlook }: DetailOf<'obstacles'>): string {
  const count = obstacles.length === 1 ? 'one thing' : `${obstacles.length} things`
  const lines = [...obstacles].sort((a, b) => a.pid - b.pid).map((one) => `  ${obstacleLine(one)}`)
  const head = restoring
    ? `the images hold ${count} that cannot be restored; nothing was made:`
    : `the tree holds ${count} that cannot be dumped; it was left as it is:`
  const helping = restoring ? [] : helpingText(obstacles)
  return [head, ...lines, ...helping, ...(outlook ? [outlookText(outlook)] : [])].join('\n')
}

/** Options that help, each once, in the order of the obstacles; of sizes the largest. */
export function helpingOptions(obstacles: readonly Obstacle[]): string[] {
  const sizes = new Map<string, number>()
  const others = new Set<string>()
  for (const { option } of obstacles) {
    if (option === undefined) continue
    const [name, value] = option.split(' ')
    const size = value === undefined ? Number.NaN : Number(value)
    if (Number.isNaN(size)) others.add(option)
    else sizes.set(name!, Math.max(size, sizes.get(name!) ?? 0))
  }
  return [...others, ...[...sizes].map(([name, size]) => `${name} ${size}`)]
}

function helpingText(obstacles: readonly Obstacle[]): string[] {
  const options = helpingOptions(obstacles)
  if (options.length === 0) return []
  const helped = obstacles.filter(({ option }) => option !== undefined).length
  const which = helped === obstacles.length ? 'all' : `${helped}`
  return [`against ${which} of them helps: ${options.join(' ')}`]
}

/** «2 processes with 5 threads: 1.5 MiB of images, and 40 ms in which they stand still». */
export function outlookText({ processes, threads, bytes, millis }: Outlook): string {
  const tree = `${count(processes, 'process', 'processes')} with ${count(threads, 'thread')}`
  const time = millis < 1000 ? `${Math.ceil(millis)} ms` : `${(millis / 1000).toFixed(1)} s`
  return `a dump of ${tree} would be about ${sizeText(bytes)}, and stop them for about ${time}`
}

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** `1.5 MiB`. */
export function sizeText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let size = bytes / 1024
  while (size >= 1024 && units.length > 1) {
    size /= 1024
    units.shift()
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${units[0]}`
}

const obstacleLine = (one: Obstacle): string =>
  join(`process ${one.pid} (${one.comm}), ${one.where}: ${one.what}`, one.remedy)
