import { tryReadProcFile } from '../../kernel/proc/read.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'

/** What /proc/net tells of a socket that sock_diag may not know (CONFIG_INET_RAW_DIAG). */
export interface ProcSocket {
  /** As TCP_STATE: ESTABLISHED for a connected one. */
  readonly state: number
  /** Words of the address that it is connected to, as images have them. */
  readonly destination: readonly number[]
}

/** Sockets of a table like `raw6` of /proc/net, by inode; read once for each dump and namespace. */
export class ProcBook {
  readonly #table: string
  readonly #byDump = new WeakMap<DumpContext, Map<number, ReadonlyMap<number, ProcSocket>>>()

  constructor(table: string) {
    this.#table = table
  }

  of({ task, stat }: FdProbe, dump: DumpContext): ProcSocket | undefined {
    const byNamespace = this.#byDump.get(dump) ?? new Map<number, ReadonlyMap<number, ProcSocket>>()
    this.#byDump.set(dump, byNamespace)
    const id = task.ids?.net_ns_id ?? 0
    const known =
      byNamespace.get(id) ?? parseSockets(tryReadProcFile(`${task.proc}/net/${this.#table}`) ?? '')
    byNamespace.set(id, known)
    return known.get(Number(stat.ino))
  }
}

/** `sl local remote state tx:rx timer retransmits uid timeout inode`; addresses end with a port. */
export function parseSockets(text: string): Map<number, ProcSocket> {
  const lines = text.split('\n').slice(1)
  return new Map(
    lines.flatMap((line): [number, ProcSocket][] => {
      const words = line.trim().split(/\s+/)
      const [remote, state, inode] = [words[2], words[3], words[9]]
      if (remote === undefined || state === undefined || inode === undefined) return []
      const address = remote.split(':')[0]!.match(/.{8}/g) ?? []
      const destination = address.map((word) => parseInt(word, 16))
      return [[Number(inode), { state: parseInt(state, 16), destination }]]
    }),
  )
}
