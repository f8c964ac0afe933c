import { i16, i64, layout, u16, u32, u64 } from './layout.ts'

/** struct iocb (linux/aio_abi.h): io_submit. */
export const iocb = layout({
  data: u64,
  key: u32,
  rw_flags: u32,
  lio_opcode: u16,
  reqprio: i16,
  fildes: u32,
  buf: u64,
  nbytes: u64,
  offset: i64,
  reserved2: u64,
  flags: u32,
  resfd: u32,
})

/** struct io_event (linux/aio_abi.h). */
export const ioEvent = layout({ data: u64, obj: u64, res: i64, res2: i64 })

/** struct aio_ring (fs/aio.c): the head of a context's memory; events follow. */
export const aioRing = layout({
  /** Number of the context within its address space, where io_submit looks for it. */
  id: u32,
  /** Events that the ring has room for. */
  nr: u32,
  /** Where the program reads next. */
  head: u32,
  /** Where the kernel writes next. */
  tail: u32,
  magic: u32,
  compat_features: u32,
  incompat_features: u32,
  /** Bytes of this struct. */
  header_length: u32,
})
