import { scenario } from './scenario.ts'

/**
 * A client outside of the tree stays connected to a server in it, over dump and restore, and hears
 * nothing of it but silence. All in a network namespace of its own, and with nft and iptables-save as
 * witnesses.
 */

const setUp = `
[ -n "\${IN_NET:-}" ] || IN_NET=1 exec unshare --net bash "$0"
ip link set lo up
cat >server.py <<'PY'
import socket, sys, threading
def echo(s):
    while data := s.recv(4096): s.sendall(data)
def listen(family, address):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, 7000)); s.listen(9)
    return s
both = [listen(socket.AF_INET, '127.0.0.1'), listen(socket.AF_INET6, '::1')]
print('listens', flush=True)
peers = [s.accept()[0] for s in both]
for s in both: s.close()
threads = [threading.Thread(target=echo, args=(s,)) for s in peers]
for t in threads: t.start()
for t in threads: t.join()
PY
cat >client.py <<'PY'
import socket, sys, time
s = socket.create_connection((sys.argv[1], 7000))
n = 0
try:
    while True:
        n += 1
        line = b'%d\\n' % n
        s.sendall(line)
        if s.recv(len(line), socket.MSG_WAITALL) != line: raise OSError('another answer')
        print(n, flush=True)
        time.sleep(0.02)
except OSError as e:
    print('LOST', e, flush=True)
PY
start() {
  : >server.out
  setsid python3 server.py </dev/null >server.out 2>&1 & pid=$!
  disown
  within 10 'grep -q listens server.out'
  python3 client.py 127.0.0.1 >client4 2>&1 & clients=$!
  python3 client.py ::1 >client6 2>&1 & clients="$clients $!"
  flows
}
# Both clients have further answers.
flows() {
  local a b
  a=$(tail -n 1 client4) b=$(tail -n 1 client6)
  within 20 '[ "$(tail -n 1 client4)" != "'"$a"'" ] && [ "$(tail -n 1 client6)" != "'"$b"'" ]'
  ! grep -q LOST client4 client6 || failed "a client was cut off: $(tail -n 1 client4 client6)"
}
stands() {
  local a
  sleep 0.2; a=$(tail -n 1 client4 client6); sleep 0.6
  [ "$a" = "$(tail -n 1 client4 client6)" ] || failed "packets pass"
  ! grep -q LOST client4 client6 || failed "a client was cut off: $(tail -n 1 client4 client6)"
}
# Resets that were sent to anybody are counted before any lock sees them.
nft -f - <<'NFT'
table inet watch {
  chain in { type filter hook input priority -400; tcp flags rst counter; }
  chain out { type filter hook output priority -400; tcp flags rst counter; }
}
NFT
no_reset() {
  [ "$(nft list table inet watch | grep -c 'packets 0 ')" = 2 ] || failed "a reset: $(nft list table inet watch)"
}
rules() { { nft list ruleset; iptables-save; ip6tables-save; } 2>/dev/null; }
is_locked() { rules | grep -q CRIU- || failed "no rules"; }
is_unlocked() { ! rules | grep CRIU- || failed "rules are left"; }
finish() { kill $clients; within 10 '[ ! -e /proc/$pid ]'; is_unlocked; }
mkdir images
common="--tcp-established -v4 -o $dir/job.log"
`

for (const method of ['nftables', 'iptables'] as const) {
  const lock = `--network-lock ${method}`

  scenario(
    `${method}: clients outside of the tree stay connected over dump and restore, and see no reset`,
    `${setUp}
start
works dump -t $pid -D images ${lock} $common --leave-running
is_unlocked
flows
for round in 1 2; do
  rm -rf images; mkdir images
  works dump -t $pid -D images ${lock} $common
  gone
  is_locked
  stands
  works restore -D images ${lock} $common -d
  is_unlocked
  flows
done
no_reset
finish`,
    120,
  )

  // nf_tables can be told by whoever outlives the dump; rules of iptables wait for the next criu.
  const [killed, told] =
    method === 'nftables'
      ? ["within 5 '! rules | grep -q CRIU-'", '']
      : ['is_locked\nstands', `grep -q 'removed CRIU-' job.log || failed "not a word of it"`]
  scenario(
    `${method}: a dump that fails unlocks; of one that is killed no lock stays, at the latest until the next command`,
    `${setUp}
cat >act <<'SH'
#!/bin/sh
[ "$CRTOOLS_SCRIPT_ACTION" = "$WHEN" ] || exit 0
[ "$HOW" = fail ] && exit 1
kill -9 $PPID
sleep 1
SH
chmod +x act
start
export WHEN=post-dump HOW=fail
refuses 'action script' dump -t $pid -D images ${lock} $common --action-script $dir/act
is_unlocked
flows
HOW=kill criu dump -t $pid -D images ${lock} $common --action-script $dir/act && failed "it was not killed"
${killed}
rm -rf images; mkdir images other
sleep 1000 </dev/null >sleep.out 2>&1 & other=$!
HOW= works dump -t $other -D other -R -v4 -o $dir/job.log --shell-job
is_unlocked
${told}
flows
no_reset
kill $other
finish`,
    120,
  )

  scenario(
    `${method}: a restore that fails leaves the connections locked, and a later one works`,
    `${setUp}
printf '#!/bin/sh\\n[ "$CRTOOLS_SCRIPT_ACTION" != post-restore ]\\n' >act
chmod +x act
start
works dump -t $pid -D images ${lock} $common
gone
refuses 'action script' restore -D images $common -d --action-script $dir/act
gone
is_locked
stands
works restore -D images $common -d
flows
no_reset
finish`,
    120,
  )
}

scenario(
  'without iptables the dump says what to do, and without a choice nf_tables is taken',
  `${setUp}
start
for name in iptables-restore ip6tables-restore; do
  mount --bind /dev/null "$(readlink -f "$(command -v $name)")"
done
refuses 'no program ip6?tables-restore; install iptables, or use --network-lock' dump -t $pid -D images --network-lock iptables $common
nothing_in images
flows
works dump -t $pid -D images $common
gone
nft list ruleset | grep -q CRIU- || failed "no rules"
works restore -D images $common -d
! nft list ruleset | grep CRIU- || failed "rules are left"
flows
no_reset
kill $clients`,
  120,
)

scenario(
  'skip: nothing is locked',
  `${setUp}
start
works dump -t $pid -D images --network-lock skip $common -R
is_unlocked
flows
finish`,
)
