/* Seccomp: strict mode, filters, single threads, all threads at once. */
#include "subject.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#define NR_OFFSET offsetof(struct seccomp_data, nr)
#define ARG0_OFFSET offsetof(struct seccomp_data, args[0])

/* A filter that answers the system call `nr` with errno `error`. */
static long deny(int nr, int error, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT_OF(code), code};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static bool denied(int nr, int error)
{
	errno = 0;
	return syscall(nr, 0, 0, 0, 0) == -1 && errno == error;
}

static void filter(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	REQUIRE(deny(SYS_getppid, 99, 0) == 0, "seccomp");
	ready();
	while (next_round()) {
		CHECK(prctl(PR_GET_SECCOMP) == 2, "mode %d", prctl(PR_GET_SECCOMP));
		CHECK(denied(SYS_getppid, 99), "the filter does not act");
		CHECK(syscall(SYS_getpid) > 0, "it denies too much");
	}
}

/* By root, without no_new_privs. */
static void filter_of_root(void)
{
	REQUIRE(deny(SYS_getppid, 98, 0) == 0, "seccomp");
	ready();
	while (next_round()) {
		CHECK(denied(SYS_getppid, 98), "the filter does not act");
		CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0, "no_new_privs appeared");
	}
}

/* Several, the last one first; each refines what was there. */
static void stacked(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (int i = 0; i < 10; i++)
		REQUIRE(deny(i % 2 ? SYS_getppid : SYS_getpgrp, 50 + i, SECCOMP_FILTER_FLAG_LOG) == 0, "seccomp");
	ready();
	while (next_round()) {
		CHECK(denied(SYS_getppid, 59) && denied(SYS_getpgrp, 58), "the filters do not act");
		CHECK(field_of("/proc/self/status", "Seccomp_filters") == 10, "%ld filters",
		      field_of("/proc/self/status", "Seccomp_filters"));
	}
}

