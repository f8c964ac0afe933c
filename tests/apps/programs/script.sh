# script copies what a shell prints on a pseudoterminal, whose both sides are in the tree.
run() {
  SHELL=/bin/sh script -qfc '
    i=0
    while [ ! -e stop ]; do
      i=$((i + 1))
      echo "line $i on $(tty)"
      sleep 0.01
    done' typescript
}
prepare() { : >typescript; }
progress() { grep -c '^line' typescript; }
step=5
check() {
  grep '^line' typescript | tr -d '\r' | awk '
    $2 != NR { print "line " $2 " comes as " NR; exit 1 }
    NR == 1 { terminal = $4 }
    $4 != terminal { print "terminal " $4 ", was " terminal; exit 1 }
    END { if (NR < 5) { print NR " lines alone"; exit 1 } }'
}
