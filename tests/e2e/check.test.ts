import { scenario } from './scenario.ts'

/** `criu check` and its three verdicts, with all privileges and with few. */

const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups'

scenario(
  'check: what is needed always, and what only some trees need; nothing is left',
  `
  remember
  ls /tmp >before; readlink /proc/self/ns/net /proc/self/ns/mnt >namespaces
  works check
  holds '[ "$(tail -n 1 out)" = "Looks good." ]'
  criu check --all
  holds 'tail -n 1 out | grep -qE "^Looks good(.| but some kernel features are missing which, depending on your process tree, may cause dump or restore failure.)$"'
  holds '[ $status = 0 ] || [ $(grep -c "is missing:" out) -gt 0 ]'
  works check --extra --feature list
  holds 'grep -qw timer_cr_ids out && grep -qw mem_dirty_track out'
  works check --feature pagemap_scan --feature uffd
  refuses 'feature knows no pagemap_scam' check --feature pagemap_scam
  refuses 'extra does not go with dump' dump --extra -t 1
  within 10 '[ -z "$(ls /tmp | diff before - | grep "> criu-check")" ]'
  nothing_new
`,
)

scenario(
  'check without privileges: bad, with the remedy; CAP_CHECKPOINT_RESTORE alone is enough for our own',
  `
  remember
  try() { $1 "$program" check \${@:2} >out 2>&1; status=$?; }
  try '${nobody}'
  holds '[ $status = 1 ] && grep -q "^Does not look good[.]$" out'
  holds 'grep -q "run criu as root, or with CAP_CHECKPOINT_RESTORE" out'
  try '${nobody} --inh-caps +checkpoint_restore --ambient-caps +checkpoint_restore'
  holds '[ $status = 0 ] && grep -q "^Looks good[.]$" out'
  try '${nobody} --inh-caps +checkpoint_restore --ambient-caps +checkpoint_restore' --extra
  holds '[ $status = 1 ] && grep -q "^Looks good but some kernel features are missing" out'
  holds 'grep -A 3 "^cap_sys_ptrace" out | grep -q "processes of other users"'
  nothing_new
`,
)

scenario(
  'check: a log says of each feature how it went',
  `
  works check --feature kcmp -v3 -o $dir/job.log
  holds 'grep -qE "kcmp: there \\([0-9.]+ ms\\)" job.log'
  cat >filter.c <<'C'
#include <stddef.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
int main(int c, char **v) {
  struct sock_filter f[] = { {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_kcmp}, {6, 0, 0, 0x50000 | 1}, {6, 0, 0, 0x7fff0000} };
  struct sock_fprog p = { 4, f };
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, 2, &p);
  return execv(v[1], v + 1);
}
C
  cc -w -o filter filter.c || failed cc
  ./filter "$program" check >out 2>&1; status=$?
  holds '[ $status = 1 ] && grep -q "^Does not look good[.]$" out'
  holds 'grep -A 3 "^kcmp" out | grep -q "Operation not permitted"'
  holds 'grep -A 3 "^kcmp" out | grep -q "something forbids it"'
`,
)
