import { describe, expect, test } from 'bun:test'
import * as capability from '../../../../src/kernel/constants/capability.ts'
import * as fcntl from '../../../../src/kernel/constants/fcntl.ts'
import * as ioctl from '../../../../src/kernel/constants/ioctl.ts'
import * as kcmp from '../../../../src/kernel/constants/kcmp.ts'
import * as magic from '../../../../src/kernel/constants/magic.ts'
import * as mman from '../../../../src/kernel/constants/mman.ts'
import * as mount from '../../../../src/kernel/constants/mount.ts'
import * as netlink from '../../../../src/kernel/constants/netlink.ts'
import * as nfTables from '../../../../src/kernel/constants/nf-tables.ts'
import * as notes from '../../../../src/kernel/constants/notes.ts'
import * as notify from '../../../../src/kernel/constants/notify.ts'
import * as packet from '../../../../src/kernel/constants/packet.ts'
import * as personality from '../../../../src/kernel/constants/personality.ts'
import * as poll from '../../../../src/kernel/constants/poll.ts'
import * as prctl from '../../../../src/kernel/constants/prctl.ts'
import * as ptrace from '../../../../src/kernel/constants/ptrace.ts'
import * as resource from '../../../../src/kernel/constants/resource.ts'
import * as sched from '../../../../src/kernel/constants/sched.ts'
import * as seccomp from '../../../../src/kernel/constants/seccomp.ts'
import * as signals from '../../../../src/kernel/constants/signals.ts'
import * as socket from '../../../../src/kernel/constants/socket.ts'
import * as stat from '../../../../src/kernel/constants/stat.ts'
import * as time from '../../../../src/kernel/constants/time.ts'
import * as wait from '../../../../src/kernel/constants/wait.ts'
import { preprocess, runC } from '../layout/c.ts'

const headers = [
  'linux/mman.h',
  'linux/inotify.h',
  'linux/fanotify.h',
  'linux/memfd.h',
  'linux/sched.h',
  'linux/ptrace.h',
  'linux/fcntl.h',
  'linux/openat2.h',
  'linux/fs.h',
  'linux/prctl.h',
  'asm/prctl.h',
  'linux/securebits.h',
  'linux/signal.h',
  'asm/siginfo.h',
  'linux/signalfd.h',
  'linux/fiemap.h',
  'linux/userfaultfd.h',
  'linux/ioctl.h',
  'linux/types.h',
  'asm/ioctls.h',
  'linux/sockios.h',
  'linux/tty.h',
  'asm/termbits.h',
  'linux/nsfs.h',
  'linux/seccomp.h',
  'linux/audit.h',
  'linux/capability.h',
  'linux/stat.h',
  'linux/resource.h',
  'linux/kcmp.h',
  'linux/magic.h',
  'linux/personality.h',
  'linux/elf.h',
  'linux/time.h',
  'linux/timerfd.h',
  'linux/mount.h',
  'linux/wait.h',
  'linux/eventpoll.h',
  'asm/poll.h',
  'linux/un.h',
  'sys/eventfd.h',
  'netinet/in.h',
  'netinet/tcp.h',
  'netinet/udp.h',
  'sys/socket.h',
  'linux/netlink.h',
  'linux/sock_diag.h',
  'linux/unix_diag.h',
  'linux/netfilter.h',
  'linux/netfilter/nfnetlink.h',
  'linux/netfilter/nf_tables.h',
  'linux/netlink_diag.h',
  'linux/if_packet.h',
  'linux/packet_diag.h',
  'linux/falloc.h',
  'linux/ipc.h',
  'linux/shm.h',
  'linux/sem.h',
  'linux/msg.h',
]

type Group = Readonly<Record<string, number | bigint>>

