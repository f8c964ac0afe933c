import type { NetNamespace } from '../../kernel/netlink/namespace.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'

/**
 * What the kernel tells of the sockets of one family, by inode: asked once for each network namespace
 * and each dump, when the first of them is met.
 */
export class DiagBook<Told> {
  readonly #ask: (namespace: NetNamespace) => ReadonlyMap<number, Told>
  readonly #byDump = new WeakMap<DumpContext, Map<number, ReadonlyMap<number, Told>>>()

  constructor(ask: (namespace: NetNamespace) => ReadonlyMap<number, Told>) {
    this.#ask = ask
  }

  /** Undefined for what is in no table of the kernel: sockets that are not bound. */
  of(probe: FdProbe, dump: DumpContext): Told | undefined {
    const { task, stat } = probe
    const known = this.#byDump.get(dump) ?? new Map<number, ReadonlyMap<number, Told>>()
    this.#byDump.set(dump, known)
    const id = task.ids?.net_ns_id ?? 0
    const told = known.get(id) ?? this.#ask(`${task.proc}/ns/net`)
    known.set(id, told)
    return told.get(Number(stat.ino))
  }
}
