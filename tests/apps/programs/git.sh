# git in a loop: each commit is there, and git finds nothing wrong with the repository.
prepare() {
  git init -q -b main repository
  git -C repository config user.name tester
  git -C repository config user.email tester@example.org
}
run() {
  n=0
  until [ -e stop ]; do
    n=$((n + 1))
    seq $n $((n + 200)) >"repository/file$((n % 7))"
    git -C repository add -A || return 1
    git -C repository commit -q -m "commit $n" || return 1
    [ $((n % 25)) != 0 ] || git -C repository repack -a -d -q || return 1
    echo "commit $n"
  done
}
step=2
check() {
  n=$(wc -l <out)
  seq "$n" | sed 's/^/commit /' | cmp - out || return 1
  git -C repository log --reverse --format=%s | cmp - out || return 1
  git -C repository fsck --full --strict && [ -z "$(git -C repository status --porcelain)" ]
}
