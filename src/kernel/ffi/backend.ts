/** What a foreign function interface must give us; bun.ts and node.ts each do, nothing else imports an FFI. */
export interface Backend {
  /** libc's mmap of anonymous private memory, readable, writable, executable. */
  mapCode(length: number): bigint
  /** Our own memory at an address, for as long as it stays mapped. */
  view(address: bigint, length: number): ArrayBuffer
  /** Machine code at an address as a function of `arity` 64-bit integers. */
  callable(address: bigint, arity: number): (...args: (number | bigint)[]) => number
}
