import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import * as layouts from '../../../../src/kernel/layout/index.ts'
import { runC } from './c.ts'

/**
 * C struct of a layout: prefix of its fields' names, and fields that are named otherwise. An empty
 * name: C has no such member; `@` behind it: another size there, only the offset is compared.
 */
interface Counterpart {
  layout: { size: number; offsets: object; fields: object }
  c: string
  prefix?: string
  names?: Record<string, string>
}

const headers = [
  'stddef.h',
  'linux/bpf.h',
  'linux/rtnetlink.h',
  'linux/uio.h',
  'linux/time_types.h',
  'linux/time.h',
  'asm/signal.h',
  'asm/siginfo.h',
  'linux/signalfd.h',
  'asm/stat.h',
  'linux/stat.h',
  'asm/statfs.h',
  'linux/openat2.h',
  'linux/fs.h',
  'linux/fiemap.h',
  'linux/fcntl.h',
  'asm/poll.h',
  'linux/eventpoll.h',
  'linux/mount.h',
  'asm/termbits.h',
  'asm/termios.h',
  'linux/prctl.h',
  'linux/userfaultfd.h',
  'linux/aio_abi.h',
  'linux/io_uring.h',
  'linux/ptrace.h',
  'linux/filter.h',
  'sys/user.h',
  'linux/elf.h',
  'asm/sigcontext.h',
  'asm/ldt.h',
  'linux/sched.h',
  'linux/sched/types.h',
  'linux/resource.h',
  'linux/futex.h',
  'linux/capability.h',
  'linux/kcmp.h',
  'linux/un.h',
  'linux/ipc.h',
  'linux/shm.h',
  'linux/sem.h',
  'linux/msg.h',
  'linux/mqueue.h',
  'linux/netlink.h',
  'linux/unix_diag.h',
  'linux/netlink_diag.h',
  'linux/if_packet.h',
  'linux/packet_diag.h',
  'linux/tcp.h',
  'linux/inet_diag.h',
]

const si = {
  signo: 'si_signo',
  errno: 'si_errno',
  code: 'si_code',
  pid: 'si_pid',
  uid: 'si_uid',
  value: 'si_value',
  timerid: 'si_tid',
  overrun: 'si_overrun',
  sys_private: 'si_sys_private',
  status: 'si_status',
  utime: 'si_utime',
  stime: 'si_stime',
  addr: 'si_addr',
  addr_lsb: 'si_addr_lsb',
  lower: 'si_lower',
  upper: 'si_upper',
  band: 'si_band',
  fd: 'si_fd',
  call_addr: 'si_call_addr',
  syscall: 'si_syscall',
  arch: 'si_arch',
  fields: '_sifields@',
}
const l = layouts
const ioRing = { user_addr: 'resv2' }
const entryNames = {
  nr: 'entry.nr',
  ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((i) => [`arg${i}`, `entry.args[${i}]`])),
}

