import type { Messages } from '../../images/gen/messages.ts'
import { unknownFields } from '../../images/message.ts'
import { WireReader, WireWriter, wireType } from '../../images/wire.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, sys } from '../../kernel/sys.ts'

type EpollEntry = Messages['eventpoll_file_entry']

/** Requests of linux/eventpoll.h, since Linux 6.9; the argument is struct epoll_params. */
const EPIOC = { SPARAMS: 0x40088a01, GPARAMS: 0x80088a02 } as const
/** Bytes of struct epoll_params: u32 microseconds, u16 budget, u8 preference, u8 padding. */
const SIZE = 8
/** Our field of eventpoll_file_entry: the eight bytes. Upstream skips it. */
const TAG = (15000 << 3) | wireType.bytes

/** The entry, with how the epoll polls network devices (man 2 ioctl_eventpoll) if it does. */
export function withBusyPolling(entry: EpollEntry, fd: number): EpollEntry {
  using s = scratch()
  const memory = s.take(SIZE)
  // A kernel without it says so.
  const result = sys('ioctl', fd, EPIOC.GPARAMS, memory.address)
  if (result < 0 || memory.bytes.every((byte) => byte === 0)) return entry
  const writer = new WireWriter()
  writer.varint(TAG)
  writer.varint(SIZE)
  return { ...entry, [unknownFields]: Buffer.concat([writer.result(), memory.bytes]) }
}

export function restoreBusyPolling(fd: number, entry: EpollEntry): void {
  const reader = new WireReader(entry[unknownFields] ?? new Uint8Array())
  while (reader.pos < reader.end) {
    const tag = reader.count()
    if (tag !== TAG) {
      reader.skipValue(tag & 7)
      continue
    }
    const parameters = reader.take(reader.count())
    using s = scratch()
    const memory = s.take(SIZE)
    memory.bytes.set(parameters.subarray(0, SIZE))
    const result = sys('ioctl', fd, EPIOC.SPARAMS, memory.address)
    checked(result, 'EPIOCSPARAMS', { kind: 'eventpoll' })
  }
}