/** Groups by module, with what C puts before the names. */
const groups: readonly (readonly [group: Group, prefix: string])[] = [
  [mman.PROT, 'PROT_'],
  [mman.MAP, 'MAP_'],
  [mman.MADV, 'MADV_'],
  [mman.MREMAP, 'MREMAP_'],
  [mman.MCL, 'MCL_'],
  [mman.MLOCK, 'MLOCK_'],
  [mman.MS, 'MS_'],
  [mman.MFD, 'MFD_'],
  [sched.CLONE, 'CLONE_'],
  [sched.SCHED, 'SCHED_'],
  [sched.SCHED_FLAG, 'SCHED_FLAG_'],
  [ptrace.PTRACE, 'PTRACE_'],
  [ptrace.PTRACE_O, 'PTRACE_O_'],
  [ptrace.PTRACE_EVENT, 'PTRACE_EVENT_'],
  [ptrace.PTRACE_PEEKSIGINFO, 'PTRACE_PEEKSIGINFO_'],
  [ptrace.PTRACE_SYSCALL_INFO, 'PTRACE_SYSCALL_INFO_'],
  [fcntl.O, 'O_'],
  [fcntl.F, 'F_'],
  [fcntl.F_LOCK, 'F_'],
  [fcntl.F_OWNER, 'F_OWNER_'],
  [fcntl.F_SEAL, 'F_SEAL_'],
  [fcntl.FD, 'FD_'],
  [fcntl.LOCK, 'LOCK_'],
  [fcntl.AT, 'AT_'],
  [fcntl.RESOLVE, 'RESOLVE_'],
  [fcntl.SEEK, 'SEEK_'],
  [notify.IN, 'IN_'],
  [notify.INOTIFY_IOC, 'INOTIFY_IOC_'],
  [notify.FAN, 'FAN_'],
  [notify.FAN_MARK, 'FAN_MARK_'],
  [prctl.PR, 'PR_'],
  [prctl.PR_SET_MM, 'PR_SET_MM_'],
  [prctl.PR_CAP_AMBIENT, 'PR_CAP_AMBIENT_'],
  [prctl.PR_SET_VMA, 'PR_SET_VMA_'],
  [prctl.PR_MCE_KILL, 'PR_MCE_KILL_'],
  [prctl.PR_TIMER_CREATE_RESTORE_IDS, 'PR_TIMER_CREATE_RESTORE_IDS_'],
  [prctl.PR_SPEC, 'PR_SPEC_'],
  [prctl.PR_TSC, 'PR_TSC_'],
  [prctl.PR_MDWE, 'PR_MDWE_'],
  [prctl.ARCH, 'ARCH_'],
  [prctl.SECBIT, 'SECBIT_'],
  [signals.SIG, 'SIG'],
  [signals.SIG_HOW, 'SIG_'],
  [signals.SA, 'SA_'],
  [signals.SS, 'SS_'],
  [signals.SI, 'SI_'],
  [signals.CLD, 'CLD_'],
  [signals.SIGEV, 'SIGEV_'],
  [signals.SFD, 'SFD_'],
  [ioctl.PAGEMAP, 'PAGEMAP_'],
  [ioctl.PM_SCAN, 'PM_SCAN_'],
  [ioctl.PAGE_IS, 'PAGE_IS_'],
  [ioctl.PROCMAP, 'PROCMAP_'],
  [ioctl.FS_IOC, 'FS_IOC_'],
  [ioctl.FS_FL, 'FS_'],
  [ioctl.FICLONE, 'FI'],
  [ioctl.UFFDIO, 'UFFDIO_'],
  [ioctl.UFFDIO_REGISTER_MODE, 'UFFDIO_REGISTER_MODE_'],
  [ioctl.UFFDIO_WRITEPROTECT_MODE, 'UFFDIO_WRITEPROTECT_MODE_'],
  [ioctl.UFFDIO_COPY_MODE, 'UFFDIO_COPY_MODE_'],
  [ioctl.UFFD, ''],
  [ioctl.UFFD_FEATURE, 'UFFD_FEATURE_'],
  [ioctl.UFFD_EVENT, 'UFFD_EVENT_'],
  [ioctl.UFFD_PAGEFAULT_FLAG, 'UFFD_PAGEFAULT_FLAG_'],
  [ioctl.FIO, 'FIO'],
  [ioctl.SIOC, 'SIOC'],
  [ioctl.TIOC, 'TIOC'],
  [ioctl.TC, 'TC'],
  [ioctl.TIOCPKT, 'TIOCPKT_'],
  [ioctl.NS_GET, 'NS_GET_'],
  [seccomp.SECCOMP_MODE, 'SECCOMP_MODE_'],
  [seccomp.SECCOMP, 'SECCOMP_'],
  [seccomp.SECCOMP_FILTER_FLAG, 'SECCOMP_FILTER_FLAG_'],
  [seccomp.SECCOMP_RET, 'SECCOMP_RET_'],
  [seccomp.AUDIT_ARCH, 'AUDIT_ARCH_'],
  [capability.CAP, 'CAP_'],
  [stat.S, 'S_'],
  [stat.STATX, 'STATX_'],
  [stat.STATX_ATTR, 'STATX_ATTR_'],
  [resource.RLIMIT, 'RLIMIT_'],
  [resource.PRIO, 'PRIO_'],
  [kcmp.KCMP, 'KCMP_'],
  [magic.FS_MAGIC, ''],
  [personality.PERSONALITY, ''],
  [personality.PER, 'PER_'],
  [notes.NT, 'NT_'],
  [time.CLOCK, 'CLOCK_'],
  [time.ITIMER, 'ITIMER_'],
  [time.TIMER, 'TIMER_'],
  [time.TFD, 'TFD_'],
  [mount.MS, 'MS_'],
  [mount.MNT, 'MNT_'],
  [mount.UMOUNT, 'UMOUNT_'],
  [mount.OPEN_TREE, 'OPEN_TREE_'],
  [mount.MOVE_MOUNT, 'MOVE_MOUNT_'],
  [mount.FSOPEN, 'FSOPEN_'],
  [mount.FSMOUNT, 'FSMOUNT_'],
  [mount.FSPICK, 'FSPICK_'],
  [mount.FSCONFIG, 'FSCONFIG_'],
  [mount.MOUNT_ATTR, 'MOUNT_ATTR_'],
  [wait.W, 'W'],
  [wait.WAIT_KIND, '__W'],
  [wait.P, 'P_'],
  [poll.POLL, 'POLL'],
  [poll.EPOLL, 'EPOLL'],
  [poll.EPOLL_CTL, 'EPOLL_CTL_'],
  [poll.EPOLL_CREATE, 'EPOLL_'],
  [poll.EFD, 'EFD_'],
  [socket.AF, 'AF_'],
  [socket.SOCK, 'SOCK_'],
  [socket.SOL, 'SOL_'],
  [socket.SO, 'SO_'],
  [socket.MSG, 'MSG_'],
  [socket.SCM, 'SCM_'],
  [socket.SHUT, 'SHUT_'],
  [socket.TCP_STATE, 'TCP_'],
  [netlink.NETLINK, 'NETLINK_'],
  [netlink.NETLINK_OPTION, 'NETLINK_'],
  [netlink.NLM_F, 'NLM_F_'],
  [netlink.NLMSG, 'NLMSG_'],
  [netlink.NLMSGERR_ATTR, 'NLMSGERR_ATTR_'],
  [netlink.NLA_F, 'NLA_F_'],
  [netlink.SOCK_DIAG, 'SOCK_DIAG_'],
  [netlink.UDIAG_SHOW, 'UDIAG_SHOW_'],
  [netlink.UNIX_DIAG, 'UNIX_DIAG_'],
]

