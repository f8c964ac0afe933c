import { SO, SOL } from '../../kernel/constants/socket.ts'
import { tryGetInt } from '../../kernel/socket-option.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { FdProbe } from '../dump-model.ts'

/** SO_DOMAIN of a descriptor; undefined for what is no socket. */
export function familyOf({ link, fd, local }: FdProbe): number | undefined {
  return link.kind === 'socket' && fd !== undefined ? intOf(local, SO.DOMAIN) : undefined
}

export const typeOf = (fd: LocalFd): number => intOf(fd, SO.TYPE)!
export const protocolOf = (fd: LocalFd): number => intOf(fd, SO.PROTOCOL)!

const intOf = (fd: LocalFd, option: number): number | undefined => tryGetInt(fd, SOL.SOCKET, option)
