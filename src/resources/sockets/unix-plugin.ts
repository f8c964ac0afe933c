import type { Messages } from '../../images/gen/messages.ts'
import { SOCK } from '../../kernel/constants/socket.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { takeDescriptor } from '../../plugins/descriptor.ts'
import { tryKeptOf, withKept } from '../../plugins/kept-fields.ts'
import type { PluginSocket } from '../../plugins/plugin.ts'
import type { DumpContext } from '../dump-model.ts'
import { setFlags } from '../events/anon.ts'
import { connectOwner } from '../files/async.ts'
import { restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'
import type { RestoreContext } from '../restore-model.ts'
import { finishSocketOptions, restoreSocketOptions } from './options.ts'
import type { ToldUnix } from './unix-diag.ts'
import type { FoundUnix } from './unix-dump.ts'
import { showName } from './unix-name.ts'

type UnixEntry = Messages['unix_sk_entry']

/** A socket whose peer is outside of the tree: does a plugin keep it. */
export function isKeptByPlugin(
  { probe, told, entry }: FoundUnix,
  peer: ToldUnix | undefined,
  dump: DumpContext,
): boolean {
  const socket: PluginSocket = {
    fd: probe.local,
    pid: probe.task.pid,
    descriptor: probe.fd,
    inode: told.ino,
    peerInode: told.peer,
    peerName: peer?.name.length ? showName(peer.name) : '',
    type: typeOf(told),
  }
  const what = `unix socket ${told.ino} of process ${probe.task.pid}`
  const kept = dump.plugins?.dump('dumpUnixSk', socket, what)
  if (kept === undefined) return false
  if (told.received > 0) {
    const unread = `${nameSocket(probe.local)} of plugin ${kept.plugin}, with bytes to be read`
    refuseFile(dump, probe, unread, 'dump again once the program has read them')
  }
  Object.assign(entry, withKept(entry, kept))
  return true
}

function typeOf({ type }: ToldUnix): PluginSocket['type'] {
  if (type === SOCK.STREAM) return 'stream'
  return type === SOCK.DGRAM ? 'datagram' : 'packets'
}

export const isOfPlugin = (entry: UnixEntry): boolean => tryKeptOf(entry) !== undefined

/** The socket that a plugin has instead, with options and flags as they were. */
export function openByPlugin(entry: UnixEntry, restore: RestoreContext): LocalFd {
  const kept = tryKeptOf(entry)!
  const what = `unix socket ${entry.ino}`
  const given = restore.plugins!.restore<unknown>(kept, 'restoreUnixSk', what)
  const fd = takeDescriptor(given, kept.plugin, 'restoreUnixSk')
  restoreSocketOptions(fd, entry.opts)
  setFlags(fd, entry.flags)
  restoreSignal(fd, entry.fown)
  return fd
}

export function connectByPlugin(fd: LocalFd, entry: UnixEntry, restore: RestoreContext): void {
  finishSocketOptions(fd, entry.opts)
  connectOwner(fd, entry.id, entry.flags, entry.fown, restore)
}
