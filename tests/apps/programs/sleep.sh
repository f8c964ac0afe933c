# sleep: what was left of it is slept after a restore, no more and no less.
run() {
  i=0
  until [ -e stop ]; do
    date +%s%N >>times
    sleep 1
    date +%s%N >>times
    i=$((i + 1))
    echo $i
  done
}
moment() { cat /proc/[0-9]*/comm 2>/dev/null | grep -q '^sleep$'; }
check() {
  seq "$(wc -l <out)" | cmp - out || return 1
  # The clock of the world goes on while the images lie there, so only "not too short" can be said.
  awk 'NR % 2 { from = $1; next } $1 - from < 990000000 { print "slept", $1 - from; bad = 1 } END { exit bad }' times
}
