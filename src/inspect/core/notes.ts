import { decodeGpregs } from '../../arch/x86_64/core-registers.ts'
import { decodeFpregs } from '../../arch/x86_64/xstate.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { encodeText } from '../../images/text.ts'
import { VMA } from '../../images/vma-status.ts'
import { NT } from '../../kernel/constants/notes.ts'
import { elfNote, elfPrpsinfo, elfPrstatus } from '../../kernel/layout/elf.ts'
import { userRegs } from '../../kernel/layout/registers.ts'
import { siginfo } from '../../kernel/layout/signals.ts'
import { PAGE } from '../snapshot/model.ts'

type Core = Messages['core_entry']
type ThreadInfo = Messages['thread_info_x86']

/** A process as its notes tell of it: the first thread is the one a debugger begins with. */
export interface CoreProcess {
  readonly pid: number
  readonly ppid: number
  readonly pgid: number
  readonly sid: number
  readonly mm: Messages['mm_entry']
  readonly command: string
  readonly threads: readonly {
    readonly tid: number
    readonly core: Core
    readonly info: ThreadInfo
  }[]
  /** Path of a mapped file; undefined: none that is known. */
  path(id: number): string | undefined
}

/** The content of PT_NOTE, in the order of the kernel (fs/binfmt_elf.c). */
export function notesOf(process: CoreProcess): Uint8Array {
  const notes = process.threads.flatMap((thread, i) => {
    const status = note('CORE', NT.PRSTATUS, prstatus(process, thread))
    const area = xstate(thread.info.fpregs)
    const rest = [
      note('CORE', NT.PRFPREG, area.subarray(0, LEGACY)),
      note('LINUX', NT.X86_XSTATE, area),
    ]
    return i === 0 ? [status, ...processNotes(process), ...rest] : [status, ...rest]
  })
  return Buffer.concat(notes)
}

function processNotes(process: CoreProcess): Uint8Array[] {
  const signal = pendingSignals(process.threads[0]!.core)[0]
  const auxv = new BigUint64Array(process.mm.mm_saved_auxv)
  return [
    note('CORE', NT.PRPSINFO, prpsinfo(process)),
    ...(signal === undefined ? [] : [note('CORE', NT.SIGINFO, signal)]),
    note('CORE', NT.AUXV, new Uint8Array(auxv.buffer)),
    note('CORE', NT.FILE, fileNote(process)),
  ]
}

/** Name and content each end at a multiple of four. */
function note(name: string, type: number, content: Uint8Array): Uint8Array {
  const named = Buffer.from(`${name}\0`)
  const header = elfNote.encode({ namesz: named.length, descsz: content.length, type })
  const padding = (length: number) => new Uint8Array(-length & 3)
  return Buffer.concat([header, named, padding(named.length), content, padding(content.length)])
}

/** The kernel knows signals up to 64. */
function isSignal(bytes: Uint8Array): boolean {
  const { signo } = siginfo.decode(bytes)
  return signo >= 1 && signo <= 64
}

function pendingSignals({ tc, thread_core }: Core): Uint8Array[] {
  const queues = [thread_core?.signals_p, tc?.signals_s]
  const all = queues.flatMap((queue) => queue?.signals.map((one) => one.siginfo) ?? [])
  return all.filter((bytes) => bytes.length === siginfo.size && isSignal(bytes))
}

function prstatus(
  { ppid, pgid, sid }: CoreProcess,
  { tid, core, info }: CoreProcess['threads'][number],
): Uint8Array {
  const pending = pendingSignals(core).map((bytes) => siginfo.decode(bytes).signo)
  return elfPrstatus.encode({
    sigpend: pending.reduce((set, signo) => set | (1n << BigInt(signo - 1)), 0n),
    sighold: core.thread_core?.blk_sigset ?? core.tc?.blk_sigset ?? 0n,
    pid: tid,
    ppid,
    pgrp: pgid,
    sid,
    reg: userRegs.decode(decodeGpregs(info.gpregs).bytes),
    fpvalid: 1,
  })
}

/** `R`, `S`, …: a task that was frozen counts as sleeping, as most do. */
const SLEEPING = { state: 1, sname: 'S'.charCodeAt(0) }

function prpsinfo({ pid, ppid, pgid, sid, command, threads }: CoreProcess): Uint8Array {
  const { core } = threads[0]!
  const creds = core.thread_core?.creds
  const text = (value: string, length: number) => [...encodeText(value).subarray(0, length - 1)]
  return elfPrpsinfo.encode({
    ...SLEEPING,
    uid: creds?.uid ?? 0,
    gid: creds?.gid ?? 0,
    pid,
    ppid,
    pgrp: pgid,
    sid,
    fname: text(core.tc?.comm ?? '', 16),
    psargs: text(command, 80),
  })
}

/** NT_FILE: count and page size; start, end and offset in pages of each; the names. */
function fileNote({ mm, path }: CoreProcess): Uint8Array {
  const mapped = mm.vmas.flatMap((vma) => {
    const isFile = (vma.status & (VMA.filePrivate | VMA.fileShared)) !== 0
    const name = isFile ? path(Number(vma.shmid)) : undefined
    return name === undefined ? [] : [{ vma, name }]
  })
  const ranges = mapped.flatMap(({ vma }) => [vma.start, vma.end, vma.pgoff / BigInt(PAGE)])
  const head = new BigUint64Array([BigInt(mapped.length), BigInt(PAGE), ...ranges])
  const names = mapped.map(({ name }) => encodeText(`${name}\0`))
  return Buffer.concat([new Uint8Array(head.buffer), ...names])
}

const LEGACY = 512
const HEADER = 64
/** Where the kernel puts the components that the CPU had enabled (sw_reserved of the legacy part). */
const XCR0_AT = 464

/**
 * Places of the components in the standard format of Intel's CPUs (SDM 1, 13.5), which debuggers take
 * for granted; images tell none.
 */
const COMPONENTS = [
  { bit: 2, field: 'ymmh_space', at: 576, size: 256 },
  { bit: 3, field: 'bndreg_state', at: 960, size: 64 },
  { bit: 4, field: 'bndcsr_state', at: 1024, size: 64 },
  { bit: 5, field: 'opmask_reg', at: 1088, size: 64 },
  { bit: 6, field: 'zmm_upper', at: 1152, size: 512 },
  { bit: 7, field: 'hi16_zmm', at: 1664, size: 1024 },
  { bit: 9, field: 'pkru', at: 2688, size: 8 },
] as const

/** The area of NT_X86_XSTATE: its first 512 bytes are NT_PRFPREG. */
function xstate(fpregs: ThreadInfo['fpregs']): Uint8Array {
  const there = COMPONENTS.filter(({ field }) => (fpregs.xsave?.[field].length ?? 0) > 0)
  const end = Math.max(LEGACY + HEADER, ...there.map(({ at, size }) => at + size))
  const current = new Uint8Array(end)
  const enabled = there.reduce((mask, { bit }) => mask | (1n << BigInt(bit)), 3n)
  new DataView(current.buffer).setBigUint64(XCR0_AT, enabled, true)
  const places = new Map<number, number>(COMPONENTS.map(({ bit, at }) => [bit, at]))
  return decodeFpregs(fpregs, current, (bit) => places.get(bit))
}
