import koffi from 'koffi'
import type { Backend } from './backend.ts'

const PROT_READ_WRITE_EXEC = 7
const MAP_PRIVATE_ANONYMOUS = 0x22

export const backend: Backend = {
  mapCode(length) {
    const libc = koffi.load('libc.so.6')
    const mmap = libc.func(
      'int64_t mmap(int64_t a, int64_t len, int prot, int flags, int fd, int64_t off)',
    )
    return BigInt(mmap(0, length, PROT_READ_WRITE_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0))
  },
  view: (address, length) => koffi.view(address, length),
  callable(address, arity) {
    const types = Array<string>(arity).fill('int64_t')
    const proto = koffi.proto(`code_${address.toString(16)}`, 'int64_t', types)
    const fn = koffi.decode(address, proto)
    return (...args) => Number(fn(...args))
  },
}
