/* Signals: actions, masks, what is pending with all that its siginfo tells, alternate stacks. */
#include "subject.h"
#include <sys/prctl.h>
#include <ucontext.h>

struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct kernel_action action_of(int signal)
{
	struct kernel_action a = {0};
	syscall(SYS_rt_sigaction, signal, NULL, &a, 8);
	return a;
}

static void nothing(int signal)
{
	(void)signal;
}

static void nothing_info(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
}

/* Every signal has another action: handler, flags, mask. */
static void actions(void)
{
	static const int flags[] = {0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_ONSTACK, SA_NOCLDSTOP,
				    SA_NOCLDWAIT | SA_RESTART, SA_NODEFER | SA_ONSTACK};
	struct kernel_action before[65];
	for (int s = 1; s <= 64; s++) {
		struct sigaction a = {.sa_flags = flags[s % 8]};
		if (s == SIGKILL || s == SIGSTOP || s == 32 || s == 33)
			continue;
		if (s % 3 == 0) {
			a.sa_sigaction = nothing_info;
			a.sa_flags |= SA_SIGINFO;
		} else {
			a.sa_handler = s % 3 == 1 ? nothing : SIG_IGN;
		}
		sigemptyset(&a.sa_mask);
		sigaddset(&a.sa_mask, s % 31 + 1);
		sigaddset(&a.sa_mask, 64 - s % 20);
		REQUIRE(sigaction(s, &a, NULL) == 0, "sigaction %d", s);
	}
	for (int s = 1; s <= 64; s++)
		before[s] = action_of(s);
	ready();
	while (next_round())
		for (int s = 1; s <= 64; s++) {
			struct kernel_action now = action_of(s);
			CHECK(memcmp(&now, &before[s], sizeof(now)) == 0,
			      "signal %d: handler %p flags %lx mask %lx", s, (void *)now.handler, now.flags,
			      (long)now.mask);
		}
}

/* Parent and child differ. */
static void other_actions(void *arg)
{
	(void)arg;
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, nothing);
	ready();
	while (next_round())
		CHECK(action_of(SIGUSR1).handler == SIG_DFL && action_of(SIGUSR2).handler == nothing &&
			      action_of(SIGHUP).handler == nothing,
		      "the parent's actions");
}

static void actions_of_child(void)
{
	signal(SIGHUP, nothing);
	signal(SIGUSR1, nothing);
	signal(SIGUSR2, SIG_IGN);
	start_child("child", other_actions, NULL);
	ready();
	while (next_round())
		CHECK(action_of(SIGUSR1).handler == nothing && action_of(SIGUSR2).handler == SIG_IGN,
		      "the child's actions");
	join_children();
}

static uint64_t mask_now(void)
{
	uint64_t mask = 0;
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
	return mask;
}

static void set_mask(uint64_t mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

#define ALL_BUT_UNBLOCKABLE (~(1ULL << (SIGKILL - 1)) & ~(1ULL << (SIGSTOP - 1)))

static void masked_thread(void *arg)
{
	uint64_t mask = *(uint64_t *)arg;
	set_mask(mask);
	ready();
	while (next_round())
		CHECK(mask_now() == mask, "mask %lx, was %lx", (long)mask_now(), (long)mask);
}

static void masks(void)
{
	uint64_t own = 1 << (SIGUSR1 - 1) | 1ULL << 63, of[2] = {0x5555555500000000, ALL_BUT_UNBLOCKABLE};
	pthread_t threads[2] = {start_thread("thread-1", masked_thread, &of[0]),
				start_thread("thread-2", masked_thread, &of[1])};
	set_mask(own);
	ready();
	while (next_round())
		CHECK(mask_now() == own, "mask %lx", (long)mask_now());
	join_thread(threads[0]);
	join_thread(threads[1]);
}

static uint64_t pending_now(void)
{
	uint64_t set = 0;
	syscall(SYS_rt_sigpending, &set, 8);
	return set;
}

static void block(int signal)
{
	set_mask(mask_now() | 1ULL << (signal - 1));
}

static int take(int signal, siginfo_t *info)
{
	uint64_t set = 1ULL << (signal - 1);
	struct timespec none = {0, 0};
	memset(info, 0, sizeof(*info));
	return syscall(SYS_rt_sigtimedwait, &set, info, &none, 8);
}

/* Sent to the process, and to one thread: each is where it was. */
static void pending_thread(void *arg)
{
	siginfo_t info;
	(void)arg;
	block(SIGUSR1), block(SIGUSR2);
	syscall(SYS_tgkill, getpid(), gettid_raw(), SIGUSR2);
	ready();
	while (next_round())
		CHECK(pending_now() & 1 << (SIGUSR2 - 1), "pending %lx", (long)pending_now());
	CHECK(take(SIGUSR2, &info) == SIGUSR2 && info.si_code == SI_TKILL, "code %d", info.si_code);
}

static void pending(void)
{
	siginfo_t info;
	block(SIGUSR1), block(SIGUSR2), block(SIGTERM);
	pthread_t thread = start_thread("thread", pending_thread, NULL);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGTERM);
	ready();
	while (next_round())
		CHECK(pending_now() == (1 << (SIGUSR1 - 1) | 1 << (SIGTERM - 1)), "pending %lx",
		      (long)pending_now());
	CHECK(take(SIGUSR1, &info) == SIGUSR1 && info.si_code == SI_USER && info.si_pid == getpid() &&
		      info.si_uid == getuid(),
	      "code %d pid %d", info.si_code, info.si_pid);
	CHECK(take(SIGTERM, &info) == SIGTERM, "SIGTERM");
	join_thread(thread);
}

