# bash with job control in a pseudoterminal: someone types, bash runs pipelines, stops and continues them.
run() { /usr/bin/python3 "$apps/terminal-workload.py" jobs; }
progress() { grep -c '^ok' out; }
check() { ! grep -v '^ok' out; }
