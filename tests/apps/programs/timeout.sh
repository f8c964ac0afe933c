# A program under timeout: the time that is left goes on to run, and at its end the program is told.
run() {
  timeout -k 60 "$(cat seconds)" sh -c '
    trap "echo told; exit 0" TERM
    i=0
    while :; do i=$((i + 1)); echo $i; sleep 0.02; done'
  echo "timeout: $?"
}
prepare() { [ "$CRIU" = none ] && echo 3 >seconds || echo 12 >seconds; }
step=3
check() {
  [ "$(tail -n 2 out | tr '\n' ' ')" = "told timeout: 124 " ] || { tail -n 3 out; return 1; }
  grep '^[0-9]' out >counted
  seq "$(wc -l <counted)" | cmp - counted
}
