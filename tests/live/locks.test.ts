import { liveTest, refusalTest } from '../harness/live.ts'

const dumpArgs = '--file-locks'
const restoreArgs = '--file-locks'

/** Files that have another inode after a restore, and of which fdinfo so shows other locks. */
const ANEW = ['flock-others', 'unlinked', 'flock-left-to-child', 'lease-unlinked']

/** A subject whose locks must be there after each restore, as its own checks and fdinfo have them. */
function lockTest(title: string, mode: string, ...args: string[]): void {
  const allow = ANEW.includes(mode) ? { allow: ' lock: ' } : {}
  liveTest(title, `locks ${mode}`, { dumpArgs, restoreArgs, args, ...allow })
}

lockTest('a POSIX lock of a whole file', 'posix-whole')
lockTest('POSIX locks of ranges, past 4 GiB and to the end', 'posix-ranges')
lockTest('thousands of POSIX locks', 'posix-many')
lockTest('POSIX locks of a file that is mapped as well', 'posix-mapped')
lockTest('POSIX locks as SQLite has them in WAL mode', 'posix-wal')
lockTest('POSIX locks of several processes: each reports its own pid', 'posix-processes')
lockTest('a POSIX lock of two processes with one table of descriptors', 'posix-shared-table')
lockTest('a POSIX lock through an inherited descriptor', 'posix-inherited')
lockTest('POSIX locks through duplicates and several descriptions', 'posix-duplicates')
lockTest('one that waits for a POSIX lock goes on waiting', 'posix-waiting')
lockTest('one that waits for flock goes on waiting', 'flock-waiting')
lockTest('an exclusive lock by flock', 'flock-exclusive')
lockTest('shared locks by flock through two descriptions', 'flock-shared')
lockTest('flock through a duplicate', 'flock-duplicate')
lockTest('flock of a description that parent and child have', 'flock-inherited')
lockTest('flock of a directory, a fifo, a memfd', 'flock-others')
lockTest('open file description locks of ranges', 'ofd-ranges')
lockTest('open file description locks of two descriptions of a process', 'ofd-descriptions')
lockTest('open file description locks of parent and child', 'ofd-inherited')
lockTest('all kinds of locks on one file', 'mixed')
lockTest('locks of unlinked files', 'unlinked')
// The pid that the kernel shows with it is of the one that took it: now of one that has it.
lockTest('flock that only the child has by now', 'flock-left-to-child')
lockTest('locks and a lease of another user', 'of-user')
lockTest('a read lease: readers pass, a writer breaks it', 'lease-read')
lockTest('write leases', 'lease-write')
lockTest('a lease with a signal of its own, which tells the descriptor', 'lease-signal')
lockTest('a lease whose holder is not to be told', 'lease-unowned')
lockTest('a lease of a description that parent and child have', 'lease-inherited')
lockTest('a read lease of a file that is mapped as well', 'lease-mapped', 'r')
lockTest('a write lease that is to be given up: its holder is told once', 'lease-breaking', 'g')
lockTest('a write lease that is to be downgraded', 'lease-breaking', 'd')
lockTest('a read lease that is to be given up', 'lease-breaking', 'r')
lockTest('a write lease, to be given up, of one who reads', 'lease-breaking', 'w')
lockTest('leases of unlinked files', 'lease-unlinked')
lockTest('one that waits in open for a lease to be given up', 'lease-waiting', 'g')
lockTest('one that waits in open for a lease to be downgraded', 'lease-waiting', 'd')

refusalTest('without --file-locks each lock is refused by name', 'locks mixed', [
  'fd [0-9]+: file lock \\(POSIX, write\\) of bytes 0 to 9; use --file-locks',
  'fd [0-9]+: file lock \\(open file description, read\\) of bytes 20 to 29',
  'fd [0-9]+: file lock \\(flock, write\\)',
])
refusalTest('a write lease of a mapped file', 'locks lease-mapped', ['lease \\(write\\).*mapped'], {
  dumpArgs,
  args: ['w'],
})
refusalTest(
  'a lock of a file that only a message holds',
  'locks in-flight',
  ['file lock \\(flock, write\\) of a file that only a message holds'],
  { dumpArgs },
)
