import { fail } from '../errors/error.ts'
import { criu_cg_mode, type criu_network_lock_method } from '../images/gen/enums.ts'
import type { Messages } from '../images/gen/messages.ts'
import { CLONE } from '../kernel/constants/sched.ts'
import type { RawOption } from '../options/raw.ts'
import type { Command, Row } from '../options/row.ts'
import { table } from '../options/table.ts'
import type { RawValue } from '../options/values.ts'
import type { Directories } from './directory.ts'
import type { Peer } from './socket.ts'

export type Opts = Messages['criu_opts']
type Field = Exclude<keyof Opts, symbol>

/** What a request asks for, as the options of a command line, and what only RPC can ask for. */
export interface Asked {
  readonly raw: readonly RawOption[]
  /** A file whose options replace those of the request; the one that is not there is none. */
  readonly configFile: string | undefined
  /** Every hook is told to the client, which answers. */
  readonly notify: boolean
  /** The client takes the masters of terminals that only have their slaves in the tree. */
  readonly takesMasters: boolean
  /** Tasks are to come back in the cgroups that they were in. */
  readonly keepsCgroups: boolean
}

/** Who asks, and how what it names is found. */
export interface Asker {
  readonly peer: Peer
  readonly directories: Directories
  /** A client of the service, which runs on: nothing that is for a process of the client's own. */
  readonly isServed: boolean
  /** It may do less than we: we run no program for it. */
  readonly isLimited: boolean
}

type Raw = RawOption | readonly RawOption[] | undefined
type Special = { readonly [F in Field]?: (value: NonNullable<Opts[F]>, asker: Asker) => Raw }

/**
 * `criu_opts` as raw options of a command, by the names that the option table has for RPC; `places` are
 * those of {@link placesOf}.
 */
export function askedBy(
  command: Command,
  opts: Opts,
  asker: Asker,
  places: readonly RawOption[],
): Asked {
  const rows = new Map(table.flatMap((row) => (row.rpc === undefined ? [] : [[row.rpc, row]])))
  const raw: RawOption[] = []
  const notify = opts.notify_scripts ?? false
  for (const [field, value] of Object.entries(opts) as [Field, unknown][]) {
    if (isUnset(value)) continue
    if (asker.isServed && ownProcess.has(field)) refuseServed(field)
    if (asker.isLimited && field === 'config_file') refuseServed(field)
    const special = specials[field] as ((value: unknown, asker: Asker) => Raw) | undefined
    if (special) raw.push(...listOf(special(value, asker)))
    else if (!withoutEffect.has(field)) raw.push(...ofRow(command, field, rows.get(field), value))
  }
  if (opts.pid === undefined && ofTree.includes(command))
    raw.push({ name: 'tree', value: asker.peer.pid, spelled: spell('pid') })
  return {
    raw: [...places, ...raw],
    configFile: opts.config_file || undefined,
    notify,
    // By a notification: a client that wants none could not be given any.
    takesMasters: (opts.orphan_pts_master ?? false) && (command === 'dump' || notify),
    keepsCgroups: keepsCgroups(opts),
  }
}

const noGroups: readonly unknown[] = [criu_cg_mode.IGNORE, criu_cg_mode.CG_NONE]

const keepsCgroups = ({ manage_cgroups, manage_cgroups_mode: mode }: Opts): boolean =>
  (manage_cgroups ?? mode !== undefined) && !noGroups.includes(mode)

const spell = (field: Field): string => `criu_opts.${field}`
const listOf = (raw: Raw): readonly RawOption[] =>
  raw === undefined ? [] : Array.isArray(raw) ? raw : [raw as RawOption]

/** Callers written in Go send empty texts for what they have nothing for. */
const isUnset = (value: unknown): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

/** Without a pid the client asks for itself. */
const ofTree: readonly Command[] = ['dump', 'pre-dump']

/**
 * What only tells how namespaces, their mounts and cgroups are treated. Trees with namespaces of their
 * own are refused as such, and cgroups are the caller's (docs/rpc.md): there is nothing it would change.
 */
export const withoutEffect: ReadonlySet<Field> = new Set<Field>([
  'auto_ext_mnt',
  'ext_mnt',
  'ext_sharing',
  'ext_masters',
  'skip_mnt',
  'enable_fs',
  'mntns_compat_mode',
  'weak_sysctls',
  'manage_cgroups',
  'manage_cgroups_mode',
  'cg_root',
  // Read elsewhere: places, what is no option of a command line, the service's own.
  'images_dir_fd',
  'images_dir',
  'work_dir_fd',
  'log_file',
  'log_to_stderr',
  'config_file',
  'notify_scripts',
  'orphan_pts_master',
  // Serves chains of dumps, which are refused by what makes them (parent_img, PRE_DUMP).
  'pidfd_store_sk',
])

