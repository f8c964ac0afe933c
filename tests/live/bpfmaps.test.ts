import { liveTest, refusalTest } from '../harness/live.ts'

/** A map that is made anew has another id. */
const allow = ' map_id: '

liveTest('a hash map with hundreds of elements, and an empty one', 'bpfmaps hash', { allow })
liveTest('an array map', 'bpfmaps array', { allow })
liveTest('a map with a value for each CPU', 'bpfmaps per-cpu', { allow })
liveTest('a trie of prefixes', 'bpfmaps trie', { allow })
liveTest('a frozen map stays frozen', 'bpfmaps frozen', { allow })
liveTest('one map, open for reading, for writing, for both', 'bpfmaps access', { allow })
liveTest('parent and child talk by a map', 'bpfmaps shared', { allow })
refusalTest('a map of a type that cannot be read', 'bpfmaps queue', [
  'process [0-9]+ .*fd 100\\b.*BPF map jobs \\(QUEUE\\) of a type',
])
refusalTest('a program, and a map that it uses', 'bpfmaps program', [
  'process [0-9]+ .*fd 100\\b.*BPF map used \\(ARRAY\\) used by program',
  'process [0-9]+ .*fd 101\\b.*bpf-prog',
])
