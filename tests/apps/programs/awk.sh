# awk with programs at both ends of pipes of its own: getline from one, print into another.
run() {
  awk 'BEGIN {
    source = "i=0; until [ -e stop ]; do i=$((i+1)); echo $i; sleep 0.005; done"
    while ((source | getline line) > 0) {
      sum += line
      print line, sum | "sort -n -k1,1 >sorted"
      print line
      fflush()
    }
    close("sort -n -k1,1 >sorted")
    print "sum", sum >"sum"
  }'
}
step=30
check() {
  n=$(tail -n 1 out)
  seq "$n" | cmp - out || return 1
  seq "$n" | awk '{ s += $1; print $1, s }' | cmp - sorted || return 1
  [ "$(cat sum)" = "sum $((n * (n + 1) / 2))" ]
}
