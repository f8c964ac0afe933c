"""
A writer and readers of one database in WAL mode, each a process. Reader 0 stays in one transaction, and
must see what was there when it began; the others begin anew all the time.
"""
import os
import sqlite3
import sys
import time

parent = os.getpid()


def database():
    one = sqlite3.connect('test.db', isolation_level=None, timeout=60)
    one.execute('PRAGMA synchronous = NORMAL')
    return one


def say(name, text):
    with open(name + '.new', 'w') as file:
        file.write(str(text))
    os.rename(name + '.new', name)


def going_on():
    while not os.path.exists('stop') and os.getppid() in (parent, 1):
        yield
        time.sleep(0.002)


def write():
    one = database()
    n = one.execute('SELECT count(*) FROM t').fetchone()[0]
    for _ in going_on():
        n += 1
        one.execute('BEGIN IMMEDIATE')
        one.execute('INSERT INTO t VALUES (?, ?, randomblob(500))', (n, n * n))
        one.execute('UPDATE sums SET count = ?, squares = squares + ?', (n, n * n))
        one.execute('COMMIT')
        say('written', n)
        if n % 500 == 0:
            one.execute('PRAGMA wal_checkpoint(PASSIVE)')


def look(one):
    row = one.execute('SELECT count(*), total(square) FROM t').fetchone()
    assert row == one.execute('SELECT count, squares FROM sums').fetchone(), row
    return row[0]


def read(number):
    one = database()
    seen = rounds = 0
    if number == 0:
        one.execute('BEGIN')
        seen = look(one)
    for _ in going_on():
        if number == 0:
            assert look(one) == seen
        else:
            one.execute('BEGIN')
            now = look(one)
            one.execute('COMMIT')
            assert now >= seen, (now, seen)
            seen = now
        rounds += 1
        say(f'read{number}', rounds)


one = database()
assert one.execute('PRAGMA journal_mode = WAL').fetchone() == ('wal',)
one.execute('CREATE TABLE t (n INTEGER PRIMARY KEY, square INTEGER, text BLOB)')
one.execute('CREATE TABLE sums AS SELECT 0 AS count, 0.0 AS squares')
one.close()
for work in [write] + [lambda n=n: read(n) for n in range(3)]:
    if os.fork() == 0:
        work()
        os._exit(0)
failed = 0
for _ in range(4):
    failed += os.wait()[1] != 0
sys.exit(failed)