#define QUEUED 40

/* Real-time signals come in the order they were sent, each with its value. */
static void queue(void)
{
	siginfo_t info;
	block(SIGRTMIN + 1), block(SIGRTMIN + 5);
	for (int i = 0; i < QUEUED; i++) {
		union sigval value = {.sival_ptr = (void *)(0x100000000L + i)};
		REQUIRE(sigqueue(getpid(), i % 4 ? SIGRTMIN + 1 : SIGRTMIN + 5, value) == 0, "sigqueue");
	}
	ready();
	while (next_round())
		CHECK(pending_now() == (1ULL << SIGRTMIN | 1ULL << (SIGRTMIN + 4)), "pending %lx",
		      (long)pending_now());
	for (int i = 0; i < QUEUED; i++) {
		int signal = i % 4 ? SIGRTMIN + 1 : SIGRTMIN + 5;
		CHECK(take(signal, &info) == signal && info.si_ptr == (void *)(0x100000000L + i) &&
			      info.si_code == SI_QUEUE && info.si_pid == getpid(),
		      "%d: value %p, code %d", i, info.si_ptr, info.si_code);
	}
	CHECK(take(SIGRTMIN + 1, &info) == -1, "one more came");
}

/* The same for one thread's own queue. */
static void thread_queue_body(void *arg)
{
	siginfo_t info;
	(void)arg;
	block(SIGRTMIN + 1);
	for (int i = 0; i < QUEUED; i++) {
		siginfo_t out = {.si_signo = SIGRTMIN + 1, .si_code = SI_QUEUE};
		out.si_pid = 4242;
		out.si_uid = 17;
		out.si_int = i;
		REQUIRE(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid_raw(), SIGRTMIN + 1, &out) == 0, "queue");
	}
	ready();
	while (next_round())
		CHECK(pending_now() & 1ULL << SIGRTMIN, "pending %lx", (long)pending_now());
	for (int i = 0; i < QUEUED; i++)
		CHECK(take(SIGRTMIN + 1, &info) == SIGRTMIN + 1 && info.si_int == i && info.si_pid == 4242 &&
			      info.si_uid == 17,
		      "%d: value %d, pid %d", i, info.si_int, info.si_pid);
}

static void thread_queue(void)
{
	block(SIGRTMIN + 1);
	pthread_t thread = start_thread("thread", thread_queue_body, NULL);
	ready();
	while (next_round())
		CHECK(pending_now() == 0, "the thread's signals are the process's");
	join_thread(thread);
}

/* A siginfo of one's own making, byte by byte. */
static void siginfo_bytes(void)
{
	unsigned char out[128] = {0}, in[128]; /* the kernel takes the first 48 bytes alone */
	int signal = SIGRTMIN + 7;
	fill(out, 48, 3);
	((int *)out)[0] = signal;
	((int *)out)[1] = 0;
	((int *)out)[2] = -77; /* si_code: what only a user may send, and only to itself */
	block(signal);
	REQUIRE(syscall(SYS_rt_sigqueueinfo, getpid(), signal, out) == 0, "rt_sigqueueinfo");
	ready();
	while (next_round())
		;
	CHECK(take(signal, (siginfo_t *)in) == signal, "gone");
	for (int i = 0; i < 48; i++)
		CHECK(in[i] == out[i], "byte %d is %02x, was %02x", i, in[i], out[i]);
}

