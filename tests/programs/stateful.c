/* Objects that only the kernel knows: a dump names each, and leaves it as it is. */
#include "subject.h"
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static void at(int number, int fd)
{
	if (fd < 0) /* not on this machine */
		fd = open("/dev/null", O_RDONLY);
	REQUIRE(dup2(fd, number) == number, "descriptor %d", number);
	close(fd);
}

static void keep(void)
{
	struct stat before[40], now;
	for (int i = 0; i < 40; i++)
		if (fstat(100 + i, &before[i]) != 0)
			before[i].st_ino = 0;
	ready();
	while (next_round())
		for (int i = 0; i < 40; i++)
			CHECK(!before[i].st_ino || (fstat(100 + i, &now) == 0 && now.st_ino == before[i].st_ino),
			      "descriptor %d", 100 + i);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void bpf_objects(void)
{
	struct bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, attr.insns = (uintptr_t)code, attr.insn_cnt = 2;
	attr.license = (uintptr_t) "GPL";
	at(100, bpf(BPF_PROG_LOAD, &attr));
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_RINGBUF, attr.max_entries = 4096;
	at(101, bpf(BPF_MAP_CREATE, &attr));
	memset(&attr, 0, sizeof(attr));
	/* struct btf_header, one type `int`, its name */
	static const unsigned char typed[] = {0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0,
					      1,    0,    0, 0, 0,  0, 0, 1, 4, 0, 0, 0, 32, 0, 0, 0, 0,  'i', 'n', 't', 0};
	attr.btf = (uintptr_t)typed, attr.btf_size = sizeof(typed);
	int fd = bpf(BPF_BTF_LOAD, &attr);
	REQUIRE(fd >= 0, "BPF_BTF_LOAD: %m");
	at(102, fd);
	keep();
}

static void security(void)
{
	struct {
		uint64_t handled;
	} rules = {.handled = 1};
	at(110, syscall(444 /* landlock_create_ruleset */, &rules, sizeof(rules), 0));
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	at(111, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
	keep();
}

static void counters(void)
{
	struct perf_event_attr perf = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(perf), .config = PERF_COUNT_SW_TASK_CLOCK};
	at(112, syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0));
	keep();
}

static void mounts(void)
{
	at(113, syscall(SYS_fsopen, "tmpfs", 0));
	int context = syscall(SYS_fsopen, "tmpfs", 0);
	syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0);
	at(114, syscall(SYS_fsmount, context, 0, 0));
	close(context);
	keep();
}

static void machine(void)
{
	int kvm = open("/dev/kvm", O_RDWR);
	NEEDS(kvm >= 0, "/dev/kvm");
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	NEEDS(vm >= 0, "virtual machines");
	at(115, vm);
	at(116, ioctl(115, KVM_CREATE_VCPU, 0));
	close(kvm);
	keep();
}

static void secret(void)
{
	int fd = syscall(447 /* memfd_secret */, 0);
	NEEDS(fd >= 0, "memfd_secret");
	at(117, fd);
	keep();
}

static void devices(void)
{
	at(120, open("/dev/fuse", O_RDWR));
	at(121, open("/dev/cpu_dma_latency", O_RDWR));
	at(122, open("/dev/vcs", O_RDONLY));
	at(123, open("/dev/vga_arbiter", O_RDWR));
	at(124, open("/dev/kmsg", O_RDONLY));
	keep();
}

/* These are no more than a way to the machine. */
static void stateless(void)
{
	static const char *paths[] = {"/dev/loop-control", "/dev/btrfs-control", "/dev/hwrng", "/dev/autofs", "/dev/kvm"};
	int fd[COUNT_OF(paths)];
	for (int i = 0; i < COUNT_OF(paths); i++)
		fd[i] = open(paths[i], i == 2 ? O_RDONLY : O_RDWR);
	ready();
	while (next_round())
		for (int i = 0; i < COUNT_OF(paths); i++) {
			struct stat one, other;
			CHECK(fd[i] < 0 || (fstat(fd[i], &one) == 0 && stat(paths[i], &other) == 0 && one.st_rdev == other.st_rdev),
			      "%s", paths[i]);
		}
}

SUBJECT({"bpf", bpf_objects}, {"security", security}, {"counters", counters}, {"mounts", mounts},
	{"machine", machine}, {"secret", secret}, {"devices", devices}, {"stateless", stateless})
