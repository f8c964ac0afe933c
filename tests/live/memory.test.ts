import { liveTest } from '../harness/live.ts'

liveTest('private anonymous memory', 'memory private')
liveTest('a few pages in 4 GiB of untouched ones', 'memory sparse')
liveTest('every second page used', 'memory checkered')
liveTest('memory shared with a child is shared again', 'memory shared')
liveTest(
  'memory shared by two branches of the tree, but not by the root',
  'memory shared-by-unrelated',
)
liveTest('one shared memory mapped three times in one process', 'memory shared-twice')
liveTest('the middle piece of a shared memory', 'memory shared-piece')
liveTest('private and shared mappings of /dev/zero', 'memory dev-zero')
liveTest('a private file mapping: changed pages and those of the file', 'memory private-file')
liveTest('a shared file mapping writes to its file', 'memory shared-file')
liveTest('a shared mapping of a file opened read-only stays so', 'memory shared-read-only')
liveTest('a private mapping of a deleted file', 'memory deleted-file', { args: ['0'] })
liveTest('a shared mapping of a deleted file', 'memory deleted-file', { args: ['1'] })
liveTest('a deleted file, open and mapped', 'memory deleted-file', { args: ['1', 'open'] })
liveTest('a mapping of a renamed file', 'memory renamed-file')
liveTest('one file in pieces of all protections', 'memory pieces-of-file')
liveTest('a shared mapping past the end of its file', 'memory past-the-end', { args: ['1'] })
liveTest('a private mapping past the end of its file', 'memory past-the-end', { args: ['0'] })
liveTest('a file mapping at an offset past 4 GiB', 'memory far-offset')
liveTest('a shared memfd mapping, its descriptor open', 'memory memfd', { args: ['1', '0'] })
liveTest('a shared memfd mapping, its descriptor closed', 'memory memfd', { args: ['0', '0'] })
liveTest('a private memfd mapping', 'memory memfd', { args: ['1', '1'] })
liveTest('a memfd between three processes', 'memory memfd-shared')
liveTest('a mapping of a file on tmpfs', 'memory tmpfs-file', { args: ['0'] })
liveTest('a mapping of a deleted file on tmpfs', 'memory tmpfs-file', { args: ['1'] })
liveTest('the stack goes on growing', 'memory stack-grows', {
  allow: '\\[stack\\]|vmflags 7ff.* gd',
})
liveTest('a mapping that grows down', 'memory grows-down')
liveTest('the heap keeps its bytes, grows and shrinks', 'memory heap')
liveTest('guard pages inside a mapping (MADV_GUARD_INSTALL)', 'memory guard-pages')
liveTest('guard pages inside a file mapping', 'memory file-guard-pages')
liveTest('memory without access rights keeps its bytes', 'memory no-access')
liveTest('write-only memory', 'memory write-only')
liveTest('shared memory without access rights keeps its bytes', 'memory shared-no-access')
liveTest('executable memory, also execute-only', 'memory executable')
liveTest('the program has changed its own text', 'memory own-text')
for (const [name, number, flag] of [
  ['MADV_RANDOM', '1', 'rr'],
  ['MADV_SEQUENTIAL', '2', 'sr'],
  ['MADV_DONTFORK', '10', 'dc'],
  ['MADV_MERGEABLE', '12', 'mg'],
  ['MADV_HUGEPAGE', '14', 'hg'],
  ['MADV_NOHUGEPAGE', '15', 'nh'],
  ['MADV_DONTDUMP', '16', 'dd'],
  ['MADV_WIPEONFORK', '18', 'wf'],
] as const)
  liveTest(`${name} stays advised`, 'memory advice', { args: [number, flag] })
liveTest('DONTFORK and WIPEONFORK work in a fork after restore', 'memory fork-advice')
liveTest('DONTFORK and WIPEONFORK with a child that lives already', 'memory fork-advice-before')
liveTest('mlock and mlock2 with MLOCK_ONFAULT', 'memory locked')
liveTest('mlockall for what comes', 'memory locked-future')
liveTest('a mapping sealed by mseal', 'memory sealed')
liveTest('mappings above and below each other without a gap', 'memory adjacent')
liveTest('four thousand mappings', 'memory many-mappings', { args: ['2000'] })
liveTest('the lowest and the highest page', 'memory edges')
liveTest('copy-on-write pages stay shared: Pss grows by 5% at most', 'memory copy-on-write', {
  // The parent may be looking at a child's pages at that moment.
  allow: ' fd [0-9]+ (->|pos|flags|mnt_id)',
})
liveTest('a child has moved and unmapped what it had from its parent', 'memory cow-shuffled')
liveTest('a child keeps what its parent has unmapped', 'memory cow-parent-dropped')
liveTest('huge pages, one of them split', 'memory huge-pages')
liveTest('a mapping that was moved and grown', 'memory moved')
liveTest('the vDSO tells the time', 'memory vdso')
liveTest('memory that changes all the while', 'memory busy')
