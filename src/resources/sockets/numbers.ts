/** Numbers of 32 bits, as the kernel has an array of them. */
export const numbersOf = (bytes: Uint8Array): number[] =>
  Array.from({ length: bytes.length >>> 2 }, (_, i) => Buffer.from(bytes).readUInt32LE(4 * i))

export function bytesOfNumbers(numbers: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, 4 * i)
  return bytes
}
