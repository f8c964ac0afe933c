/*
 * Structs that the user space headers lack, or that those of an older linux-libc-dev lack, as the
 * documentation and the kernel's own headers define them.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
/* What i386 aligns to 4. */
typedef unsigned long long u64_i386 __attribute__((aligned(4)));

/* include/linux/signal_types.h: struct sigaction with SA_RESTORER */
struct k_sigaction { void *sa_handler; unsigned long sa_flags; void *sa_restorer; u64 sa_mask; };
/* include/linux/compat.h; compat_sigset_t is two u32 */
struct k_sigaction32 { u32 sa_handler; u32 sa_flags; u32 sa_restorer; u32 sa_mask[2]; };
struct k_stack32 { u32 ss_sp; s32 ss_flags; u32 ss_size; };

/* arch/x86/include/asm/user_32.h */
struct k_user_regs32 {
  u32 ebx, ecx, edx, esi, edi, ebp, eax, ds, es, fs, gs, orig_eax, eip, cs, eflags, esp, ss;
};

/* linux/bpf.h: members of union bpf_attr, which have no names; the beginning of bpf_prog_info */
struct k_bpf_map_create {
  u32 map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node;
  char map_name[16];
  u32 map_ifindex, btf_fd, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
  u64 map_extra;
};
struct k_bpf_batch {
  u64 in_batch, out_batch, keys, values;
  u32 count, map_fd;
  u64 elem_flags, flags;
};
struct k_bpf_info { u32 bpf_fd, info_len; u64 info; };
struct k_bpf_by_id { u32 id, next_id, open_flags; };
struct k_bpf_prog_info {
  u32 type, id;
  char tag[8];
  u32 jited_prog_len, xlated_prog_len;
  u64 jited_prog_insns, xlated_prog_insns, load_time;
  u32 created_by_uid, nr_map_ids;
  u64 map_ids;
};

/* linux/userfaultfd.h since 6.6 */
struct k_uffdio_poison { struct { u64 start, len; } range; u64 mode, updated; };

/* linux/pidfd.h since 6.13 */
struct k_pidfd_info {
  u64 mask, cgroupid;
  u32 pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  s32 exit_code;
};

/* linux/fs.h since 6.7, Documentation/admin-guide/mm/pagemap.rst */
struct k_pm_scan_arg {
  u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
  u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct k_page_region { u64 start, end, categories; };

/* fs/aio.c */
struct k_aio_ring {
  u32 id, nr, head, tail, magic, compat_features, incompat_features, header_length;
};

/* linux/rseq.h since 6.3 */
struct k_rseq {
  u32 cpu_id_start, cpu_id;
  u64 rseq_cs;
  u32 flags, node_id, mm_cid;
} __attribute__((aligned(32)));

/* man 2 recvmsg, man 3 cmsg, man 7 unix, man 7 socket; include/linux/socket.h */
struct k_msghdr {
  void *msg_name; int msg_namelen; void *msg_iov; unsigned long msg_iovlen;
  void *msg_control; unsigned long msg_controllen; unsigned int msg_flags;
};
struct k_cmsghdr { unsigned long cmsg_len; int cmsg_level; int cmsg_type; };
struct k_ucred { u32 pid, uid, gid; };
struct k_linger { int l_onoff, l_linger; };
/* net/packet/internal.h: struct packet_mreq with room for MAX_ADDR_LEN */
struct k_packet_mreq_max {
  int mr_ifindex; unsigned short mr_type, mr_alen; unsigned char mr_address[32];
};
/* man 3 sockaddr, man 7 packet */
struct k_sockaddr { unsigned short sa_family; char sa_data[14]; };
/* man 2 open_by_handle_at */
struct k_file_handle { u32 handle_bytes; s32 handle_type; u8 f_handle[0]; };
/* linux/userfaultfd.h, whose structs nest a range */
