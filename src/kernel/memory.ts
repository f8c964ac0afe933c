import { ARENA_SIZE, arenaAddress, view } from './ffi/index.ts'
import type { LocalAddr } from './types.ts'

/** A piece of our own memory whose address the kernel may be told. */
export interface Memory {
  readonly address: LocalAddr
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Memory at an address that we mapped ourselves. */
export function memoryAt(address: bigint, length: number): Memory {
  return memoryOf(view(address, length), 0, length, address)
}

/** A part of some memory; it shares the buffer. */
export function partOf(
  memory: Memory,
  start: number,
  length = memory.bytes.length - start,
): Memory {
  const { bytes, address } = memory
  return memoryOf(bytes.buffer, bytes.byteOffset + start, length, address + BigInt(start))
}

function memoryOf(
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
  address: bigint,
): Memory {
  return {
    address: address as LocalAddr,
    bytes: new Uint8Array(buffer, offset, length),
    view: new DataView(buffer, offset, length),
  }
}

/**
 * The JavaScript engine counts each view as memory allocated, and collects garbage after 8 MiB of it,
 * which takes longer than many a stage. So the whole arena is viewed once something needs that much.
 */
const SMALL = 2 << 20
const small = view(arenaAddress, SMALL)
let whole: ArrayBuffer | undefined

let top = 0

/**
 * Scratch memory for arguments of system calls. Everything taken from it is given back at the end of
 * the scope: `using s = scratch()`. Scopes nest; what an outer scope took stays.
 */
export function scratch(): Scratch {
  return new Scratch()
}

export class Scratch {
  readonly #start = top

  /** `length` zeroed bytes, aligned to 16. */
  take(length: number): Memory {
    const memory = this.takeDirty(length)
    memory.bytes.fill(0)
    return memory
  }

  /** As {@link take}, with whatever stood there: for what the kernel or the caller fills. */
  takeDirty(length: number): Memory {
    const offset = (top + 15) & ~15
    const end = offset + length
    if (end > ARENA_SIZE) throw new RangeError(`scratch memory exhausted: ${length} bytes asked`)
    top = end
    if (end > SMALL) whole ??= view(arenaAddress, ARENA_SIZE)
    const buffer = end > SMALL ? whole! : small
    return memoryOf(buffer, offset, length, arenaAddress + BigInt(offset))
  }

  /** A copy of `data`. */
  put(data: Uint8Array): Memory {
    const memory = this.takeDirty(data.length)
    memory.bytes.set(data)
    return memory
  }

  /** A byte string (proc/bytes.ts) with its closing zero. */
  string(text: string): LocalAddr {
    const { bytes, address } = this.takeDirty(text.length + 1)
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
    bytes[text.length] = 0
    return address
  }

  /** A path with its closing zero: text becomes UTF-8, bytes stay. */
  path(path: string | Uint8Array): LocalAddr {
    const bytes = typeof path === 'string' ? Buffer.from(path) : path
    if (bytes.includes(0)) throw new TypeError('a path with a zero byte in it')
    const memory = this.takeDirty(bytes.length + 1)
    memory.bytes.set(bytes)
    memory.bytes[bytes.length] = 0
    return memory.address
  }

  [Symbol.dispose](): void {
    top = this.#start
  }
}
