#!/bin/bash
# place.sh WORK COMMAND [ARGUMENT ...]      (in a pid, a mount, an IPC and a network namespace)
#
# Runs COMMAND where a program that goes astray can do no harm: only WORK can be written to.
set -eu
work=$1
shift
ip link set lo up
mount --bind "$work" "$work"
mkdir -p "$work/tmp"
export TMPDIR=$work/tmp
# What belongs to the IPC and the network namespace, and the counter of pids, is ours.
for name in $(ls /proc/sys/kernel | grep -E '^(msg|sem|shm|ns_last_pid)'); do
  mount --bind "/proc/sys/kernel/$name" "/proc/sys/kernel/$name"
done
for name in kernel vm fs; do
  mount --rbind "/proc/sys/$name" "/proc/sys/$name"
  mount -o remount,bind,ro "/proc/sys/$name"
done
[ ! -e /proc/sys/fs/mqueue ] || { mount --bind /proc/sys/fs/mqueue /proc/sys/fs/mqueue; mount -o remount,bind,rw /proc/sys/fs/mqueue; }
[ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null /proc/sysrq-trigger
while read -r _ _ _ _ point _; do
  case $point in
    "$work" | /proc | /proc/* | /dev/pts) ;;
    *) mount -o remount,bind,ro "$(printf '%b' "$point")" 2>/dev/null || true ;;
  esac
done </proc/self/mountinfo
exec "$@"
