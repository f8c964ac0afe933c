import { fail } from '../../errors/error.ts'
import { bpf, type MapInfo } from '../../kernel/bpf.ts'
import { BPF, BPF_MAP_TYPE } from '../../kernel/constants/bpf.ts'
import { Errno } from '../../kernel/errno.ts'
import { bpfBatch } from '../../kernel/layout/bpf.ts'
import { scratch } from '../../kernel/memory.ts'
import { readProcFile } from '../../kernel/proc/read.ts'
import { checked } from '../../kernel/sys.ts'

/** Types whose content is keys and values, and nothing else. */
const PLAIN: readonly number[] = [
  BPF_MAP_TYPE.HASH,
  BPF_MAP_TYPE.ARRAY,
  BPF_MAP_TYPE.LRU_HASH,
  BPF_MAP_TYPE.LPM_TRIE,
]
/** Types with a value for each CPU. */
const PER_CPU: readonly number[] = [
  BPF_MAP_TYPE.PERCPU_HASH,
  BPF_MAP_TYPE.PERCPU_ARRAY,
  BPF_MAP_TYPE.LRU_PERCPU_HASH,
]

export const hasPlainContent = ({ type }: MapInfo): boolean =>
  PLAIN.includes(type) || PER_CPU.includes(type)

/** Elements of a map: keys one after the other, and values likewise. */
export interface MapContent {
  readonly keys: Uint8Array
  readonly values: Uint8Array
  readonly count: number
}

/** Bytes of one element's value as bpf(2) passes it: per CPU rounded up to 8 (kernel/bpf/syscall.c). */
function valueSizeOf({ type, value_size }: MapInfo): number {
  return PER_CPU.includes(type) ? Math.ceil(value_size / 8) * 8 * possibleCpus() : value_size
}

/** `0-3`, or `0,2-3`: the last number counts. */
function possibleCpus(): number {
  const text = readProcFile('/sys/devices/system/cpu/possible').trim()
  return 1 + Number(text.split(/[,-]/).at(-1))
}

/** Bytes of keys and values in one call. */
const CHUNK = 1 << 20

const chunkOf = (elementSize: number): number => Math.max(1, Math.floor(CHUNK / elementSize))

/** All elements. A bucket of a hash comes whole or not at all: where it has no room, there is more. */
export function readMap(fd: number, info: MapInfo): MapContent {
  const [keySize, valueSize] = [info.key_size, valueSizeOf(info)]
  const keys: Uint8Array[] = []
  const values: Uint8Array[] = []
  let room = Math.min(info.max_entries, chunkOf(keySize + valueSize))
  let from: Uint8Array | undefined
  for (;;) {
    using s = scratch()
    const [someKeys, someValues] = [s.takeDirty(room * keySize), s.takeDirty(room * valueSize)]
    const next = s.take(Math.max(keySize, 4))
    const attributes = bpfBatch.encode({
      in_batch: from ? s.put(from).address : 0n,
      out_batch: next.address,
      keys: someKeys.address,
      values: someValues.address,
      count: room,
      map_fd: fd,
    })
    let count = 0
    const result = bpf(BPF.MAP_LOOKUP_BATCH, attributes, (view) => {
      count = bpfBatch.read(view, 0).count
    })
    if (result === -Errno.ENOSPC) {
      room *= 2
      continue
    }
    // The end: what came before it is there.
    if (result !== -Errno.ENOENT) checked(result, 'BPF_MAP_LOOKUP_BATCH', { kind: 'BPF map' })
    keys.push(someKeys.bytes.slice(0, count * keySize))
    values.push(someValues.bytes.slice(0, count * valueSize))
    if (result < 0) break
    from = next.bytes.slice()
  }
  const all = Buffer.concat(keys)
  return { keys: all, values: Buffer.concat(values), count: all.length / keySize }
}

export function fillMap(fd: number, info: MapInfo, { keys, values, count }: MapContent): void {
  const [keySize, valueSize] = [info.key_size, valueSizeOf(info)]
  if (keys.length !== count * keySize || values.length !== count * valueSize) {
    const reason = `a BPF map with ${values.length} bytes in ${count} values of ${valueSize}`
    fail({ code: 'conflict', reason, remedy: 'restore on a machine with as many CPUs' })
  }
  const step = chunkOf(keySize + valueSize)
  for (let at = 0; at < count; at += step) {
    using s = scratch()
    const some = Math.min(step, count - at)
    const attributes = bpfBatch.encode({
      keys: s.put(keys.subarray(at * keySize, (at + some) * keySize)).address,
      values: s.put(values.subarray(at * valueSize, (at + some) * valueSize)).address,
      count: some,
      map_fd: fd,
    })
    checked(bpf(BPF.MAP_UPDATE_BATCH, attributes), 'BPF_MAP_UPDATE_BATCH', { kind: 'BPF map' })
  }
}
