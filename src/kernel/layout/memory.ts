import { layout, pointer, u32, u64 } from './layout.ts'

/** struct iovec (linux/uio.h). */
export const iovec = layout({ base: pointer, len: u64 })

/** struct prctl_mm_map (linux/prctl.h): PR_SET_MM_MAP. */
export const prctlMmMap = layout({
  start_code: u64,
  end_code: u64,
  start_data: u64,
  end_data: u64,
  start_brk: u64,
  brk: u64,
  start_stack: u64,
  arg_start: u64,
  arg_end: u64,
  env_start: u64,
  env_end: u64,
  auxv: pointer,
  /** Bytes. */
  auxv_size: u32,
  /** Descriptor; 0xffffffff leaves exe as it is. */
  exe_fd: u32,
})

/** struct pm_scan_arg (linux/fs.h, since Linux 6.7): PAGEMAP_SCAN. */
export const pmScanArg = layout({
  /** Size of this struct. */
  size: u64,
  flags: u64,
  start: u64,
  end: u64,
  /** Where the scan ended (out). */
  walk_end: u64,
  /** Address of the array of page_region, and how many it holds. */
  vec: pointer,
  vec_len: u64,
  /** Stop after so many pages; 0: no limit. */
  max_pages: u64,
  category_inverted: u64,
  category_mask: u64,
  category_anyof_mask: u64,
  return_mask: u64,
})

/** struct page_region (linux/fs.h, since Linux 6.7). */
export const pageRegion = layout({ start: u64, end: u64, categories: u64 })

/** struct uffdio_api (linux/userfaultfd.h). */
export const uffdioApi = layout({ api: u64, features: u64, ioctls: u64 })

/** struct uffdio_range. */
export const uffdioRange = layout({ start: u64, len: u64 })

/** struct uffdio_register. */
export const uffdioRegister = layout({ range: uffdioRange, mode: u64, ioctls: u64 })

/** struct uffdio_writeprotect. */
export const uffdioWriteprotect = layout({ range: uffdioRange, mode: u64 })

/** struct uffdio_copy; `copy` is bytes copied or −errno (out). */
export const uffdioCopy = layout({ dst: u64, src: u64, len: u64, mode: u64, copy: u64 })

/** struct uffdio_continue; `mapped` is bytes mapped or −errno (out). */
export const uffdioContinue = layout({ range: uffdioRange, mode: u64, mapped: u64 })

/** struct uffdio_poison (since Linux 6.6); `updated` is bytes marked or −errno (out). */
export const uffdioPoison = layout({ range: uffdioRange, mode: u64, updated: u64 })

/** struct uffdio_zeropage. */
export const uffdioZeropage = layout({ range: uffdioRange, mode: u64, zeropage: u64 })
