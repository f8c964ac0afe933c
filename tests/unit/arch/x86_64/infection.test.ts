import { describe, expect, test } from 'bun:test'
import {
  controlBlock,
  infectionCode,
  infectionLayout,
  readVisitorHome,
  restartedRegisters,
  visitorHome,
} from '../../../../src/arch/x86_64/infection.ts'
import {
  type RegisterName,
  Registers,
  USER_CS,
  USER32_CS,
} from '../../../../src/arch/x86_64/registers.ts'
import { LOOP, STOP_AND_GO_HOME } from '../../../../src/arch/x86_64/syscall-loop.ts'
import { assemble, hexOf, inLineComments, sourceBetween } from './assembler.ts'

const FILE = 'infection.ts'
const START = 0x7ffd_1234_5678n
const REGION = 0x7f12_3456_7000n
const REGION_SIZE = 0x100000
const layout = infectionLayout(START)
const code = infectionCode(layout, REGION, REGION_SIZE)

/** So many bytes of the image as a length of assembled text has, from an address on. */
const at = (address: bigint, hex: string): string =>
  hexOf(code).slice(
    Number(address - layout.stub) * 2,
    Number(address - layout.stub) * 2 + hex.length,
  )

const fillIn = (lines: readonly string[], values: Record<string, bigint>): string[] =>
  lines.map((line) =>
    Object.entries(values).reduce(
      (text, [name, value]) => text.replace(new RegExp(`,${name}$`), `,0x${value.toString(16)}`),
      line,
    ),
  )

describe('the code in the tail of the vDSO', () => {
  test("the stub is what its comments assemble to, with the helper's home behind it", () => {
    const lines = inLineComments(sourceBetween(FILE, 'const STUB = [', '\n]'))
    expect(lines).toHaveLength(4)
    const [first, second, , last] = lines
    const hex = assemble([first!, second!, 'jz home', last!, 'home:'])
    expect(at(layout.stub, hex)).toBe(hex)
    expect(layout.stub + BigInt(hex.length / 2)).toBe(layout.helperHome)
  })

  test("so is the helper's home", () => {
    const lines = inLineComments(sourceBetween(FILE, 'const home = [', 'const image'))
    expect(lines).toHaveLength(29)
    const timespec = layout.visitorControl + 24n
    const values = {
      limited: 0n,
      amounts: layout.limits,
      mapped: 0n,
      patience: 1000n,
      timespec,
      region: REGION,
      size: BigInt(REGION_SIZE),
    }
    const hex = assemble(fillIn(lines, values))
    expect(at(layout.helperHome, hex)).toBe(hex)
    expect(layout.helperHome + BigInt(hex.length / 2)).toBeLessThanOrEqual(layout.loop)
  })

  test('the loop stands whole, the stop behind it', () => {
    const hex = hexOf(LOOP) + hexOf(STOP_AND_GO_HOME)
    expect(at(layout.loop, hex)).toBe(hex)
  })

  test('each flag is the operand of an instruction', () => {
    const set = code.slice()
    set[Number(layout.mappedFlag - layout.stub)] = 1
    set[Number(layout.limitFlag - layout.stub)] = 1
    for (const flag of [layout.mappedFlag, layout.limitFlag]) {
      const from = Number(flag - layout.stub) - 1
      expect(hexOf(set.subarray(from, from + 2))).toBe(assemble(['mov al,1']))
    }
  })

  test('pieces follow each other and fit into 1 KiB', () => {
    const order = [
      layout.stub,
      layout.helperHome,
      layout.loop,
      layout.helperControl,
      layout.visitorControl,
      layout.visitorHome,
      layout.end,
    ]
    expect(order).toEqual(order.toSorted((a, b) => (a < b ? -1 : 1)))
    expect(layout.stub).toBeGreaterThanOrEqual(START)
    expect(layout.end - START).toBeLessThan(1024n)
  })
})

const HOME = 0x7ffd_1234_6000n
const MASK = 0x8000_0000_0000_0201n
const names = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ')

