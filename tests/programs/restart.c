/*
 * Syscalls that a dump interrupts: they go on afterwards. Those with a timeout may end with EINTR
 * (as after any stop and continue) when they tell what is left; then the subject goes on with that,
 * and the whole time must be right. Those without never end by themselves.
 */
#include "subject.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/select.h>

#define WAIT_MS 700
/* A wait that two dumps fall into may be longer by what it had waited before the first: of a call that
 * is being restarted the kernel tells nobody when it began. */
#define LATE_MS 700

static int pipe_fds[2];

/*
 * Time that this process stood still, measured by a thread of its own: all of a gap in its naps
 * past 60 ms is taken for the dump's.
 */
static volatile int64_t frozen_ms;
static volatile bool metering = true;

static void *meter(void *arg)
{
	int64_t last = now_ms();
	while (metering) {
		nap_ms(10);
		int64_t now = now_ms();
		if (now - last > 60)
			frozen_ms += now - last - 10;
		last = now;
	}
	return arg;
}

/* A wait of WAIT_MS in pieces: `piece` waits for the ms it is given, and returns 0 or -errno. */
static void timed(int (*piece)(int64_t ms), bool may_interrupt)
{
	pthread_t thread;
	REQUIRE(pipe(pipe_fds) == 0 && pthread_create(&thread, NULL, meter, NULL) == 0, "set-up");
	ready();
	/* No ok from here: the driver would wait for it, and a dump seldom fall into the wait. */
	while (!stop_requested()) {
		int64_t start = now_ms(), frozen = frozen_ms;
		int result;
		for (;;) {
			int64_t left = start + WAIT_MS - now_ms();
			result = piece(left > 0 ? left : 0);
			if (result != -EINTR || !may_interrupt || now_ms() - start >= WAIT_MS)
				break;
		}
		int64_t took = now_ms() - start;
		nap_ms(15); /* the meter sees the end of the last gap */
		int64_t stood = frozen_ms - frozen;
		CHECK(result == 0 || (may_interrupt && result == -EINTR), "it ended with %d", result);
		CHECK(took >= WAIT_MS - 1, "it took %ld ms, too short", (long)took);
		CHECK(took - stood <= WAIT_MS + LATE_MS, "it took %ld ms, %ld of them frozen", (long)took,
		      (long)stood);
	}
	metering = false;
	pthread_join(thread, NULL);
}

/* The one that waits is a child with a name; the main process keeps on saying ok. */
static int (*piece_to_run)(int64_t);
static bool interruptible;

static void timed_child(void *arg)
{
	(void)arg;
	timed(piece_to_run, interruptible);
}

static void run_timed(int (*piece)(int64_t), bool may_interrupt)
{
	piece_to_run = piece;
	interruptible = may_interrupt;
	start_child("waiter", timed_child, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

static int minus_errno(long result)
{
	return result < 0 ? -errno : 0;
}

static struct timespec spec(int64_t ms)
{
	return (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

/* nanosleep tells what is left: it is that which is slept on. */
static int piece_nanosleep(int64_t ms)
{
	struct timespec want = spec(ms), left = {0, 0};
	int result = minus_errno(syscall(SYS_nanosleep, &want, &left));
	if (result == -EINTR)
		CHECK(left.tv_sec * 1000 + left.tv_nsec / 1000000 <= ms, "%ld s left", left.tv_sec);
	return result;
}

static int piece_clock_relative(int64_t ms)
{
	struct timespec want = spec(ms);
	return minus_errno(syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &want, NULL));
}

static int piece_clock_absolute(int64_t ms)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (end.tv_nsec + ms * 1000000) / 1000000000;
	end.tv_nsec = (end.tv_nsec + ms * 1000000) % 1000000000;
	return minus_errno(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL));
}

static int piece_poll(int64_t ms)
{
	struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
	return minus_errno(poll(&p, 1, ms));
}

static int piece_select(int64_t ms)
{
	struct timeval t = {ms / 1000, ms % 1000 * 1000};
	fd_set set;
	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	return minus_errno(syscall(SYS_select, pipe_fds[0] + 1, &set, NULL, NULL, &t));
}

static int piece_ppoll(int64_t ms)
{
	struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
	struct timespec t = spec(ms);
	uint64_t mask = 1 << (SIGUSR1 - 1);
	return minus_errno(syscall(SYS_ppoll, &p, 1, &t, &mask, 8));
}

static int piece_futex(int64_t ms)
{
	static int word;
	struct timespec t = spec(ms);
	int result = minus_errno(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0));
	return result == -ETIMEDOUT ? 0 : result;
}

static int piece_futex_absolute(int64_t ms)
{
	static int word;
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (end.tv_nsec + ms * 1000000) / 1000000000;
	end.tv_nsec = (end.tv_nsec + ms * 1000000) % 1000000000;
	int result = minus_errno(
		syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &end, NULL, FUTEX_BITSET_MATCH_ANY));
	return result == -ETIMEDOUT ? 0 : result;
}

