import { type REGISTER_NAMES, type Registers, USER_CS, USER32_CS } from './registers.ts'
import { LOOP, STOP_AND_GO_HOME } from './syscall-loop.ts'
import { callOf, restartNumber, resultOf } from './timed-calls.ts'

/**
 * The code that stands in the zero tail of a target's vDSO while it is dumped, so that the target
 * survives our death at any moment. Three pieces, each a home to go to when no tracer is there:
 *
 * - the *stub*: one system call, then home; where it was a clone, the new thread goes to its own home;
 * - the *helper's home*: unmap our region, end the thread;
 * - the *visitor's home*: give a thread its mask and all its registers back.
 */
export interface InfectionLayout {
  readonly stub: bigint
  readonly loop: bigint
  readonly helperHome: bigint
  /** Address of the byte that tells the helper's home, by 1, that the region is mapped. */
  readonly mappedFlag: bigint
  /** Address of the byte that tells the helper's home, by 1, to give RLIMIT_AS back first. */
  readonly limitFlag: bigint
  /** RLIMIT_AS (struct rlimit64) as the process had it, and behind it as it is for a moment. */
  readonly limits: bigint
  readonly helperControl: bigint
  readonly visitorControl: bigint
  readonly visitorHome: bigint
  readonly end: bigint
}

const bytes = (...values: number[]): number[] => values
const imm32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
const imm64 = (value: bigint): number[] => [...new Uint8Array(BigUint64Array.of(value).buffer)]

const STUB = [
  ...[0x0f, 0x05], // syscall
  ...[0x85, 0xc0], // test eax,eax
  ...[0x74, 0x04], // jz helperHome, which stands behind the stub
  ...[0x41, 0xff, 0x67, 0x08], // jmp [r15+8]
]

/** No byte more than needed: the vDSO of 32 bits has some 610 bytes free in Linux 6.18. */
const HELPER_HOME_SIZE = 118
const VISITOR_HOME_SIZE = 256
/** How often and how long the helper waits, without a tracer, for a visitor to have left the region. */
const VISITOR_PATIENCE = 1000
const WAIT_NANOS = 1_000_000n
const CONTROL_SIZE = 24
const TIMESPEC_SIZE = 16
const LIMITS_SIZE = 32
/** Bytes of the helper's home that give the limit back. */
const GIVE_LIMIT_SIZE = 36

const align = (address: bigint): bigint => (address + 7n) & ~7n

/** Where the pieces stand from `start` on. */
export function infectionLayout(start: bigint): InfectionLayout {
  const stub = align(start)
  const helperHome = stub + BigInt(STUB.length)
  const loop = helperHome + BigInt(HELPER_HOME_SIZE)
  const helperControl = align(loop + BigInt(LOOP.length + STOP_AND_GO_HOME.length))
  const visitorControl = helperControl + BigInt(CONTROL_SIZE)
  const visitorHome = align(visitorControl + BigInt(CONTROL_SIZE + TIMESPEC_SIZE + LIMITS_SIZE))
  const end = visitorHome + BigInt(VISITOR_HOME_SIZE)
  // The bytes are operands of the first instructions of the two parts of the helper's home.
  return {
    stub,
    loop,
    helperHome,
    limitFlag: helperHome + 1n,
    mappedFlag: helperHome + BigInt(GIVE_LIMIT_SIZE + 1),
    limits: visitorControl + BigInt(CONTROL_SIZE + TIMESPEC_SIZE),
    helperControl,
    visitorControl,
    visitorHome,
    end,
  }
}

/**
 * The first byte of the region: 1 while a thread of the process runs a table there. The way home of
 * that thread clears it, so that the helper's knows when it may unmap.
 */
export const VISITOR_BYTE = 0

