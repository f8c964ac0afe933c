/* Programs of 32 bits: compiled for i386, run by the kernel's IA32 emulation. */
#include "subject.h"
#include <asm/ldt.h>
#include <poll.h>
#include <sys/time.h>

static __thread int local = 4711;
static int initialised = 42;

static void plain(void)
{
	char *at = map_private(20 * PAGE), *shared = map_shared(4 * PAGE);
	fill(at, 20 * PAGE, 1);
	fill(shared, 4 * PAGE, 2);
	ready();
	while (next_round()) {
		CHECK(local == 4711 && initialised == 42, "data");
		CHECK(filled(at, 20 * PAGE, 1) && filled(shared, 4 * PAGE, 2), "memory");
		CHECK(sizeof(void *) == 4, "word size");
	}
}

uint32_t regs_in[8], regs_out[8];
long spins;

static void registers(void)
{
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		fill(regs_in, sizeof(regs_in), round);
		spins = 8000000;
		/* esp and one pointer are taken; the counter is addressed through ebp's copy below. */
		__asm__ volatile("push %%ebp\n push %%ebx\n push %[spins]\n"
				 "movl %[in], %%ebp\n"
				 "movl 0(%%ebp), %%eax\n movl 4(%%ebp), %%ebx\n movl 8(%%ebp), %%ecx\n"
				 "movl 12(%%ebp), %%edx\n movl 16(%%ebp), %%esi\n movl 20(%%ebp), %%edi\n"
				 "movl 24(%%ebp), %%ebp\n"
				 "1: decl (%%esp)\n jnz 1b\n"
				 "push %%ebp\n movl %[out], %%ebp\n"
				 "movl %%eax, 0(%%ebp)\n movl %%ebx, 4(%%ebp)\n movl %%ecx, 8(%%ebp)\n"
				 "movl %%edx, 12(%%ebp)\n movl %%esi, 16(%%ebp)\n movl %%edi, 20(%%ebp)\n"
				 "popl 24(%%ebp)\n"
				 "addl $4, %%esp\n pop %%ebx\n pop %%ebp\n"
				 :
				 : [in] "i"(regs_in), [out] "i"(regs_out), [spins] "m"(spins)
				 : "eax", "ecx", "edx", "esi", "edi", "cc", "memory");
		for (int i = 0; i < 7; i++)
			CHECK(regs_in[i] == regs_out[i], "register %d is %x, was %x", i, regs_out[i], regs_in[i]);
	}
}

static void vectors(void)
{
	static unsigned char in[128] __attribute__((aligned(16))), out[128] __attribute__((aligned(16)));
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		long left = 8000000;
		double x87 = 0;
		fill(in, sizeof(in), round);
		__asm__ volatile("fninit\n fldpi\n fldl2e\n movdqa 0(%[in]), %%xmm0\n movdqa 112(%[in]), %%xmm7\n"
				 "1: decl %[left]\n jnz 1b\n"
				 "movdqa %%xmm0, 0(%[out])\n movdqa %%xmm7, 112(%[out])\n"
				 "faddp\n fstpl %[x87]\n fninit\n"
				 : [left] "+m"(left), [x87] "=m"(x87)
				 : [in] "r"(in), [out] "r"(out)
				 : "cc", "memory", "xmm0", "xmm7");
		CHECK(memcmp(in, out, 16) == 0 && memcmp(in + 112, out + 112, 16) == 0, "xmm registers");
		CHECK(x87 > 4.58428 && x87 < 4.58429, "x87 %f", x87);
	}
}

static void tls_thread(void *arg)
{
	int seed = (int)(uintptr_t)arg;
	struct user_desc before = {.entry_number = 12}, after = {.entry_number = 12};
	local = seed;
	REQUIRE(syscall(SYS_get_thread_area, &before) == 0, "get_thread_area");
	ready();
	while (next_round()) {
		CHECK(local == seed, "thread-local data");
		CHECK(syscall(SYS_get_thread_area, &after) == 0 && after.base_addr == before.base_addr &&
			      after.limit == before.limit,
		      "thread area at %x", after.base_addr);
	}
}

static void threads(void)
{
	pthread_t all[4];
	char name[16];
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "thread-%d", i);
		all[i] = start_thread(name, tls_thread, (void *)(uintptr_t)(i + 1));
	}
	ready();
	while (next_round())
		CHECK(local == 4711, "the leader's thread-local data");
	for (int i = 0; i < 4; i++)
		join_thread(all[i]);
}

static volatile sig_atomic_t came;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	came = info->si_int;
}