static int piece_sigtimedwait(int64_t ms)
{
	uint64_t set = 1 << (SIGUSR2 - 1);
	struct timespec t = spec(ms);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	int result = minus_errno(syscall(SYS_rt_sigtimedwait, &set, NULL, &t, 8));
	return result == -EAGAIN ? 0 : result;
}

static int piece_sem(int64_t ms)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += (end.tv_nsec + ms * 1000000) / 1000000000;
	end.tv_nsec = (end.tv_nsec + ms * 1000000) % 1000000000;
	pthread_mutex_lock(&lock);
	int result = pthread_cond_timedwait(&never, &lock, &end);
	pthread_mutex_unlock(&lock);
	return result == ETIMEDOUT ? 0 : -result;
}

#define TIMED(name, piece, interrupts)                                                             \
	static void name(void)                                                                     \
	{                                                                                          \
		run_timed(piece, interrupts);                                                      \
	}
TIMED(t_nanosleep, piece_nanosleep, true)
TIMED(t_clock_relative, piece_clock_relative, true)
TIMED(t_clock_absolute, piece_clock_absolute, false)
TIMED(t_poll, piece_poll, true)
TIMED(t_select, piece_select, false)
TIMED(t_ppoll, piece_ppoll, false)
TIMED(t_futex, piece_futex, true)
TIMED(t_futex_absolute, piece_futex_absolute, true)
TIMED(t_sigtimedwait, piece_sigtimedwait, true)
TIMED(t_condition, piece_sem, false)

/*
 * Waits without an end. The waiter must sit in its syscall through all dumps and end it only when
 * it is woken at the end, with the right result.
 */
static int *shared_word;
static volatile sig_atomic_t handled;

static void on_signal(int signal)
{
	(void)signal;
	handled++;
}

static void wait_child(void *arg)
{
	int (*wait)(void) = (int (*)(void))arg;
	ready();
	int result = wait();
	CHECK(result == 0, "it ended with %d", result);
	CHECK(stop_requested(), "it ended too early");
}

/* `wake` is called once the stop was requested. */
static void endless(int (*wait)(void), void (*wake)(pid_t))
{
	REQUIRE(pipe(pipe_fds) == 0, "pipe");
	shared_word = map_shared(PAGE);
	pid_t pid = start_child("waiter", wait_child, (void *)wait);
	ready();
	while (next_round()) {
		siginfo_t info = {0};
		int n = waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
		CHECK((n == 0 && info.si_pid == 0) || stop_requested(), "the waiter has ended");
	}
	wake(pid);
	join_children();
}

static int read_pipe(void)
{
	char c = 0;
	ssize_t n = read(pipe_fds[0], &c, 1);
	return n == 1 && c == 'x' ? 0 : -errno;
}

static void write_pipe(pid_t pid)
{
	(void)pid;
	CHECK(write(pipe_fds[1], "x", 1) == 1, "write: %d", errno);
}

static int poll_pipe(void)
{
	struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
	int n;
	do
		n = poll(&p, 1, -1);
	while (n < 0 && errno == EINTR && !stop_requested());
	return n == 1 && p.revents == POLLIN ? 0 : -errno;
}

static int select_pipe(void)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	int n = select(pipe_fds[0] + 1, &set, NULL, NULL, NULL);
	return n == 1 && FD_ISSET(pipe_fds[0], &set) ? 0 : -errno;
}

static int futex_wait(void)
{
	long n = syscall(SYS_futex, shared_word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return n == 0 && *shared_word == 1 ? 0 : -errno;
}

static void futex_wake(pid_t pid)
{
	(void)pid;
	*shared_word = 1;
	CHECK(syscall(SYS_futex, shared_word, FUTEX_WAKE, 1, NULL, NULL, 0) == 1, "nobody waits");
}

static int wait_signal(void)
{
	uint64_t none = 0;
	signal(SIGUSR1, on_signal);
	syscall(SYS_rt_sigsuspend, &none, 8);
	return errno == EINTR && handled == 1 ? 0 : -errno;
}

static int pause_for_signal(void)
{
	signal(SIGUSR1, on_signal);
	pause();
	return errno == EINTR && handled == 1 ? 0 : -errno;
}

static void send_usr1(pid_t pid)
{
	kill(pid, SIGUSR1);
}

/* The temporary mask of sigsuspend and ppoll is gone afterwards, and the old one back. */
static int suspend_masked(void)
{
	uint64_t block = 1 << (SIGUSR1 - 1) | 1 << (SIGUSR2 - 1), other = 1 << (SIGTERM - 1), now = 0;
	signal(SIGUSR1, on_signal);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &block, NULL, 8);
	syscall(SYS_rt_sigsuspend, &other, 8);
	int error = errno;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, 8);
	CHECK(now == block, "mask %lx afterwards", (long)now);
	return error == EINTR && handled == 1 ? 0 : -error;
}