/** Names that Debian 12's headers (Linux 6.1) do not have yet, or that none has under this name. */
const newer = new Set([
  'MAP_DROPPABLE',
  'MADV_GUARD_INSTALL',
  'MADV_GUARD_REMOVE',
  'MFD_NOEXEC_SEAL',
  'MFD_EXEC',
  'SCHED_EXT',
  'PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG',
  'PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG',
  'PTRACE_SET_SYSCALL_INFO',
  'F_DUPFD_QUERY',
  'F_CREATED_QUERY',
  'F_SEAL_EXEC',
  'AT_HANDLE_FID',
  [nfTables.NFPROTO, 'NFPROTO_'],
  [nfTables.NF_INET, 'NF_INET_'],
  [nfTables.NF, 'NF_'],
  [nfTables.NFNL_SUBSYS, 'NFNL_SUBSYS_'],
  [nfTables.NFNL_MSG, 'NFNL_MSG_'],
  [nfTables.NFT_MSG, 'NFT_MSG_'],
  [nfTables.NFT_REG, 'NFT_REG_'],
  [nfTables.NFT_META, 'NFT_META_'],
  [nfTables.NFT_PAYLOAD, 'NFT_PAYLOAD_'],
  [nfTables.NFT_CMP, 'NFT_CMP_'],
  [nfTables.NFTA_TABLE, 'NFTA_TABLE_'],
  [nfTables.NFTA_CHAIN, 'NFTA_CHAIN_'],
  [nfTables.NFTA_HOOK, 'NFTA_HOOK_'],
  [nfTables.NFTA_SET, 'NFTA_SET_'],
  [nfTables.NFTA_SET_DESC, 'NFTA_SET_DESC_'],
  [nfTables.NFTA_SET_ELEM_LIST, 'NFTA_SET_ELEM_LIST_'],
  [nfTables.NFTA_SET_ELEM, 'NFTA_SET_ELEM_'],
  [nfTables.NFTA_RULE, 'NFTA_RULE_'],
  [nfTables.NFTA_LIST, 'NFTA_LIST_'],
  [nfTables.NFTA_EXPR, 'NFTA_EXPR_'],
  [nfTables.NFTA_DATA, 'NFTA_DATA_'],
  [nfTables.NFTA_VERDICT, 'NFTA_VERDICT_'],
  [nfTables.NFTA_META, 'NFTA_META_'],
  [nfTables.NFTA_CMP, 'NFTA_CMP_'],
  [nfTables.NFTA_PAYLOAD, 'NFTA_PAYLOAD_'],
  [nfTables.NFTA_LOOKUP, 'NFTA_LOOKUP_'],
  [nfTables.NFTA_IMMEDIATE, 'NFTA_IMMEDIATE_'],
  [netlink.NDIAG_SHOW, 'NDIAG_SHOW_'],
  [netlink.NETLINK_DIAG, 'NETLINK_DIAG_'],
  [netlink.NDIAG_FLAG, 'NDIAG_FLAG_'],
  [packet.PACKET, 'PACKET_'],
  [packet.PACKET_FANOUT, 'PACKET_FANOUT_'],
  [packet.PACKET_SHOW, 'PACKET_SHOW_'],
  [packet.PACKET_DIAG, 'PACKET_DIAG_'],
  [packet.PDI, 'PDI_'],
  'PR_SET_MDWE',
  'PR_GET_MDWE',
  'PR_SET_MEMORY_MERGE',
  'PR_GET_MEMORY_MERGE',
  'PR_GET_SHADOW_STACK_STATUS',
  'PR_SET_SHADOW_STACK_STATUS',
  'PR_LOCK_SHADOW_STACK_STATUS',
  'PR_TIMER_CREATE_RESTORE_IDS',
  'PR_FUTEX_HASH',
  'PR_GET_AUXV',
  'PR_TIMER_CREATE_RESTORE_IDS_OFF',
  'PR_TIMER_CREATE_RESTORE_IDS_ON',
  'PR_TIMER_CREATE_RESTORE_IDS_GET',
  'PR_MDWE_REFUSE_EXEC_GAIN',
  'PR_MDWE_NO_INHERIT',
  'ARCH_SHSTK_ENABLE',
  'ARCH_SHSTK_DISABLE',
  'ARCH_SHSTK_LOCK',
  'ARCH_SHSTK_UNLOCK',
  'ARCH_SHSTK_STATUS',
  'PAGEMAP_SCAN',
  'PM_SCAN_WP_MATCHING',
  'PM_SCAN_CHECK_WPASYNC',
  'PAGE_IS_WPALLOWED',
  'PAGE_IS_WRITTEN',
  'PAGE_IS_FILE',
  'PAGE_IS_PRESENT',
  'PAGE_IS_SWAPPED',
  'PAGE_IS_PFNZERO',
  'PAGE_IS_HUGE',
  'PAGE_IS_SOFT_DIRTY',
  'PAGE_IS_GUARD',
  'PROCMAP_QUERY',
  'UFFDIO_POISON',
  'UFFDIO_MOVE',
  'UFFD_FEATURE_WP_UNPOPULATED',
  'UFFD_FEATURE_POISON',
  'UFFD_FEATURE_WP_ASYNC',
  'UFFD_FEATURE_MOVE',
  'NS_GET_MNTNS_ID',
  'STATX_MNT_ID_UNIQUE',
  'STATX_SUBVOL',
  'STATX_WRITE_ATOMIC',
  'STATX_DIO_READ_ALIGN',
  'MQUEUE_MAGIC',
  'PID_FS_MAGIC',
  'CONFIGFS_MAGIC',
  'FUSECTL_SUPER_MAGIC',
  'NTFS3_SUPER_MAGIC',
  'BCACHEFS_SUPER_MAGIC',
  'NT_I386_TLS',
  'NT_I386_IOPERM',
  'NT_X86_SHSTK',
  'MNT_FORCE',
  'MNT_DETACH',
  'MNT_EXPIRE',
  'UMOUNT_NOFOLLOW',
  'MOVE_MOUNT_BENEATH',
  'FSCONFIG_CMD_CREATE_EXCL',
  'SO_PASSPIDFD',
  'SO_PEERPIDFD',
  'SO_RCVPRIORITY',
  'SO_PASSRIGHTS',
  'FAN_PRE_ACCESS',
  'SO_INQ',
  'SCM_SECURITY',
  'SCM_PIDFD',
  'PACKET_VNET_HDR_SZ',
  'TCP_NEW_SYN_RECV',
])

