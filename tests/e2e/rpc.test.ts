import { resolve } from 'node:path'
import { scenario } from './scenario.ts'

/**
 * The RPC as clients use it: Debian's pycriu and libcriu, and packets made by hand. The clients are in
 * tests/rpc; each test is one function of theirs.
 */

const clients = resolve(import.meta.dir, '../rpc')
const prelude = `
  export CRIU=$program
  client() { python3 -B ${clients}/run.py "$@" >out 2>&1 || failed "client $* failed"; }
  libcriu() { cc -O1 -Wall -Werror -o libcriu ${clients}/libcriu.c -lcriu || failed "libcriu.c"; }
`

/** A test that is all in one function of a client. */
const client = (name: string, title: string, seconds?: number): void =>
  scenario(`${title} (${name})`, `${prelude}\n  remember\n  client ${name}\n  nothing_new`, seconds)

client('simple.version', 'VERSION: 4.2, without a gitid')
client('simple.version_with_options', 'VERSION with options, as libcriu sends it')
client('simple.any_descriptor', 'swrk takes any number')
client('simple.features', 'FEATURE_CHECK: what was not asked for is false; options are no matter')
client('simple.keep_open', 'keep_open: requests of one connection, until one has failed')
client('simple.closed_after_one', 'without keep_open the first request is the last')
client('simple.not_built_yet', 'requests that are not built yet fail clearly')
client('simple.unknown_types', 'requests that ask for nothing, or for what nobody knows')
client('simple.malformed', 'packets that are no request')
client('simple.empty_packet', 'a packet without bytes')
client('simple.oversize', 'a packet of 2 MiB')
client('simple.random_requests', 'requests with bytes changed at random', 120)
client('simple.hang_up_at_once', 'a client that hangs up before it asks')
client('simple.no_socket', 'swrk with what is no connection')
client('simple.no_options', 'a request without options, or without images')
client(
  'simple.bad_options',
  'options that are wrong or not there yet: EBADRQC, in answer and log',
  120,
)
client('simple.log_names', 'a log file is named without a slash')
client('simple.no_process', 'no such process: ESRCH; pycriu’s exception says so')
client('simple.no_images', 'a restore without images; paths as the client knows them')
client('simple.long_error', 'an answer stays below 8 KiB; the log has it all')

client('simple.check', 'CHECK, with and without options; pycriu’s check')
client('simple.cpuinfo', 'CPUINFO_DUMP and CPUINFO_CHECK; −ENOTSUP for another CPU')

client('jobs.sibling', 'pycriu: dump, and restore as a child of the caller; work_dir_fd')
client('jobs.pid_is_taken', 'a restore whose pid is taken: EEXIST; pycriu’s exception says so')
client('jobs.as_runc', 'what runc sends with every dump and restore; its notifications in order')
client('jobs.as_crun', 'what crun sends with every dump and restore')
client('jobs.notified_leaving_it', 'notifications of a dump that leaves the tree running')
client('jobs.held_at_hooks', 'the tree is held while the client is told')
client(
  'jobs.refused_hooks',
  'a client that refuses a hook: the tree goes on, or there is none',
  120,
)
client('jobs.hang_ups', 'a client that hangs up at a hook: the tree goes on, or there is none', 120)
client('jobs.unheard', 'a client that is gone before the end: the tree goes on')
client('jobs.outside_named_at_query', 'query-ext-files: a socket that the client names then')
client('jobs.logs', 'a log that is there is emptied, never replaced; criu.log by default')
client('jobs.config_file', 'config_file replaces the request; one that is not there is none')
client('jobs.wait_pid', 'WAIT_PID: how the tree of an earlier request ended')
client('jobs.becomes', 'exec_cmd: criu becomes a program that speaks to the log')
client('jobs.inherited', 'inherit_fd: a descriptor that criu was started with')
client('jobs.named_directory', 'images_dir: a path in place of a descriptor')
client('jobs.cgroups', 'manage_cgroups: a task in another cgroup than the root is refused')
client('jobs.terminal', 'orphan-pts-master: the client gets the master of a new terminal')

