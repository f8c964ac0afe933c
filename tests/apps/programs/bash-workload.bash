set -o pipefail
# Counts what it gets; the sender waits for each to be counted, since equal signals merge. The count is
# told outside of the trap: bash forgets a signal that comes while the trap of the one before runs.
(
  got=0
  trap 'got=$((got + 1))' USR1
  until [ -e counted ]; do
    echo $got >usr1
    sleep 0.01 &
    wait $!
  done
  echo $got >usr1
) &
counter=$!
(
  until [ -s usr1 ]; do sleep 0.01; done
  sent=0
  until [ -e stop ]; do
    kill -USR1 $counter
    sent=$((sent + 1))
    until [ "$(cat usr1)" = $sent ]; do sleep 0.01; done
  done
  echo $sent >sent
) &
sender=$!

coproc BC { while read -r a b; do echo $((a * b)); done; }

emit() {
  local i=0
  until [ -e stop ]; do
    i=$((i + 1))
    echo $i
    ((i % 10)) || sleep 0.01
  done
  echo $i >emitted
}
emit | tee >(cat >tee.out; : >tee.done) | while read -r line; do echo "$line"; done |
  tee >(sort -r | sha256sum >sorted.out; : >sort.done) | stdbuf -oL awk '{ print $1, $1 % 2 ? "odd" : "even"; fflush() }' |
  (while IFS= read -r line; do printf '%s\n' "$line"; done) >>pipeline.out
echo "pipeline: $?"
until [ -e tee.done ] && [ -e sort.done ]; do sleep 0.01; done
wait $sender
: >counted
wait $counter

for i in 8 7 6 5 4 3 2 1; do (sleep 0.$i; exit $i) & done
order=
for i in 1 2 3 4 5 6 7 8; do wait -n; order="$order $?"; done
echo "jobs:$(printf '%s\n' $order | sort -n | tr '\n' ' ' | sed 's/^/ /; s/ $//')"
echo 6 7 >&"${BC[1]}"
read -r product <&"${BC[0]}"
echo "coproc: $product"
