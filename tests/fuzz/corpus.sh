#!/bin/bash
# corpus.sh DIRECTORY        (in a pid and a network namespace of its own: see corpus.ts)
#
# Dumps subjects of tests/programs, for their images to be damaged. Each line of the input is
# `PROGRAM MODE [ARGUMENT ...] | ARGUMENTS OF THE DUMP`; of each sample stay in DIRECTORY/N:
#
#   home/     the subject's directory, as it was when it was dumped; it must be there for a restore
#   images/   what the dump wrote
set -u
work=$1
build=$(cd "$(dirname "$0")/../.build" && pwd)
mapfile -t recipes
exec </dev/null
ip link set lo up
number=0
for recipe in "${recipes[@]}"; do
  IFS='|' read -r subject arguments <<<"$recipe"
  number=$((number + 1))
  sample=$work/$number
  mkdir -p "$sample/images" "$sample/home"
  chmod 755 "$sample" "$sample/home"
  cd "$sample/home" || exit 1
  # Pids that nobody else in a small pid namespace has.
  echo $((10000 + number * 60)) >/proc/sys/kernel/ns_last_pid
  read -r program mode <<<"$subject"
  # shellcheck disable=SC2086
  env -i PATH="$PATH" HOME=/root "$build/$program" "$sample/home" $mode >/dev/null || { echo "$subject: did not start" >&2; rm -r "$sample"; continue; }
  # shellcheck disable=SC2086
  "$CRIU" dump -t "$(cat pid)" -D "$sample/images" $arguments >../said 2>&1 || { echo "$subject: $(cat ../said)" >&2; rm -r "$sample"; continue; }
  echo "$program $mode" >../name
done
# What is not in a tree goes with the namespaces.
exit 0
