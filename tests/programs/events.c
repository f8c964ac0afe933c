/* eventfd, signalfd, timerfd, epoll: what they count, wait for and report. */
#include "subject.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

static uint64_t get(int fd)
{
	uint64_t value = 0;
	return read(fd, &value, 8) == 8 ? value : 0;
}

static bool put(int fd, uint64_t value)
{
	return write(fd, &value, 8) == 8;
}

static bool is_ready(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	return poll(&p, 1, 0) == 1;
}

/*
 * What fdinfo tells is looked at in the end, all dumps and restores behind it: a dump that found the
 * file open would find another object than it is to find.
 *
 * A line of it that begins with `field:`, its value. */
static const char *info(int fd, const char *field)
{
	static char line[256];
	char path[64];
	size_t n = strlen(field);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, n) == 0 && line[n] == ':') {
			fclose(file);
			return line + n + 1 + strspn(line + n + 1, " \t");
		}
	if (file)
		fclose(file);
	return "";
}

/* ---- eventfd ---- */

static void counter(void)
{
	int fd = eventfd(41, EFD_NONBLOCK), zero = eventfd(0, 0), full = eventfd(0, EFD_NONBLOCK);
	REQUIRE(fd >= 0 && zero >= 0 && put(full, UINT64_MAX - 1), "eventfd");
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK), "flags %x", fcntl(fd, F_GETFL));
		CHECK(fcntl(zero, F_GETFL) == O_RDWR, "flags %x", fcntl(zero, F_GETFL));
		CHECK(!is_ready(zero), "zero is ready");
		CHECK(!put(full, 1) && errno == EAGAIN, "the full one takes more");
	}
	CHECK(get(fd) == 41 && get(fd) == 0 && get(full) == UINT64_MAX - 1, "other counts");
}

static void semaphore(void)
{
	int fd = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
	REQUIRE(fd >= 0, "eventfd");
	ready();
	while (next_round())
		CHECK(get(fd) == 1 && put(fd, 1), "not by ones");
	CHECK(get(fd) == 1 && get(fd) == 1 && get(fd) == 1 && get(fd) == 0, "not three");
}

static void echo(void *arg)
{
	int *fds = arg;
	ready();
	for (uint64_t n; (n = get(fds[0])) != UINT32_MAX;) {
		next_busy_round();
		CHECK(put(fds[1], n + 1), "write");
	}
}

/* Parent and child talk through two counters, blocking in read. */
static void shared(void)
{
	int fds[2] = {eventfd(0, 0), eventfd(0, 0)};
	start_child("child", echo, fds);
	ready();
	while (next_round()) {
		uint64_t got = 0;
		CHECK(put(fds[0], 5) && (got = get(fds[1])) == 6, "%llu came back", (unsigned long long)got);
	}
	put(fds[0], UINT32_MAX);
	join_children();
}

/* ---- signalfd ---- */

static sigset_t block(int first, int second)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return set;
}

static int signal_of(int fd)
{
	struct signalfd_siginfo si;
	return read(fd, &si, sizeof(si)) == sizeof(si) ? (int)si.ssi_signo : 0;
}

static void signals(void)
{
	sigset_t set = block(SIGUSR1, SIGRTMIN + 3);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	REQUIRE(fd >= 0 && raise(SIGRTMIN + 3) == 0, "signalfd");
	ready();
	while (next_round()) {
		CHECK(is_ready(fd), "the signal is gone");
		raise(SIGUSR1);
		CHECK(signal_of(fd) == SIGUSR1, "another signal");
	}
	CHECK(strtoull(info(fd, "sigmask"), NULL, 16) == *(uint64_t *)&set, "mask %s", info(fd, "sigmask"));
	CHECK(signal_of(fd) == SIGRTMIN + 3 && signal_of(fd) == 0, "another signal was pending");
}

/* ---- timerfd ---- */

static int timer(int clock, int flags, int64_t first_ms, int64_t every_ms)
{
	int fd = timerfd_create(clock, TFD_NONBLOCK);
	struct timespec now = {0, 0};
	if (flags & TFD_TIMER_ABSTIME)
		clock_gettime(clock == CLOCK_REALTIME_ALARM   ? CLOCK_REALTIME
			      : clock == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME
							      : clock, &now);
	int64_t first = first_ms * 1000000 + now.tv_nsec;
	struct itimerspec value = {{every_ms / 1000, every_ms % 1000 * 1000000},
				   {now.tv_sec + first / 1000000000, first % 1000000000}};
	REQUIRE(fd >= 0 && timerfd_settime(fd, flags, &value, NULL) == 0, "timer of clock %d", clock);
	return fd;
}

