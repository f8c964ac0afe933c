import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('fanotify groups and their flags', 'notify groups')
liveTest('marks on directories and files', 'notify inode-marks')
liveTest('a mark on a mount', 'notify mount-mark')
liveTest('marks on whole file systems', 'notify file-system-mark')
liveTest('what is ignored, for ever or until it changes', 'notify ignored')
liveTest('a group in common of parent and child', 'notify group-shared')
refusalTest('a fanotify group with events that nobody has read', 'notify group-unread', [
  'process [0-9]+ .*fd 100\\b.*fanotify group with events to be read',
])
refusalTest('a fanotify group that is asked for permission', 'notify group-permission', [
  'process [0-9]+ .*fd 100\\b.*fanotify group that is asked for permission',
])
