import { liveTest } from '../harness/live.ts'

liveTest('a plain user in four groups', 'credentials user')
liveTest('real, effective and saved ids differ', 'credentials ids-differ')
liveTest('filesystem ids differ from the others', 'credentials fs-ids')
liveTest('no supplementary groups', 'credentials no-groups')
liveTest('sixty-four supplementary groups', 'credentials many-groups')
liveTest('permitted, effective and inheritable capabilities', 'credentials capabilities')
liveTest('root without any capability', 'credentials no-capabilities')
liveTest('a smaller bounding set', 'credentials bounding')
liveTest('ambient capabilities', 'credentials ambient')
liveTest('a plain user with a capability', 'credentials user-with-capability')
for (const [name, bits] of [
  ['NOROOT, locked', '3'],
  ['NO_SETUID_FIXUP', '4'],
  ['NOROOT, NO_SETUID_FIXUP and NO_CAP_AMBIENT_RAISE', '69'],
] as const)
  liveTest(`securebits: ${name}`, 'credentials securebits', { args: [bits] })
liveTest('keep-caps', 'credentials keep-caps')
liveTest('no_new_privs', 'credentials no-new-privs')
liveTest('a process that was made undumpable', 'credentials dumpable', { args: ['0'] })
liveTest('a process that is undumpable since its ids changed', 'credentials user-undumpable')
liveTest('each thread has ids, capabilities and bits of its own', 'credentials per-thread')
liveTest('an unprivileged child of root', 'credentials child-of-root')
