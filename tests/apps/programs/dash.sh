# dash: background jobs and their order, wait with exit codes, traps, here-documents, subshells,
# command substitution.
run() { dash "$apps/dash-workload.sh"; }
step=3
check() {
  grep -q '^caught TERM$' out && grep -q '^left with 0$' out || { tail out; return 1; }
  grep -vE '^(round [0-9]+: 0 1 2 3 4 here [0-9]+ sub [0-9]+|caught TERM|left with 0)$' out && return 1
  grep '^round' out | awk -F'[ :]' '$2 != NR || $(NF) != NR || $(NF-2) != NR { print "out of order: " $0; bad = 1 } END { exit bad }'
}
