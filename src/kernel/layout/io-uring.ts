import { array, layout, u32, u64 } from './layout.ts'

/** struct io_sqring_offsets (linux/io_uring.h). */
export const ioSqringOffsets = layout({
  head: u32,
  tail: u32,
  ring_mask: u32,
  ring_entries: u32,
  flags: u32,
  dropped: u32,
  array: u32,
  resv1: u32,
  user_addr: u64,
})

/** struct io_cqring_offsets. */
export const ioCqringOffsets = layout({
  head: u32,
  tail: u32,
  ring_mask: u32,
  ring_entries: u32,
  overflow: u32,
  cqes: u32,
  flags: u32,
  resv1: u32,
  user_addr: u64,
})

/** struct io_uring_params: io_uring_setup. */
export const ioUringParams = layout({
  sq_entries: u32,
  cq_entries: u32,
  flags: u32,
  sq_thread_cpu: u32,
  sq_thread_idle: u32,
  features: u32,
  wq_fd: u32,
  resv: array(u32, 3),
  sq_off: ioSqringOffsets,
  cq_off: ioCqringOffsets,
})
