import { SO, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { sockFilter, sockFprog } from '../../kernel/layout/ptrace.ts'
import { scratch } from '../../kernel/memory.ts'
import { trySetOption } from '../../kernel/socket-option.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'

/** BPF_MAXINSNS (linux/bpf_common.h). */
const MOST = 4096

/**
 * The instructions of a classic filter (SO_ATTACH_FILTER), each as upstream writes it: code, jt, jf
 * and k from the highest bits down. SO_GET_FILTER counts instructions, not bytes.
 */
export function dumpFilter(probe: FdProbe, dump: DumpContext): bigint[] {
  using s = scratch()
  const size = s.take(4)
  const ask = (at: bigint | number): number =>
    sys('getsockopt', probe.local, SOL.SOCKET, SO.GET_FILTER, at, size.address)
  const result = ask(0)
  // Since Linux 4.4; what never was a classic filter cannot be given back as one.
  if (result === -Errno.EACCES) {
    const what = `${nameSocket(probe.local)} with an eBPF filter`
    refuseFile(dump, probe, what, 'let the program detach it first (SO_DETACH_BPF)')
    return []
  }
  const count = checked(result, 'SO_GET_FILTER') === 0 ? size.view.getUint32(0, true) : 0
  if (count === 0) return []
  const { bytes, view, address } = s.take(Math.min(count, MOST) * sockFilter.size)
  checked(ask(address), 'SO_GET_FILTER')
  return Array.from({ length: bytes.length / sockFilter.size }, (_, i) => {
    const { code, jt, jf, k } = sockFilter.read(view, i * sockFilter.size)
    return (BigInt(code) << 48n) | (BigInt(jt) << 40n) | (BigInt(jf) << 32n) | BigInt(k)
  })
}

/** Attaches the filter, and locks it if it was (SO_LOCK_FILTER): nothing can change it then. */
export function restoreFilter(fd: LocalFd, filter: readonly bigint[], isLocked: boolean): void {
  using s = scratch()
  const instructions = filter.map((word) =>
    sockFilter.encode({
      code: Number((word >> 48n) & 0xffffn),
      jt: Number((word >> 40n) & 0xffn),
      jf: Number((word >> 32n) & 0xffn),
      k: Number(word & 0xffffffffn),
    }),
  )
  if (filter.length > 0) {
    const { address } = s.put(Buffer.concat(instructions))
    const program = sockFprog.encode({ len: filter.length, filter: address })
    checked(trySetOption(fd, SOL.SOCKET, SO.ATTACH_FILTER, program), 'setsockopt SO_ATTACH_FILTER')
  }
  if (!isLocked) return
  const on = s.put(Uint8Array.of(1, 0, 0, 0))
  must('setsockopt', fd, SOL.SOCKET, SO.LOCK_FILTER, on.address, 4)
}
