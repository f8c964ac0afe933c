import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('an unlinked open file keeps its content, and stays unlinked', 'ghosts unlinked')
liveTest('an unlinked file keeps mode, owner and times', 'ghosts attributes')
liveTest('several opens of one unlinked file stay one file', 'ghosts shared')
liveTest('an unlinked file and another of the same name', 'ghosts name-taken', {
  // Its old name is another file's: for a moment it has one beside it, which the kernel goes on to tell.
  allow: '/name(\\.cr\\.1\\.ghost)? \\(deleted\\)',
})
liveTest('an unlinked name of a file with another hard link', 'ghosts hard-link', {
  dumpArgs: '--link-remap',
})
refusalTest('a hard link elsewhere is refused without --link-remap', 'ghosts hard-link', [
  'first.*link-remap|link-remap.*first',
])
liveTest('a sparse unlinked file stays sparse', 'ghosts sparse', { dumpArgs: '--ghost-limit 2G' })
liveTest('a sparse unlinked file whose extents are asked for', 'ghosts sparse', {
  dumpArgs: '--ghost-limit 2G --ghost-fiemap',
})
refusalTest('an unlinked file larger than 1 MiB is refused', 'ghosts size', ['ghost-limit'], {
  args: ['1100000'],
})
liveTest('a larger unlinked file with --ghost-limit', 'ghosts size', {
  args: ['3000000'],
  dumpArgs: '--ghost-limit 4M',
})
liveTest('an open directory that was removed', 'ghosts directory-gone')
liveTest('a current directory that was removed', 'ghosts current-directory-gone')
liveTest('an unlinked file whose directories are gone as well', 'ghosts path-gone')
liveTest('a file that never had a name', 'ghosts nameless', {
  // The kernel shows the number of its inode for a name.
  allow: '/#[0-9]+ \\(deleted\\)',
})
liveTest('an unlinked file on tmpfs', 'ghosts on-tmpfs')
liveTest('an unlinked file open for reading alone', 'ghosts read-only')