/* SIGCHLD of a zombie, SIGALRM of a timer, a fault's address: what the kernel itself sent. */
static void from_kernel(void)
{
	siginfo_t info;
	int p[2];
	block(SIGCHLD), block(SIGALRM), block(SIGPIPE);
	pid_t pid = fork();
	if (pid == 0)
		_exit(9);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	struct itimerspec soon = {{0, 0}, {0, 1000000}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	event.sigev_value.sival_int = 321;
	timer_t timer;
	REQUIRE(pipe(p) == 0 && close(p[0]) == 0 && write(p[1], "x", 1) == -1, "pipe");
	close(p[1]);
	REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	timer_settime(timer, 0, &soon, NULL);
	nap_ms(10);
	ready();
	while (next_round())
		;
	CHECK(take(SIGCHLD, &info) == SIGCHLD && info.si_code == CLD_EXITED && info.si_pid == pid &&
		      info.si_status == 9,
	      "SIGCHLD: code %d, pid %d, status %d", info.si_code, info.si_pid, info.si_status);
	CHECK(take(SIGALRM, &info) == SIGALRM && info.si_code == SI_TIMER && info.si_value.sival_int == 321,
	      "SIGALRM: code %d, value %d", info.si_code, info.si_value.sival_int);
	CHECK(take(SIGPIPE, &info) == SIGPIPE && info.si_code == SI_USER, "SIGPIPE: code %d", info.si_code);
	waitpid(pid, NULL, 0);
}

static void same_stack(const stack_t *want)
{
	stack_t now;
	sigaltstack(NULL, &now);
	CHECK(now.ss_sp == want->ss_sp && now.ss_size == want->ss_size && now.ss_flags == want->ss_flags,
	      "stack %p size %zx flags %x", now.ss_sp, now.ss_size, now.ss_flags);
}

static volatile uintptr_t handler_frame;

static void note_frame(int signal)
{
	(void)signal;
	handler_frame = (uintptr_t)__builtin_frame_address(0);
}

static void on_alternate_stack(const stack_t *stack, int signal)
{
	handler_frame = 0;
	syscall(SYS_tgkill, getpid(), gettid_raw(), signal);
	uintptr_t start = (uintptr_t)stack->ss_sp;
	CHECK(handler_frame >= start && handler_frame < start + stack->ss_size, "the handler ran at %lx",
	      (long)handler_frame);
}

static void stack_thread(void *arg)
{
	stack_t stack = {.ss_sp = map_private(16 * PAGE), .ss_size = 16 * PAGE};
	(void)arg;
	REQUIRE(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	ready();
	while (next_round())
		same_stack(&stack);
}

static void alternate_stack(void)
{
	struct sigaction a = {.sa_handler = note_frame, .sa_flags = SA_ONSTACK};
	stack_t stack = {.ss_sp = map_private(16 * PAGE), .ss_size = 12345};
	REQUIRE(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	sigaction(SIGUSR1, &a, NULL);
	pthread_t thread = start_thread("thread", stack_thread, NULL);
	ready();
	while (next_round()) {
		same_stack(&stack);
		on_alternate_stack(&stack, SIGUSR1);
	}
	join_thread(thread);
}

static void autodisarm(void)
{
	stack_t stack = {.ss_sp = map_private(16 * PAGE), .ss_size = 16 * PAGE, .ss_flags = (int)(1U << 31)};
	NEEDS(sigaltstack(&stack, NULL) == 0, "SS_AUTODISARM");
	ready();
	while (next_round())
		same_stack(&stack);
}

/* All rounds are done within the handler, on the alternate stack; then it returns. */
static volatile bool in_handler;
static volatile uint64_t handler_mask;

static void live_in_handler(int signal, siginfo_t *info, void *context)
{
	volatile char here[500];
	stack_t now;
	(void)context;
	in_handler = true;
	fill((void *)here, sizeof(here), 3);
	uint64_t mask = mask_now();
	ready();
	while (next_round()) {
		sigaltstack(NULL, &now);
		CHECK(now.ss_flags == SS_ONSTACK, "stack flags %x", now.ss_flags);
		CHECK(mask_now() == mask && mask & 1 << (SIGUSR1 - 1), "mask %lx", (long)mask_now());
		CHECK(filled((void *)here, sizeof(here), 3), "frame");
		CHECK(info->si_signo == signal && info->si_pid == getpid(), "siginfo");
	}
	handler_mask = mask;
}

static void within_handler(void)
{
	stack_t stack = {.ss_sp = map_private(16 * PAGE), .ss_size = 16 * PAGE};
	struct sigaction a = {.sa_sigaction = live_in_handler, .sa_flags = SA_ONSTACK | SA_SIGINFO};
	register uint64_t kept __asm__("r14") = 0x1234567890;
	REQUIRE(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &a, NULL) == 0, "sigaction");
	uint64_t before = mask_now();
	__asm__ volatile("" : "+r"(kept));
	kill(getpid(), SIGUSR1);
	__asm__ volatile("" : "+r"(kept));
	CHECK(in_handler && kept == 0x1234567890, "register %lx", (long)kept);
	CHECK(mask_now() == before, "mask %lx", (long)mask_now());
}

/* A child sends without end; every value comes, once and in order. */
static volatile sig_atomic_t next_value, wrong_values;

static void on_value(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	if (info->si_int != next_value)
		wrong_values++;
	next_value = info->si_int + 1;
}

static void sender(void *arg)
{
	pid_t parent = *(pid_t *)arg;
	int n = 0;
	ready();
	while (next_busy_round()) {
		for (int i = 0; i < 20; i++) {
			union sigval value = {.sival_int = n};
			if (sigqueue(parent, SIGRTMIN + 3, value) == 0)
				n++;
			else
				CHECK(errno == EAGAIN, "sigqueue: %d", errno);
			nap_ms(1);
		}
	}
	for (int i = 0; i < 200; i++)
		nap_ms(1);
	*(volatile int *)((char *)arg + 4) = n;
}

static void none_is_lost(void)
{
	int *shared = map_shared(PAGE);
	struct sigaction a = {.sa_sigaction = on_value, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGRTMIN + 3, &a, NULL);
	shared[0] = getpid();
	start_child("sender", sender, shared);
	ready();
	while (next_round())
		CHECK(wrong_values == 0, "%d values out of order", (int)wrong_values);
	join_children();
	CHECK(shared[1] == next_value, "%d came of %d", (int)next_value, shared[1]);
}

/* SIG_IGN for SIGCHLD: children vanish by themselves. */
static void children_ignored(void)
{
	signal(SIGCHLD, SIG_IGN);
	ready();
	while (next_round()) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(1);
		CHECK(waitpid(pid, NULL, 0) == -1 && errno == ECHILD, "it left a zombie");
	}
}

/* SA_RESETHAND: used up before the dump, still to be used after it. */
static void one_shot(void)
{
	struct sigaction a = {.sa_handler = note_frame, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGURG, &a, NULL);
	raise(SIGURG);
	ready();
	while (next_round())
		CHECK(action_of(SIGURG).handler == SIG_DFL && action_of(SIGUSR1).handler == note_frame, "actions");
	raise(SIGUSR1);
	CHECK(action_of(SIGUSR1).handler == SIG_DFL, "it was not reset");
}

/* Pending for a child that is stopped, and comes when it goes on. */
static volatile sig_atomic_t usr1_came;

static void on_usr1(int signal)
{
	(void)signal;
	usr1_came++;
}

static void stopped_child(void *arg)
{
	(void)arg;
	signal(SIGUSR1, on_usr1);
	ready();
	while (next_round())
		;
	CHECK(usr1_came == 1, "SIGUSR1 came %d times", (int)usr1_came);
}

static void pending_for_stopped(void)
{
	int status;
	pid_t pid = start_child("child", stopped_child, NULL);
	REQUIRE(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid, "stop");
	kill(pid, SIGUSR1);
	ready();
	while (next_round())
		;
	kill(pid, SIGCONT);
	join_children();
}

/* As a program in Go: handlers for all that can be caught but those of job control, in every thread. */
static volatile sig_atomic_t caught_any;

static void on_any(int signal)
{
	caught_any = signal;
}

static void handled_thread(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		CHECK(caught_any == 0, "signal %d came", (int)caught_any);
}

static void all_handled(void)
{
	for (int s = 1; s <= 64; s++) {
		struct kernel_action a = {.handler = on_any, .flags = SA_RESTART | SA_ONSTACK | 0x04000000};
		a.restorer = action_of(SIGUSR2).restorer;
		if (s == SIGKILL || s == SIGSTOP || s == SIGCONT || s == SIGTSTP || s == SIGTTIN || s == SIGTTOU)
			continue;
		REQUIRE(syscall(SYS_rt_sigaction, s, &a, NULL, 8) == 0, "rt_sigaction %d", s);
	}
	pthread_t threads[] = {start_thread("one", handled_thread, NULL),
			       start_thread("two", handled_thread, NULL)};
	ready();
	while (next_round())
		CHECK(caught_any == 0, "signal %d came", (int)caught_any);
	join_thread(threads[0]);
	join_thread(threads[1]);
}

SUBJECT({"actions", actions}, {"actions-of-child", actions_of_child}, {"masks", masks},
	{"pending", pending}, {"queue", queue}, {"thread-queue", thread_queue},
	{"siginfo-bytes", siginfo_bytes}, {"from-kernel", from_kernel},
	{"alternate-stack", alternate_stack}, {"autodisarm", autodisarm},
	{"within-handler", within_handler}, {"none-is-lost", none_is_lost},
	{"children-ignored", children_ignored}, {"one-shot", one_shot},
	{"pending-for-stopped", pending_for_stopped}, {"all-handled", all_handled})