/** Everything but the controls and the visitor's home: the same for each thread of a process. */
export function infectionCode(
  layout: InfectionLayout,
  region: bigint,
  regionSize: number,
): Uint8Array {
  const timespec = layout.visitorControl + BigInt(CONTROL_SIZE)
  const home = [
    ...bytes(0xb0, 0x00), // mov al,limited
    ...bytes(0x84, 0xc0), // test al,al
    ...bytes(0x74, 0x1e), // jz unlimited
    ...bytes(0xb8, ...imm32(302)), // mov eax,302 (prlimit64)
    ...bytes(0x31, 0xff), // xor edi,edi
    ...bytes(0xbe, ...imm32(9)), // mov esi,9 (RLIMIT_AS)
    ...bytes(0x48, 0xba, ...imm64(layout.limits)), // mov rdx,amounts
    ...bytes(0x41, 0xba, ...imm32(0)), // mov r10d,0
    ...bytes(0x0f, 0x05), // syscall
    ...bytes(0xb0, 0x00), // unlimited: mov al,mapped
    ...bytes(0x84, 0xc0), // test al,al
    ...bytes(0x74, 0x2d), // jz unmap
    ...bytes(0x41, 0xbe, ...imm32(VISITOR_PATIENCE)), // mov r14d,patience
    ...bytes(0x48, 0xb8, ...imm64(region)), // again: mov rax,region
    ...bytes(0x80, 0x38, 0x00), // cmp byte ptr [rax],0
    ...bytes(0x74, 0x18), // je unmap
    ...bytes(0xb8, ...imm32(35)), // mov eax,35 (nanosleep)
    ...bytes(0x48, 0xbf, ...imm64(timespec)), // mov rdi,timespec
    ...bytes(0x31, 0xf6), // xor esi,esi
    ...bytes(0x0f, 0x05), // syscall
    ...bytes(0x41, 0xff, 0xce), // dec r14d
    ...bytes(0x75, 0xd9), // jnz again
    ...bytes(0xb8, ...imm32(11)), // unmap: mov eax,11 (munmap)
    ...bytes(0x48, 0xbf, ...imm64(region)), // mov rdi,region
    ...bytes(0xbe, ...imm32(regionSize)), // mov esi,size
    ...bytes(0x0f, 0x05), // syscall
    ...bytes(0xb8, ...imm32(60)), // mov eax,60 (exit)
    ...bytes(0x31, 0xff), // xor edi,edi
    ...bytes(0x0f, 0x05), // syscall
  ]
  const image = new Uint8Array(Number(layout.end - layout.stub))
  const put = (at: bigint, code: ArrayLike<number>) => image.set(code, Number(at - layout.stub))
  put(layout.stub, STUB)
  put(layout.helperHome, home)
  put(layout.loop, LOOP)
  put(layout.loop + BigInt(LOOP.length), STOP_AND_GO_HOME)
  put(timespec + 8n, imm64(WAIT_NANOS))
  return image
}

/** A control block for STOP_AND_GO_HOME. */
export function controlBlock(tgid: number, tid: number, home: bigint, signal: number): Uint8Array {
  return Uint8Array.of(...imm32(tgid), ...imm32(tid), ...imm64(home), ...imm32(signal), ...imm32(0))
}

const ERESTARTSYS = 512n
const ERESTARTNOHAND = 514n
const ERESTART_RESTARTBLOCK = 516n
/** Bytes of `syscall`, and of `int 0x80`, which also follows `sysenter` in the vDSO of 32 bits. */
const INSTRUCTION = 2n

/**
 * Registers with which an interrupted system call goes on where the kernel's own restart logic will
 * not run any more: what arch/x86/kernel/signal.c does for a task without a handler.
 */
export function restartedRegisters(registers: Registers): Registers {
  if (callOf(registers) < 0) return registers
  const error = -resultOf(registers)
  const rip = registers.get('rip') - INSTRUCTION
  if (error >= ERESTARTSYS && error <= ERESTARTNOHAND)
    return registers.with({ rax: registers.get('orig_rax'), rip })
  if (error === ERESTART_RESTARTBLOCK)
    return registers.with({ rax: BigInt(restartNumber(registers.isCompat)), rip })
  return registers
}

/** mov r64,imm64 for the registers by their encoding; the stack pointer is set before all others. */
const MOV_ORDER = [
  ['rax', 0x48, 0xb8],
  ['rcx', 0x48, 0xb9],
  ['rdx', 0x48, 0xba],
  ['rbx', 0x48, 0xbb],
  ['rbp', 0x48, 0xbd],
  ['rsi', 0x48, 0xbe],
  ['rdi', 0x48, 0xbf],
  ['r8', 0x49, 0xb8],
  ['r9', 0x49, 0xb9],
  ['r10', 0x49, 0xba],
  ['r11', 0x49, 0xbb],
  ['r12', 0x49, 0xbc],
  ['r13', 0x49, 0xbd],
  ['r14', 0x49, 0xbe],
  ['r15', 0x49, 0xbf],
] as const satisfies readonly (readonly [(typeof REGISTER_NAMES)[number], number, number])[]

const MOV_RSP = [0x48, 0xbc]
const MOV_SIZE = 10
/** Behind the code of a visitor's home: flags, mask, and where to go on. */
const HOME_DATA = VISITOR_HOME_SIZE - 32
const JMP_NEAR = 0x25
const JMP_FAR = 0x2d
/** mov rax,region; mov byte ptr [rax],0 */
const LEAVE_SIZE = MOV_SIZE + 3

