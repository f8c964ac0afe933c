# tcpdump, whose ring is mapped, sees every datagram that is sent beside it, once and in order.
run() {
  bash -c '
    tcpdump -i lo -n -l -A udp dst port 40999 >seen 2>said &
    tcpdump=$!
    until grep -q listening said; do sleep 0.05; done
    i=0
    until [ -e stop ]; do
      i=$((i + 1))
      echo "number $i end" >/dev/udp/127.0.0.1/40999
      echo $i
      sleep 0.01
    done 2>/dev/null
    sleep 1.5
    kill -INT $tcpdump
    wait $tcpdump'
}
step=60
check() {
  grep -ao 'number [0-9]* end' seen | cut -d' ' -f2 >numbers
  # A datagram that nobody takes is refused by ICMP: the next write tells it, and sends nothing.
  sort -nu numbers | cmp - numbers || return 1
  [ "$(wc -l <numbers)" -gt 100 ] || return 1
  grep -q '^0 packets dropped by kernel' said
}
