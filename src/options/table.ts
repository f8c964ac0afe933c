import {
  type Command,
  commands,
  common,
  later,
  logged,
  option,
  type Row,
  type Value,
} from './row.ts'

/**
 * Every option of criu 2.3 and 4.2, and ours. Sources: the 2.3 man page, the fields of `criu_opts`
 * in rpc.proto, and upstream 4.2's list. This is the only place that knows an option's name: argv,
 * configuration file, RPC, help and the checks read it from here.
 */
const all: readonly Command[] = commands
/** explain answers for a dump with the same options. */
const dump: readonly Command[] = ['dump', 'explain']
const restore: readonly Command[] = ['restore']
const dumps: readonly Command[] = [...dump, 'pre-dump']
const both: readonly Command[] = [...dump, 'restore']
const jobs: readonly Command[] = [...both, 'pre-dump']
const pages: readonly Command[] = ['page-server', 'lazy-pages']
const server: readonly Command[] = ['service', ...pages]
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
  option('images-dir', 'path', common, 'directory of the images', {
    short: 'D',
    placeholder: 'DIR',
    rpc: 'images_dir',
    fallback: '.',
  }),
  option('work-dir', 'path', logged, 'directory of log, statistics and pid file (default: as -D)', {
    short: 'W',
    placeholder: 'DIR',
  }),
  option('log-file', 'work-path', logged, 'write the log to FILE instead of standard error', {
    short: 'o',
    rpc: 'log_file',
  }),
  option('verbosity', 'level', logged, 'log level 0 to 4; each plain -v adds 1 to the default', {
    short: 'v',
    rpc: 'log_level',
    fallback: 2,
  }),
  option('log-pid', 'flag', restore, 'one log for each restored task, FILE.PID', { idle: dump }),
  option('pidfile', 'work-path', [...restore, ...server], 'write the root pid to a new FILE', {
    idle: dump,
  }),
  option('close', 'number', common, 'close descriptor FD before anything else', {
    placeholder: 'FD',
    repeat: true,
  }),
  option('action-script', 'text', ['dump', 'restore', 'pre-dump'], 'program to run at each hook', {
    placeholder: 'SCRIPT',
    repeat: true,
    idle: ['explain'],
  }),
  option('display-stats', 'flag', ['dump', 'restore'], 'print the statistics at the end', {
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
  option(
    'timeout',
    'number',
    [...dump, 'exec'],
    'seconds to stop the tree, or for the call of exec',
    {
      rpc: 'timeout',
      fallback: 10,
      placeholder: 'SEC',
      idle: restore,
    },
  ),
  option('pid', 'number', ['exec'], 'the process or thread, as -t', {
    short: 'p',
    placeholder: 'PID',
    check: isPid,
    config: false,
  }),
  option(
    'cpu-cap',
    'optional',
    [...both, 'cpuinfo'],
    'CPU features to save or require: all cpu fpu ins none',
    {
      rpc: 'cpu_cap',
      placeholder: 'LIST',
      choices: ['all', 'cpu', 'fpu', 'ins', 'none'],
    },
  ),

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
    config: false,
  }),
  option('dry-run', 'flag', restore, 'print the plan and touch nothing (not in upstream)', {
    config: false,
  }),

  later('prev-images-dir', 'text', dumps, 'parent images, relative to the images', {
    rpc: 'parent_img',
  }),
  option('libdir', 'path', both, 'directory of plugins, JavaScript or TypeScript', {
    short: 'L',
    placeholder: 'DIR',
  }),
  option('ext-unix-sk', 'optional', both, 'take unix sockets whose peer is outside; of INODES', {
    short: 'x',
    placeholder: 'INODES',
    rpc: 'ext_unix_sk',
  }),
  later('manage-cgroups', 'optional', both, 'none, props, soft, full, strict or ignore', {
    rpc: 'manage_cgroups',
    choices: ['none', 'props', 'soft', 'full', 'strict', 'ignore'],
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
  option('address', 'text', server, 'path of the socket; address of the page server'),
  later('port', 'number', [...dumps, ...pages], 'port of the page server'),
  option('daemon', 'flag', server, 'go on in the background', { short: 'd' }),
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
  option('extra', 'flag', check, 'check what only some trees need as well'),
  option('experimental', 'flag', check, 'check experimental features as well'),
  option('all', 'flag', check, 'check everything'),
  option('feature', 'text', check, 'check this alone; list shows the names', {
    placeholder: 'NAME',
    repeat: true,
  }),
  option('json', 'flag', ['show', 'diff', 'explain'], 'print JSON (not in upstream)', {
    config: false,
  }),
  option('html', 'path', ['show'], 'write one self-contained page (not in upstream)', {
    config: false,
  }),
  // Relative to the current directory: a view has no work directory.
  option('output', 'work-path', ['show', 'diff'], 'write there instead of standard output', {
    short: 'o',
    config: false,
  }),
  option('core', 'number', ['show'], 'write a core dump of this process (not in upstream)', {
    placeholder: 'PID',
    config: false,
    check: isPid,
  }),

  option('config', 'path', common, 'read this configuration file', {
    placeholder: 'FILE',
    rpc: 'config_file',
    config: false,
  }),
  option('no-default-config', 'flag', common, 'leave the default configuration files out', {
    config: false,
  }),
  later('stream', 'flag', both, 'images through an image streamer'),
  later('unprivileged', 'flag', jobs, 'run with CAP_CHECKPOINT_RESTORE alone', {
    rpc: 'unprivileged',
  }),
  option('deprecated', 'flag', common, 'allow what is deprecated; all of it is allowed anyway'),
  later('pre-dump-mode', 'text', ['pre-dump'], 'splice or read', { rpc: 'pre_dump_mode' }),
  later('lazy-pages', 'flag', both, 'bring memory over on demand', { rpc: 'lazy_pages' }),
  option('status-fd', 'number', server, 'write a zero byte to FD once clients are listened to', {
    placeholder: 'FD',
    rpc: 'status_fd',
    idle: both,
  }),
  later('ps-socket', 'number', [...dumps, ...pages], 'connected socket of the page server'),
  later('tls', 'flag', [...dumps, ...pages], 'page server over TLS', { rpc: 'tls' }),
  later('tls-cacert', 'path', [...dumps, ...pages], 'certificate authority', {
    rpc: 'tls_cacert',
  }),
  later('tls-cacrl', 'path', [...dumps, ...pages], 'revoked certificates', { rpc: 'tls_cacrl' }),
  later('tls-cert', 'path', [...dumps, ...pages], 'our certificate', { rpc: 'tls_cert' }),
  later('tls-key', 'path', [...dumps, ...pages], 'our key', { rpc: 'tls_key' }),
  later('tls-no-cn-verify', 'flag', [...dumps, ...pages], 'any name on the certificate', {
    rpc: 'tls_no_cn_verify',
  }),
  option('network-lock', 'text', both, 'how to lock connections: nftables, iptables or skip', {
    placeholder: 'METHOD',
    rpc: 'network_lock',
    choices: ['nftables', 'iptables', 'skip'],
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
  option('file-validation', 'text', both, 'how mapped programs and libraries are known again', {
    placeholder: 'METHOD',
    choices: ['buildid', 'filesize'],
  }),
  option('skip-file-rwx-check', 'flag', restore, 'do not compare permissions of files', {
    rpc: 'skip_file_rwx_check',
    idle: dump,
  }),
  later('mntns-compat-mode', 'flag', restore, 'old way to restore mounts', {
    rpc: 'mntns_compat_mode',
  }),
  option('ghost-fiemap', 'flag', dump, 'find holes of unlinked files by FIEMAP', { idle: restore }),
  later('allow-uprobes', 'flag', both, 'allow mappings of uprobes'),
]

const byName = new Map(table.map((row) => [row.name, row]))

/** The row of a long name, without dashes. */
export const rowOf = (name: string): Row | undefined => byName.get(name)