/** Types that the C library would define once more. */
const ownTypes = ['__sigset_t_defined 1', '__sigset_t sigset_t', '__timeval_defined 1']

const include = [
  '#define _GNU_SOURCE 1',
  ...ownTypes.map((name) => `#define ${name}`),
  ...headers.map((header) => `#include <${header}>`),
].join('\n')
const known = new Set(preprocess(include).match(/[A-Za-z_]\w*/g))
const names = groups.flatMap(([group, prefix]) =>
  Object.entries(group).map(([key, value]) => ({ name: prefix + key, value })),
)
const inHeaders = names.filter(({ name }) => known.has(name))

const program = [
  include,
  'int printf(const char *, ...);',
  'int main(void) {',
  ...inHeaders.map(({ name }) => `printf("${name} %lld\\n", (long long)(${name}));`),
  'return 0; }',
].join('\n')

/** What C widens with its sign (an int with bit 31 set) is the same 32 bits here. */
const same = (here: bigint, there: bigint): boolean =>
  here === there ||
  here === BigInt.asUintN(64, there) ||
  (there < 0n && there >= -(2n ** 31n) && here === BigInt.asUintN(32, there))

describe("constants are the headers'", () => {
  test('every value that the headers define', () => {
    const printed = new Map(
      runC(program)
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    )
    const wrong = inHeaders.filter(
      ({ name, value }) => !same(BigInt(value), BigInt(printed.get(name)!)),
    )
    expect(wrong.map(({ name, value }) => `${name} ${value} ${printed.get(name)}`)).toEqual([])
    expect(inHeaders.length).toBeGreaterThan(700)
  })

  test('what the headers do not define is known to be newer', () => {
    const missing = names.filter(({ name }) => !known.has(name) && !newer.has(name))
    expect(missing.map(({ name }) => name)).toEqual([])
  })
})