/* Milliseconds that are left; `slack` many may have gone by while nobody counted. */
static int64_t left_ms(int fd)
{
	struct itimerspec value;
	if (timerfd_gettime(fd, &value) != 0)
		return -1;
	return value.it_value.tv_sec * 1000 + value.it_value.tv_nsec / 1000000;
}

static int64_t interval_ms(int fd)
{
	struct itimerspec value;
	if (timerfd_gettime(fd, &value) != 0)
		return -1;
	return value.it_interval.tv_sec * 1000 + value.it_interval.tv_nsec / 1000000;
}

static void clocks(void)
{
	static const int clock[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM,
				    CLOCK_BOOTTIME_ALARM};
	int fd[COUNT_OF(clock)];
	int64_t before[COUNT_OF(clock)];
	for (size_t i = 0; i < COUNT_OF(clock); i++) {
		before[i] = 1000000 + i;
		fd[i] = timer(clock[i], 0, before[i], 5000 + i);
	}
	ready();
	while (next_round())
		for (size_t i = 0; i < COUNT_OF(clock); i++) {
			int64_t left = left_ms(fd[i]);
			CHECK(left <= before[i] && left > 900000, "clock %d: %lld ms left", clock[i], (long long)left);
			CHECK(interval_ms(fd[i]) == 5000 + (int)i, "clock %d: interval", clock[i]);
			before[i] = left;
		}
	for (size_t i = 0; i < COUNT_OF(clock); i++)
		CHECK(atoi(info(fd[i], "clockid")) == clock[i], "clock %s", info(fd[i], "clockid"));
}

static void moments(void)
{
	int fds[] = {timer(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, 2000000, 0),
		     timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 2000000, 0),
		     timer(CLOCK_REALTIME_ALARM, TFD_TIMER_ABSTIME, 2000000, 0),
		     timer(CLOCK_BOOTTIME, TFD_TIMER_ABSTIME, 2000000, 7000),
		     timer(CLOCK_BOOTTIME_ALARM, TFD_TIMER_ABSTIME, 2000000, 0),
		     timer(CLOCK_REALTIME_ALARM, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 2000000, 9000)};
	static const int flags[] = {1, 3, 1, 1, 1, 3}, every[] = {0, 0, 0, 7000, 0, 9000};
	ready();
	while (next_round())
		for (int i = 0; i < 6; i++) {
			int64_t left = left_ms(fds[i]);
			CHECK(left > 1900000 && left <= 2000000, "%lld ms left", (long long)left);
			CHECK(interval_ms(fds[i]) == every[i], "interval of timer %d", i);
		}
	for (int i = 0; i < 6; i++)
		CHECK(strtol(info(fds[i], "settime flags"), NULL, 8) == flags[i], "flags %s",
		      info(fds[i], "settime flags"));
}

static void ticks(void)
{
	int off = timerfd_create(CLOCK_MONOTONIC, 0), once = timer(CLOCK_MONOTONIC, 0, 1, 0);
	int often = timer(CLOCK_MONOTONIC, 0, 1, 3600000), set = timer(CLOCK_MONOTONIC, 0, 3600000, 0);
	uint64_t many = 12345678901;
	REQUIRE(ioctl(set, TFD_IOC_SET_TICKS, &many) == 0, "TFD_IOC_SET_TICKS");
	nap_ms(5);
	ready();
	while (next_round()) {
		CHECK(left_ms(off) == 0 && !is_ready(off), "the one that is off");
		CHECK(left_ms(once) == 0 && is_ready(once), "the one that fired");
		CHECK(is_ready(often) && is_ready(set), "those with ticks");
	}
	int64_t left = left_ms(often);
	CHECK(left > 3500000 && left <= 3600000, "%lld ms to the next", (long long)left);
	CHECK(get(once) == 1 && get(once) == 0 && get(often) == 1 && get(set) == many, "ticks");
}