/* Most of what a dump would inject is forbidden, by death. */
static void narrow(void *arg)
{
	static const int allowed[] = {SYS_read,	 SYS_write, SYS_fstat, SYS_newfstatat, SYS_clock_nanosleep,
				      SYS_nanosleep, SYS_exit_group, SYS_exit, SYS_rt_sigreturn,
				      SYS_restart_syscall, SYS_close};
	struct sock_filter code[COUNT_OF(allowed) + 3];
	int n = COUNT_OF(allowed);
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET);
	for (int i = 0; i < n; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], n - i, 0);
	code[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {COUNT_OF(code), code};
	(void)arg;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	REQUIRE(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
	ready();
	while (next_round())
		;
}

static void narrow_child(void)
{
	char path[64];
	pid_t pid = start_child("child", narrow, NULL);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	ready();
	while (next_round())
		CHECK(field_of(path, "Seccomp") == 2 || stop_requested(), "mode %ld", field_of(path, "Seccomp"));
	join_children();
}

/* SECCOMP_RET_TRAP: a signal to a handler, which answers in the call's place. */
static volatile sig_atomic_t trapped;

static void on_sys(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	trapped = info->si_syscall;
}

static void trap(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 5),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT_OF(code), code};
	struct sigaction a = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
	sigaction(SIGSYS, &a, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	REQUIRE(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
	ready();
	while (next_round()) {
		trapped = 0;
		getppid();
		CHECK(trapped == SYS_getppid, "trapped %d", (int)trapped);
	}
}

/* By an argument: umask may be set to 022 alone. */
static void by_argument(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG0_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 022, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT_OF(code), code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	REQUIRE(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
	ready();
	while (next_round()) {
		CHECK(syscall(SYS_umask, 022) >= 0, "umask 022: %d", errno);
		CHECK(syscall(SYS_umask, 0) == -1 && errno == 77, "umask 0 is allowed");
	}
}

static void strict(void *arg)
{
	int *p = arg;
	char c;
	ready();
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	/* From here read, write and exit are all there is. */
	while (syscall(SYS_read, p[0], &c, 1) == 1 && c != 'q') {
		c++;
		syscall(SYS_write, p[3], &c, 1);
	}
	syscall(SYS_exit, 0);
}

static void strict_child(void)
{
	int p[4], status;
	char path[64], c;
	REQUIRE(pipe(p) == 0 && pipe(p + 2) == 0, "pipe");
	pid_t pid = start_child("child", strict, p);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	ready();
	while (next_round()) {
		c = 'a';
		CHECK(write(p[1], &c, 1) == 1 && read(p[2], &c, 1) == 1 && c == 'b', "no answer: %d", errno);
		CHECK(field_of(path, "Seccomp") == 1, "mode %ld", field_of(path, "Seccomp"));
	}
	CHECK(write(p[1], "q", 1) == 1 && waitpid(pid, &status, 0) == pid && status == 0, "it ended with %x", status);
}

static void thread_filter(void *arg)
{
	int error = (int)(uintptr_t)arg;
	if (error)
		REQUIRE(deny(SYS_getppid, error, 0) == 0, "seccomp");
	ready();
	while (next_round())
		CHECK(error ? denied(SYS_getppid, error) : syscall(SYS_getppid) > 0, "getppid: %d", errno);
}

static void per_thread(void)
{
	pthread_t one = start_thread("filtered-1", thread_filter, (void *)61),
		  two = start_thread("filtered-2", thread_filter, (void *)62),
		  free = start_thread("free", thread_filter, (void *)0);
	ready();
	while (next_round())
		CHECK(prctl(PR_GET_SECCOMP) == 0, "the leader's mode is %d", prctl(PR_GET_SECCOMP));
	join_thread(one);
	join_thread(two);
	join_thread(free);
}

/* TSYNC: one call for all threads, on top of what each has. */
static void synchronised_thread(void *arg)
{
	(void)arg;
	ready();
	/* The first rounds come before the filter: it is set once all are there. */
	while (prctl(PR_GET_SECCOMP) == 0)
		nap_ms(1);
	while (next_round())
		CHECK(denied(SYS_getppid, 63) && denied(SYS_getpgrp, 64), "the filters do not act");
}

static void synchronised(void)
{
	pthread_t one = start_thread("thread-1", synchronised_thread, NULL),
		  two = start_thread("thread-2", synchronised_thread, NULL);
	REQUIRE(deny(SYS_getpgrp, 64, SECCOMP_FILTER_FLAG_TSYNC) == 0, "TSYNC");
	REQUIRE(deny(SYS_getppid, 63, SECCOMP_FILTER_FLAG_TSYNC) == 0, "TSYNC");
	nap_ms(30);
	ready();
	while (next_round())
		CHECK(denied(SYS_getppid, 63) && denied(SYS_getpgrp, 64), "the filters do not act");
	join_thread(one);
	join_thread(two);
}

/* Inherited from the parent, and one of its own. */
static void child_filter(void *arg)
{
	(void)arg;
	REQUIRE(deny(SYS_getpgrp, 72, 0) == 0, "seccomp");
	ready();
	while (next_round())
		CHECK(denied(SYS_getppid, 71) && denied(SYS_getpgrp, 72), "the filters do not act");
}

static void inherited(void)
{
	REQUIRE(deny(SYS_getppid, 71, 0) == 0, "seccomp");
	start_child("child", child_filter, NULL);
	ready();
	while (next_round())
		CHECK(denied(SYS_getppid, 71) && syscall(SYS_getpgrp) > 0, "the filters do not act");
	join_children();
}

/* A user who has given all up. */
static void of_user(void)
{
	REQUIRE(setresuid(1001, 1001, 1001) == 0, "ids");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	REQUIRE(deny(SYS_getppid, 73, SECCOMP_FILTER_FLAG_SPEC_ALLOW) == 0, "seccomp");
	ready();
	while (next_round())
		CHECK(denied(SYS_getppid, 73), "the filter does not act");
}

SUBJECT({"filter", filter}, {"filter-of-root", filter_of_root}, {"stacked", stacked},
	{"narrow", narrow_child}, {"trap", trap}, {"by-argument", by_argument},
	{"strict", strict_child}, {"per-thread", per_thread}, {"synchronised", synchronised},
	{"inherited", inherited}, {"of-user", of_user})
