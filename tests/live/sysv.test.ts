import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('a segment keeps id, key, size, mode, creator and content', 'sysv shm')
liveTest('a segment attached three times, once read-only', 'sysv shm-thrice')
liveTest('a removed segment lives as long as it is attached', 'sysv shm-removed')
liveTest('a removed segment and the one that has its key since', 'sysv shm-successor')
liveTest('a segment that children have by fork', 'sysv shm-tree')
liveTest('a segment attached by two on their own', 'sysv shm-apart')
liveTest('an attachment with a hole in it', 'sysv shm-hole')
liveTest('an attachment of which a part was moved', 'sysv shm-moved')
liveTest('an attachment by SHM_REMAP with three protections', 'sysv shm-remap')
liveTest('a locked segment stays locked', 'sysv shm-locked')
liveTest('a segment made by one user and given to another', 'sysv shm-owners')
liveTest('a segment that nobody has attached comes back with its content', 'sysv shm-unattached')
liveTest('a sparse segment stays sparse', 'sysv shm-sparse')
liveTest('who made a segment is gone, who attached it last is there', 'sysv shm-pids')
liveTest('forty segments keep each its own content', 'sysv shm-many')

liveTest('a set keeps id, key, values, mode and who changed them', 'sysv sem')
liveTest('what was taken with SEM_UNDO is undone at the end of the taker', 'sysv sem-undo')
liveTest('adjustments as large as they can be', 'sysv sem-extreme')
liveTest('adjustments are shared by the threads of a process', 'sysv sem-threads')
liveTest('a set that only an adjustment shows to be in use', 'sysv sem-adopted')
liveTest('four semaphores last changed by four processes', 'sysv sem-pids')
liveTest('a set made by one user and given to another', 'sysv sem-owners')
liveTest('a set of two thousand semaphores', 'sysv sem-large')
liveTest('a wait for a semaphore never ends in EINTR', 'sysv sem-wait-long')
liveTest('a wait for zero by semtimedop never ends in EINTR', 'sysv sem-wait-zero')
liveTest('a wait for a semaphore with SEM_UNDO goes on across all dumps', 'sysv sem-wait-once')
liveTest('a handler still ends a wait for a semaphore', 'sysv sem-wait-handler')

liveTest('a queue keeps id, key, mode and its messages in order', 'sysv msg')
liveTest('who sent to a queue last is gone, who received is there', 'sysv msg-pids')
liveTest('a queue made by one user and given to another, with a size of its own', 'sysv msg-owners')
liveTest('a wait for a message of one type goes on', 'sysv msg-wait')
liveTest('a full queue stays full, and its sender waits on', 'sysv msg-full')
liveTest('a thousand small messages', 'sysv msg-many')

const REMEDY = 'namespace of its own'
refusalTest('a segment attached outside the tree too', 'sysv shm-outside', [
  `System V shared memory [0-9]+ .key 0x5eed0001.: attached 2 times .*${REMEDY}`,
])
refusalTest('a set changed outside the tree too', 'sysv sem-outside', [
  `System V semaphore set [0-9]+ .key 0x5eed0001.: process [0-9]+ outside .*${REMEDY}`,
])
refusalTest('a queue used outside the tree too', 'sysv msg-outside', [
  `System V message queue [0-9]+ .key 0x5eed0001.: process [0-9]+ outside .*${REMEDY}`,
])
refusalTest('adjustments that two processes share', 'sysv undo-shared', [
  'semaphore adjustments shared with process [0-9]+',
])
refusalTest('adjustments in a set that the process may not change', 'sysv undo-denied', [
  'System V semaphore set [0-9]+, which it may not change',
])
