import { FLAG_I386 } from '../arch/x86_64/mixed-loop.ts'
import { FLAG_GO_ON, RECORD_ARGS, RECORD_RET, RECORD_SIZE } from '../arch/x86_64/syscall-loop.ts'
import { Syscall, type SyscallName } from '../arch/x86_64/syscalls.ts'
import { Syscall32, type Syscall32Name } from '../arch/x86_64/syscalls32.ts'
import type { Memory } from './memory.ts'

const MAX_ARGS = 6

/** What stands in a record's result until it has run; no system call returns it. */
const NOT_RUN = 0x7fffdeadbeefn

/** The result of an earlier call in the same table; as an argument, it is filled in when the table runs. */
export class Result {
  readonly #view: DataView
  /** Byte offset of the result from the table's base. */
  readonly offset: number
  constructor(view: DataView, offset: number) {
    this.#view = view
    this.offset = offset
  }
  /** What the call returned, −errno on failure; undefined where it did not run. */
  get value(): bigint | undefined {
    const value = this.#view.getBigInt64(this.offset, true)
    return value === NOT_RUN ? undefined : value
  }
  /** The value of a call that must have run. */
  get number(): number {
    const value = this.value
    if (value === undefined) throw new Error('result of a call that has not run')
    return Number(value)
  }
  get failed(): boolean {
    const value = this.value
    return value === undefined || (value < 0n && value >= -4095n)
  }
}

/** Data behind the table: the address where the runner sees it, and the bytes as we see them. */
export interface Slot {
  readonly address: bigint
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Its views are made when they are asked for: most data is only passed on. */
class DataSlot implements Slot {
  readonly address: bigint
  readonly #memory: Memory
  readonly #start: number
  readonly #length: number
  #view: DataView | undefined

  constructor(memory: Memory, start: number, length: number, address: bigint) {
    this.#memory = memory
    this.#start = start
    this.#length = length
    this.address = address
  }

  get bytes(): Uint8Array {
    return this.#memory.bytes.subarray(this.#start, this.#start + this.#length)
  }

  get view(): DataView {
    const { view } = this.#memory
    this.#view ??= new DataView(view.buffer, view.byteOffset + this.#start, this.#length)
    return this.#view
  }
}

export type Arg = number | bigint | Result | Slot

/** A failed call, as {@link Table.failure} tells it. */
export interface Failure {
  readonly index: number
  readonly nr: number
  readonly errno: number
  readonly args: readonly bigint[]
  /** The number is one of i386. */
  readonly i386: boolean
}

/**
 * A table of system calls, built here and run by our own process, by a child just cloned, or by any
 * tracee: whoever has `memory` at address `base`. Records grow from its start, their data from its
 * end; a table that would overrun is refused here, since it would kill the one that runs it.
 */
export class Table {
  readonly memory: Memory
  readonly base: bigint
  readonly #mixed: boolean
  #records = 0
  #dataStart: number

  /** `mixed`: the loop that runs it knows calls of i386 as well. */
  constructor(memory: Memory, base: bigint = memory.address, mixed = false) {
    this.memory = memory
    this.base = base
    this.#mixed = mixed
    this.#dataStart = memory.bytes.length
  }

  get count(): number {
    return this.#records
  }

  /** Bytes that are left for records and data. */
  get room(): number {
    return this.#dataStart - this.#records * RECORD_SIZE
  }