const counterparts: Record<string, Counterpart> = {
  stat: {
    layout: l.stat,
    c: 'struct stat',
    prefix: 'st_',
    names: {
      _pad0: '__pad0',
      _unused: '__unused',
      atime: 'st_atime@',
      mtime: 'st_mtime@',
      ctime: 'st_ctime@',
    },
  },
  statxTimestamp: {
    layout: l.statxTimestamp,
    c: 'struct statx_timestamp',
    names: { sec: 'tv_sec', nsec: 'tv_nsec', _reserved: '__reserved' },
  },
  statx: {
    layout: l.statx,
    c: 'struct statx',
    prefix: 'stx_',
    names: { _spare0: '__spare0', _spare3: '__spare3' },
  },
  statfs: { layout: l.statfs, c: 'struct statfs', prefix: 'f_' },
  openHow: { layout: l.openHow, c: 'struct open_how' },
  fsxattr: { layout: l.fsxattr, c: 'struct fsxattr', prefix: 'fsx_' },
  flock64: { layout: l.flock64, c: 'struct flock', prefix: 'l_' },
  fOwnerEx: { layout: l.fOwnerEx, c: 'struct f_owner_ex' },
  fileHandle: { layout: l.fileHandle, c: 'struct k_file_handle', prefix: 'handle_' },
  pollfd: { layout: l.pollfd, c: 'struct pollfd' },
  epollEvent: { layout: l.epollEvent, c: 'struct epoll_event' },
  mountAttr: { layout: l.mountAttr, c: 'struct mount_attr' },
  winsize: { layout: l.winsize, c: 'struct winsize', prefix: 'ws_' },
  termios: { layout: l.termios, c: 'struct termios', prefix: 'c_' },
  termios2: { layout: l.termios2, c: 'struct termios2', prefix: 'c_' },
  ioSqringOffsets: { layout: l.ioSqringOffsets, c: 'struct io_sqring_offsets', names: ioRing },
  ioCqringOffsets: { layout: l.ioCqringOffsets, c: 'struct io_cqring_offsets', names: ioRing },
  ioUringParams: { layout: l.ioUringParams, c: 'struct io_uring_params' },
  iocb: { layout: l.iocb, c: 'struct iocb', prefix: 'aio_' },
  ioEvent: { layout: l.ioEvent, c: 'struct io_event' },
  aioRing: { layout: l.aioRing, c: 'struct k_aio_ring' },
  fiemap: { layout: l.fiemap, c: 'struct fiemap', prefix: 'fm_' },
  fiemapExtent: { layout: l.fiemapExtent, c: 'struct fiemap_extent', prefix: 'fe_' },
  iovec: { layout: l.iovec, c: 'struct iovec', prefix: 'iov_' },
  prctlMmMap: { layout: l.prctlMmMap, c: 'struct prctl_mm_map' },
  pmScanArg: { layout: l.pmScanArg, c: 'struct k_pm_scan_arg' },
  pageRegion: { layout: l.pageRegion, c: 'struct k_page_region' },
  uffdioApi: { layout: l.uffdioApi, c: 'struct uffdio_api' },
  uffdioRange: { layout: l.uffdioRange, c: 'struct uffdio_range' },
  uffdioRegister: { layout: l.uffdioRegister, c: 'struct uffdio_register' },
  uffdioWriteprotect: { layout: l.uffdioWriteprotect, c: 'struct uffdio_writeprotect' },
  uffdioCopy: { layout: l.uffdioCopy, c: 'struct uffdio_copy' },
  uffdioContinue: { layout: l.uffdioContinue, c: 'struct uffdio_continue' },
  uffdioPoison: { layout: l.uffdioPoison, c: 'struct k_uffdio_poison' },
  uffdioZeropage: { layout: l.uffdioZeropage, c: 'struct uffdio_zeropage' },
  ptracePeeksiginfoArgs: { layout: l.ptracePeeksiginfoArgs, c: 'struct ptrace_peeksiginfo_args' },
  ptraceRseqConfiguration: {
    layout: l.ptraceRseqConfiguration,
    c: 'struct ptrace_rseq_configuration',
  },
  seccompMetadata: { layout: l.seccompMetadata, c: 'struct seccomp_metadata' },
  sockFilter: { layout: l.sockFilter, c: 'struct sock_filter' },
  sockFprog: { layout: l.sockFprog, c: 'struct sock_fprog' },
  elfHeader: { layout: l.elfHeader, c: 'struct elf64_hdr', prefix: 'e_' },
  elfProgramHeader: { layout: l.elfProgramHeader, c: 'struct elf64_phdr', prefix: 'p_' },
  elfSectionHeader: { layout: l.elfSectionHeader, c: 'struct elf64_shdr', prefix: 'sh_' },
  elfNote: { layout: l.elfNote, c: 'struct elf64_note', prefix: 'n_' },
  userRegs: { layout: l.userRegs, c: 'struct user_regs_struct' },
  userRegs32: { layout: l.userRegs32, c: 'struct k_user_regs32' },
  userFpregs: {
    layout: l.userFpregs,
    c: 'struct user_fpregs_struct',
    names: { twd: 'ftw', mxcsr_mask: 'mxcr_mask' },
  },
  fpxSwBytes: { layout: l.fpxSwBytes, c: 'struct _fpx_sw_bytes' },
  xsaveHeader: {
    layout: l.xsaveHeader,
    c: 'struct _header',
    names: { xstate_bv: 'xfeatures', xcomp_bv: 'reserved1[0]', reserved: '' },
  },
  cloneArgs: { layout: l.cloneArgs, c: 'struct clone_args' },
  ifinfomsg: { layout: l.ifinfomsg, c: 'struct ifinfomsg', prefix: 'ifi_', names: { _pad: '' } },
  ifaddrmsg: { layout: l.ifaddrmsg, c: 'struct ifaddrmsg', prefix: 'ifa_' },
  rtmsg: { layout: l.rtmsg, c: 'struct rtmsg', prefix: 'rtm_' },
  ndmsg: { layout: l.ndmsg, c: 'struct ndmsg', prefix: 'ndm_', names: { _pad1: '', _pad2: '' } },
  bpfMapCreate: { layout: l.bpfMapCreate, c: 'struct k_bpf_map_create' },
  bpfElement: { layout: unionMember(l.bpfElement), c: 'union bpf_attr' },
  bpfBatch: { layout: l.bpfBatch, c: 'struct k_bpf_batch' },
  bpfInfo: { layout: l.bpfInfo, c: 'struct k_bpf_info' },
  bpfById: { layout: l.bpfById, c: 'struct k_bpf_by_id' },
  bpfMapInfo: { layout: l.bpfMapInfo, c: 'struct bpf_map_info' },
  bpfProgInfo: { layout: l.bpfProgInfo, c: 'struct k_bpf_prog_info' },
  pidfdInfo: { layout: l.pidfdInfo, c: 'struct k_pidfd_info' },
  schedAttr: { layout: l.schedAttr, c: 'struct sched_attr' },
  rlimit64: { layout: l.rlimit64, c: 'struct rlimit64' },
  robustListHead: { layout: l.robustListHead, c: 'struct robust_list_head' },
  rseq: { layout: l.rseq, c: 'struct k_rseq' },
  capHeader: { layout: l.capHeader, c: 'struct __user_cap_header_struct' },
  capData: { layout: l.capData, c: 'struct __user_cap_data_struct' },
  kcmpEpollSlot: { layout: l.kcmpEpollSlot, c: 'struct kcmp_epoll_slot' },
  kernelSigaction: { layout: l.kernelSigaction, c: 'struct k_sigaction', prefix: 'sa_' },
  kernelSigaction32: { layout: l.kernelSigaction32, c: 'struct k_sigaction32', prefix: 'sa_' },
  stackT: { layout: l.stackT, c: 'stack_t', prefix: 'ss_' },
  stackT32: { layout: l.stackT32, c: 'struct k_stack32', prefix: 'ss_' },
  siginfo: { layout: l.siginfo, c: 'siginfo_t', names: si },
  siginfoRt: { layout: l.siginfoRt, c: 'siginfo_t', names: si },
  siginfoTimer: { layout: l.siginfoTimer, c: 'siginfo_t', names: si },
  siginfoChld: { layout: l.siginfoChld, c: 'siginfo_t', names: si },
  siginfoFault: { layout: l.siginfoFault, c: 'siginfo_t', names: si },
  siginfoPoll: { layout: l.siginfoPoll, c: 'siginfo_t', names: si },
  siginfoSys: { layout: l.siginfoSys, c: 'siginfo_t', names: si },
  sigevent: {
    layout: l.sigevent,
    c: 'struct sigevent',
    prefix: 'sigev_',
    names: { tid: 'sigev_notify_thread_id' },
  },
  signalfdSiginfo: {
    layout: l.signalfdSiginfo,
    c: 'struct signalfd_siginfo',
    prefix: 'ssi_',
    names: { _pad2: '__pad2' },
  },
  msghdr: { layout: l.msghdr, c: 'struct k_msghdr', prefix: 'msg_' },
  cmsghdr: { layout: l.cmsghdr, c: 'struct k_cmsghdr', prefix: 'cmsg_' },
  ucred: { layout: l.ucred, c: 'struct k_ucred' },
  linger: { layout: l.linger, c: 'struct k_linger', prefix: 'l_' },
  sockaddrNl: {
    layout: l.sockaddrNl,
    c: 'struct sockaddr_nl',
    prefix: 'nl_',
  },
  nlmsghdr: { layout: l.nlmsghdr, c: 'struct nlmsghdr', prefix: 'nlmsg_' },
  nlmsgerr: { layout: l.nlmsgerr, c: 'struct nlmsgerr' },
  nlattr: { layout: l.nlattr, c: 'struct nlattr', prefix: 'nla_' },
  unixDiagReq: { layout: l.unixDiagReq, c: 'struct unix_diag_req' },
  unixDiagMsg: { layout: l.unixDiagMsg, c: 'struct unix_diag_msg' },
  unixDiagVfs: { layout: l.unixDiagVfs, c: 'struct unix_diag_vfs' },
  unixDiagRqlen: { layout: l.unixDiagRqlen, c: 'struct unix_diag_rqlen' },
  netlinkDiagReq: { layout: l.netlinkDiagReq, c: 'struct netlink_diag_req' },
  netlinkDiagMsg: { layout: l.netlinkDiagMsg, c: 'struct netlink_diag_msg' },
  sockaddrLl: { layout: l.sockaddrLl, c: 'struct sockaddr_ll', prefix: 'sll_' },
  sockaddrDevice: { layout: l.sockaddrDevice, c: 'struct k_sockaddr', prefix: 'sa_' },
  packetMreqMax: { layout: l.packetMreqMax, c: 'struct k_packet_mreq_max', prefix: 'mr_' },
  tpacketReq: { layout: l.tpacketReq, c: 'struct tpacket_req', prefix: 'tp_' },
  tpacketReq3: { layout: l.tpacketReq3, c: 'struct tpacket_req3', prefix: 'tp_' },
  tpacketHdr: { layout: l.tpacketHdr, c: 'struct tpacket_hdr', prefix: 'tp_' },
  tpacket2Hdr: { layout: l.tpacket2Hdr, c: 'struct tpacket2_hdr', prefix: 'tp_' },
  tpacket3Hdr: {
    layout: l.tpacket3Hdr,
    c: 'struct tpacket3_hdr',
    prefix: 'tp_',
    names: { variant: 'hv1' },
  },
  tpacketBlock: {
    layout: l.tpacketBlock,
    c: 'struct tpacket_block_desc',
    names: {
      block_status: 'hdr.bh1.block_status',
      num_pkts: 'hdr.bh1.num_pkts',
      offset_to_first_pkt: 'hdr.bh1.offset_to_first_pkt',
      blk_len: 'hdr.bh1.blk_len',
      seq_num: 'hdr.bh1.seq_num',
      ts_first_pkt: 'hdr.bh1.ts_first_pkt',
      ts_last_pkt: 'hdr.bh1.ts_last_pkt',
    },
  },
  packetDiagReq: { layout: l.packetDiagReq, c: 'struct packet_diag_req' },
  packetDiagMsg: { layout: l.packetDiagMsg, c: 'struct packet_diag_msg' },
  packetDiagInfo: { layout: l.packetDiagInfo, c: 'struct packet_diag_info' },
  packetDiagMclist: { layout: l.packetDiagMclist, c: 'struct packet_diag_mclist' },
  packetDiagRing: { layout: l.packetDiagRing, c: 'struct packet_diag_ring' },
  tcpInfo: { layout: l.tcpInfo, c: 'struct tcp_info', names: { wscales: '', flags: '' } },
  tcpRepairOpt: { layout: l.tcpRepairOpt, c: 'struct tcp_repair_opt' },
  tcpRepairWindow: { layout: l.tcpRepairWindow, c: 'struct tcp_repair_window' },
  inetDiagSockid: { layout: l.inetDiagSockid, c: 'struct inet_diag_sockid' },
  inetDiagReqV2: { layout: l.inetDiagReqV2, c: 'struct inet_diag_req_v2' },
  inetDiagMsg: { layout: l.inetDiagMsg, c: 'struct inet_diag_msg' },
  ipcPerm: { layout: l.ipcPerm, c: 'struct ipc64_perm' },
  shmidDs: { layout: l.shmidDs, c: 'struct shmid64_ds', prefix: 'shm_' },
  semidDs: { layout: l.semidDs, c: 'struct semid64_ds', prefix: 'sem_' },
  msqidDs: { layout: l.msqidDs, c: 'struct msqid64_ds', prefix: 'msg_' },
  sembuf: { layout: l.sembuf, c: 'struct sembuf', prefix: 'sem_' },
  mqAttr: { layout: l.mqAttr, c: 'struct mq_attr', prefix: 'mq_' },
  timespec: { layout: l.timespec, c: 'struct __kernel_timespec', prefix: 'tv_' },
  timeval: { layout: l.timeval, c: 'struct __kernel_old_timeval', prefix: 'tv_' },
  itimerval: { layout: l.itimerval, c: 'struct itimerval', prefix: 'it_' },
  itimerspec: { layout: l.itimerspec, c: 'struct __kernel_itimerspec', prefix: 'it_' },
  userDesc: {
    layout: l.userDesc,
    c: 'struct user_desc',
    names: { flags: '' },
  },
  ptraceSyscallEntry: {
    layout: unionMember(l.ptraceSyscallEntry),
    c: 'struct ptrace_syscall_info',
    names: { reserved: 'pad@', flags: '', ...entryNames },
  },
  ptraceSyscallExit: {
    layout: unionMember(l.ptraceSyscallExit),
    c: 'struct ptrace_syscall_info',
    names: { reserved: 'pad@', flags: '', rval: 'exit.rval', is_error: 'exit.is_error' },
  },
}

