import { liveTest } from '../harness/live.ts'

liveTest('all resource limits, soft below hard', 'limits all')
liveTest('a child has limits of its own', 'limits of-child')
liveTest('limits of a plain user', 'limits of-user')
liveTest('limits below what is in use', 'limits below-use')
