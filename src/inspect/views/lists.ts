import type { Snapshot } from '../snapshot/model.ts'
import { columns, plural } from './layout.ts'

/** Open files, each once, with those who have it open. */
export function filesView({ files, processes }: Snapshot): string {
  const users = new Map<number, string[]>()
  for (const { pid, descriptors } of processes) {
    for (const { id, fd } of descriptors) {
      const list = users.get(id)
      if (list) list.push(`${pid}:${fd}`)
      else users.set(id, [`${pid}:${fd}`])
    }
  }
  const rows = files.map(({ id, type, flags, name }) => [
    String(id),
    type,
    flags ?? '',
    name,
    usersText(users.get(id) ?? []),
  ])
  return columns([['ID', 'TYPE', 'FLAGS', 'NAME', 'OPEN AS'], ...rows], [0])
}

const MOST_USERS = 4

const usersText = (users: readonly string[]): string =>
  users.length <= MOST_USERS
    ? users.join(' ')
    : `${users.slice(0, MOST_USERS).join(' ')} and ${users.length - MOST_USERS} more`

export function socketsView({ sockets }: Snapshot): string {
  const rows = sockets.map((socket) => [
    String(socket.id),
    socket.family,
    socket.protocol ?? socket.type,
    socket.state,
    String(socket.queued),
    socket.local || '-',
    socket.remote || '-',
  ])
  const head = ['ID', 'FAMILY', 'PROTO', 'STATE', 'QUEUED', 'LOCAL', 'REMOTE']
  return columns([head, ...rows], [0, 4])
}

export function mountsView({ mounts }: Snapshot): string {
  const rows = mounts.map((mount) => [
    String(mount.namespace),
    String(mount.id),
    String(mount.parent),
    mount.type,
    mount.source,
    mount.mountpoint,
    mount.options,
  ])
  if (rows.length === 0)
    return 'no mounts are saved: the tree lives in the mount namespace of its dumper\n'
  return columns(
    [['NS', 'ID', 'PARENT', 'TYPE', 'SOURCE', 'MOUNTPOINT', 'OPTIONS'], ...rows],
    [0, 1, 2],
  )
}

export const countText = (snapshot: Snapshot): string =>
  plural(snapshot.processes.length, 'process', 'processes')
