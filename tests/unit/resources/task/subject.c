/* Gives itself the state that its arguments name, says so on descriptor 3, and waits for its end. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <grp.h>
#include <time.h>
#include <unistd.h>

#define MUST(call) do { if ((long)(call) < 0) { perror(#call); _exit(2); } } while (0)

static void nothing(int signal) { (void)signal; }
static void nothing_info(int s, siginfo_t *i, void *c) { (void)s, (void)i, (void)c; }

static void signals(void)
{
	static char stack[65536];
	sigset_t set;
	struct sigaction a = {.sa_sigaction = nothing_info, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaddset(&a.sa_mask, SIGUSR2);
	sigaddset(&a.sa_mask, 64);
	MUST(sigaction(SIGUSR1, &a, NULL));
	signal(SIGHUP, SIG_IGN);
	signal(40, nothing);
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = 1U << 31};
	MUST(sigaltstack(&ss, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, 40);
	sigaddset(&set, 41);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < 50; i++)
		MUST(sigqueue(getpid(), 40 + i % 2, (union sigval){.sival_int = i}));
	kill(getpid(), SIGUSR2);
	syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2);
	syscall(SYS_tgkill, getpid(), gettid(), 41);
	if (fork() == 0)
		_exit(7);
	usleep(20000);
}

static void timers(void)
{
	timer_t id[6];
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	struct sigevent thread = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct sigevent value = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 50,
				 .sigev_value.sival_ptr = (void *)0x123456789abcdefUL};
	thread._sigev_un._tid = gettid();
	signal(SIGUSR1, nothing);
	signal(50, nothing);
	MUST(syscall(SYS_timer_create, CLOCK_MONOTONIC, &none, &id[0]));
	MUST(syscall(SYS_timer_create, CLOCK_REALTIME, &value, &id[1]));
	MUST(syscall(SYS_timer_create, CLOCK_MONOTONIC, &thread, &id[2]));
	MUST(syscall(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &value, &id[3]));
	MUST(syscall(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &thread, &id[4]));
	MUST(syscall(SYS_timer_create, CLOCK_BOOTTIME, NULL, &id[5]));
	MUST(syscall(SYS_timer_delete, *(int *)&id[1]));
	struct itimerspec spec = {.it_value = {1000, 5}, .it_interval = {7, 9}};
	for (int i = 0; i < 5; i++)
		if (i != 1)
			MUST(syscall(SYS_timer_settime, *(int *)&id[i], 0, &spec, NULL));
	struct itimerval real = {.it_value = {500, 1}, .it_interval = {3, 4}};
	MUST(setitimer(ITIMER_REAL, &real, NULL));
	MUST(setitimer(ITIMER_PROF, &real, NULL));
}

static void *own_clock(void *arg)
{
	timer_t id;
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 50};
	struct itimerspec spec = {.it_value = {100, 0}};
	(void)arg;
	MUST(syscall(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &e, &id));
	MUST(syscall(SYS_timer_settime, *(int *)&id, 0, &spec, NULL));
	*(volatile int *)arg = 1;
	for (;;)
		pause();
}

static void thread_timer(void)
{
	static volatile int ready;
	pthread_t t;
	pthread_create(&t, NULL, own_clock, (void *)&ready);
	while (!ready)
		usleep(1000);
}

/* Ten overruns, and a next time that is far off. */
static void overrun(void)
{
	timer_t id;
	sigset_t set;
	struct timespec now;
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 50};
	sigemptyset(&set);
	sigaddset(&set, 50);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(syscall(SYS_timer_create, CLOCK_REALTIME, &e, &id));
	clock_gettime(CLOCK_REALTIME, &now);
	struct itimerspec spec = {.it_value = {now.tv_sec - 10500, 0}, .it_interval = {1000, 0}};
	MUST(syscall(SYS_timer_settime, *(int *)&id, TIMER_ABSTIME, &spec, NULL));
	MUST(sigwaitinfo(&set, NULL));
}

static void limits(void)
{
	struct rlimit l = {.rlim_cur = 77, .rlim_max = 99};
	MUST(setrlimit(RLIMIT_NOFILE, &l));
	l = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
	MUST(setrlimit(RLIMIT_CORE, &l));
}

static void caps(unsigned long eff, unsigned long prm, unsigned long inh)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{eff, prm, inh}, {eff >> 32, prm >> 32, inh >> 32}};
	MUST(syscall(SYS_capset, &h, d));
}

static void creds(void)
{
	gid_t groups[] = {5, 70000, 9};
	MUST(setgroups(3, groups));
	MUST(prctl(PR_SET_SECUREBITS, 1 << 2));
	MUST(setresgid(100, 101, 102));
	setfsgid(103);
	MUST(setresuid(200, 201, 202));
	setfsuid(203);
	unsigned long some = 1UL << 13 | 1UL << 10 | 1UL << 8;
	caps(some, some, some | 1UL << 21);
	MUST(prctl(PR_CAPBSET_DROP, 21));
	MUST(prctl(PR_CAPBSET_DROP, 5));
	MUST(prctl(PR_CAP_AMBIENT, 2, 10, 0, 0));
	MUST(prctl(PR_SET_SECUREBITS, 1 << 4 | 1 << 6));
	caps(1UL << 13, 1UL << 13 | 1UL << 10, some | 1UL << 21);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(prctl(PR_SET_PDEATHSIG, SIGUSR2));
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static void plain_user(void)
{
	MUST(setgroups(0, NULL));
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	MUST(prctl(PR_SET_DUMPABLE, 1));
}

#include "more.h"

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } all[] = {
		{"signals", signals}, {"timers", timers}, {"thread-timer", thread_timer},
		{"overrun", overrun}, {"limits", limits}, {"creds", creds}, {"plain-user", plain_user},
		MORE
	};
	for (int i = 1; i < argc; i++)
		for (size_t j = 0; j < sizeof(all) / sizeof(*all); j++)
			if (strcmp(argv[i], all[j].name) == 0)
				all[j].run();
	if (write(3, "r", 1) != 1)
		return 1;
	close(3);
	for (;;)
		pause();
}
