/** Order of struct user_regs_struct, each 8 bytes (sys/user.h). */
export const REGISTER_NAMES = [
  'r15',
  'r14',
  'r13',
  'r12',
  'rbp',
  'rbx',
  'r11',
  'r10',
  'r9',
  'r8',
  'rax',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'orig_rax',
  'rip',
  'cs',
  'eflags',
  'rsp',
  'ss',
  'fs_base',
  'gs_base',
  'ds',
  'es',
  'fs',
  'gs',
] as const

export type RegisterName = (typeof REGISTER_NAMES)[number]
export const REGISTERS_SIZE = REGISTER_NAMES.length * 8

const OFFSET = Object.fromEntries(REGISTER_NAMES.map((name, i) => [name, i * 8])) as Record<
  RegisterName,
  number
>

/** Code segments of user mode: 64-bit, and 32-bit (arch/x86/include/asm/segment.h). */
export const USER_CS = 0x33n
export const USER32_CS = 0x23n
export const USER_DS = 0x2bn

/** General registers of a task, as PTRACE_GETREGSET of NT_PRSTATUS gives them. */
export class Registers {
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array = new Uint8Array(REGISTERS_SIZE)) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, REGISTERS_SIZE)
  }

  get(name: RegisterName): bigint {
    return this.#view.getBigUint64(OFFSET[name], true)
  }

  set(name: RegisterName, value: bigint): this {
    this.#view.setBigUint64(OFFSET[name], BigInt.asUintN(64, value), true)
    return this
  }

  /** A copy with some registers changed. */
  with(changes: Partial<Record<RegisterName, bigint>>): Registers {
    const copy = new Registers(this.bytes.slice())
    for (const name in changes) copy.set(name as RegisterName, changes[name as RegisterName]!)
    return copy
  }

  /** True in 32-bit (compat) code. */
  get isCompat(): boolean {
    return this.get('cs') === USER32_CS
  }

  toString(): string {
    return REGISTER_NAMES.map((name) => `${name}=${this.get(name).toString(16)}`).join(' ')
  }
}
