import { scenario } from './scenario.ts'

/** Action scripts: every hook in upstream's order, their environment, and what a failing one does. */

const prelude = `
  cat >hook <<'S'
#!/bin/sh
echo "$CRTOOLS_SCRIPT_ACTION $CRTOOLS_IMAGE_DIR $CRTOOLS_INIT_PID $(sed -n 's/^State:.//p' /proc/$CRTOOLS_INIT_PID/status 2>/dev/null)" >>hooks
S
  chmod +x hook
  begin threads in-several-processes 2
  mkdir images
  dump() { works dump -t $pid -D images "$@"; }
`

scenario(
  'hooks of a dump: in upstream’s order, with image directory and, once known, the root’s pid',
  `${prelude}
  dump -R --action-script ./hook
  cat >wanted <<W
pre-dump $dir/images  
network-lock $dir/images $pid t (tracing stop)
post-dump $dir/images $pid t (tracing stop)
network-unlock $dir/images $pid t (tracing stop)
W
  holds 'diff wanted hooks >&2'
  whole
  : >hooks
  dump --action-script ./hook
  gone
  holds 'diff <(head -n 3 wanted) hooks >&2'
`,
)

scenario(
  'hooks of a restore: in upstream’s order; the root is held until the last but one',
  `${prelude}
  dump
  gone
  works restore -d -D images --action-script ./hook
  cat >wanted <<W
pre-restore $dir/images  
setup-namespaces $dir/images $pid t (tracing stop)
post-setup-namespaces $dir/images $pid t (tracing stop)
post-restore $dir/images $pid t (tracing stop)
network-unlock $dir/images $pid t (tracing stop)
pre-resume $dir/images $pid t (tracing stop)
W
  holds 'diff wanted <(head -n 6 hooks) >&2'
  holds '[ $(wc -l <hooks) = 7 ] && grep -q "^post-resume $dir/images $pid [RS]" hooks'
  whole
  ends
`,
)

scenario(
  'several scripts run in their order, all of them, also behind one that failed; a command line too',
  `${prelude}
  refuses 'script echo.*pre-dump.*exited with 3' dump -t $pid -D images --action-script 'echo a >>said; exit 3' \\
    --action-script 'echo b >>said'
  holds '[ "$(cat said)" = "$(printf "a\\nb")" ]'
  nothing_in images
  refuses 'action-script.*names no file' dump -t $pid -D images --action-script ./no-such-script
  printf 'echo c >>said\\n' >plain; chmod +x plain
  dump -R --action-script ./plain
  holds '[ $(grep -c c said) = 4 ]'
  whole
  ends
`,
)

for (const hook of ['pre-dump', 'network-lock', 'post-dump'])
  scenario(
    `a script that fails at ${hook}: all tasks go on, no image stays`,
    `${prelude}
  refuses 'script .*${hook}.*exited with 1' dump -t $pid -D images -o ../job.log -v4 \\
    --action-script 'test $CRTOOLS_SCRIPT_ACTION != ${hook}'
  nothing_in images
  whole
  dump
  gone
  works restore -d -D images
  whole
  ends
`,
  )

const restoreHooks = [
  'pre-restore',
  'setup-namespaces',
  'post-setup-namespaces',
  'post-restore',
  'network-unlock',
  'pre-resume',
]

scenario(
  'a script that fails at any hook of a restore before the tree runs: no task stays',
  `${prelude}
  dump
  gone
  remember
  for hook in ${restoreHooks.join(' ')}; do
    refuses "script .*$hook.*exited with 1" restore -d -D images -o ../job.log --pidfile root.pid \\
      --action-script "test \\$CRTOOLS_SCRIPT_ACTION != $hook"
    one_error
    nothing_new
    holds '[ ! -e images/root.pid ]'
  done
  works restore -d -D images -o ../job.log --action-script 'test $CRTOOLS_SCRIPT_ACTION != post-resume'
  whole
  ends
`,
  120,
)

scenario(
  'a script that is killed, or cannot be started, has failed as well',
  `${prelude}
  refuses 'killed by signal 9' dump -t $pid -D images --action-script 'kill -9 $$'
  cp hook other; chmod -x other
  refuses 'could not be started' dump -t $pid -D images --action-script ./other
  nothing_in images
  whole
  ends
`,
)

scenario(
  'a script sees no descriptor of criu’s, and has its standard output and error',
  `${prelude}
  dump -R --action-script 'ls /proc/self/fd >>fds; echo said-by-script'
  holds '[ "$(sort -u fds | tr "\\n" " ")" = "0 1 2 3 " ]' # 3 is that of ls
  holds '[ $(grep -c said-by-script out) = 4 ]'
  whole
  ends
`,
)
