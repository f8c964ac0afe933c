import type { Plugin } from '../../src/index.ts'
import { libc } from './lib/libc.ts'

const AF_UNIX = 1
const types = { stream: 1, datagram: 2, packets: 5 } as const
type Name = keyof typeof types

/** Clients of a server that stays: they connect again. */
const plugin: Plugin = {
  name: 'server',
  dumpUnixSk: ({ peerName, type }) =>
    peerName.endsWith('server') ? { peerName, type } : undefined,
  restoreUnixSk(state) {
    const { peerName, type } = state as { peerName: string; type: Name }
    const fd = libc.socket(AF_UNIX, types[type], 0)
    const address = Buffer.from(`\u0001\0${peerName}\0`, 'latin1')
    if (libc.connect(fd, address, address.length) !== 0) throw new Error(`no ${peerName}`)
    return fd
  },
}

export default plugin
