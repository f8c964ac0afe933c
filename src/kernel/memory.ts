import { arenaAddress, arenaBuffer, view } from './ffi/index.ts'
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

function memoryOf(buffer: ArrayBuffer, offset: number, length: number, address: bigint): Memory {
  return {
    address: address as LocalAddr,
    bytes: new Uint8Array(buffer, offset, length),
    view: new DataView(buffer, offset, length),
  }
}

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
    const offset = (top + 15) & ~15
    if (offset + length > arenaBuffer.byteLength)
      throw new RangeError(`scratch memory exhausted: ${length} bytes asked`)
    top = offset + length
    const memory = memoryOf(arenaBuffer, offset, length, arenaAddress + BigInt(offset))
    memory.bytes.fill(0)
    return memory
  }

  /** A copy of `data`. */
  put(data: Uint8Array): Memory {
    const memory = this.take(data.length)
    memory.bytes.set(data)
    return memory
  }

  /** A byte string (proc/bytes.ts) with its closing zero. */
  string(text: string): LocalAddr {
    return this.put(Buffer.from(`${text}\0`, 'latin1')).address
  }

  [Symbol.dispose](): void {
    top = this.#start
  }
}
