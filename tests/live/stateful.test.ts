import { liveTest, refusalTest } from '../harness/live.ts'

const at = (fd: number, what: string): string => `process [0-9]+ .*fd ${fd}\\b.*${what}`

refusalTest('a program, a ring buffer and types of BPF', 'stateful bpf', [
  at(100, 'BPF program \\(anon_inode bpf-prog\\).*close it first'),
  at(101, 'BPF map \\(RINGBUF\\) of a type whose content cannot be read'),
  at(102, 'BPF type information'),
])
refusalTest('a performance counter', 'stateful counters', [at(112, 'performance counter')])
refusalTest('a context of a mount, and a mount that is nowhere', 'stateful mounts', [
  at(113, 'context of a mount to be'),
  at(114, '.'),
])
refusalTest('a virtual machine and its processor', 'stateful machine', [
  at(115, 'virtual machine \\(KVM\\)'),
  at(116, 'processor of a virtual machine'),
])
refusalTest('secret memory', 'stateful secret', [at(117, 'secret memory')])
refusalTest('devices with a state for each descriptor', 'stateful devices', [
  at(120, 'FUSE connection'),
  at(121, 'character device /dev/cpu_dma_latency \\(10:[0-9]+\\)'),
  at(122, 'character device /dev/vcs \\(7:0\\)'),
  at(123, 'character device /dev/vga_arbiter'),
  at(124, 'kmsg'),
])
refusalTest('a ruleset of Landlock and a listener of seccomp', 'stateful security', [
  at(110, 'ruleset of Landlock'),
  at(111, 'listener of a seccomp filter'),
])
liveTest('devices that are no more than a way to the machine', 'stateful stateless')
