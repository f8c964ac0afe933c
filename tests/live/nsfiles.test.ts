import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('open namespaces of the process itself, of every type', 'nsfiles own')
liveTest('an open namespace keeps its flags, and is one description', 'nsfiles flags')
refusalTest('an open namespace that nobody is in', 'nsfiles empty', [
  'process [0-9]+ .*fd 100\\b.*namespace uts:\\[[0-9]+\\], which no process of the tree is in',
])
