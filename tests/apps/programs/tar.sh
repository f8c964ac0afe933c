# tar and gzip, over and over: what is unpacked at the end of the pipeline is what was packed.
prepare() {
  mkdir tree
  for i in 1 2 3 4 5 6 7 8; do
    mkdir "tree/$i"
    seq $((i * 9000)) | awk -v s=$i '{ print $1 * s, "line", $1 % 97 }' >"tree/$i/text"
    head -c 300000 /dev/urandom >"tree/$i/noise"
    ln "tree/$i/text" "tree/$i/link"
  done
}
run() {
  n=0
  until [ -e stop ]; do
    rm -rf copy
    mkdir copy
    tar cf - tree | gzip -6 | tee packed.tgz | gzip -d | tar xf - -C copy || return 1
    diff -r tree copy/tree || return 1
    gzip -t packed.tgz || return 1
    n=$((n + 1))
    echo "copy $n"
  done
}
moment() { cat /proc/[0-9]*/comm 2>/dev/null | grep -q '^gzip$'; }
check() { seq "$(wc -l <out)" | sed 's/^/copy /' | cmp - out && diff -r tree copy/tree; }
