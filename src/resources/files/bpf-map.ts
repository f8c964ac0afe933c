import { make } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { bpf, type MapInfo, mapInfoOf, programs, tryOpenMap } from '../../kernel/bpf.ts'
import { BPF, BPF_F, BPF_MAP_TYPE } from '../../kernel/constants/bpf.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { bpfMapCreate } from '../../kernel/layout/bpf.ts'
import { fdInfoValue } from '../../kernel/proc/fdinfo.ts'
import { trySysctlText } from '../../kernel/proc/system.ts'
import { checked, close, owned } from '../../kernel/sys.ts'
import { type FileId, type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { connectOwner } from './async.ts'
import { fillMap, hasPlainContent, type MapContent, readMap } from './bpf-content.ts'
import { partOf } from './entry-part.ts'
import { ownerOf, restoreSignal } from './owner.ts'
import { refuseFile } from './refuse.ts'

type MapEntry = Messages['bpfmap_file_entry']

/** BPFMAP of fd_types. */
const TYPE = 19
/** Field of ours: the boot in which the map had its id. */
const BOOT = 15000

/** The content of each map, by its id: several descriptions may be of one. */
const found = new WeakMap<DumpContext, Map<number, MapContent>>()

/** Maps of BPF with their content; those of the types that hold plain keys and values. */
export const bpfMap: FdKind = {
  tag: 'bpf-map',
  type: TYPE,
  recognise: ({ link }) => link.kind === 'anon' && link.name === 'bpf-map',
  dump(probe, id, dump) {
    const info = mapInfoOf(probe.local)
    const refusal = whyRefused(info)
    if (refusal) {
      const what = `BPF map ${nameOf(info)}(${typeName(info.type)}) ${refusal}`
      refuseFile(dump, probe, what, 'let the program close it first')
      return undefined
    }
    const maps = found.get(dump) ?? new Map<number, MapContent>()
    found.set(dump, maps)
    // Anew by its id, since the descriptor may be for writing alone.
    using reader = owned(checked(tryOpenMap(info.id, 0), 'BPF_MAP_GET_FD_BY_ID'))
    if (!maps.has(info.id)) maps.set(info.id, readMap(reader.fd, info))
    return { bpf: entryOf(probe, id, info, dump) }
  },
  finishDump(dump) {
    const maps = [...(found.get(dump) ?? [])]
    const toWrite = maps.map(([map_id, { keys, values, count }]) => ({
      entry: { map_id, keys_bytes: keys.length, values_bytes: values.length, count },
      payload: Buffer.concat([keys, values]),
    }))
    if (toWrite.length > 0) dump.images.writeWithPayload('bpfmap-data', toWrite)
  },

  open(entry, restore) {
    const { map_id, flags, fown } = partOf(entry, 'bpf')
    const { id } = mapInfoOf(mapOf(map_id, partOf(entry, 'bpf'), restore))
    const opened = tryOpenMap(id, accessOf(flags))
    const fd = localFd(checked(opened, 'BPF_MAP_GET_FD_BY_ID', { kind: 'BPF map' }))
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown } = partOf(entry, 'bpf')
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

const nameOf = ({ name }: MapInfo): string => {
  const text = textOf(name)
  return text === '' ? '' : `${text} `
}

const textOf = (name: Uint8Array): string =>
  Buffer.from(name).toString('latin1').replace(/\0.*$/s, '')

const typeName = (type: number): string =>
  Object.entries(BPF_MAP_TYPE).find(([, number]) => number === type)?.[0] ?? `type ${type}`

/** What of a map we could not make again; undefined for a plain one. */
function whyRefused(info: MapInfo): string | undefined {
  if (!hasPlainContent(info)) return 'of a type whose content cannot be read and written'
  if (info.btf_id !== 0) return 'whose content is described by BTF'
  if (info.ifindex !== 0) return 'of a network device'
  if (info.map_flags & BPF_F.NUMA_NODE) return 'of a NUMA node'
  for (const { id, maps } of programs()) if (maps.includes(info.id)) return `used by program ${id}`
  return undefined
}

function entryOf(probe: FdProbe, id: FileId, info: MapInfo, dump: DumpContext): MapEntry {
  const entry = make('bpfmap_file_entry', {
    id,
    flags: probe.flags,
    pos: probe.info.pos,
    fown: ownerOf(probe, dump),
    map_type: info.type,
    key_size: info.key_size,
    value_size: info.value_size,
    map_id: info.id,
    max_entries: info.max_entries,
    map_flags: info.map_flags,
    memlock: BigInt(fdInfoValue(probe.info, 'memlock') ?? 0),
    frozen: fdInfoValue(probe.info, 'frozen') === '1',
    map_name: textOf(info.name),
    ifindex: 0,
    map_extra: info.map_extra,
  })
  return withOwnFields(entry, new Map([[BOOT, Buffer.from(bootId())]]))
}

const bootId = (): string => trySysctlText('/proc', 'kernel/random/boot_id') ?? ''

const accessOf = (flags: number): number => {
  const access = flags & O.ACCMODE
  if (access === O.RDONLY) return BPF_F.RDONLY
  return access === O.WRONLY ? BPF_F.WRONLY : 0
}

const restored = new WeakMap<RestoreContext, Map<number, LocalFd>>()

/** A descriptor of the map itself, for reading and writing; ours to the end of the restore. */
function mapOf(id: number, entry: MapEntry, restore: RestoreContext): LocalFd {
  const maps = restored.get(restore) ?? new Map<number, LocalFd>()
  restored.set(restore, maps)
  const known = maps.get(id)
  if (known !== undefined) return known
  const fd = tryFindLiving(entry) ?? makeMap(entry, restore)
  maps.set(id, fd)
  restore.atEnd(() => close(fd))
  return fd
}

/** Pinned, or held by others: the map is still there, and has what they have put into it since. */
function tryFindLiving(entry: MapEntry): LocalFd | undefined {
  const boot = ownFieldsOf(entry).get(BOOT)
  if (!(boot instanceof Uint8Array) || Buffer.from(boot).toString() !== bootId()) return undefined
  const fd = tryOpenMap(entry.map_id, 0)
  return fd < 0 ? undefined : localFd(fd)
}

function makeMap(entry: MapEntry, restore: RestoreContext): LocalFd {
  const { map_type, key_size, value_size, max_entries, map_flags, map_extra } = entry
  const name = new Uint8Array(16)
  name.set(Buffer.from(entry.map_name, 'latin1').subarray(0, 15))
  const created = bpf(
    BPF.MAP_CREATE,
    bpfMapCreate.encode({
      map_type,
      key_size,
      value_size,
      max_entries,
      map_flags,
      map_name: name,
      map_extra: map_extra ?? 0n,
    }),
  )
  const fd = localFd(checked(created, 'BPF_MAP_CREATE', { kind: 'BPF map' }))
  const data = restore.images.tryReadWithPayload('bpfmap-data') ?? []
  for (const { entry: part, payload } of data) {
    if (part.map_id !== entry.map_id) continue
    const [keys, values] = [payload.subarray(0, part.keys_bytes), payload.subarray(part.keys_bytes)]
    fillMap(fd, mapInfoOf(fd), { keys, values, count: part.count })
  }
  const freeze = new Uint8Array(4)
  new DataView(freeze.buffer).setUint32(0, fd, true)
  if (entry.frozen) checked(bpf(BPF.MAP_FREEZE, freeze), 'BPF_MAP_FREEZE', { kind: 'BPF map' })
  return fd
}
