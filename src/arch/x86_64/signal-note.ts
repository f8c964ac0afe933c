/** Words that the handler writes: the last signal, and how many there were. */
export const NOTE = { SIGNAL: 0, COUNT: 4 } as const

/** Where in its code the restorer begins. */
export const RESTORER_OFFSET = 17

/**
 * A signal handler that does no more than note a signal at `note`: it may run in any thread, at any
 * moment, while JavaScript goes on. Behind it what leads back from it (SA_RESTORER).
 */
export function noteHandler(note: bigint): Uint8Array {
  const address = new Uint8Array(new BigUint64Array([note]).buffer)
  return Uint8Array.from([
    ...[0x48, 0xb8, ...address], // movabs rax,NOTE
    ...[0x89, 0x38], // mov [rax],edi
    ...[0xf0, 0xff, 0x40, 0x04], // lock inc dword ptr [rax+4]
    ...[0xc3], // ret
    ...[0xb8, 0x0f, 0x00, 0x00, 0x00], // mov eax,15 (rt_sigreturn)
    ...[0x0f, 0x05], // syscall
  ])
}
