import { scenario } from './scenario.ts'

/** `criu exec`: a system call in another task, which goes on as it was. */

scenario(
  'exec: numbers, strings, results and names of errors; the task is what it was',
  `
  begin threads in-several-processes 2
  remember
  says() { criu "\${@:2}"; [ "$(cat out)" = "$1" ] || failed "criu \${*:2} said $(cat out), not $1"; }
  says $pid exec -t $pid getpid
  says $pid exec getpid -p $pid
  holds '[ $status = 0 ]'
  before=$(ls /proc/$pid/fd | wc -l)
  works exec -t $pid open "&$dir/made" 0x241 0640
  fd=$(cat out)
  holds '[ "$(readlink /proc/$pid/fd/$fd)" = "$dir/made" ]'
  says 5 exec -t $pid write $fd '&hello' 5
  holds '[ "$(cat made)" = hello ]'
  says 3 exec -t $pid lseek $fd -2 2
  works exec -t $pid close $fd
  says '-1 EBADF (Bad file descriptor)' exec -t $pid close $fd
  holds '[ $status = 1 ]'
  says '-1 ENOENT (No such file or directory)' exec -t $pid open '&/no/such/file' 0
  says '-1 EFAULT (Bad address)' exec -t $pid open 1 0
  holds '[ $(ls /proc/$pid/fd | wc -l) = $before ]'
  rm made
  nothing_new
  whole
  ends
`,
)

scenario(
  'exec: the thread that is named makes the call itself, the others are as they were',
  `
  begin threads in-several-processes 2
  for tid in $(ls /proc/$pid/task); do
    works exec -t $tid gettid
    holds '[ "$(cat out)" = $tid ]'
  done
  child=$(cat /proc/$pid/task/*/children | cut -d' ' -f1)
  works exec -t $child getppid
  holds '[ "$(cat out)" = $pid ]'
  # What another descriptor table has is not touched.
  works exec -t $child dup2 0 200
  holds '[ -e /proc/$child/fd/200 ] && [ ! -e /proc/$pid/fd/200 ]'
  works exec -t $child close 200
  whole
  ends
`,
)

scenario(
  'exec: a call that blocks is interrupted at the timeout, and one that ends in time has its result',
  `
  begin threads in-several-processes 2
  mkfifo pipe
  works exec -t $pid open "&$dir/pipe" 2
  fd=$(cat out)
  begun=$(date +%s%N)
  refuses "read in process $pid took longer than 1 seconds.*--timeout" exec -t $pid --timeout 1 read $fd '&buffer' 6 -o $dir/job.log
  took=$((($(date +%s%N) - begun) / 1000000))
  holds '[ $took -ge 1000 ] && [ $took -lt 4000 ]'
  goes_on
  (sleep 0.5; echo 12345 >pipe) &
  works exec -t $pid --timeout 8 read $fd '&buffer' 6
  holds '[ "$(cat out)" = 6 ]'
  works exec -t $pid close $fd
  wait; rm pipe
  whole
  ends
`,
)

scenario(
  'exec that is killed while the call blocks: the task goes on, without a thread of ours',
  `
  begin threads in-several-processes 2
  mkfifo pipe
  works exec -t $pid open "&$dir/pipe" 2
  fd=$(cat out)
  for ((i = 0; i < 5; i++)); do
    "$program" exec -t $pid --timeout 0 read $fd '&buffer' 6 >out 2>&1 & criu=$!
    within 5 '[ "$(cut -d" " -f1 /proc/$pid/syscall 2>/dev/null)" = 0 ]'
    kill -KILL $criu; wait $criu 2>/dev/null
    echo 12345 >pipe # its call ends, and it goes home
    goes_on
  done
  works exec -t $pid close $fd
  rm pipe
  whole
  ends
`,
)

scenario(
  'exec: tasks that are stopped stay so; filters of seccomp do not apply; sleeps go on',
  `
  begin threads in-several-processes 2
  kill -STOP $pid
  within 5 'grep -q "^State:.T" /proc/$pid/status'
  works exec -t $pid getpid
  holds '[ "$(cat out)" = $pid ] && grep -q "^State:.T" /proc/$pid/status'
  kill -CONT $pid
  goes_on
  cat >filter.c <<'C'
#include <stddef.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
int main(void) {
  struct sock_filter f[] = { {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_getppid}, {6, 0, 0, 0x80000000}, {6, 0, 0, 0x7fff0000} };
  struct sock_fprog p = { 4, f };
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, 2, &p);
  for (int left = 3; left; left = sleep(left));
  return write(1, "slept\\n", 6) != 6;
}
C
  cc -w -o filter filter.c || failed cc
  begun=$(date +%s%N)
  ./filter >slept & filtered=$!
  within 5 'grep -q "^Seccomp:.2" /proc/$filtered/status'
  works exec -t $filtered getppid
  holds '[ "$(cat out)" = $$ ]'
  refuses 'nanosleep would break the wait' exec -t $filtered nanosleep 0 0
  wait $filtered || failed 'the filtered one'
  took=$((($(date +%s%N) - begun) / 1000000))
  holds '[ "$(cat slept)" = slept ] && [ $took -ge 3000 ] && [ $took -lt 5000 ]'
  goes_on
  ends
`,
)

scenario(
  'exec: what cannot be run is refused before the task is touched; what kills it is told',
  `
  begin threads in-several-processes 2
  remember
  for call in exit exit_group execve execveat clone clone3 fork vfork rt_sigreturn; do
    refuses "$call would" exec -t $pid $call 0
  done
  refuses 'opn is no system call.*did you mean open' exec -t $pid opn '&/' 0
  refuses '12x is neither a number nor a string.*&12x' exec -t $pid close 12x
  refuses 'tree is needed to run a system call' exec getpid
  refuses 'exec needs SYSCALL' exec -t $pid
  refuses 'is not expected behind exec' exec -t $pid close 1 2 3 4 5 6 7
  refuses 'process 31999 is gone' exec -t 31999 getpid
  refuses '-R does not go with exec' exec -t $pid -R getpid
  (sh -c 'exec "$0" exec -t $$ getpid' "$program" >out 2>&1; [ $? = 1 ]) || failed 'itself'
  holds 'grep -q "names criu itself" out'
  nothing_new
  whole
  ends
  sleep 100 & victim=$!
  refuses "process $victim is gone: it ended in the system call" exec -t $victim kill $victim 9
  wait $victim
  holds '[ $? = 137 ]'
`,
)
