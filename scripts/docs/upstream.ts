/** Options of upstream, by their long names: those of the man page of 2.3, and those that 4.2 added. */
export const since23 = [
  ...['tree', 'images-dir', 'work-dir', 'prev-images-dir', 'log-file', 'log-pid', 'verbosity'],
  ...['pidfile', 'close', 'libdir', 'action-script', 'version', 'help', 'leave-running'],
  ...['leave-stopped', 'ext-unix-sk', 'freeze-cgroup', 'manage-cgroups', 'cgroup-root'],
  ...[
    'tcp-established',
    'veth-pair',
    'evasive-devices',
    'page-server',
    'address',
    'port',
    'daemon',
  ],
  ...['force-irmap', 'irmap-scan-path', 'auto-dedup', 'track-mem', 'file-locks', 'ext-mount-map'],
  ...['enable-external-sharing', 'enable-external-masters', 'skip-mnt', 'enable-fs', 'external'],
  ...['link-remap', 'ghost-limit', 'shell-job', 'cpu-cap', 'inherit-fd', 'restore-detached'],
  ...['restore-sibling', 'root', 'exec-cmd', 'join-ns', 'empty-ns', 'lsm-profile', 'timeout'],
  ...['extra', 'experimental', 'all', 'feature'],
]

export const since42 = [
  ...['config', 'no-default-config', 'display-stats', 'stream', 'unprivileged', 'deprecated'],
  ...['pre-dump-mode', 'lazy-pages', 'status-fd', 'ps-socket', 'tls', 'tls-cacert', 'tls-cacrl'],
  ...['tls-cert', 'tls-key', 'tls-no-cn-verify', 'network-lock', 'tcp-close', 'skip-in-flight'],
  ...['cgroup-props', 'cgroup-props-file', 'cgroup-dump-controller', 'cgroup-yard', 'weak-sysctls'],
  ...['file-validation', 'skip-file-rwx-check', 'lsm-mount-context', 'mntns-compat-mode'],
  ...['ghost-fiemap', 'allow-uprobes'],
]

/** Fields of `criu_opts` that belong to an option whose own field is another one. */
export const fieldsOf: Readonly<Record<string, string>> = {
  images_dir_fd: 'images-dir',
  work_dir_fd: 'work-dir',
  auto_ext_mnt: 'ext-mount-map',
  unix_sk_ino: 'ext-unix-sk',
  manage_cgroups_mode: 'manage-cgroups',
  log_to_stderr: 'log-file',
}

/** Fields of `criu_opts` that no option of the command line has. */
export const fieldsAlone: Readonly<Record<string, string>> = {
  notify_scripts: 'the client is told of every hook, and answers',
  orphan_pts_master:
    'the client takes masters of pseudoterminals of which the tree has the slave alone',
  pidfd_store_sk: 'serves chains of dumps: no effect, as they are not supported yet',
}