/**
 * The way home of one thread: flags by popfq from data (before the mask, since a system call keeps
 * them), the stack pointer (before the mask too: a signal that was blocked meanwhile is delivered as
 * soon as it is not), the signal mask, all general registers, and a jump through memory. x87, SSE and
 * AVX are never touched by the loop. 32-bit code is returned to by a far jump. `region`: where it was
 * mapped by then.
 */
export function visitorHome(
  at: bigint,
  registers: Registers,
  mask: bigint,
  region: bigint | undefined,
): Uint8Array {
  const home = restartedRegisters(registers)
  const compat = home.get('cs') === USER32_CS
  const data = at + BigInt(HOME_DATA)
  const leave =
    region === undefined
      ? []
      : [
          ...bytes(0x48, 0xb8, ...imm64(region)), // mov rax,region
          ...bytes(0xc6, 0x00, 0x00), // mov byte ptr [rax],0
        ]
  const code = [
    ...leave,
    ...bytes(0x48, 0xbc, ...imm64(data)), // mov rsp,&flags
    ...bytes(0x9d), // popfq
    ...bytes(...MOV_RSP, ...imm64(home.get('rsp'))), // movabs rsp,stack
    ...bytes(0xb8, ...imm32(14)), // mov eax,14 (rt_sigprocmask)
    ...bytes(0xbf, ...imm32(2)), // mov edi,2 (SIG_SETMASK)
    ...bytes(0x48, 0xbe, ...imm64(data + 8n)), // mov rsi,&mask
    ...bytes(0xba, ...imm32(0)), // mov edx,0
    ...bytes(0x41, 0xba, ...imm32(8)), // mov r10d,8
    ...bytes(0x0f, 0x05), // syscall
    ...MOV_ORDER.flatMap(([name, prefix, op]) => [prefix, op, ...imm64(home.get(name))]),
  ]
  const jumpEnd = at + BigInt(code.length + 6)
  // jmp [rip+…], or jmp far [rip+…]: offset, then (far) the selector behind it.
  code.push(0xff, compat ? JMP_FAR : JMP_NEAR, ...imm32(Number(data + 16n - jumpEnd)))
  const image = new Uint8Array(VISITOR_HOME_SIZE)
  if (code.length > HOME_DATA) throw new Error('way home too long')
  image.set(code)
  const target = compat
    ? [...imm32(Number(home.get('rip'))), ...imm32(Number(USER32_CS))]
    : imm64(home.get('rip'))
  image.set([...imm64(home.get('eflags')), ...imm64(mask), ...target], HOME_DATA)
  return image
}

/** Where a way home leads, read back from its code; what {@link visitorHome} was told. */
export interface HomeState {
  /** With an interrupted call as it is to go on. */
  readonly registers: Registers
  readonly mask: bigint
  readonly region: bigint | undefined
}

/**
 * Reads a way home. `registers` has what it does not set (segments). Undefined where these bytes are
 * none of ours.
 */
export function readVisitorHome(image: Uint8Array, registers: Registers): HomeState | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const word = (at: number) => view.getBigUint64(at, true)
  const leaves = image[0] === 0x48 && image[1] === 0xb8
  const rspAt = (leaves ? LEAVE_SIZE : 0) + MOV_SIZE + 1
  const movesAt = rspAt + MOV_SIZE + 5 + 5 + MOV_SIZE + 5 + 6 + 2
  const jumpAt = movesAt + MOV_ORDER.length * MOV_SIZE
  const isMove = (at: number, prefix: number, op: number) =>
    image[at] === prefix && image[at + 1] === op
  if (!isMove(rspAt, MOV_RSP[0]!, MOV_RSP[1]!)) return undefined
  const set: Partial<Record<(typeof REGISTER_NAMES)[number], bigint>> = { rsp: word(rspAt + 2) }
  for (const [i, [name, prefix, op]] of MOV_ORDER.entries()) {
    const at = movesAt + i * MOV_SIZE
    if (!isMove(at, prefix, op)) return undefined
    set[name] = word(at + 2)
  }
  const compat = image[jumpAt + 1] === JMP_FAR
  if (image[jumpAt] !== 0xff || !(compat || image[jumpAt + 1] === JMP_NEAR)) return undefined
  const [eflags, mask, target] = [word(HOME_DATA), word(HOME_DATA + 8), word(HOME_DATA + 16)]
  return {
    registers: registers.with({
      ...set,
      eflags,
      orig_rax: -1n,
      rip: compat ? BigInt.asUintN(32, target) : target,
      cs: compat ? USER32_CS : USER_CS,
    }),
    mask,
    region: leaves ? word(2) : undefined,
  }
}
