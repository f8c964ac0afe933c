/* Further states. */

static void scheduling(void)
{
	cpu_set_t cpus;
	struct sched_param p = {.sched_priority = 7};
	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	MUST(sched_setaffinity(0, sizeof(cpus), &cpus));
	MUST(setpriority(PRIO_PROCESS, 0, 5));
	MUST(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6));
	MUST(prctl(PR_SET_TIMERSLACK, 123456));
	MUST(sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p));
}

static void idle(void)
{
	struct sched_param p = {0};
	MUST(setpriority(PRIO_PROCESS, 0, -3));
	MUST(sched_setscheduler(0, SCHED_IDLE, &p));
}

static void controls(void)
{
	MUST(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0));
	MUST(prctl(PR_MCE_KILL, 1, 1, 0, 0));
	MUST(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	prctl(53, 0, 4, 0, 0); /* speculative store bypass; not on each CPU */
	MUST(prctl(67, 1, 0, 0, 0)); /* PR_SET_MEMORY_MERGE */
	MUST(prctl(65, 1, 0, 0, 0)); /* PR_SET_MDWE */
	FILE *f = fopen("/proc/self/coredump_filter", "w");
	fputs("0x7", f);
	fclose(f);
	f = fopen("/proc/self/oom_score_adj", "w");
	fputs("345", f);
	fclose(f);
	MUST(syscall(SYS_personality, 0x0040000));
	MUST(prctl(PR_SET_NAME, "a \xff\n(b) c"));
}

static void filter(unsigned flags, int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};
	MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

static void filters(void)
{
	filter(SECCOMP_FILTER_FLAG_LOG, SYS_uname);
	filter(0, SYS_getcpu);
}

static void *wait_for_end(void *ready)
{
	*(volatile int *)ready = 1;
	for (;;)
		pause();
	return NULL;
}

static void *own_filter(void *ready)
{
	filter(0, SYS_getcpu);
	return wait_for_end(ready);
}

static void thread_with(void *(*run)(void *))
{
	static volatile int ready;
	pthread_t t;
	ready = 0;
	pthread_create(&t, NULL, run, (void *)&ready);
	while (!ready)
		usleep(1000);
}

static void plain_thread(void) { thread_with(wait_for_end); }

static void filters_of_threads(void)
{
	thread_with(own_filter);
	filter(SECCOMP_FILTER_FLAG_TSYNC_ESRCH, SYS_uname);
}

static void filters_shared(void)
{
	filter(0, SYS_uname);
	thread_with(own_filter);
}

/* Two timers that have gone off, and a signal of another kind between. */
static void fired(void)
{
	timer_t once, often;
	sigset_t set;
	struct timespec now;
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 50};
	sigemptyset(&set);
	sigaddset(&set, 50);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &once));
	MUST(syscall(SYS_timer_create, CLOCK_REALTIME, &e, &often));
	struct itimerspec spec = {.it_value = {0, 1}};
	MUST(syscall(SYS_timer_settime, *(int *)&once, 0, &spec, NULL));
	usleep(1000);
	MUST(sigqueue(getpid(), 50, (union sigval){.sival_int = 1}));
	clock_gettime(CLOCK_REALTIME, &now);
	spec = (struct itimerspec){.it_value = {now.tv_sec - 500, 0}, .it_interval = {1000, 0}};
	MUST(syscall(SYS_timer_settime, *(int *)&often, TIMER_ABSTIME, &spec, NULL));
	usleep(1000);
}

/* Areas of the thread at addresses that every process of this program has. */
static void areas(void)
{
	static struct { struct { void *next; } list; long offset; void *pending; } head;
	static char area[32] __attribute__((aligned(32)));
	static int tid;
	MUST(syscall(SYS_rseq, area, 32, 0, 0x12345678));
	MUST(syscall(SYS_set_robust_list, &head, sizeof(head)));
	MUST(syscall(SYS_set_tid_address, &tid));
}

static void strict(void)
{
	int none[2];
	char c;
	MUST(pipe(none));
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	syscall(SYS_write, 3, "r", 1);
	for (;;)
		syscall(SYS_read, none[0], &c, 1);
}

#define MORE {"scheduling", scheduling}, {"idle", idle}, {"controls", controls}, {"filters", filters}, \
	{"thread", plain_thread}, {"filters-of-threads", filters_of_threads}, \
	{"filters-shared", filters_shared}, {"strict", strict}, {"areas", areas}, \
	{"fired", fired},
