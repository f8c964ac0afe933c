import { refusalTest } from '../harness/live.ts'

/** A line of the report: process, command, descriptor, what it is. */
const at = (fd: number, what: string): string => `process [0-9]+ .*fd ${fd}\\b.*${what}`

const SOCKETS = [
  at(102, 'unix socket renamed, whose file has another name by now'),
  at(103, 'socket .AF_VSOCK, SOCK_STREAM'),
  at(104, 'socket .AF_XDP, SOCK_RAW'),
  at(105, 'socket .AF_INET, SOCK_STREAM, IPPROTO_MPTCP'),
]
const OTHERS = [at(121, 'perf'), at(123, '(fscontext|fsopen|file system)')]

refusalTest('sockets of four kinds, each named', 'refused sockets', SOCKETS)
refusalTest('an epoll that watches what nobody has open any more', 'refused lost-target', [
  at(111, 'eventpoll with descriptor 199,.* no process'),
])
refusalTest('a signalfd and the epoll that watches it, apart', 'refused lone-signalfd', [
  at(111, 'eventpoll with signalfd 199,'),
])
refusalTest('perf event, fsopen', 'refused others', OTHERS)
refusalTest('character devices with a state of their own', 'refused devices', [
  at(130, '(fuse|10:229|device)'),
  at(133, '(kmsg|1:11|device)'),
])
for (const [name, letter] of [
  ['a POSIX lock', 'p'],
  ['an open file description lock', 'o'],
  ['a lock by flock', 'f'],
  ['a lease', 'l'],
] as const)
  refusalTest(`${name} is refused without --file-locks`, 'refused file-lock', ['[Ll](ock|ease)'], {
    args: [letter],
  })
refusalTest('a mapping of secret memory', 'refused secret-memory', ['process [0-9]+ .*secret'])
refusalTest('a fifo whose other end is outside the tree', 'refused outside-fifo', [at(140, 'fifo')])
for (const [name, flag] of [
  ['mount', '20000'],
  ['UTS', '4000000'],
  ['IPC', '8000000'],
  ['network', '40000000'],
  ['cgroup', '2000000'],
  ['user', '10000000'],
] as const)
  refusalTest(`a child in another ${name} namespace`, 'refused namespace', ['namespace'], {
    args: [flag],
  })
refusalTest('a process that is traced by another', 'refused traced', [
  'process [0-9]+ .*(trac|debug)',
])
refusalTest('two processes in one address space', 'refused shared-address-space', [
  'process [0-9]+ .*(memory|address space|CLONE_VM)',
])
refusalTest(
  'a thread with descriptors of its own',
  'refused thread-apart',
  ['process [0-9]+ .*descriptor'],
  {
    args: ['400'],
  },
)
refusalTest(
  'a thread with a directory of its own',
  'refused thread-apart',
  ['process [0-9]+ .*director'],
  {
    args: ['200'],
  },
)
refusalTest('all objects of parent and child in one report', 'refused all', [...SOCKETS, ...OTHERS])