/** Descriptors and a place in the tree of processes that a client of the service cannot lend it. */
const ownProcess: ReadonlySet<Field> = new Set<Field>([
  'rst_sibling',
  'inherit_fd',
  'exec_cmd',
  'status_fd',
  'pidfd_store_sk',
])

const refuseServed = (field: Field): never =>
  fail({
    code: 'option',
    option: spell(field),
    reason: 'is not for clients of the service',
    remedy: 'start criu swrk for it',
  })

const DEFAULT_SPLICE = 1
const UNSET_LOG_LEVEL = -1

/** Fields that stand in the message otherwise than on a command line. */
const specials: Special = {
  log_level: (value) =>
    value === UNSET_LOG_LEVEL ? undefined : option('verbosity', 'log_level', value),
  ps: () => option('page-server', 'ps', true),
  veths: (pairs) =>
    pairs.map(({ if_in, if_out }) => option('veth-pair', 'veths', `${if_in}=${if_out}`)),
  cpu_cap: (bits) => option('cpu-cap', 'cpu_cap', String(bits)),
  inherit_fd: (fds) =>
    fds.map(({ fd, key }) => option('inherit-fd', 'inherit_fd', `fd[${fd}]:${key}`)),
  exec_cmd: (words) => option('exec-cmd', 'exec_cmd', words),
  ext_unix_sk: (isOn) => (isOn ? option('ext-unix-sk', 'ext_unix_sk', true) : undefined),
  unix_sk_ino: (sockets) =>
    sockets.map(({ inode }) => option('external', 'unix_sk_ino', `unix[${inode}]`)),
  external: (texts) =>
    texts
      .filter((text) => !text.startsWith('mnt['))
      .map((text) => option('external', 'external', text)),
  join_ns: (all) =>
    all.map(({ ns, ns_file, extra_opt }) =>
      option('join-ns', 'join_ns', `${ns}:${ns_file}${extra_opt ? `,${extra_opt}` : ''}`),
    ),
  empty_ns: (flags) =>
    BigInt(flags) & ~CLONE.NEWNET
      ? fail({ code: 'option', option: spell('empty_ns'), reason: 'can be CLONE_NEWNET alone' })
      : undefined,
  pre_dump_mode: (mode) =>
    mode === DEFAULT_SPLICE ? undefined : option('pre-dump-mode', 'pre_dump_mode', 'read'),
  network_lock: (method) =>
    option('network-lock', 'network_lock', lockNames[method] ?? String(method)),
}

const lockNames: Readonly<Record<criu_network_lock_method, string>> = {
  1: 'iptables',
  2: 'nftables',
  3: 'skip',
}

const option = (name: string, field: Field, value: RawValue): RawOption => ({
  name,
  value,
  spelled: spell(field),
})

/** By the option table alone. A flag that is off replaces one of a configuration file. */
function ofRow(command: Command, field: Field, row: Row | undefined, value: unknown): RawOption[] {
  if (row === undefined)
    return fail({ code: 'internal', reason: `nothing is known of ${spell(field)}` })
  const isFor = row.on.includes(command) || row.idle.includes(command)
  if (value === false && !isFor) return []
  const values = Array.isArray(value) ? value : [value]
  return values.map((one) => option(row.name, field, one as RawValue))
}

/** Upstream's name for a log that the request gives none to. */
const LOG_FILE = 'criu.log'

/** Directories and log: what has to be known to tell of all other failures. */
export function placesOf(opts: Opts, { directories }: Asker): RawOption[] {
  const { images_dir_fd, images_dir, work_dir_fd, log_file, log_to_stderr } = opts
  const places: RawOption[] = []
  if (images_dir_fd >= 0) {
    const path = directories.ofDescriptor(images_dir_fd, spell('images_dir_fd'))
    places.push(option('images-dir', 'images_dir_fd', path))
  } else if (images_dir) {
    places.push(
      option('images-dir', 'images_dir', directories.ofPath(images_dir, spell('images_dir'))),
    )
  } else {
    fail({ code: 'option', option: spell('images_dir_fd'), reason: 'is needed, or images_dir' })
  }
  if (work_dir_fd !== undefined && work_dir_fd >= 0) {
    const path = directories.ofDescriptor(work_dir_fd, spell('work_dir_fd'))
    places.push(option('work-dir', 'work_dir_fd', path))
  }
  if (log_file?.includes('/'))
    fail({ code: 'option', option: spell('log_file'), reason: 'must be a name without a slash' })
  if (log_file || !log_to_stderr) places.push(option('log-file', 'log_file', log_file || LOG_FILE))
  return places
}
