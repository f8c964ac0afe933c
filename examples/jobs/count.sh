#!/bin/sh
# A job that takes days: its place is in its memory alone, its results are in files of its directory.
# With a number it crashes when it comes there.
n=0
exec >>results
while :; do
  n=$((n + 1))
  echo "$n"
  [ "$n" != "${1:-}" ] || kill -SEGV $$
  sleep 0.05
done
