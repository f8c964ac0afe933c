import { bpf, mapInfoOf, programs, tryOpenMap } from '../../kernel/bpf.ts'
import { BPF, BPF_MAP_TYPE } from '../../kernel/constants/bpf.ts'
import { SO, SOL } from '../../kernel/constants/socket.ts'
import { bpfElement } from '../../kernel/layout/bpf.ts'
import { scratch } from '../../kernel/memory.ts'
import { tryGetInt, tryGetOption } from '../../kernel/socket-option.ts'
import { owned } from '../../kernel/sys.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'

/** BPF_PROG_TYPE_SK_REUSEPORT (linux/bpf.h). */
const SK_REUSEPORT = 21

const chosen = new WeakMap<DumpContext, ReadonlySet<bigint>>()

/**
 * Of sockets that share a port (SO_REUSEPORT), a program may choose who gets a packet. No socket tells of
 * its program (SO_ATTACH_REUSEPORT_EBPF); but those among which one chooses are in an array of its own,
 * by their cookies.
 */
export function refuseChosen(probe: FdProbe, dump: DumpContext): void {
  if (!tryGetInt(probe.local, SOL.SOCKET, SO.REUSEPORT)) return
  const all = chosen.get(dump) ?? new Set(cookies())
  chosen.set(dump, all)
  if (all.size === 0) return
  const cookie = tryGetOption(probe.local, SOL.SOCKET, SO.COOKIE, 8)
  if (!cookie || !all.has(Buffer.from(cookie).readBigUInt64LE())) return
  const what = `${nameSocket(probe.local)} among which a program chooses (SO_ATTACH_REUSEPORT_EBPF)`
  refuseFile(dump, probe, what, 'let the program detach it first (SO_DETACH_REUSEPORT_BPF)')
}

function* cookies(): Generator<bigint> {
  for (const { type, maps } of programs())
    if (type === SK_REUSEPORT) for (const id of maps) yield* cookiesIn(id)
}

function* cookiesIn(id: number): Generator<bigint> {
  using map = owned(tryOpenMap(id, 0))
  if (map.fd < 0) return
  const { type, value_size, max_entries } = mapInfoOf(map.fd)
  // With smaller values it tells of none.
  if (type !== BPF_MAP_TYPE.REUSEPORT_SOCKARRAY || value_size !== 8) return
  using s = scratch()
  const [key, value] = [s.take(4), s.take(8)]
  const attributes = bpfElement.encode({ map_fd: map.fd, key: key.address, value: value.address })
  for (let i = 0; i < max_entries; i++) {
    key.view.setUint32(0, i, true)
    if (bpf(BPF.MAP_LOOKUP_ELEM, attributes) === 0) yield value.view.getBigUint64(0, true)
  }
}
