import { scenario } from './scenario.ts'

/** Terminals that live outside of the tree: --external tty with --inherit-fd, and --shell-job. */

const functions = `
  mkdir images
  # A pseudoterminal whose master is a process of the caller's: its path in NAME.path, all that
  # is written to it in NAME.out.
  terminal() {
    /usr/bin/python3 - $1 <<'EOF' &
import os, pty, sys
master, slave = pty.openpty()
with open(sys.argv[1] + '.path', 'w') as file:
    file.write(os.ttyname(slave))
with open(sys.argv[1] + '.out', 'ab', 0) as file:
    while True:
        file.write(os.read(master, 4096))
EOF
    within 10 "[ -s $1.path ]"
  }
  tty_id() { printf 'tty[%x:%x]' $(stat -Lc '%r %d' $(cat $1.path)); }
  ticks() { grep -c tick $1.out; }
`

/** Dumped from one terminal and restored on another, three times. */
const moves = (mode: string): string => `${functions}
  terminal first
  begin ptys external ${mode} 50<>$(cat first.path)
  from=first
  for to in second third fourth; do
    terminal $to
    refuses 'whose master is outside of the tree' dump -t $pid -D images -o job.log -v4
    id=$(tty_id $from)
    works dump -t $pid -D images -o job.log -v4 -R --external $id
    goes_on
    works dump -t $pid -D images -o job.log -v4 --external $id
    gone
    refuses 'inherit-fd' restore -d -D images -o job.log -v4
    works restore -d -D images -o job.log -v4 --inherit-fd fd[60]:$id 60<>$(cat $to.path)
    goes_on
    [ $(readlink /proc/$pid/fd/50) = $(cat $to.path) ] || failed "another terminal"
    n=$(ticks $to)
    within 10 "[ \\$(grep -c tick $to.out) -gt $n ]"
    from=$to
    rm images/*
  done
  ends
`

scenario('a terminal from outside: another one takes its place', moves(''))
scenario('a terminal from outside that is the controlling terminal', moves('leads'))

scenario(
  'a number that somebody else has taken meanwhile',
  `${functions}
  begin ptys pair
  works dump -t $pid -D images -o job.log -v4
  gone
  terminal other
  refuses 'pseudoterminal 0 is in use by process [0-9]+ .python3' restore -d -D images -o job.log -v4
`,
)

for (const mode of [
  'pair',
  'open-line',
  'output',
  'node',
  'session',
  'foreground',
  'current only',
  'master-closed',
  'packets',
])
  scenario(
    `images without fields of ours, as upstream writes them: ${mode}`,
    `${functions}
  begin ptys ${mode}
  works dump -t $pid -D images -o job.log -v4
  gone
  for image in tty-info tty-data files; do
    [ -e images/$image.img ] || continue
    crit decode -i images/$image.img -o decoded && crit encode -i decoded -o images/$image.img || failed crit
  done
  works restore -d -D images -o job.log -v4
  whole
  ends
`,
  )

scenario(
  'vim in a pty with --shell-job',
  `
  cat >job <<'EOF'
    set -u
    failed() { echo "FAILED: $1"; cat job.log | grep -a Error; exit 1; }
    lines() { wc -l <text; }
    grows() {
      local n=$(lines) i
      for ((i = 0; i < 500; i++)); do [ $(lines) -gt $((n + 3)) ] && return; sleep 0.02; done
      failed "vim does not go on"
    }
    echo >text
    vim -u NONE -n -c 'func Tick(t)
      call append(line("$"), "line")
      silent write
      if filereadable("stop") | qall! | endif
    endfunc' -c 'call timer_start(20, "Tick", {"repeat": -1})' text </dev/tty &
    pid=$!
    sleep 0.3
    grows
    for round in 1 2 3; do
      mkdir images.$round
      "$CRIU" dump -t $pid -D images.$round -o "$PWD/job.log" -v4 --shell-job || failed dump
      "$CRIU" restore -d -D images.$round -o "$PWD/job.log" -v4 --shell-job || failed restore
      grows
    done
    touch stop
    for ((i = 0; i < 500; i++)); do [ -e /proc/$pid ] || break; sleep 0.02; done
    [ ! -e /proc/$pid ] || failed "vim does not end"
EOF
  TERM=xterm "$build/onpty" bash ./job >screen || { strings screen | tail -5 >out; failed "on the terminal"; }
`,
)

scenario(
  'script in a pty with --shell-job: a terminal of the shell and one of its own',
  `
  cat >job <<'EOF'
    set -u
    failed() { echo "FAILED: $1"; cat job.log | grep -a Error; exit 1; }
    grows() {
      local n=$(wc -l <copy) i
      for ((i = 0; i < 500; i++)); do [ $(wc -l <copy) -gt $((n + 3)) ] && return; sleep 0.02; done
      failed "it does not go on"
    }
    : >copy
    SHELL=/bin/sh script -qfc 'while [ ! -e stop ]; do echo line on $(tty); sleep 0.02; done' copy </dev/tty &
    pid=$!
    sleep 0.3
    grows
    for round in 1 2 3; do
      mkdir images.$round
      "$CRIU" dump -t $pid -D images.$round -o "$PWD/job.log" -v4 --shell-job || failed dump
      "$CRIU" restore -d -D images.$round -o "$PWD/job.log" -v4 --shell-job || failed restore
      grows
    done
    touch stop
    for ((i = 0; i < 500; i++)); do [ -e /proc/$pid ] || break; sleep 0.02; done
    [ ! -e /proc/$pid ] || failed "it does not end"
    [ $(grep '^line' copy | tr -d '\\r' | sort -u | wc -l) = 1 ] || failed "several terminals: $(sort -u copy)"
EOF
  TERM=xterm "$build/onpty" bash ./job >screen || { strings screen | tail -5 >out; failed "on the terminal"; }
`,
)