static int ppoll_masked(void)
{
	uint64_t block = 1 << (SIGUSR1 - 1) | 1 << (SIGUSR2 - 1), other = 1 << (SIGTERM - 1), now = 0;
	struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
	signal(SIGUSR1, on_signal);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &block, NULL, 8);
	long n = syscall(SYS_ppoll, &p, 1, NULL, &other, 8);
	int error = errno;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, 8);
	CHECK(now == block, "mask %lx afterwards", (long)now);
	return n == -1 && error == EINTR && handled == 1 ? 0 : -error;
}

static int fill_pipe(void)
{
	/* The first write fits; a part written before the wait would be what a signal makes it return. */
	static char bytes[65536];
	if (write(pipe_fds[1], bytes, sizeof(bytes)) != sizeof(bytes))
		return -errno;
	ssize_t n = write(pipe_fds[1], bytes, 10);
	return n == 10 ? 0 : -errno;
}

static void drain_pipe(pid_t pid)
{
	static char bytes[65536];
	(void)pid;
	for (size_t got = 0; got < 65536 + 10;) {
		ssize_t n = read(pipe_fds[0], bytes, sizeof(bytes));
		CHECK(n > 0, "read: %d", errno);
		if (n <= 0)
			return;
		got += n;
	}
}

static int open_fifo(void)
{
	/* Blocks until someone opens it for writing. */
	int fd = open("fifo", O_RDONLY);
	char c;
	return fd >= 0 && read(fd, &c, 1) == 1 ? 0 : -errno;
}

static void write_fifo(pid_t pid)
{
	int fd = open("fifo", O_WRONLY);
	(void)pid;
	CHECK(fd >= 0 && write(fd, "x", 1) == 1, "fifo: %d", errno);
}

static int wait_id(void)
{
	siginfo_t info;
	pid_t pid = fork();
	if (pid == 0) {
		while (!stop_requested())
			nap_ms(10);
		_exit(3);
	}
	return waitid(P_PID, pid, &info, WEXITED) == 0 && info.si_status == 3 ? 0 : -errno;
}

static int wait_info(void)
{
	siginfo_t info;
	uint64_t set = 1 << (SIGUSR1 - 1);
	long n;
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	do
		n = syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8);
	while (n < 0 && errno == EINTR && !stop_requested());
	return n == SIGUSR1 ? 0 : -errno;
}

static void nothing(pid_t pid)
{
	(void)pid;
}

static void wake_usr1_later(pid_t pid)
{
	nap_ms(50);
	kill(pid, SIGUSR1);
}

#define ENDLESS(name, wait, wake)                                                                  \
	static void name(void)                                                                     \
	{                                                                                          \
		endless(wait, wake);                                                               \
	}
ENDLESS(e_read, read_pipe, write_pipe)
ENDLESS(e_write, fill_pipe, drain_pipe)
ENDLESS(e_poll, poll_pipe, write_pipe)
ENDLESS(e_select, select_pipe, write_pipe)
ENDLESS(e_futex, futex_wait, futex_wake)
ENDLESS(e_sigsuspend, wait_signal, send_usr1)
ENDLESS(e_sigsuspend_mask, suspend_masked, send_usr1)
ENDLESS(e_ppoll_mask, ppoll_masked, send_usr1)
ENDLESS(e_pause, pause_for_signal, send_usr1)
ENDLESS(e_waitid, wait_id, nothing)
ENDLESS(e_sigwaitinfo, wait_info, wake_usr1_later)

static void e_open_fifo(void)
{
	REQUIRE(mkfifo("fifo", 0600) == 0, "mkfifo");
	endless(open_fifo, write_fifo);
}

SUBJECT({"nanosleep", t_nanosleep}, {"clock-relative", t_clock_relative},
	{"clock-absolute", t_clock_absolute}, {"poll-timeout", t_poll}, {"select-timeout", t_select},
	{"ppoll-timeout", t_ppoll}, {"futex-timeout", t_futex},
	{"futex-absolute", t_futex_absolute}, {"sigtimedwait", t_sigtimedwait},
	{"condition", t_condition}, {"read", e_read}, {"write", e_write}, {"poll", e_poll},
	{"select", e_select}, {"futex", e_futex}, {"sigsuspend", e_sigsuspend},
	{"sigsuspend-mask", e_sigsuspend_mask}, {"ppoll-mask", e_ppoll_mask}, {"pause", e_pause},
	{"waitid", e_waitid}, {"sigwaitinfo", e_sigwaitinfo}, {"open-fifo", e_open_fifo})
