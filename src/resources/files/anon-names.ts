/**
 * What stands behind the names of anonymous inodes that no kind restores, by the subsystem that they
 * are of (anon_inode_getfile in the kernel's sources), and why.
 */
const known: readonly (readonly [name: RegExp, what: string, why: string])[] = [
  [/^perf_event$/, 'performance counter', 'it counts for the kernel, which takes no count back'],
  [/^bpf-prog$/, 'BPF program', 'the kernel does not give back the code that was loaded'],
  [/^bpf_link$/, 'attachment of a BPF program', 'it holds a program that cannot be loaded again'],
  [/^btf$/, 'BPF type information', 'its number in the kernel cannot be chosen'],
  [/^bpf_iter$/, 'BPF iterator', 'its place in the iteration cannot be set'],
  [/^bpf-token$/, 'BPF token', 'it belongs to a mount of a user namespace'],
  [/^kvm-vm$/, 'virtual machine (KVM)', 'only its owner knows all of its state'],
  [/^kvm-vcpu/, 'processor of a virtual machine (KVM)', 'only its owner knows all of its state'],
  [/^kvm-/, 'device of a virtual machine (KVM)', 'only its owner knows all of its state'],
  [/^landlock-ruleset$/, 'ruleset of Landlock', 'the kernel does not show its rules'],
  [/^seccomp notify$/, 'listener of a seccomp filter', 'a filter that is there takes no listener'],
  [/^fscontext$/, 'context of a mount to be (fsopen)', 'the kernel does not show its parameters'],
  [/^vfio/, 'device given to user space (VFIO)', 'the state of hardware cannot be saved'],
  [/^iommufd/, 'address space of devices (iommufd)', 'the state of hardware cannot be saved'],
  [/^sync_file$/, 'fence of a device (sync_file)', 'it waits for work of hardware'],
  [
    /^(syncobj_file|drm|i915|xe)/,
    'object of a graphics device',
    'the state of hardware cannot be saved',
  ],
  [/^(gpio|iio|rtc|infiniband)/, 'events of a device', 'the state of hardware cannot be saved'],
  [/^ntsync/, 'synchronisation object (ntsync)', 'its state cannot be read without changing it'],
  [/^io_uring$/, 'io_uring', 'it cannot be dumped as it is now'],
  [/^dma-buf$|^dmabuf$/, 'buffer of a device (dma-buf)', 'it is memory of hardware'],
]

export interface AnonObject {
  readonly what: string
  readonly why: string | undefined
}

/** `anon_inode [perf_event], a performance counter`. */
export function describeAnon(name: string): AnonObject {
  const [, what, why] = known.find(([pattern]) => pattern.test(name)) ?? []
  const inode = `anon_inode ${name}`
  return what === undefined ? { what: inode, why } : { what: `${what} (${inode})`, why }
}
