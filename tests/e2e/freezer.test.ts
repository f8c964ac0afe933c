import { scenario } from './scenario.ts'

/** --freeze-cgroup, with the freezer of version 1 and with cgroup2, in groups of our own. */

const group = (version: 1 | 2): string => `
  group=/sys/fs/cgroup/${version === 1 ? 'freezer' : 'unified'}/criu-test-$(basename $dir)
  [ -d "\${group%/*}" ] && mkdir $group && mkdir $group/below || failed "no cgroups of version ${version}"
  remove() {
    kill -KILL $(cat $group/cgroup.procs $group/below/cgroup.procs 2>/dev/null) 2>/dev/null
    for i in $(seq 100); do rmdir $group/below $group 2>/dev/null; [ -e $group ] || break; sleep 0.05; done
  }
  trap remove EXIT
  state() { ${version === 1 ? 'cat $group/freezer.state' : 'cat $group/cgroup.freeze'}; }
  thawed=${version === 1 ? 'THAWED' : '0'}
  mkdir images
`

for (const version of [1, 2] as const) {
  scenario(
    `version ${version}: a tree that forks all the time is dumped and restored; the group is thawed`,
    `${group(version)}
  begin_wrapped() { echo $BASHPID >$group/cgroup.procs; begin trees forking; }
  (begin_wrapped) || exit 1
  pid=$(cat pid)
  holds 'grep -qx $pid $group/cgroup.procs'
  works dump -t $pid -D images -R --freeze-cgroup $group
  holds '[ $(state) = $thawed ]'
  goes_on
  works dump -t $pid -D images --freeze-cgroup $group
  holds '[ $(state) = $thawed ]'
  gone
  works restore -d -D images
  goes_on
  ends
`,
  )

  scenario(
    `version ${version}: a frozen group, one without the tree, one with criu in it, no group: refused`,
    `${group(version)}
  begin threads in-several-processes 2
  refuse() { refuses "$1" dump -t $pid -D images --freeze-cgroup "$2"; nothing_in images; }
  refuse 'freeze-cgroup.*not in' $group
  refuse 'freeze-cgroup.*neither' $dir
  refuse 'freeze-cgroup.*does not exist' $group/none
  for task in $pid $(cat /proc/$pid/task/*/children); do echo $task >$group/below/cgroup.procs; done
  (echo $BASHPID >$group/cgroup.procs; refuse 'freeze-cgroup.*criu itself' $group) || exit 1
  ${version === 1 ? 'echo FROZEN >$group/freezer.state' : 'echo 1 >$group/cgroup.freeze'}
  refuse 'frozen already' $group
  ${version === 1 ? 'echo THAWED >$group/freezer.state' : 'echo 0 >$group/cgroup.freeze'}
  works dump -t $pid -D images -R --freeze-cgroup $group
  goes_on
  ends
`,
  )

  scenario(
    `version ${version}: a task that cannot be stopped in time: the group is thawed, and all go on`,
    `${group(version)}
  cat >stuck.c <<'C'
#include <unistd.h>
#include <fcntl.h>
#include <sys/wait.h>
int main(void) { setsid(); if (vfork() == 0) { int fd = open("gate", O_RDONLY); (void)fd; _exit(3); } int s; wait(&s); return 0; }
C
  cc -O1 -w -o stuck stuck.c && mkfifo gate || failed cc
  (echo $BASHPID >$group/cgroup.procs; exec ./stuck) & stuck=$!
  within 5 '[ -n "$(cat /proc/$stuck/task/*/children)" ]'
  sleep 0.1
  refuses 'took longer' dump -t $stuck -D images -R --freeze-cgroup $group --timeout 1
  nothing_in images
  holds '[ $(state) = $thawed ]'
  for task in $stuck $(cat /proc/$stuck/task/*/children); do
    holds "grep -q '^TracerPid:.0$' /proc/$task/status"
  done
  : >gate
  wait $stuck
  holds '[ $? = 0 ]'
`,
  )
}
