/* Event descriptors, timers, signals. */
#include "thing.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static void make_eventfd(struct thing *t)
{
	t->value[0] = pick(5);
	t->fd[0] = eventfd(t->value[0], EFD_NONBLOCK | (pick(2) ? EFD_SEMAPHORE : 0));
	REQUIRE(t->fd[0] >= 0, "eventfd");
}

static void check_eventfd(struct thing *t)
{
	HOLD(t, readable(t->fd[0]) == (t->value[0] > 0), "readable");
}

static void finish_eventfd(struct thing *t)
{
	uint64_t sum = 0, one;
	while (read(t->fd[0], &one, sizeof(one)) == sizeof(one))
		sum += one;
	HOLD(t, sum == t->value[0], "%lu instead of %ld", sum, t->value[0]);
}

static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};

static void make_timerfd(struct thing *t)
{
	t->value[0] = 2000 + pick(1000);
	t->value[1] = pick(3);
	struct itimerspec spec = {.it_value.tv_sec = t->value[0], .it_interval.tv_sec = t->value[1]};
	t->fd[0] = timerfd_create(clocks[pick(3)], 0);
	REQUIRE(t->fd[0] >= 0 && timerfd_settime(t->fd[0], 0, &spec, NULL) == 0, "timerfd");
}

static void hold_remaining(struct thing *t, const struct itimerspec *left)
{
	HOLD(t, left->it_value.tv_sec <= t->value[0] && left->it_value.tv_sec > t->value[0] - 1000, "%ld s left", left->it_value.tv_sec);
	HOLD(t, left->it_interval.tv_sec == t->value[1], "interval %ld", left->it_interval.tv_sec);
}

static void check_timerfd(struct thing *t)
{
	struct itimerspec left;
	HOLD(t, timerfd_gettime(t->fd[0], &left) == 0, "timerfd_gettime");
	hold_remaining(t, &left);
}

static void make_timer(struct thing *t)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	timer_t id;
	t->value[0] = 2000 + pick(1000);
	t->value[1] = pick(3);
	struct itimerspec spec = {.it_value.tv_sec = t->value[0], .it_interval.tv_sec = t->value[1]};
	REQUIRE(timer_create(clocks[pick(3)], &event, &id) == 0 && timer_settime(id, 0, &spec, NULL) == 0, "timer");
	t->value[2] = (long)id;
}

static void check_timer(struct thing *t)
{
	struct itimerspec left;
	HOLD(t, timer_gettime((timer_t)t->value[2], &left) == 0, "timer_gettime");
	hold_remaining(t, &left);
}

/* Watches a pipe with something in it and one without. */
static void make_epoll(struct thing *t)
{
	int with[2], without[2];
	REQUIRE(pipe(with) == 0 && pipe(without) == 0 && write(with[1], "x", 1) == 1, "pipes");
	t->fd[0] = epoll_create1(0);
	struct epoll_event one = {.events = EPOLLIN, .data.u64 = t->seed}, two = {.events = EPOLLIN};
	REQUIRE(epoll_ctl(t->fd[0], EPOLL_CTL_ADD, with[0], &one) == 0, "epoll");
	REQUIRE(epoll_ctl(t->fd[0], EPOLL_CTL_ADD, without[0], &two) == 0, "epoll");
	t->fd[1] = with[0];
	t->fd[2] = without[0];
	t->fd[3] = without[1];
	close(with[1]);
}

static void check_epoll(struct thing *t)
{
	struct epoll_event found[3];
	int n = epoll_wait(t->fd[0], found, 3, 0);
	HOLD(t, n == 1 && found[0].data.u64 == t->seed, "%d events", n);
}

static void make_inotify(struct thing *t)
{
	REQUIRE(mkdir(path_of(t), 0700) == 0, "mkdir");
	t->fd[0] = inotify_init1(IN_NONBLOCK);
	t->value[0] = inotify_add_watch(t->fd[0], path_of(t), IN_CREATE);
	REQUIRE(t->fd[0] >= 0 && t->value[0] > 0, "inotify");
}

static void check_inotify(struct thing *t)
{
	HOLD(t, !readable(t->fd[0]), "an event that nobody made");
}

static void finish_inotify(struct thing *t)
{
	char events[1000], path[4400];
	snprintf(path, sizeof(path), "%s/new", path_of(t));
	HOLD(t, mkdir(path, 0700) == 0, "mkdir");
	const struct inotify_event *event = (void *)events;
	HOLD(t, read(t->fd[0], events, sizeof(events)) > 0 && event->wd == t->value[0], "no event");
}

static void make_pidfd(struct thing *t)
{
	t->fd[0] = pidfd_open(getpid(), 0);
	REQUIRE(t->fd[0] >= 0, "pidfd_open");
}

static void check_pidfd(struct thing *t)
{
	HOLD(t, !readable(t->fd[0]), "it says that process %d has ended", t->maker);
	HOLD(t, pidfd_send_signal(t->fd[0], 0, NULL, 0) == 0, "signal 0");
}

/* Signals that lie in the queue, seen through a signalfd. */
static void make_queued(struct thing *t)
{
	sigset_t set;
	t->value[1] = SIGRTMIN + 4 + t->number % 20;
	sigemptyset(&set);
	sigaddset(&set, t->value[1]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t->fd[0] = signalfd(-1, &set, SFD_NONBLOCK);
	REQUIRE(t->fd[0] >= 0, "signalfd");
	sigset_t pending;
	sigpending(&pending);
	if (sigismember(&pending, t->value[1])) /* another thing's number */
		return;
	t->value[0] = 1 + pick(4);
	for (int i = 0; i < t->value[0]; i++) {
		union sigval value = {.sival_int = t->seed + i};
		REQUIRE(sigqueue(getpid(), t->value[1], value) == 0, "sigqueue");
	}
}

static void check_queued(struct thing *t)
{
	if (t->value[0] > 0)
		HOLD(t, readable(t->fd[0]), "nothing pending");
}

static void finish_queued(struct thing *t)
{
	struct signalfd_siginfo info;
	for (int i = 0; i < t->value[0]; i++) {
		HOLD(t, read(t->fd[0], &info, sizeof(info)) == sizeof(info), "signal %d is lost", i);
		HOLD(t, info.ssi_int == (int)(t->seed + i), "value of signal %d", i);
	}
}

#define EVENT_THINGS                                                                               \
	{"eventfd", make_eventfd, check_eventfd, finish_eventfd, false},                           \
	{"timerfd", make_timerfd, check_timerfd, NULL, false},                                     \
	{"timer", make_timer, check_timer, NULL, true},                                            \
	{"epoll", make_epoll, check_epoll, NULL, false},                                           \
	{"inotify", make_inotify, check_inotify, finish_inotify, false},                           \
	{"pidfd", make_pidfd, check_pidfd, NULL, false},                                           \
	{"queued signals", make_queued, check_queued, finish_queued, true}
