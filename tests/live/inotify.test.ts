import { liveTest, refusalTest } from '../harness/live.ts'

/** What is removed comes back as another inode. */
const allow = 'inotify wd:'

liveTest('inotify instances without watches, and their flags', 'notify instances')
liveTest('a watched directory tells what is made, moved, removed', 'notify directory')
liveTest('a watched file tells of writes, attributes, its end', 'notify file')
liveTest('watches keep their numbers, gaps in between', 'notify gaps')
liveTest('one-shot, excluded, added and all events', 'notify masks')
liveTest('watched files that were moved, others in their place', 'notify moved')
liveTest('a watched file that is removed, but open', 'notify removed', { allow })
liveTest('a watched directory that is removed, but current', 'notify removed-cwd', { allow })
liveTest('a watched file of a tmpfs', 'notify temporary')
liveTest('watches in procfs, sysfs and devpts', 'notify pseudo')
liveTest('a watched symbolic link, and what it leads to', 'notify symlinked')
liveTest('a child waits for an event of an inotify in common', 'notify waiting')
liveTest('poll waits for an inotify', 'notify polled')
liveTest('five hundred watches', 'notify many')
liveTest('two inotify instances watch the same directory', 'notify two-instances')
liveTest('paths of watches found by force', 'notify moved', { dumpArgs: '--force-irmap' })
liveTest('paths of watches found by force, in a directory that is named', 'notify moved', {
  dumpArgs: '--force-irmap --irmap-scan-path /tmp',
})
refusalTest('an inotify with events that nobody has read', 'notify unread', [
  'process [0-9]+ .*fd 100\\b.*inotify instance with events to be read \\(32 bytes\\)',
])
