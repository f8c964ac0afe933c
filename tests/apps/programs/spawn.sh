# python3 that starts programs by vfork from several threads at once, and a fork server's workers
# that exit all the time: dumps fall into the moments at which processes begin and end.
run() { /usr/bin/python3 "$apps/spawn-workload.py"; }
step=40
check() {
  head -n -1 out | awk '$1 != NR { print "out of order: " $0; bad = 1 } END { exit bad }' || return 1
  tail -n 1 out | grep -qx 'end: all agree' || { tail -n 3 out; return 1; }
}
