import { constants, openSync, readSync, writeSync } from 'node:fs'
import type { Plugin } from 'criu-ts'

/**
 * Keeps /dev/cpu_dma_latency: audio and real-time programs write to it how many microseconds a CPU may take
 * to wake up (Documentation/power/pm_qos_interface.rst of Linux). That holds as long as they keep it open.
 */

/** As include/linux/pm_qos.h has it: who asks for this asks for nothing. */
const NO_WISH = 2_000_000_000

/** What a read tells: the smallest wish of all programs, a number of 32 bits. */
function effective(fd: number): number {
  const bytes = Buffer.alloc(4)
  readSync(fd, bytes, 0, 4, 0)
  return bytes.readInt32LE()
}

function wish(fd: number, micros: number): void {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(micros)
  writeSync(fd, bytes)
}

/**
 * The wish of one program, which nothing tells: what the smallest one is without it. It goes for some
 * microseconds, in which no process of the tree runs.
 */
function wishOf(fd: number): number {
  const all = effective(fd)
  wish(fd, NO_WISH)
  try {
    if (all < NO_WISH && effective(fd) === all)
      throw new Error('another program asks for as short a latency: end it first')
    return all
  } finally {
    wish(fd, all)
  }
}

const plugin: Plugin = {
  name: 'cpu-latency',

  dumpExtFile({ fd, path, descriptor }, job) {
    if (path !== '/dev/cpu_dma_latency' || descriptor === undefined) return undefined
    const micros = wishOf(fd)
    job.info(`it asks for ${micros} microseconds`)
    return { path, micros }
  },

  restoreExtFile(state) {
    const { path, micros } = state as { path: string; micros: number }
    const fd = openSync(path, constants.O_RDWR)
    wish(fd, micros)
    return fd
  },
}

export default plugin