  /** Where the records begin and end, as the runner sees them. */
  get range(): { first: bigint; end: bigint } {
    return { first: this.base, end: this.base + BigInt(this.#records * RECORD_SIZE) }
  }

  /** Forgets all records and data. */
  reset(): this {
    this.#records = 0
    this.#dataStart = this.memory.bytes.length
    return this
  }

  /** A call after whose failure the rest does not run. */
  call(name: SyscallName, ...args: Arg[]): Result {
    return this.#add(Syscall[name], 0, args)
  }

  /** A call that may fail: the table goes on, and its result tells. */
  attempt(name: SyscallName, ...args: Arg[]): Result {
    return this.#add(Syscall[name], FLAG_GO_ON, args)
  }

  /** A call of i386; its data must be below 4 GiB. */
  call32(name: Syscall32Name, ...args: Exclude<Arg, Result>[]): Result {
    if (!this.#mixed) throw new Error(`${name} of i386 in a table for the 64-bit loop`)
    return this.#add(Syscall32[name], FLAG_I386, args)
  }

  /** As `attempt`, by number: for `criu exec` and tests. */
  attemptNumber(nr: number, ...args: Arg[]): Result {
    return this.#add(nr, FLAG_GO_ON, args)
  }

  /** `length` zeroed bytes of data. */
  space(length: number, align = 8): Slot {
    const start = (this.#dataStart - length) & ~(align - 1)
    if (start < this.#records * RECORD_SIZE)
      throw new RangeError(`table overrun: ${length} bytes of data, ${this.room} left`)
    this.#dataStart = start
    this.memory.bytes.fill(0, start, start + length)
    return new DataSlot(this.memory, start, length, this.base + BigInt(start))
  }

  /** Data with the given content. */
  data(content: Uint8Array): Slot {
    const slot = this.space(content.length)
    slot.bytes.set(content)
    return slot
  }

  /** A byte string (proc/bytes.ts) with its closing zero. */
  string(text: string): Slot {
    return this.data(Buffer.from(`${text}\0`, 'latin1'))
  }

  /** The call that ended the table before its end, if one did; valid after it ran. */
  failure(): Failure | undefined {
    if (this.#records === 0 || !this.#isUnset(this.#records - 1))
      return this.#failureAt(this.#records - 1)
    // Binary search: everything before the failing record has run, everything behind it has not.
    let low = 0
    let high = this.#records - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#isUnset(middle)) high = middle
      else low = middle + 1
    }
    return this.#failureAt(low - 1)
  }

  /** The call with that index, as it ran: for logs. */
  record(index: number): {
    nr: number
    args: bigint[]
    result: bigint | undefined
    i386: boolean
  } {
    const at = index * RECORD_SIZE
    const { view } = this.memory
    const args = [0, 1, 2, 3, 4, 5].map((i) => view.getBigUint64(at + RECORD_ARGS + i * 8, true))
    const result = view.getBigInt64(at + RECORD_RET, true)
    const nr = view.getUint32(at, true)
    const i386 = (view.getUint32(at + 4, true) & FLAG_I386) !== 0
    return { nr, args, result: result === NOT_RUN ? undefined : result, i386 }
  }

  #failureAt(index: number): Failure | undefined {
    if (index < 0) return undefined
    const at = index * RECORD_SIZE
    const mayFail = this.memory.view.getUint32(at + 4, true) & FLAG_GO_ON
    const { nr, args, result, i386 } = this.record(index)
    if (mayFail || result === undefined || result >= 0n || result < -4095n) return undefined
    return { index, nr, args, errno: Number(-result), i386 }
  }

  #isUnset(index: number): boolean {
    return this.memory.view.getBigInt64(index * RECORD_SIZE + RECORD_RET, true) === NOT_RUN
  }

  #add(nr: number, flags: number, args: readonly Arg[]): Result {
    const at = this.#records * RECORD_SIZE
    if (at + RECORD_SIZE > this.#dataStart) throw new RangeError('table overrun: too many records')
    this.#records++
    if (args.length > MAX_ARGS) throw new RangeError(`a system call with ${args.length} arguments`)
    const { view, bytes } = this.memory
    bytes.fill(0, at, at + RECORD_SIZE)
    let bits = flags
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!
      const slot = at + RECORD_ARGS + i * 8
      if (typeof arg === 'number') {
        const low = arg >>> 0
        view.setUint32(slot, low, true)
        if (low !== arg) view.setInt32(slot + 4, Math.floor(arg / 0x1_0000_0000), true)
      } else if (typeof arg === 'bigint') view.setBigUint64(slot, BigInt.asUintN(64, arg), true)
      else if (arg instanceof Result) {
        view.setBigUint64(slot, BigInt(arg.offset), true)
        bits |= 1 << i
      } else view.setBigUint64(slot, arg.address, true)
    }
    view.setUint32(at, nr, true)
    view.setUint32(at + 4, bits, true)
    view.setBigInt64(at + RECORD_RET, NOT_RUN, true)
    return new Result(view, at + RECORD_RET)
  }
}
