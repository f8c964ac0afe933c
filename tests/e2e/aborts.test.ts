import { scenario } from './scenario.ts'

/**
 * A dump or restore that is ended by a signal leaves what a failed one leaves: the tree as it was and no
 * image, or no tree. Struck when a stage's name comes into the log (of which 16 KiB come at once) and at
 * random moments of the whole.
 */

/** Functions for both; `struck` says how it ended. */
const functions = `
  [ -n "\${NETWORK:-}" ] || NETWORK=1 exec unshare --net bash "$0" # where nobody else has rules
  ip link set lo up
  SEED=\${SEED:-$RANDOM}; echo "SEED=$SEED" >&2; RANDOM=$SEED
  strike() { # SIGNAL MOMENT ARGUMENT ...
    rm -f job.log
    timeout -s KILL 30 "$build/strike" -$1 "$2" "$program" "\${@:3}" -o $root/job.log -v4 >lived 2>out
    struck=$?
    ! grep -aqsE 'nobody foresaw|at fault' job.log || failed "an internal error"
    case $struck in
      0) ;;
      10) ;;
      *) failed "strike -$1 $2: $struck" ;;
    esac
  }
  # What is told: who ended it, in the log's one error, if it had a log by then.
  told() {
    [ $struck = 0 ] || return
    ! grep -aq 'Error (' job.log 2>/dev/null || { one_error; grep -aqE 'ended by SIG(INT|TERM|HUP)' job.log || failed "it is not told"; }
  }
  stages() { sed -nE 's/^\\([0-9.]+\\) ([a-z][a-z -]*) (begins) ?.*/\\1 \\2/p' job.log; }
  moments() { # COUNT
    stages | sed "s#^#$root/job.log:) #"
    local i length=$(cat lived)
    for i in $(seq $1); do echo $((length * (RANDOM % 1050) / 1000)); done
  }
  files() { find home | sort; }
`

/** A subject in ./home, with the arguments of its dumps. */
const begun = (subject: string, options: string) => `
  ${functions}
  options="${options}"
  root=$dir dir=$dir/home
  mkdir home
  env -i PATH="$PATH" HOME=/root "$build/${subject.replace(' ', `" "$dir" `)} || failed "the subject did not start"
  pid=$(cat home/pid)
  goes_on
  snapshot >snapshot.start
`

function dumpTest(title: string, subject: string, options = ''): void {
  scenario(
    title,
    `
    ${begun(subject, options)}
    files >files.before
    dumped() { # SIGNAL MOMENT
      rm -rf images; mkdir images
      strike $1 "$2" dump -t $pid -D images --leave-running $options
      told
      if [ $struck = 0 ]; then nothing_in images; else works restore -D images --dry-run; fi
      files | diff files.before - || failed "files were left"
      whole
      ! nft list ruleset 2>/dev/null | grep -q . || failed "rules were left"
    }
    dumped 15 60000000
    dumped 15 60000000
    moments 10 >moments
    while read -r moment <&3; do dumped $((RANDOM % 3 == 0 ? 2 : RANDOM % 3 == 0 ? 1 : 15)) "$moment"; done 3<moments
    chmod +x home/log; "$build/watch" --end $dir/log 10 || failed "the subject did not end well"
  `,
    300,
  )
}

function restoreTest(title: string, subject: string, options = ''): void {
  scenario(
    title,
    `
    ${begun(subject, options)}
    mkdir images
    works dump -t $pid -D images $options
    gone
    cp -a home home.kept
    remember
    files >files.before
    restored() { # SIGNAL MOMENT
      cp -a home.kept/. home
      strike $1 "$2" restore -D images -d --pidfile $root/pidfile $options
      told
      if [ $struck = 0 ]; then
        nothing_new
        [ ! -e pidfile ] || failed "the pidfile was left"
        files | diff files.before - || failed "files were left"
      else
        goes_on
        kill -KILL $(cut -d' ' -f1 <(processes) | grep -vxF -f <(cut -d' ' -f1 processes.before; echo)) 2>/dev/null
        rm pidfile
        nothing_new
      fi
    }
    restored 15 60000000
    restored 15 60000000
    moments 10 >moments
    while read -r moment <&3; do restored $((RANDOM % 3 == 0 ? 2 : RANDOM % 3 == 0 ? 1 : 15)) "$moment"; done 3<moments
    cp -a home.kept/. home
    works restore -D images -d $options
    whole
    chmod +x home/log; "$build/watch" --end $dir/log 10 || failed "the subject did not end well"
  `,
    300,
  )
}

dumpTest('dumps of several processes with threads', 'threads in-several-processes 2')
dumpTest('dumps that give names to unlinked files', 'ghosts hard-link', '--link-remap')
dumpTest('dumps of connections, which are locked', 'tcp connected4', '--tcp-established')
dumpTest('dumps that write memory while the tree goes on', 'memory large')
restoreTest('restores of several processes with threads', 'threads in-several-processes 2')
restoreTest('restores of sessions, groups and zombies', 'trees sessions')
restoreTest('restores of unlinked files', 'ghosts hard-link', '--link-remap')
restoreTest('restores of connections', 'tcp connected4', '--tcp-established')

scenario(
  'an action script that does not end is ended with its job, and those that undo are still run',
  `
  begin threads in-several-processes 2
  mkdir images
  cat >hanging <<'S'
#!/bin/sh
echo $CRTOOLS_SCRIPT_ACTION >>hooks
[ $CRTOOLS_SCRIPT_ACTION != $HANG ] || exec sleep 1000
S
  cat >stubborn <<'S'
#!/bin/sh
[ $CRTOOLS_SCRIPT_ACTION != $HANG ] || { trap '' TERM; echo $$ >stubborn.pid; while :; do sleep 0.1; done; }
S
  chmod +x hanging stubborn
  ended() { # SCRIPT HOOK ARGUMENT ...
    rm -f hooks job.log stubborn.pid
    HANG=$2 timeout -s KILL 20 "$build/strike" -15 400000 "$program" "\${@:3}" -o $dir/job.log --action-script $dir/$1 >lived 2>out
    struck=$?
    [ $struck = 0 ] || failed "$1 at $2: $struck"
    one_error
    grep -q 'ended by SIGTERM' job.log || failed "it is not told"
    [ $(cat lived) -lt 4000000 ] || failed "it took $(cat lived) µs"
  }
  for hook in pre-dump network-lock post-dump; do
    ended hanging $hook dump -t $pid -D images
    nothing_in images
    [ $hook = pre-dump ] || holds 'grep -q network-unlock hooks'
  done
  ended stubborn post-dump dump -t $pid -D images
  holds '! kill -0 $(cat stubborn.pid) 2>/dev/null'
  nothing_in images
  whole
  works dump -t $pid -D images
  gone
  remember
  for hook in pre-restore setup-namespaces post-restore pre-resume; do
    ended hanging $hook restore -d -D images
    nothing_new
  done
  works restore -d -D images
  whole
  ends
`,
  120,
)

scenario(
  'a restore that waits for its tree ends by a signal, and the tree goes on; one that is ignored is',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  "$build/strike" -15 1500000 "$program" restore -D images >lived 2>out
  holds '[ $? = 0 ]'
  goes_on
  (trap '' HUP; exec "$build/strike" -1 50000 "$program" dump -t $pid -D images -R) >lived 2>out
  holds '[ $? = 10 ]'
  whole
  ends
`,
)
