# node: timers, a worker thread that shares memory, files written asynchronously.
run() { node "$apps/node-workload.cjs"; }
progress() { wc -l <ticks; }
prepare() { : >ticks; }
step=20
check() {
  seq "$(wc -l <ticks)" | cmp - ticks || return 1
  tail -n 1 out | grep -qx 'end: all agree' || { tail -n 3 out; return 1; }
}
