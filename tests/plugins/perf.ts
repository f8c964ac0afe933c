import type { Plugin } from '../../src/index.ts'
import { libc } from './lib/libc.ts'

const SYS_perf_event_open = 298
const PERF_TYPE_SOFTWARE = 1
const EXCLUDE_KERNEL = 1n << 5n

/** Memory of a perf event: a new event of the same kind comes in its place. */
const plugin: Plugin = {
  name: 'perf',
  handleDeviceVma: ({ path, start, end }) =>
    path.includes('perf_event') ? { pages: Number((end - start) / 4096n) } : undefined,
  updateVmaMap(state, { start, end, offset }) {
    if ((state as { pages: number }).pages !== Number((end - start) / 4096n))
      throw new Error('another mapping')
    const attr = Buffer.alloc(128)
    attr.writeUInt32LE(PERF_TYPE_SOFTWARE, 0)
    attr.writeUInt32LE(attr.length, 4)
    attr.writeBigUInt64LE(EXCLUDE_KERNEL, 40)
    const fd = Number(libc.syscall(SYS_perf_event_open, attr, 0, -1, -1, 0))
    return { fd, offset }
  },
}

export default plugin
