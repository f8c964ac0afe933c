import { type Command, commands, later, option, type Row, type Value } from './row.ts'

/**
 * Every option of criu 2.3 and 4.2, and ours. Sources: the 2.3 man page, the fields of `criu_opts`
 * in rpc.proto, and upstream 4.2's list. This is the only place that knows an option's name: argv,
 * configuration file, RPC, help and the checks read it from here.
 */
const all: readonly Command[] = commands
const dump: readonly Command[] = ['dump']
const restore: readonly Command[] = ['restore']
const dumps: readonly Command[] = ['dump', 'pre-dump']
const both: readonly Command[] = ['dump', 'restore']
const jobs: readonly Command[] = ['dump', 'restore', 'pre-dump']
const server: readonly Command[] = ['page-server', 'service', 'lazy-pages']
const check: readonly Command[] = ['check']

/** Largest pid that the kernel can give (PID_MAX_LIMIT on 64 bits). */
const PID_LIMIT = 4_194_304

const isPid = (value: Value): string | undefined =>
  typeof value === 'number' && value > 0 && value < PID_LIMIT
    ? undefined
    : `must be a pid from 1 to ${PID_LIMIT - 1}, not ${value}`

export const table: readonly Row[] = [
  option('tree', 'number', [...dumps, 'exec'], 'root process of the tree to dump', {
    short: 't',
    placeholder: 'PID',
    rpc: 'pid',
    idle: restore,
    check: isPid,
  }),
  option('images-dir', 'path', all, 'directory of the images', {
    short: 'D',
    placeholder: 'DIR',
    rpc: 'images_dir',
    fallback: '.',
  }),
  option('work-dir', 'path', all, 'directory of log, statistics and pid file (default: as -D)', {
    short: 'W',
    placeholder: 'DIR',
  }),
  option('log-file', 'work-path', all, 'write the log to FILE instead of standard error', {
    short: 'o',
    rpc: 'log_file',
  }),
  option('verbosity', 'level', all, 'log level 0 to 4; each plain -v adds 1 to the default', {
    short: 'v',
    rpc: 'log_level',
    fallback: 2,
  }),
  option('log-pid', 'flag', restore, 'one log for each restored task, FILE.PID', { idle: dump }),
  option('pidfile', 'work-path', [...restore, ...server], 'write the root pid to a new FILE', {
    idle: dump,
  }),
  option('close', 'number', both, 'close descriptor FD before anything else', {
    placeholder: 'FD',
    repeat: true,
  }),
  option('action-script', 'text', jobs, 'program to run at each hook; may be repeated', {
    placeholder: 'SCRIPT',
    repeat: true,
  }),
  option('display-stats', 'flag', both, 'print the statistics at the end', {
    rpc: 'display_stats',
  }),
  option('version', 'flag', all, 'print the version', { short: 'V', config: false }),
  option('help', 'flag', all, 'print this help', { short: 'h', config: false }),

  option('leave-running', 'flag', dump, 'let the tasks go on after the dump', {
    short: 'R',
    rpc: 'leave_running',
    idle: restore,
  }),
  option('leave-stopped', 'flag', both, 'leave the tasks stopped', {
    short: 's',
    rpc: 'leave_stopped',
  }),
  option('shell-job', 'flag', both, 'the tree shares a terminal and session with its caller', {
    short: 'j',
    rpc: 'shell_job',
  }),
  option('link-remap', 'flag', dump, 'keep unlinked files that have another name by linking back', {
    rpc: 'link_remap',
    idle: restore,
  }),
  option('ghost-limit', 'size', dump, 'largest unlinked file to carry; K, M or G (default: 1M)', {
    rpc: 'ghost_limit',
    fallback: 1_048_576,
    idle: restore,
  }),
  option('evasive-devices', 'flag', both, 'take any path to a device whose own cannot be used', {
    rpc: 'evasive_devices',
  }),
  option('freeze-cgroup', 'path', dump, 'freezer cgroup that holds the tree', {
    rpc: 'freeze_cgroup',
    idle: restore,
  }),
  option('timeout', 'number', dump, 'seconds for collecting the tree; 0 is no limit', {
    rpc: 'timeout',
    fallback: 10,
    placeholder: 'SEC',
    idle: restore,
  }),
  option('cpu-cap', 'optional', both, 'CPU features to save or require: all cpu fpu ins none', {
    rpc: 'cpu_cap',
    placeholder: 'LIST',
  }),

  option('restore-detached', 'flag', restore, 'leave once the tree runs', {
    short: 'd',
    idle: dump,
  }),
  option('restore-sibling', 'flag', restore, 'make the root a sibling of criu; with -d', {
    short: 'S',
    rpc: 'rst_sibling',
    idle: dump,
  }),
  option('root', 'path', restore, 'new root of a restored mount namespace', {
    short: 'r',
    rpc: 'root',
    idle: dump,
  }),
  option('exec-cmd', 'command', restore, 'become the command behind -- once the tree runs', {
    rpc: 'exec_cmd',
  }),
  option('dry-run', 'flag', restore, 'print the plan and touch nothing (not in upstream)', {
    config: false,
  }),

  later('prev-images-dir', 'text', dumps, 'parent images, relative to the images', {
    rpc: 'parent_img',
  }),
  later('libdir', 'path', all, 'directory of plugins', { short: 'L' }),
  option('ext-unix-sk', 'optional', both, 'take unix sockets whose peer is outside; of INODES', {
    short: 'x',
    placeholder: 'INODES',
    rpc: 'ext_unix_sk',
  }),
  later('manage-cgroups', 'optional', both, 'none, props, soft, full, strict or ignore', {
    rpc: 'manage_cgroups',
  }),
  later('cgroup-root', 'text', restore, '[CONTROLLER:]/PATH to restore cgroups in', {
    rpc: 'cg_root',
    repeat: true,
  }),
  option('tcp-established', 'flag', both, 'take established TCP connections', {
    rpc: 'tcp_established',
  }),
  later('veth-pair', 'text', both, 'IN=OUT[@BRIDGE]: names of a veth pair', {
    rpc: 'veths',
    repeat: true,
  }),
  later('page-server', 'flag', dumps, 'send pages to a page server', { rpc: 'ps' }),
  later('address', 'text', [...dumps, ...server], 'address of page server or service'),
  later('port', 'number', [...dumps, ...server], 'port of the page server'),
  later('daemon', 'flag', server, 'run in the background'),
  option('force-irmap', 'flag', dumps, 'find the paths of inotify marks by scanning', {
    rpc: 'force_irmap',
    idle: restore,
  }),
  option('irmap-scan-path', 'path', dumps, 'where to scan for inotify marks', {
    rpc: 'irmap_scan_paths',
    repeat: true,
    idle: restore,
  }),
  later('auto-dedup', 'flag', [...jobs, 'page-server'], 'punch pages out once they are elsewhere', {
    rpc: 'auto_dedup',
  }),
  later('track-mem', 'flag', dumps, 'track memory writes for the next dump', { rpc: 'track_mem' }),
  option('file-locks', 'flag', both, 'take file locks', { short: 'l', rpc: 'file_locks' }),
  later('ext-mount-map', 'text', both, 'KEY:VAL, or auto: external mounts', {
    short: 'M',
    rpc: 'ext_mnt',
    repeat: true,
  }),
  later('enable-external-sharing', 'flag', both, 'external shared mounts', { rpc: 'ext_sharing' }),
  later('enable-external-masters', 'flag', both, 'external slave mounts', { rpc: 'ext_masters' }),
  later('skip-mnt', 'path', dump, 'leave this mount out', { rpc: 'skip_mnt', repeat: true }),
  later('enable-fs', 'text', dump, 'dump these file systems as they are', {
    rpc: 'enable_fs',
    repeat: true,
  }),
  option('external', 'text', both, 'an object that lives outside of the tree, as TYPE[ID]:NAME', {
    rpc: 'external',
    repeat: true,
  }),
  option('inherit-fd', 'text', restore, 'fd[N]:RESOURCE: our descriptor N takes its place', {
    rpc: 'inherit_fd',
    repeat: true,
    idle: dump,
  }),
  later('join-ns', 'text', restore, 'NS:PID|FILE[,OPTIONS]', {
    short: 'J',
    rpc: 'join_ns',
    repeat: true,
  }),
  later('empty-ns', 'text', both, 'net: make the namespace and leave it empty', {
    rpc: 'empty_ns',
  }),
  later('lsm-profile', 'text', restore, 'TYPE:NAME', { rpc: 'lsm_profile' }),
  later('lsm-mount-context', 'text', restore, 'SELinux context of mounts', {
    rpc: 'lsm_mount_context',
  }),
  later('extra', 'flag', check, 'check optional features'),
  later('experimental', 'flag', check, 'check experimental features'),
  later('all', 'flag', check, 'check all features'),
  later('feature', 'text', check, 'check one feature; list shows them'),

  later('config', 'path', all, 'configuration file', { rpc: 'config_file', config: false }),
  later('no-default-config', 'flag', all, 'leave the default configuration files out', {
    config: false,
  }),
  later('stream', 'flag', both, 'images through an image streamer'),
  later('unprivileged', 'flag', jobs, 'run with CAP_CHECKPOINT_RESTORE alone', {
    rpc: 'unprivileged',
  }),
  later('deprecated', 'flag', all, 'allow deprecated options'),
  later('pre-dump-mode', 'text', ['pre-dump'], 'splice or read', { rpc: 'pre_dump_mode' }),
  later('lazy-pages', 'flag', both, 'bring memory over on demand', { rpc: 'lazy_pages' }),
  later('status-fd', 'number', [...both, ...server], 'write a zero byte once ready', {
    rpc: 'status_fd',
  }),
  later('ps-socket', 'number', [...dumps, ...server], 'connected socket of the page server'),
  later('tls', 'flag', [...dumps, ...server], 'page server over TLS', { rpc: 'tls' }),
  later('tls-cacert', 'path', [...dumps, ...server], 'certificate authority', {
    rpc: 'tls_cacert',
  }),
  later('tls-cacrl', 'path', [...dumps, ...server], 'revoked certificates', { rpc: 'tls_cacrl' }),
  later('tls-cert', 'path', [...dumps, ...server], 'our certificate', { rpc: 'tls_cert' }),
  later('tls-key', 'path', [...dumps, ...server], 'our key', { rpc: 'tls_key' }),
  later('tls-no-cn-verify', 'flag', [...dumps, ...server], 'any name on the certificate', {
    rpc: 'tls_no_cn_verify',
  }),
  option('network-lock', 'text', both, 'how to lock connections: nftables, iptables or skip', {
    placeholder: 'METHOD',
    rpc: 'network_lock',
  }),
  option('tcp-close', 'flag', both, 'restore connections as closed', { rpc: 'tcp_close' }),
  option('skip-in-flight', 'flag', dump, 'leave out connections not yet accepted', {
    rpc: 'tcp_skip_in_flight',
    idle: restore,
  }),
  later('cgroup-props', 'text', dump, 'YAML: cgroup properties to dump', { rpc: 'cgroup_props' }),
  later('cgroup-props-file', 'path', dump, 'the same from a file', { rpc: 'cgroup_props_file' }),
  later('cgroup-dump-controller', 'text', dump, 'dump this controller only', {
    rpc: 'cgroup_dump_controller',
    repeat: true,
  }),
  later('cgroup-yard', 'path', both, 'where the hierarchies are mounted', { rpc: 'cgroup_yard' }),
  later('weak-sysctls', 'flag', restore, 'skip sysctls that the kernel lacks', {
    rpc: 'weak_sysctls',
  }),
  later('file-validation', 'text', both, 'filesize or buildid'),
  later('skip-file-rwx-check', 'flag', restore, 'do not compare permissions of files', {
    rpc: 'skip_file_rwx_check',
  }),
  later('mntns-compat-mode', 'flag', restore, 'old way to restore mounts', {
    rpc: 'mntns_compat_mode',
  }),
  later('ghost-fiemap', 'flag', dump, 'find holes of unlinked files by FIEMAP'),
  later('allow-uprobes', 'flag', both, 'allow mappings of uprobes'),
]

const byName = new Map(table.map((row) => [row.name, row]))

/** The row of a long name, without dashes. */
export const rowOf = (name: string): Row | undefined => byName.get(name)