function registers(changes: Partial<Record<RegisterName, bigint>> = {}): Registers {
  const all = new Registers()
  names.forEach((name, i) => {
    all.set(name as RegisterName, 0x1111_0000_0000_0000n * BigInt(i + 1) + 0x8000_0001n)
  })
  return all
    .set('cs', USER_CS)
    .set('rip', 0x5555_6666_7777n)
    .set('eflags', 0xa46n)
    .set('orig_rax', -1n)
    .with(changes)
}

/** All of visitorHome in assembly: code, and what it reads at the end of its 256 bytes. */
function homeInAssembly(
  state: Registers,
  jump: readonly string[],
  data: readonly string[],
): string {
  const lines = inLineComments(sourceBetween(FILE, 'export function visitorHome', 'MOV_ORDER'))
  expect(lines).toHaveLength(11)
  const end = HOME + 224n
  return assemble([
    ...fillIn(
      lines.map((line) => line.replace(',&', ',')),
      { flags: end, mask: end + 8n, region: REGION, stack: state.get('rsp') },
    ),
    ...names
      .filter((name) => name !== 'rsp')
      .map((name) => `movabs ${name},0x${state.get(name as RegisterName).toString(16)}`),
    ...jump,
    '.org 224',
    `.quad 0x${state.get('eflags').toString(16)}`,
    `.quad 0x${MASK.toString(16)}`,
    ...data,
    '.org 256',
  ])
}

describe("a visited thread's way home", () => {
  test('gives back flags, mask and all registers, and jumps', () => {
    const state = registers()
    const jump = ['jmp [rip+target]']
    const data = ['target:', `.quad 0x${state.get('rip').toString(16)}`]
    expect(hexOf(visitorHome(HOME, state, MASK, REGION))).toBe(homeInAssembly(state, jump, data))
  })

  test('of 32-bit code it is a far jump', () => {
    const state = registers({ cs: USER32_CS, rip: 0x0804_9abcn })
    const jump = ['jmp fword ptr [rip+target]']
    const data = ['target:', '.long 0x08049abc', '.long 0x23']
    expect(hexOf(visitorHome(HOME, state, MASK, REGION))).toBe(homeInAssembly(state, jump, data))
  })
})

describe('a way home that is read back', () => {
  test.each([
    ['of 64-bit code', registers(), REGION],
    ['before the region is mapped', registers(), undefined],
    ['of 32-bit code', registers({ cs: USER32_CS, rip: 0x0804_9abcn }), REGION],
  ])('%s leads where it did', (_, state, region) => {
    const there = registers({ rip: HOME + 40n, rax: 1n, rsp: HOME, orig_rax: 14n })
    const home = readVisitorHome(visitorHome(HOME, state, MASK, region), there)
    expect(home?.registers.toString()).toBe(state.toString())
    expect(home).toMatchObject({ mask: MASK, region })
  })

  test('other bytes are no way home', () => {
    expect(readVisitorHome(new Uint8Array(256), registers())).toBeUndefined()
    expect(readVisitorHome(new Uint8Array(100), registers())).toBeUndefined()
  })
})

describe('an interrupted system call on the way home', () => {
  const interrupted = (rax: bigint) => registers({ rax, orig_rax: 35n, rip: 0x1002n })
  const restarted = (rax: bigint): [bigint, bigint] => {
    const home = restartedRegisters(interrupted(rax))
    return [home.get('rax'), home.get('rip')]
  }

  test.each([-512n, -513n, -514n])('%p is made again', (error) => {
    expect(restarted(error)).toEqual([35n, 0x1000n])
  })

  test('-516 goes on by restart_syscall', () => {
    expect(restarted(-516n)).toEqual([219n, 0x1000n])
  })

  test.each([0n, 5n, -4n, -515n])('the result %p stays', (result) => {
    expect(restarted(result)).toEqual([BigInt.asUintN(64, result), 0x1002n])
  })

  test('outside a system call nothing changes', () => {
    const state = registers({ rax: -512n, orig_rax: -1n })
    expect(restartedRegisters(state)).toBe(state)
  })
})

test('the control block', () => {
  const block = controlBlock(0x1234, 0x5678, 0x7f00_0000_1000n, 23)
  expect(hexOf(block)).toBe('3412000078560000' + '00100000007f0000' + '1700000000000000')
})
