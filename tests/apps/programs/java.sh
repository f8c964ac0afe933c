# java: threads at monitors and atomics, timers, garbage that is collected, files.
# The class is committed since a runtime has no compiler; apps.test.ts holds it against its source.
run() { java -Xmx64m -cp "$apps" JavaWorkload; }
step=20
check() {
  head -n -1 out >counted
  seq "$(wc -l <counted)" | cmp - counted || return 1
  tail -n 1 out | grep -qx 'end: all agree' || { tail -n 3 out; return 1; }
}
