# perl: fork and pipes, signals and alarm, threads, regular expressions over a growing string.
run() { perl "$apps/perl-workload.pl"; }
step=30
check() {
  grep -q '^end: ' out || { tail -n 3 out; return 1; }
  n=$(grep -c '^[0-9]' out)
  grep '^[0-9]' out >counted
  seq "$n" | awk '{ print $1, $1 * $1 }' | cmp - counted || return 1
  grep -qx "end: $n children reaped 1, threads agree, alarms seen" out || { tail -n 1 out; return 1; }
}
