# xargs that keeps four short programs running at a time: dumps fall into their fork, exec and exit.
run() {
  seq 1000000 | until [ -e stop ]; do
    read -r i && echo "$i" || return 1
  done | xargs -P 4 -I{} sh -c '/bin/true && expr {} \* 2'
}
step=60
check() {
  n=$(wc -l <out)
  sort -n out >sorted
  seq 2 2 $((n * 2)) | cmp - sorted
}
