# bash: a pipeline of many stages that must not lose or double a line, with process substitution,
# a coprocess, background jobs, traps and wait -n.
run() { bash "$apps/bash-workload.bash"; }
progress() { wc -l <pipeline.out; }
prepare() { : >pipeline.out; }
step=30
check() {
  local n
  n=$(wc -l <pipeline.out)
  [ "$n" = "$(cat emitted)" ] || { echo "$n of $(cat emitted) lines came through"; return 1; }
  seq "$n" | sed 's/$/ even? /' | awk '{ print $1, $1 % 2 ? "odd" : "even" }' | cmp - pipeline.out || return 1
  seq "$n" | cmp - tee.out || return 1
  seq "$n" | sort -r | sha256sum | cmp - sorted.out || return 1
  [ "$(cat usr1)" = "$(cat sent)" ] || { echo "$(cat usr1) of $(cat sent) signals"; return 1; }
  grep -qx 'jobs: 1 2 3 4 5 6 7 8' out && grep -qx 'coproc: 42' out || { tail out; return 1; }
}
