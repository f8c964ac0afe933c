import type {
  External,
  ExternalUnixSockets,
  FileValidation,
  InheritedFd,
  NetworkLock,
} from '../job/options.ts'
import { bad, good, type Parsed } from './values.ts'

/** Without --ext-unix-sk. */
export const noExtUnixSk: ExternalUnixSockets = { allowed: false, inodes: [] }

/** Nothing, or inodes with commas between. */
export function parseExtUnixSk(text: string): Parsed<ExternalUnixSockets> {
  const words = text.split(',').filter((word) => word !== '')
  const wrong = words.find((word) => !/^[1-9]\d*$/.test(word))
  if (wrong !== undefined) return bad(`takes inodes with commas between, not ${wrong}`)
  return good({ allowed: true, inodes: words.map(BigInt) })
}

const methods = new Set<string>(['nftables', 'iptables', 'skip'])

export function parseNetworkLock(text: string): Parsed<NetworkLock> {
  if (methods.has(text)) return good(text as NetworkLock)
  return bad(`knows nftables, iptables and skip, not ${text}`)
}

export function parseFileValidation(text: string): Parsed<FileValidation> {
  if (text === 'filesize' || text === 'buildid') return good(text)
  return bad(`knows filesize and buildid, not ${text}`)
}

/** How each kind writes what it names; `NAME` follows after a colon only where the kind has one. */
const forms: Record<External['kind'], string> = {
  dev: 'dev[MAJOR/MINOR]:NAME (dump) or dev[NAME]:PATH (restore)',
  file: 'file[MOUNT:INODE] with hexadecimal numbers',
  tty: 'tty[RDEV:DEV] with hexadecimal numbers',
  unix: 'unix[INODE]',
}

/** Kinds that upstream has as well. */
const later = new Set(['mnt', 'net', 'pid', 'macvlan', 'veth'])

/** One value of --external: `TYPE[ID]` or `TYPE[ID]:NAME`. */
export function parseExternal(text: string): Parsed<External> {
  const [, kind, id, name] = /^([a-z]+)\[(.*?)\](?::(.*))?$/s.exec(text) ?? []
  if (kind === undefined || id === undefined) return bad(`is written TYPE[ID]:NAME, not ${text}`)
  if (later.has(kind)) return bad(`with ${kind}[…] is not supported yet`)
  if (!(kind in forms)) return bad(`knows dev, file, tty and unix, not ${kind}`)
  const found = parsers[kind as External['kind']](id, name)
  return found ? good(found) : bad(`of this kind is written ${forms[kind as External['kind']]}`)
}

type Parser = (id: string, name: string | undefined) => External | undefined

const HEX_PAIR = /^(?:0x)?([0-9a-f]{1,8}):(?:0x)?([0-9a-f]{1,16})$/i

const parsers: Record<External['kind'], Parser> = {
  dev: (id, name) => (id !== '' && name ? { kind: 'dev', id, name } : undefined),
  file(id, name) {
    const [, mount, inode] = HEX_PAIR.exec(id) ?? []
    if (inode === undefined || name !== undefined) return undefined
    return { kind: 'file', mount: Number.parseInt(mount!, 16), inode: BigInt(`0x${inode}`) }
  },
  tty(id, name) {
    const [, rdev, dev] = HEX_PAIR.exec(id) ?? []
    if (dev === undefined || name !== undefined) return undefined
    return { kind: 'tty', rdev: Number.parseInt(rdev!, 16), dev: Number.parseInt(dev, 16) }
  },
  unix: (id, name) =>
    /^[1-9]\d*$/.test(id) && name === undefined ? { kind: 'unix', inode: BigInt(id) } : undefined,
}

/** `fd[N]:RESOURCE`. */
export function parseInheritFd(text: string): Parsed<InheritedFd> {
  const [, fd, resource] = /^fd\[(\d{1,9})\]:(.+)$/s.exec(text) ?? []
  if (resource === undefined) return bad(`is written fd[N]:RESOURCE, not ${text}`)
  return good({ fd: Number(fd), resource })
}