scenario(
  'a tree of threads and processes is dumped, left running, dumped and restored by RPC',
  `${prelude}
  begin threads in-several-processes 2
  client jobs.dump_leaving_it $pid
  whole
  client jobs.dump $pid
  gone
  client jobs.restore_detached $pid
  whole
  ends
`,
)

scenario(
  'libcriu: version, features, check',
  `${prelude}
  libcriu
  mkdir images
  holds './libcriu ask $program >said'
  cat >wanted <<W
version 40200
at least 3.15 1
at least 5.0 0
features 0
not asked 0
W
  holds 'diff wanted <(head -n 5 said) >&2'
`,
)

scenario(
  'libcriu: another process, with notifications, restored as a child; a refused hook; one that is gone',
  `${prelude}
  libcriu
  mkdir images
  holds 'sh -c "setsid sleep 1000 </dev/null >/dev/null 2>&1 & sleep 0.3; exec ./libcriu another $program \\$!" >said'
  cat >wanted <<W
dump, left running 0
dump, refused -1
it is there 0
hook pre-dump without pid
hook network-lock without pid
hook query-ext-files without pid
hook post-dump without pid
dump 0
hook pre-restore without pid
hook setup-namespaces with pid
hook post-setup-namespaces without pid
hook post-restore with pid
hook network-unlock without pid
hook pre-resume without pid
hook post-resume without pid
restore 1
it is there 0
ours to wait for 1
dump, gone -52
W
  holds 'diff wanted said >&2'
`,
)

scenario(
  'libcriu: a program dumps itself, goes on, dumps itself again, and is told after its restore',
  `${prelude}
  libcriu
  mkdir images
  setsid ./libcriu itself $program </dev/null >said 2>&1
  holds '[ "$(cat said)" = "dump, left running 0" ]'
  works restore -D images -o restore.log
  holds '[ "$(tail -n 1 said)" = "dump 1" ]'
  holds '[ "$(wc -l <said)" = 2 ]'
`,
)

scenario(
  'pycriu: a program dumps itself, and is told after its restore',
  `${prelude}
  setsid python3 -B ${clients}/run.py own.itself images </dev/null >out 2>&1
  holds '[ ! -e said ]'
  works restore -D images -o restore.log
  holds '[ "$(cat said)" = restored ]'
`,
)

client(
  'service.answers',
  'criu service: socket, status-fd, pidfile; a socket that was left is replaced',
)
client('service.several', 'criu service: eight dumps at once, with silent clients beside', 120)
client('service.dump_and_restore', 'criu service: dump with notifications, restore')
client('service.own_process', 'criu service: options that need a process of the client’s own')
client('service.hang_ups', 'criu service: clients that hang up, or send rubbish')
client(
  'service.at_another_place',
  'criu service: clients for whom paths or root are something else',
)
client(
  'service.users',
  'criu service: a user dumps and restores what is its own, and nothing else',
  120,
)
client('service.foreign_images', 'criu service: images with rights that the client has not')
client('service.too_many', 'criu service: one user does not take all the room', 120)
client('service.daemon', 'criu service -d: goes on in the background')
client('service.addresses', 'criu service: addresses that will not do')

scenario(
  'libcriu by criu service: a program dumps itself and is told after its restore',
  `${prelude}
  libcriu
  mkdir images
  works service -d --address $dir/socket --pidfile $dir/service.pid
  setsid ./libcriu itself $dir/socket </dev/null >said 2>&1
  holds '[ "$(cat said)" = "dump, left running 0" ]'
  works restore -D images -o restore.log
  holds '[ "$(tail -n 1 said)" = "dump 1" ]'
  kill $(cat service.pid)
`,
)