/* A periodic one that nobody reads counts on. */
static void unread(void)
{
	int fd = timer(CLOCK_MONOTONIC, 0, 20, 20), rounds = 0;
	ready();
	while (next_round()) {
		CHECK(left_ms(fd) <= 20, "%lld ms left", (long long)left_ms(fd));
		CHECK(rounds++ < 2 || is_ready(fd), "the ticks are gone");
	}
	/* A round takes 20 ms too, and every dump and restore the time that it stands still. */
	uint64_t ticks = get(fd);
	CHECK(ticks + 2 >= (uint64_t)rounds, "%llu ticks in %d rounds", (unsigned long long)ticks, rounds);
}

static void periodic(void)
{
	int fd = timer(CLOCK_MONOTONIC, 0, 10, 10);
	fcntl(fd, F_SETFL, O_RDWR);
	ready();
	do
		CHECK(get(fd) > 0, "no tick");
	while (next_busy_round());
}

/* ---- epoll ---- */

#define DATA(n) (0xabcd00000000ull + (n))

static void watch(int epoll, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};
	REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "EPOLL_CTL_ADD of %d", fd);
}

/* What is reported now: a bit for each datum below 64; others are bit 63. */
static uint64_t reported(int epoll)
{
	struct epoll_event events[64];
	uint64_t set = 0;
	int n = epoll_wait(epoll, events, 64, 0);
	for (int i = 0; i < n; i++) {
		uint64_t number = events[i].data.u64 - DATA(0);
		set |= 1ull << (number < 63 ? number : 63);
	}
	return set;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The targets as fdinfo shows them, sorted: the kernel orders them by the addresses of files. */
static char *targets(int epoll)
{
	static char *lines[2000];
	char path[64], *text = NULL;
	size_t size = 0, n = 0, room = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	FILE *file = fopen(path, "re"), *out = open_memstream(&text, &size);
	while (file && n < 2000 && (lines[n] = NULL, getline(&lines[n], &room, file) > 0)) {
		/* A pipe made anew has another inode number. */
		char *ino = strstr(lines[n], " ino:");
		if (ino && strncmp(lines[n], "tfd:", 4) == 0)
			*ino = 0, n++;
		else
			free(lines[n]);
		room = 0;
	}
	qsort(lines, n, sizeof(lines[0]), by_text);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s\n", lines[i]), free(lines[i]);
	fclose(out);
	fclose(file);
	return text;
}

#define SAME_TARGETS(epoll, before)                                                                \
	do {                                                                                       \
		char *now = targets(epoll);                                                        \
		CHECK(strcmp(now, before) == 0 && *now, "targets: %s", now);                       \
		free(now);                                                                         \
	} while (0)

#define EXPECT(epoll, set)                                                                         \
	do {                                                                                       \
		uint64_t got = reported(epoll);                                                    \
		CHECK(got == (set), "reported %llx instead of %llx", (unsigned long long)got,      \
		      (unsigned long long)(set));                                                  \
	} while (0)

static void level(void)
{
	int e = epoll_create1(EPOLL_CLOEXEC), p[2], full = eventfd(1, 0), none = eventfd(0, 0);
	REQUIRE(pipe(p) == 0 && fcntl(e, F_SETFL, O_NONBLOCK) == 0, "pipe");
	watch(e, p[0], EPOLLIN | EPOLLRDHUP, DATA(1));
	watch(e, full, EPOLLIN, DATA(2));
	watch(e, none, EPOLLIN | EPOLLPRI, DATA(3));
	char c, *before = targets(e);
	ready();
	while (next_round()) {
		EXPECT(e, 4);
		CHECK(write(p[1], "x", 1) == 1, "write");
		EXPECT(e, 6);
		EXPECT(e, 6);
		CHECK(read(p[0], &c, 1) == 1 && put(none, 1), "read");
		EXPECT(e, 12);
		CHECK(get(none) == 1, "read");
		CHECK(fcntl(e, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(e, F_GETFD) == FD_CLOEXEC, "flags");
	}
	SAME_TARGETS(e, before);
}

/* Events that were taken do not come again; a new edge does. */
static void edge_taken(void)
{
	int e = epoll_create1(0), p[2], v = eventfd(1, 0), t = timer(CLOCK_MONOTONIC, 0, 1, 3600000);
	REQUIRE(pipe(p) == 0 && write(p[1], "abc", 3) == 3, "pipe");
	nap_ms(5);
	watch(e, p[0], EPOLLIN | EPOLLET, DATA(1));
	watch(e, p[1], EPOLLOUT | EPOLLET, DATA(2));
	watch(e, v, EPOLLIN | EPOLLET, DATA(3));
	watch(e, t, EPOLLIN | EPOLLET, DATA(4));
	REQUIRE(reported(e) == 0x1e, "first report");
	char *before = targets(e);
	ready();
	while (next_round()) {
		EXPECT(e, 0);
	}
	SAME_TARGETS(e, before);
	CHECK(put(v, 1), "write");
	EXPECT(e, 8);
	EXPECT(e, 0);
}

/* An event that nobody has taken is there after a restore as well. */
static void edge_waiting(void)
{
	int e = epoll_create1(0), p[2], v = eventfd(0, 0);
	REQUIRE(pipe(p) == 0, "pipe");
	watch(e, p[0], EPOLLIN | EPOLLET, DATA(1));
	watch(e, v, EPOLLIN | EPOLLET, DATA(2));
	REQUIRE(write(p[1], "abc", 3) == 3, "write");
	ready();
	while (next_round())
		CHECK(is_ready(e), "the event is lost");
	EXPECT(e, 2);
	EXPECT(e, 0);
}

static void one_shot(void)
{
	int e = epoll_create1(0), armed = eventfd(0, 0), spent = eventfd(1, 0), quiet[2], hung[2];
	struct epoll_event again = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = DATA(2)};
	REQUIRE(pipe(quiet) == 0 && pipe(hung) == 0 && write(quiet[1], "x", 1) == 1, "pipe");
	watch(e, armed, EPOLLIN | EPOLLONESHOT, DATA(1));
	watch(e, spent, EPOLLIN | EPOLLONESHOT, DATA(2));
	watch(e, quiet[0], EPOLLIN | EPOLLONESHOT | EPOLLET, DATA(3));
	watch(e, hung[0], EPOLLIN | EPOLLONESHOT, DATA(4));
	close(hung[1]);
	REQUIRE(reported(e) == 0x1c, "first report");
	/* One that is spent and not ready stays armed for what nobody can leave out: not shown here. */
	char c;
	REQUIRE(read(quiet[0], &c, 1) == 1, "read");
	ready();
	while (next_round())
		EXPECT(e, 0);
	CHECK(put(armed, 1), "write");
	EXPECT(e, 2);
	EXPECT(e, 0);
	CHECK(epoll_ctl(e, EPOLL_CTL_MOD, spent, &again) == 0, "EPOLL_CTL_MOD");
	EXPECT(e, 4);
	CHECK(write(quiet[1], "x", 1) == 1, "write");
	EXPECT(e, 0);
}

static void exclusive(void)
{
	int e = epoll_create1(0), other = epoll_create1(0), v = eventfd(0, 0), w = eventfd(0, 0);
	watch(e, v, EPOLLIN | EPOLLEXCLUSIVE, DATA(1));
	watch(other, v, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, DATA(2));
	watch(e, w, EPOLLIN | EPOLLWAKEUP, DATA(3));
	char *before = targets(e), *others = targets(other);
	ready();
	while (next_round()) {
		CHECK(put(v, 1), "write");
		CHECK((reported(e) | reported(other)) != 0, "nobody was told");
		CHECK(get(v) == 1, "read");
		reported(e), reported(other);
	}
	SAME_TARGETS(e, before);
	SAME_TARGETS(other, others);
}

/* Numbers that were closed or taken by another file since; several files under one number. */
static void numbers(void)
{
	int e = epoll_create1(0);
	int moved = eventfd(1, 0), stranger = eventfd(0, 0), here = eventfd(0, 0);
	int kept[4];
	watch(e, moved, EPOLLIN, DATA(1));
	kept[0] = fcntl(moved, F_DUPFD, 50);
	REQUIRE(dup2(stranger, moved) == moved, "dup2");
	for (int i = 1; i < 4; i++) {
		int fd = eventfd(i, 0);
		REQUIRE(dup2(fd, 40) == 40, "dup2");
		close(fd);
		watch(e, 40, EPOLLIN, DATA(1 + i));
		kept[i] = fcntl(40, F_DUPFD, 50);
	}
	close(40);
	watch(e, here, EPOLLIN, DATA(5));
	watch(e, kept[1], EPOLLIN, DATA(6));
	int far = fcntl(stranger, F_DUPFD, 900);
	watch(e, far, EPOLLIN, DATA(7));
	close(far);
	char *before = targets(e);
	ready();
	while (next_round()) {
		EXPECT(e, 0x5e);
		CHECK(put(stranger, 1), "write");
		EXPECT(e, 0xde);
		CHECK(get(stranger) == 1, "read");
		CHECK(fcntl(40, F_GETFD) == -1 && fcntl(900, F_GETFD) == -1, "a number too many");
	}
	SAME_TARGETS(e, before);
	/* The kernel finds a target by its number and its file. */
	REQUIRE(dup2(kept[0], moved) == moved, "dup2");
	CHECK(epoll_ctl(e, EPOLL_CTL_DEL, moved, NULL) == 0, "EPOLL_CTL_DEL: %d", errno);
	REQUIRE(dup2(kept[2], 40) == 40, "dup2");
	CHECK(epoll_ctl(e, EPOLL_CTL_DEL, 40, NULL) == 0, "EPOLL_CTL_DEL: %d", errno);
	EXPECT(e, 0x54);
}

static void nested(void)
{
	int inner = epoll_create1(0), middle = epoll_create1(0), outer = epoll_create1(0);
	int edge = epoll_create1(0), v = eventfd(0, 0);
	/* The outer ones have lower ids when they are open at lower numbers. */
	REQUIRE(dup2(outer, 100) == 100 && dup2(middle, 101) == 101 && dup2(inner, 102) == 102, "dup2");
	close(inner), close(middle), close(outer);
	watch(102, v, EPOLLIN, DATA(1));
	watch(101, 102, EPOLLIN, DATA(2));
	watch(100, 101, EPOLLIN, DATA(3));
	watch(edge, 102, EPOLLIN | EPOLLET, DATA(4));
	char *before = targets(101);
	ready();
	while (next_round()) {
		EXPECT(100, 0);
		EXPECT(edge, 0);
		CHECK(put(v, 1), "write");
		EXPECT(100, 8);
		EXPECT(101, 4);
		EXPECT(edge, 16);
		EXPECT(102, 2);
		CHECK(get(v) == 1, "read");
	}
	SAME_TARGETS(101, before);
}

static void wait_for_parent(void *arg)
{
	int *fds = arg;
	struct epoll_event event;
	ready();
	for (;;) {
		int n = epoll_wait(fds[0], &event, 1, -1);
		if (n < 0 && errno == EINTR)
			continue;
		next_busy_round();
		CHECK(n == 1 && event.data.u64 == DATA(1), "%d events", n);
		uint64_t got = get(fds[1]);
		if (got == UINT32_MAX)
			return;
		CHECK(put(fds[2], got), "write");
	}
}

/* The child waits in an epoll that both have, the parent wakes it. */
static void inherited(void)
{
	int fds[3] = {epoll_create1(0), eventfd(0, 0), eventfd(0, 0)};
	watch(fds[0], fds[1], EPOLLIN, DATA(1));
	start_child("child", wait_for_parent, fds);
	ready();
	while (next_round())
		CHECK(put(fds[1], 7) && get(fds[2]) == 7, "no answer");
	put(fds[1], UINT32_MAX);
	join_children();
}

/* Each with its own table; the child has closed what the epoll watches, and has another there. */
static void replaced(void *arg)
{
	int *fds = arg;
	REQUIRE(dup2(fds[2], fds[1]) == fds[1], "dup2");
	ready();
	while (next_round())
		EXPECT(fds[0], 2);
}

static void apart(void)
{
	int fds[3] = {epoll_create1(0), eventfd(1, 0), eventfd(0, 0)};
	watch(fds[0], fds[1], EPOLLIN, DATA(1));
	start_child("child", replaced, fds);
	ready();
	while (next_round())
		EXPECT(fds[0], 2);
	join_children();
}

/* The epoll is with the parent alone, the file with the child alone. */
static void with_child(void *arg)
{
	int *fds = arg;
	close(fds[0]);
	ready();
	do {
		next_busy_round();
		nap_ms(20);
	} while (!is_ready(fds[2]));
	while (next_busy_round())
		;
}

static void elsewhere(void)
{
	int fds[3] = {epoll_create1(0), eventfd(1, 0), eventfd(0, 0)};
	watch(fds[0], fds[1], EPOLLIN, DATA(1));
	start_child("child", with_child, fds);
	close(fds[1]);
	ready();
	while (next_round())
		EXPECT(fds[0], 2);
	put(fds[2], 1);
	join_children();
	EXPECT(fds[0], 0);
}

/* An epoll waits for the signals of the task that has added the signalfd. */
static void epoll_signals(void)
{
	sigset_t set = block(SIGUSR1, SIGUSR2), second;
	sigemptyset(&second);
	sigaddset(&second, SIGUSR2);
	int e = epoll_create1(0), fd = signalfd(-1, &set, SFD_NONBLOCK), two;
	int lost = signalfd(-1, &second, SFD_NONBLOCK);
	watch(e, fd, EPOLLIN, DATA(1));
	watch(e, lost, EPOLLIN | EPOLLET, DATA(2));
	two = dup(lost);
	REQUIRE(dup2(fd, lost) == lost, "dup2");
	ready();
	while (next_round()) {
		EXPECT(e, 0);
		raise(SIGUSR1);
		EXPECT(e, 2);
		CHECK(signal_of(fd) == SIGUSR1, "another signal");
		raise(SIGUSR2);
		EXPECT(e, 6);
		CHECK(signal_of(two) == SIGUSR2, "another signal");
	}
}

static void pending_signal(void)
{
	sigset_t set = block(SIGUSR1, SIGUSR2);
	int e = epoll_create1(0), fd = signalfd(-1, &set, SFD_NONBLOCK);
	watch(e, fd, EPOLLIN | EPOLLET, DATA(1));
	raise(SIGUSR1);
	ready();
	while (next_round())
		CHECK(is_ready(e), "the event is lost");
	EXPECT(e, 2);
	CHECK(signal_of(fd) == SIGUSR1, "another signal");
}

/* As an event loop does: everything at once, with timers, blocking in epoll_wait. */
static void loop(void)
{
	int e = epoll_create1(EPOLL_CLOEXEC), t = timer(CLOCK_MONOTONIC, 0, 5, 5);
	int v = eventfd(0, EFD_NONBLOCK), p[2], seen = 0;
	struct epoll_event events[8];
	char c;
	REQUIRE(pipe2(p, O_NONBLOCK) == 0, "pipe2");
	watch(e, t, EPOLLIN | EPOLLET, DATA(1));
	watch(e, v, EPOLLIN | EPOLLET, DATA(2));
	watch(e, p[0], EPOLLIN | EPOLLET, DATA(3));
	ready();
	for (;;) {
		int n = epoll_wait(e, events, 8, 2000);
		if (n < 0 && errno == EINTR)
			continue;
		CHECK(n > 0, "nothing comes any more");
		for (int i = 0; i < n; i++)
			switch (events[i].data.u64 - DATA(0)) {
			case 1:
				get(t);
				CHECK(put(v, 1), "write");
				break;
			case 2:
				get(v);
				CHECK(write(p[1], "x", 1) == 1, "write");
				break;
			case 3:
				while (read(p[0], &c, 1) == 1)
					;
				seen++;
				break;
			default: CHECK(false, "other data");
			}
		if (seen >= 4) {
			seen = 0;
			if (!next_busy_round())
				break;
		}
	}
}

/* A thousand targets, half of them ready. */
static void many(void)
{
	static int fds[1000];
	int e = epoll_create1(0);
	struct epoll_event events[1000];
	for (int i = 0; i < 1000; i++) {
		fds[i] = eventfd(i % 2, 0);
		REQUIRE(fds[i] >= 0, "eventfd");
		watch(e, fds[i], EPOLLIN | (i % 3 ? 0 : EPOLLET), DATA(i));
	}
	char *before = targets(e);
	ready();
	while (next_round()) {
		int n = epoll_wait(e, events, 1000, 0);
		CHECK(n >= 333, "%d events", n);
		for (int i = 0; i < n; i++)
			CHECK((events[i].data.u64 - DATA(0)) % 2 == 1, "an event of nothing");
	}
	SAME_TARGETS(e, before);
}

SUBJECT({"counter", counter}, {"semaphore", semaphore}, {"shared", shared}, {"signals", signals},
	{"clocks", clocks}, {"moments", moments}, {"ticks", ticks}, {"unread", unread},
	{"periodic", periodic}, {"level", level}, {"edge-taken", edge_taken},
	{"edge-waiting", edge_waiting}, {"one-shot", one_shot}, {"exclusive", exclusive},
	{"numbers", numbers}, {"nested", nested}, {"inherited", inherited}, {"apart", apart},
	{"elsewhere", elsewhere}, {"epoll-signals", epoll_signals},
	{"pending-signal", pending_signal}, {"loop", loop}, {"many", many})
