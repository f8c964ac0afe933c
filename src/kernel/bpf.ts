import { BPF } from './constants/bpf.ts'
import { bpfById, bpfInfo, bpfMapInfo, bpfProgInfo } from './layout/bpf.ts'
import { scratch } from './memory.ts'
import { checked, owned, sys } from './sys.ts'

/** bpf(2): its result, or −errno; `answer` gets what the kernel wrote into the attributes. */
export function bpf(
  command: number,
  attributes: Uint8Array,
  answer?: (view: DataView) => void,
): number {
  using s = scratch()
  const memory = s.put(attributes)
  const result = sys('bpf', command, memory.address, attributes.length)
  answer?.(memory.view)
  return result
}

export type MapInfo = ReturnType<typeof bpfMapInfo.decode>

/** What the kernel tells of a map, through any descriptor of it. */
export function mapInfoOf(fd: number): MapInfo {
  using s = scratch()
  const info = s.take(bpfMapInfo.size)
  const attributes = bpfInfo.encode({ bpf_fd: fd, info_len: bpfMapInfo.size, info: info.address })
  checked(bpf(BPF.OBJ_GET_INFO_BY_FD, attributes), 'BPF_OBJ_GET_INFO_BY_FD', { kind: 'BPF map' })
  return bpfMapInfo.decode(info.bytes)
}

/** A descriptor of the map with that id, or −errno. */
export const tryOpenMap = (id: number, flags: number): number =>
  bpf(BPF.MAP_GET_FD_BY_ID, bpfById.encode({ id, open_flags: flags }))

/** A program that is loaded, of a type (BPF_PROG_TYPE_…), with the ids of the maps that it uses. */
export interface LoadedProgram {
  readonly id: number
  readonly type: number
  readonly maps: readonly number[]
}

export function* programs(): Generator<LoadedProgram> {
  for (let id = nextProgram(0); id !== undefined; id = nextProgram(id)) {
    using program = owned(bpf(BPF.PROG_GET_FD_BY_ID, bpfById.encode({ id })))
    if (program.fd >= 0) yield { id, ...infoOf(program.fd) }
  }
}

function nextProgram(after: number): number | undefined {
  let next = 0
  const result = bpf(BPF.PROG_GET_NEXT_ID, bpfById.encode({ id: after }), (view) => {
    next = bpfById.read(view, 0).next_id
  })
  return result < 0 ? undefined : next
}

/** More than a program can use (MAX_USED_MAPS). */
const MOST_MAPS = 64

function infoOf(program: number): Omit<LoadedProgram, 'id'> {
  using s = scratch()
  const ids = s.take(4 * MOST_MAPS)
  const info = s.put(bpfProgInfo.encode({ nr_map_ids: MOST_MAPS, map_ids: ids.address }))
  const attributes = bpfInfo.encode({
    bpf_fd: program,
    info_len: bpfProgInfo.size,
    info: info.address,
  })
  if (bpf(BPF.OBJ_GET_INFO_BY_FD, attributes) < 0) return { type: 0, maps: [] }
  const { nr_map_ids, type } = bpfProgInfo.read(info.view, 0)
  const count = Math.min(nr_map_ids, MOST_MAPS)
  return { type, maps: Array.from({ length: count }, (_, i) => ids.view.getUint32(4 * i, true)) }
}
