/** Commands as the first word of the command line names them. */
export const commands = [
  'dump',
  'restore',
  'exec',
  'check',
  'cpuinfo',
  'service',
  'swrk',
  'explain',
  'show',
  'diff',
  'completion',
  'pre-dump',
  'page-server',
  'lazy-pages',
  'dedup',
] as const
export type Command = (typeof commands)[number]

/** Those that have images, a log and configuration: all that do something. */
export const common: readonly Command[] = commands.filter((name) => name !== 'completion')
/** Those with a log: the views of images have none, and what they say goes where `-o` names. */
export const logged: readonly Command[] = common.filter(
  (name) => name !== 'show' && name !== 'diff',
)

/** Which values an option takes, and how they are written; parsed in values.ts. */
export type ValueKind =
  /** No value; `--no-NAME` takes it back. */
  | 'flag'
  /** A whole number, 0 or more. */
  | 'number'
  /** Bytes; K, M or G behind the number. */
  | 'size'
  /** `-vN`, `-v`, `-vv`. */
  | 'level'
  /** A path, made absolute from the current directory. */
  | 'path'
  /** A path, made absolute from the work directory. */
  | 'work-path'
  | 'text'
  /** A text that may be left out; on the command line only as `--NAME=TEXT`. */
  | 'optional'
  /** The words behind `--`. */
  | 'command'

/** One option: all that command line, configuration file, RPC, help and checks know of it. */
export interface Row {
  /** Long name, without the dashes. */
  readonly name: string
  readonly short: string | undefined
  readonly kind: ValueKind
  /** What the help writes for the value. */
  readonly placeholder: string | undefined
  readonly help: string
  /** Field of `criu_opts` (rpc.proto); undefined: RPC cannot ask for it. */
  readonly rpc: string | undefined
  /** Key in a configuration file; undefined: only a command line can ask for it. */
  readonly config: string | undefined
  /** What holds when it is not given; for the help and for normalise.ts. */
  readonly fallback: string | number | boolean | undefined
  /** Each further one adds to the list, instead of replacing. */
  readonly repeat: boolean
  /** Commands in which it does something. */
  readonly on: readonly Command[]
  /** Commands that take it without effect, as upstream does: callers pass one set to all. */
  readonly idle: readonly Command[]
  /** Why a value will not do, as a predicate («must be …»); undefined: it will. */
  readonly check: ((value: Value) => string | undefined) | undefined
  /** Words that its value is made of; undefined: any. */
  readonly choices: readonly string[] | undefined
  readonly supported: boolean
}

/** A value once its text was read. */
export type Value = boolean | number | string | readonly string[]

/** The parts of a row that have a usual value. */
export interface Extra {
  readonly short?: string
  readonly placeholder?: string
  readonly rpc?: string
  readonly config?: false
  readonly fallback?: string | number | boolean
  readonly repeat?: true
  readonly idle?: readonly Command[]
  readonly check?: (value: Value) => string | undefined
  readonly choices?: readonly string[]
}

/** An option that does what it says. */
export function option(
  name: string,
  kind: ValueKind,
  on: readonly Command[],
  help: string,
  extra: Extra = {},
): Row {
  return {
    name,
    kind,
    on,
    help,
    short: extra.short,
    placeholder: extra.placeholder ?? placeholders[kind],
    rpc: extra.rpc,
    config: extra.config === false ? undefined : name,
    fallback: extra.fallback,
    repeat: extra.repeat ?? false,
    idle: extra.idle ?? [],
    check: extra.check,
    choices: extra.choices,
    supported: true,
  }
}

/** An option that upstream has and this program refuses so far. */
export function later(
  name: string,
  kind: ValueKind,
  on: readonly Command[],
  help: string,
  extra: Extra = {},
): Row {
  return { ...option(name, kind, on, help, extra), supported: false }
}

const placeholders: Record<ValueKind, string | undefined> = {
  flag: undefined,
  number: 'N',
  size: 'SIZE',
  level: 'N',
  path: 'PATH',
  'work-path': 'FILE',
  text: 'TEXT',
  optional: 'TEXT',
  command: undefined,
}