static void signals(void)
{
	struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK}, now;
	stack_t stack = {.ss_sp = map_private(8 * PAGE), .ss_size = 8 * PAGE}, other;
	sigset_t set, blocked;
	sigaltstack(&stack, NULL);
	sigemptyset(&a.sa_mask);
	sigaddset(&a.sa_mask, SIGRTMAX);
	sigaction(SIGRTMIN, &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 99});
	ready();
	while (next_round()) {
		sigaction(SIGRTMIN, NULL, &now);
		CHECK(now.sa_sigaction == on_signal && now.sa_flags == a.sa_flags && sigismember(&now.sa_mask, SIGRTMAX) == 1,
		      "action");
		sigaltstack(NULL, &other);
		CHECK(other.ss_sp == stack.ss_sp && other.ss_size == stack.ss_size, "stack");
		sigprocmask(SIG_BLOCK, NULL, &blocked);
		CHECK(sigismember(&blocked, SIGUSR1) == 1 && sigismember(&blocked, SIGUSR2) == 0, "mask");
		came = 0;
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 7});
		CHECK(came == 7, "value %d", (int)came);
	}
	siginfo_t info;
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1 && info.si_int == 99, "the pending one");
}

static void waits(void *arg)
{
	int *p = arg;
	char c;
	ready();
	CHECK(read(p[0], &c, 1) == 1 && c == 'x', "read: %d", errno);
}

static void polls(void *arg)
{
	int *p = arg;
	struct pollfd f = {.fd = p[2], .events = POLLIN};
	ready();
	while (poll(&f, 1, -1) == -1 && errno == EINTR)
		;
	CHECK(f.revents & POLLIN, "events %x", f.revents);
}

static void interrupted(void)
{
	int p[4];
	REQUIRE(pipe(p) == 0 && pipe(p + 2) == 0, "pipe");
	start_child("reader", waits, p);
	start_child("poller", polls, p);
	ready();
	while (next_round())
		;
	CHECK(write(p[1], "x", 1) == 1 && write(p[3], "x", 1) == 1, "write");
	join_children();
}

static void timers(void)
{
	struct itimerval set = {{9, 0}, {100000, 0}}, now;
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec far = {{3, 4}, {200000, 0}}, left;
	timer_t timer;
	setitimer(ITIMER_REAL, &set, NULL);
	REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	timer_settime(timer, 0, &far, NULL);
	ready();
	while (next_round()) {
		getitimer(ITIMER_REAL, &now);
		timer_gettime(timer, &left);
		CHECK(now.it_interval.tv_sec == 9 && now.it_value.tv_sec > 99900, "left %ld", (long)now.it_value.tv_sec);
		CHECK(left.it_interval.tv_sec == 3 && left.it_interval.tv_nsec == 4 && left.it_value.tv_sec > 199900,
		      "left %ld", (long)left.it_value.tv_sec);
	}
}

static void files(void)
{
	int fd = make_file("data", 1000, 1), p[2];
	lseek(fd, 77, SEEK_SET);
	REQUIRE(pipe(p) == 0 && write(p[1], "abc", 3) == 3, "pipe");
	ready();
	while (next_round())
		CHECK(lseek(fd, 0, SEEK_CUR) == 77, "position %ld", (long)lseek(fd, 0, SEEK_CUR));
	char in[4];
	CHECK(read(p[0], in, 4) == 3 && memcmp(in, "abc", 3) == 0, "pipe");
}

static void vdso(void)
{
	struct timespec by_vdso, by_call;
	ready();
	while (next_round()) {
		clock_gettime(CLOCK_MONOTONIC, &by_vdso);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &by_call);
		CHECK(by_call.tv_sec - by_vdso.tv_sec <= 1 && by_call.tv_sec >= by_vdso.tv_sec, "time %ld %ld",
		      (long)by_vdso.tv_sec, (long)by_call.tv_sec);
	}
}

/* Robust list, as a process of 32 bits has it. */
static pthread_mutex_t robust_mutex;

static void dies_with_lock(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&robust_mutex);
	ready();
	while (next_round())
		;
}

static void robust(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust_mutex, &attributes);
	pthread_t thread = start_thread("owner", dies_with_lock, NULL);
	ready();
	while (next_round())
		;
	join_thread(thread);
	int error = pthread_mutex_lock(&robust_mutex);
	CHECK(error == EOWNERDEAD, "lock: %d", error);
}

static void with_wide_child(void)
{
	exec_child("wide", "files", "position");
	plain();
	join_children();
}

SUBJECT({"plain", plain}, {"registers", registers}, {"vectors", vectors}, {"threads", threads},
	{"signals", signals}, {"interrupted", interrupted}, {"timers", timers}, {"files", files},
	{"vdso", vdso}, {"robust", robust}, {"with-wide-child", with_wide_child})
