# A tmux server with two panes: each a pseudoterminal with a shell, and a client by a Unix socket.
prepare() {
  for pane in 1 2; do
    cat >"pane$pane.sh" <<EOF
i=0
while [ ! -e stop ]; do
  i=\$((i + 1))
  echo "pane $pane line \$i"
  echo \$i >count$pane
  sleep 0.01
done
EOF
  done
  cat >tmux.conf <<EOF
set -g exit-empty on
new-session -d -s main -x 80 -y 24 'sh pane1.sh'
split-window -t main 'sh pane2.sh'
EOF
}
# The server reads its configuration when the first client comes.
run() {
  { until [ -S socket ]; do sleep 0.05; done; tmux -S "$PWD/socket" list-sessions; } >/dev/null &
  SHELL=/bin/sh tmux -D -S "$PWD/socket" -f tmux.conf
}
progress() { cat count1 count2 2>/dev/null | sort -n | awk 'NR == 1 { n = $1 } END { print NR == 2 ? n : 0 }'; }
alive_panes() { tmux -S "$PWD/socket" list-panes -t main | wc -l; }
moment() {
  [ "$(alive_panes)" = 2 ] && tmux -S "$PWD/socket" capture-pane -p -t main.1 | grep -q '^pane 2 line'
}
step=5
check() { [ "$(progress)" -ge 5 ]; }
