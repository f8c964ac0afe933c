# python3 with threads that meet at locks, a queue, a barrier and a timer, and child processes.
run() { /usr/bin/python3 "$apps/python-workload.py"; }
step=30
check() {
  head -n -1 out | awk '$1 != NR { print "out of order: " $0; bad = 1 } END { exit bad }' || return 1
  tail -n 1 out | grep -qx "end: all agree" || { tail -n 3 out; return 1; }
}
