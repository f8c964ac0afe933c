import { fail } from '../../errors/error.ts'
import { IPPROTO, IPV6 } from '../../kernel/constants/ip.ts'
import { AF, SOCK, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { setInt, tryGetInt } from '../../kernel/socket-option.ts'
import { must } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { setFlags } from '../events/anon.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { familyName, nameSocket, typeName } from '../files/socket-name.ts'
import { tryDeviceName } from './devices.ts'
import { addressFromName, wordsOf } from './inet-address.ts'
import { type InetEntry, type InetProtocol, isRefusal } from './inet-protocol.ts'
import { dumpIpOptions, restoreIpOptions } from './ip-options.ts'
import { localName, tryPeerName } from './names.ts'
import { dumpSocketOptions, finishSocketOptions, restoreSocketOptions } from './options.ts'
import { ping } from './ping.ts'
import { raw } from './raw.ts'
import { familyOf, protocolOf, typeOf } from './socket-kind.ts'
import { tcp } from './tcp.ts'
import { udp } from './udp.ts'

/** INETSK of fd_types. */
const TYPE = 4

/** Every protocol of ip(7) and ipv6(7) that comes back; the first that says yes has the socket. */
const protocols: readonly InetProtocol[] = [tcp, udp, ping, raw]

const protocolFor = (type: number, protocol: number): InetProtocol | undefined =>
  protocols.find((one) => one.has(type, protocol))

const protocolOfEntry = ({ type, proto }: InetEntry): InetProtocol =>
  protocolFor(type, proto) ??
  fail({
    code: 'image',
    file: 'files.img',
    reason: `a socket of type ${type} and protocol ${proto}, which nobody knows`,
  })

/** Sockets of ip(7) and ipv6(7). */
export const inet: FdKind = {
  tag: 'internet socket',
  type: TYPE,
  recognise(probe) {
    const family = familyOf(probe)
    if (family !== AF.INET && family !== AF.INET6) return false
    return protocolFor(typeOf(probe.local), protocolOf(probe.local)) !== undefined
  },
  dump(probe, id, dump) {
    const bare = describe(probe, id, dump)
    const isk = protocolOfEntry(bare).dump(probe, bare, dump)
    if (!isRefusal(isk)) return { isk }
    refuseFile(dump, probe, `${nameSocket(probe.local)} ${isk.what}`, isk.remedy, isk.option)
    return undefined
  },
  finishDump(dump) {
    for (const protocol of protocols) protocol.finishDump?.(dump)
  },
  drain(dump) {
    for (const protocol of protocols) protocol.drain?.(dump)
  },

  obstacle(file, options) {
    const entry = partOf(file, 'isk')
    const name = `socket (${familyName(entry.family)}, ${typeName(entry.type)}${portOf(entry)})`
    const protocol = protocolFor(entry.type, entry.proto)
    if (!protocol) return { what: name }
    const why = protocol.obstacle?.(entry, options)
    return why && { what: `${name} ${why.what}`, remedy: why.remedy }
  },
  open(file, restore) {
    const entry = partOf(file, 'isk')
    const { family, type, proto, v6only, ip_opts, opts } = entry
    const fd = localFd(must('socket', family, type | SOCK.CLOEXEC, proto))
    if (v6only !== undefined && v6only !== isV6Only(fd))
      setInt(fd, SOL.IPV6, IPV6.V6ONLY, Number(v6only), 'IPV6_V6ONLY')
    if (ip_opts) restoreIpOptions(fd, ip_opts)
    restoreSocketOptions(fd, opts)
    protocolOfEntry(entry).open(fd, entry, restore)
    setFlags(fd, entry.flags)
    restoreSignal(fd, entry.fown)
    return fd
  },
  connect(file, fd, restore) {
    const entry = partOf(file, 'isk')
    finishSocketOptions(fd, entry.opts)
    protocolOfEntry(entry).connect?.(fd, entry, restore)
    connectOwner(fd, file.id, entry.flags, entry.fown, restore)
  },
}

function describe(probe: FdProbe, id: number, dump: DumpContext): InetEntry {
  const { local, task, stat, flags } = probe
  const isIpv6 = familyOf(probe) === AF.INET6
  const source = addressFromName(localName(local))
  const peer = tryPeerName(local)
  const destination = peer && addressFromName(peer)
  return {
    id,
    ino: Number(BigInt.asUintN(32, stat.ino)),
    family: isIpv6 ? AF.INET6 : AF.INET,
    type: typeOf(local),
    proto: protocolOf(local),
    state: TCP_STATE.CLOSE,
    src_port: source.port,
    dst_port: destination?.port ?? 0,
    flags,
    backlog: 0,
    src_addr: wordsOf(source.address),
    dst_addr: wordsOf(destination?.address ?? new Uint8Array(source.address.length)),
    fown: ownerOf(probe, dump),
    opts: dumpSocketOptions(probe, dump),
    v6only: isIpv6 ? isV6Only(local) : undefined,
    ip_opts: dumpIpOptions(local, isIpv6),
    ...(source.scope !== 0 && { ifname: tryDeviceName(source.scope) }),
    ns_id: task.ids.net_ns_id,
  }
}

const isV6Only = (fd: LocalFd): boolean => tryGetInt(fd, SOL.IPV6, IPV6.V6ONLY) === 1

const portOf = ({ src_port, proto }: InetEntry): string =>
  src_port === 0 || proto === IPPROTO.ICMP ? '' : `, port ${src_port}`
