/** Asynchronous I/O: linux/aio_abi.h, and of fs/aio.c what a ring begins with. */

/** Operations of io_submit. */
export const IOCB_CMD = {
  PREAD: 0,
  PWRITE: 1,
  FSYNC: 2,
  FDSYNC: 3,
  POLL: 5,
  NOOP: 6,
  PREADV: 7,
  PWRITEV: 8,
} as const

/** The first word behind the positions of a ring (fs/aio.c). */
export const AIO_RING_MAGIC = 0xa10a10a1