/** Layouts that have no struct of their own in C. */
const composed = ['xsaveArea', 'fxsaveBytes', 'sockaddrUn']
/** Their header goes with none of those above: see elf-core.test.ts. */
const elsewhere = ['elfPrstatus', 'elfPrpsinfo']

/** One member of a union: the C struct is larger, so its size is not compared. */
function unionMember<T extends { offsets: object; fields: object }>(layout: T) {
  return { size: -1, offsets: layout.offsets, fields: layout.fields }
}

function program(): string {
  const lines = headers.map((header) => `#include <${header}>`)
  lines.push(`#include "${join(import.meta.dir, 'documented.h')}"`)
  lines.push('int printf(const char *, ...);', 'int main(void) {')
  for (const [name, { layout, c, prefix = '', names = {} }] of Object.entries(counterparts)) {
    lines.push(`printf("${name} - %zu 0\\n", sizeof(${c}));`)
    for (const field of Object.keys(layout.offsets)) {
      const member = names[field] ?? (field.startsWith('_') ? '' : prefix + field)
      if (member === '') continue
      const inC = member.replace('@', '')
      const at = `__builtin_offsetof(${c}, ${inC})`
      const size = member === inC ? `sizeof(((${c} *)0)->${inC})` : '0UL'
      lines.push(`printf("${name} ${field} %zu %zu\\n", ${at}, ${size});`)
    }
  }
  return [...lines, 'return 0; }'].join('\n')
}

describe("layouts are the C compiler's", () => {
  const printed = runC(program()).trim().split('\n')
  for (const [name, { layout }] of Object.entries(counterparts)) {
    test(name, () => {
      const offsets = layout.offsets as Record<string, number>
      const fields = layout.fields as Record<string, { size: number }>
      const expected: Record<string, string> = {}
      const found: Record<string, string> = {}
      for (const line of printed) {
        const [owner, field = '', at, size] = line.split(' ')
        if (owner !== name) continue
        if (field === '-') {
          if (layout.size >= 0) expect(layout.size).toBe(Number(at))
          continue
        }
        expected[field] = `${at}+${size}`
        found[field] = `${offsets[field]}+${size === '0' ? 0 : fields[field]!.size}`
      }
      expect(found).toEqual(expected)
    })
  }

  test('every layout is compared', () => {
    const all = Object.entries(layouts).flatMap(([name, value]) =>
      typeof value === 'object' && 'offsets' in value ? [name] : [],
    )
    expect(all.filter((name) => !(name in counterparts)).sort()).toEqual(
      [...composed, ...elsewhere].sort(),
    )
  })
})
