# sqlite3, a rollback journal, one transaction after another: none that was confirmed is lost.
prepare() { sqlite3 test.db 'CREATE TABLE t (n INTEGER PRIMARY KEY, square INTEGER, text BLOB);'; }
run() {
  n=0
  until [ -e stop ]; do
    n=$((n + 1))
    echo "BEGIN; INSERT INTO t VALUES ($n, $n * $n, randomblob(2000)); UPDATE t SET text = randomblob(1000) WHERE n = $n - 3; COMMIT; SELECT 'committed', $n;"
    sleep 0.02
  done | sqlite3 -bail test.db
}
step=40
# SQLite locks its file during a transaction.
options=--file-locks
check() {
  [ ! -s err ] || { cat err; return 1; }
  n=$(tail -n 1 out | cut -d'|' -f2)
  seq "$n" | sed 's/^/committed|/' | cmp - out || return 1
  [ "$(sqlite3 test.db 'PRAGMA integrity_check')" = ok ] || return 1
  [ "$(sqlite3 test.db 'SELECT count(*), sum(square = n * n), max(n) FROM t')" = "$n|$n|$n" ]
}
