# vim in a pseudoterminal: someone types lines and writes them.
run() { /usr/bin/python3 "$apps/terminal-workload.py" vim; }
progress() { grep -c '^ok' out; }
check() { ! grep -v '^ok' out; }
