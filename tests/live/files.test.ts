import { liveTest } from '../harness/live.ts'

liveTest('a file keeps its position', 'files position')
liveTest('a position far past the end stays there', 'files far-position')
liveTest('a file opened for appending appends', 'files append')
liveTest('read-only, write-only and both stay apart', 'files access-modes')
liveTest('O_NONBLOCK, O_DIRECT, O_NOATIME, O_SYNC and O_DSYNC are kept', 'files status-flags')
liveTest('O_CREAT, O_EXCL and O_TRUNC are not done again', 'files creation-flags')
liveTest(
  'duplicates and a child share one position, another open does not',
  'files shared-description',
  {
    allow: 'fd (4|50) pos',
  },
)
liveTest('two children share what their parent has closed', 'files shared-by-children')
liveTest('close-on-exec belongs to the descriptor', 'files cloexec')
liveTest('owner and signal of a file: a process, a group, a thread', 'files owner')
liveTest('the owner of a file keeps the ids it was set with', 'files owner-ids')
liveTest('two processes share one table of descriptors', 'files shared-table', {
  // The table is opened into and closed from all the time.
  allow: '^[0-9]+ fd [4-9] ',
})
liveTest('two processes share current directory and umask', 'files shared-fs')
liveTest('a directory read half way gives the rest', 'files directory')
liveTest('O_PATH of a file, a directory and a symbolic link', 'files path-only')
liveTest('/dev/null, zero, full, random and urandom', 'files devices')
liveTest('files under /proc: of the system, of the task, of its child', 'files proc-files')
liveTest('a file under /sys', 'files sys-file')
liveTest('a file renamed since it was opened', 'files renamed')
liveTest('a file whose directory was renamed and replaced', 'files renamed-parent')
liveTest('descriptors with high numbers', 'files high-numbers')
liveTest('a process without stdin, stdout and stderr', 'files no-stdio')
liveTest('a thousand descriptors, each with its position', 'files many')
liveTest('a file that its user may not open any more', 'files forbidden-since')
liveTest('a file that the subject writes on all the while', 'files growing', { allow: 'fd 4 pos' })
liveTest('a file on tmpfs', 'files tmpfs')
liveTest('the current directory', 'files working-directory')
liveTest('a changed root directory', 'files changed-root')
liveTest('a child in a chroot and its parent outside', 'files two-roots')
liveTest('a memfd with content, position and seals', 'files memfd')
liveTest('memfds with each seal, and with all', 'files memfd-seals')
liveTest('the running program itself, open as a file', 'files own-program')
liveTest('file names with spaces, line ends, and " (deleted)"', 'files odd-names')
