#!/bin/sh
# workload.sh DIR: what the demo dumps. A pipeline that numbers lines, and the program counter.
# Nothing in here knows of a dump.
cd "$1" || exit 1
./counter counter.log >counter.out &

i=0
while :; do
  i=$((i + 1))
  echo "$i"
  sleep 0.05
done | sed -u 's/^/line /' | while read -r word number; do
  echo "$word $number"
done >pipeline.out
