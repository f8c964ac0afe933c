/* Timers: interval timers, POSIX timers; what is left of them, how often they went off. */
#include "subject.h"
#include <sys/time.h>

#define FAR 100000 /* seconds: what is left hardly changes in a test */

static double seconds_of(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

/* Far from its end: the remaining time does not jump. Frozen time may or may not have passed. */
static void interval_remaining(void)
{
	int which = atoi(subject_arg(0));
	struct itimerval set = {{7, 500000}, {FAR, 250000}}, now;
	struct sigaction a = {.sa_handler = SIG_IGN};
	sigaction(SIGALRM, &a, NULL);
	REQUIRE(setitimer(which, &set, NULL) == 0, "setitimer");
	ready();
	while (next_round()) {
		getitimer(which, &now);
		CHECK(now.it_interval.tv_sec == 7 && now.it_interval.tv_usec == 500000, "interval %f",
		      seconds_of(now.it_interval));
		CHECK(now.it_value.tv_sec > FAR - 60 && now.it_value.tv_sec <= FAR, "left %f",
		      seconds_of(now.it_value));
	}
}

static volatile sig_atomic_t ticks;

static void on_tick(int signal)
{
	(void)signal;
	ticks++;
}

/* It goes off again and again: every round waits for the next tick. */
static void interval_ticks(void)
{
	int which = atoi(subject_arg(0));
	static const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
	struct itimerval set = {{0, 15000}, {0, 15000}};
	struct sigaction a = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	sigaction(signals[which], &a, NULL);
	REQUIRE(setitimer(which, &set, NULL) == 0, "setitimer");
	ready();
	while (next_busy_round()) {
		int before = ticks;
		int64_t until = now_ms() + 5000;
		while (ticks == before && now_ms() < until)
			;
		CHECK(ticks > before, "no tick for five seconds");
	}
}

static void one_shot_expires(void)
{
	struct itimerval set = {{0, 0}, {0, 400000}}, now;
	signal(SIGALRM, on_tick);
	int64_t start = now_ms();
	REQUIRE(setitimer(ITIMER_REAL, &set, NULL) == 0, "setitimer");
	ready();
	while (next_round()) {
		getitimer(ITIMER_REAL, &now);
		CHECK(ticks == 0 || now_ms() - start >= 399, "too early");
		CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_usec <= 400000, "left %f",
		      seconds_of(now.it_value));
	}
	for (int i = 0; i < 500 && !ticks; i++)
		nap_ms(10);
	CHECK(ticks == 1, "it went off %d times", (int)ticks);
	nap_ms(20);
	CHECK(ticks == 1, "it went off again");
}

static timer_t make_timer(clockid_t clock, struct sigevent *event)
{
	int id = -1;
	REQUIRE(syscall(SYS_timer_create, clock, event, &id) == 0, "timer_create of clock %d", clock);
	return (timer_t)(intptr_t)id;
}

static void settime(timer_t timer, int flags, long interval_ns, long value_sec, long value_ns)
{
	struct itimerspec set = {{interval_ns / 1000000000, interval_ns % 1000000000}, {value_sec, value_ns}};
	REQUIRE(syscall(SYS_timer_settime, (int)(intptr_t)timer, flags, &set, NULL) == 0, "timer_settime");
}

static struct itimerspec gettime(timer_t timer)
{
	struct itimerspec now = {{-1, -1}, {-1, -1}};
	syscall(SYS_timer_gettime, (int)(intptr_t)timer, &now);
	return now;
}

static struct sigevent quiet(void)
{
	return (struct sigevent){.sigev_notify = SIGEV_NONE};
}

/* Ids with gaps stay what they are, and a new timer gets one of its own. */
static void ids(void)
{
	int kept[5], n = 0;
	struct sigevent event = quiet();
	for (int i = 0; i < 15; i++) {
		timer_t t = make_timer(CLOCK_MONOTONIC, &event);
		if (i % 3 == 0)
			kept[n++] = (int)(intptr_t)t;
		else
			syscall(SYS_timer_delete, (int)(intptr_t)t);
	}
	for (int i = 0; i < n; i++)
		settime((timer_t)(intptr_t)kept[i], 0, 0, FAR + 1000 * i, 0);
	ready();
	while (next_round()) {
		for (int i = 0; i < n; i++) {
			long left = gettime((timer_t)(intptr_t)kept[i]).it_value.tv_sec;
			CHECK(left > FAR + 1000 * i - 60 && left <= FAR + 1000 * i, "timer %d: left %ld", kept[i], left);
		}
		int new = (int)(intptr_t)make_timer(CLOCK_MONOTONIC, &event);
		for (int i = 0; i < n; i++)
			CHECK(new != kept[i], "a new timer has the id of an old one");
		syscall(SYS_timer_delete, new);
	}
}

static void clocks(void)
{
	static const clockid_t all[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
					CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_TAI};
	timer_t timers[COUNT_OF(all)];
	struct sigevent event = quiet();
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		timers[i] = make_timer(all[i], &event);
		settime(timers[i], 0, 5000000000 + i, FAR, 0);
	}
	ready();
	while (next_round())
		for (size_t i = 0; i < COUNT_OF(all); i++) {
			struct itimerspec now = gettime(timers[i]);
			CHECK(now.it_interval.tv_sec == 5 && now.it_interval.tv_nsec == (long)i, "interval of %zu", i);
			CHECK(now.it_value.tv_sec > FAR - 60 && now.it_value.tv_sec <= FAR, "left %ld of %zu",
			      now.it_value.tv_sec, i);
		}
}

static volatile sig_atomic_t value_came, overruns;

static void on_timer(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	ticks++;
	value_came = info->si_code == SI_TIMER ? info->si_value.sival_int : -1;
	overruns += info->si_overrun;
}

static void handle(int signal)
{
	struct sigaction a = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(signal, &a, NULL);
}

/* A timer that goes off with its signal and value. */
static void signals_with_value(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4};
	event.sigev_value.sival_int = 4711;
	handle(SIGRTMIN + 4);
	settime(make_timer(CLOCK_MONOTONIC, &event), 0, 10000000, 0, 10000000);
	ready();
	while (next_busy_round()) {
		int before = ticks;
		int64_t until = now_ms() + 5000;
		while (ticks == before && now_ms() < until)
			nap_ms(1);
		CHECK(ticks > before, "no tick for five seconds");
		CHECK(value_came == 4711, "value %d", (int)value_came);
	}
}

/* One shot, gone off already: disarmed for good. */
static void disarmed(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4};
	handle(SIGRTMIN + 4);
	timer_t spent = make_timer(CLOCK_MONOTONIC, &event), never = make_timer(CLOCK_REALTIME, &event);
	settime(spent, 0, 0, 0, 1000);
	nap_ms(10);
	int before = ticks;
	ready();
	while (next_round()) {
		struct itimerspec a = gettime(spent), b = gettime(never);
		CHECK(a.it_value.tv_sec == 0 && a.it_value.tv_nsec == 0, "the spent one runs");
		CHECK(b.it_value.tv_sec == 0 && b.it_value.tv_nsec == 0, "the other one runs");
		CHECK(ticks == before && before == 1, "%d ticks", (int)ticks);
	}
}

/* The signal is blocked and pending: overruns are counted on. */
static void overrun(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4};
	uint64_t set = 1ULL << (SIGRTMIN + 3);
	siginfo_t info;
	struct timespec none = {0, 0};
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	timer_t timer = make_timer(CLOCK_MONOTONIC, &event);
	settime(timer, 0, 1000000, 0, 1000000);
	nap_ms(50);
	int64_t start = now_ms();
	ready();
	while (next_round())
		;
	int64_t waited = now_ms() - start;
	settime(timer, 0, 0, 0, 0);
	int got = syscall(SYS_rt_sigtimedwait, &set, &info, &none, 8);
	/* Disarming dropped the signal, in kernels from 6.13 on. */
	CHECK(got == SIGRTMIN + 4 || got == -1, "sigtimedwait %d", got);
	CHECK(waited > 0, "time stands still");
	settime(timer, 0, 1000000, 0, 1000000);
	nap_ms(30);
	got = syscall(SYS_rt_sigtimedwait, &set, &info, &none, 8);
	CHECK(got == SIGRTMIN + 4 && info.si_overrun > 3, "signal %d, overrun %d", got, info.si_overrun);
}

/* Overrun of the last delivery, as timer_getoverrun tells it. */
static void last_overrun(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4};
	uint64_t set = 1ULL << (SIGRTMIN + 3);
	siginfo_t info;
	struct timespec none = {0, 0};
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	timer_t timer = make_timer(CLOCK_MONOTONIC, &event);
	settime(timer, 0, 1000000, 0, 1000000);
	nap_ms(50);
	int got = syscall(SYS_rt_sigtimedwait, &set, &info, &none, 8);
	REQUIRE(got == SIGRTMIN + 4, "no signal");
	settime(timer, 0, 0, FAR, 0);
	int overrun_before = syscall(SYS_timer_getoverrun, (int)(intptr_t)timer);
	ready();
	while (next_round()) {
		int now = syscall(SYS_timer_getoverrun, (int)(intptr_t)timer);
		CHECK(now == overrun_before, "overrun %d, was %d", now, overrun_before);
	}
}

/* SIGEV_THREAD_ID: the signal comes to the thread that was named. */
static __thread volatile sig_atomic_t own_ticks;

static void on_own_tick(int signal)
{
	(void)signal;
	own_ticks++;
}

static void thread_with_timer(void *arg)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 6};
	event._sigev_un._tid = gettid_raw();
	settime(make_timer(CLOCK_MONOTONIC, &event), 0, 10000000, 0, 10000000);
	(void)arg;
	ready();
	while (next_busy_round()) {
		int before = own_ticks;
		int64_t until = now_ms() + 5000;
		while (own_ticks == before && now_ms() < until)
			nap_ms(1);
		CHECK(own_ticks > before, "no tick for five seconds");
	}
}

static void thread_timers(void)
{
	struct sigaction a = {.sa_handler = on_own_tick, .sa_flags = SA_RESTART};
	sigaction(SIGRTMIN + 6, &a, NULL);
	pthread_t one = start_thread("thread-1", thread_with_timer, NULL);
	pthread_t two = start_thread("thread-2", thread_with_timer, NULL);
	ready();
	while (next_round())
		CHECK(own_ticks == 0, "a thread's tick came to the leader");
	join_thread(one);
	join_thread(two);
}

/* A thread's own CPU clock. */
static void thread_clock(void *arg)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 6};
	event._sigev_un._tid = gettid_raw();
	settime(make_timer(CLOCK_THREAD_CPUTIME_ID, &event), 0, 5000000, 0, 5000000);
	(void)arg;
	ready();
	while (next_busy_round()) {
		int before = own_ticks;
		int64_t until = now_ms() + 5000;
		while (own_ticks == before && now_ms() < until)
			;
		CHECK(own_ticks > before, "no tick for five seconds");
	}
}

static void cpu_timers(void)
{
	struct sigaction a = {.sa_handler = on_own_tick, .sa_flags = SA_RESTART};
	sigaction(SIGRTMIN + 6, &a, NULL);
	pthread_t one = start_thread("thread", thread_clock, NULL);
	ready();
	while (next_round())
		CHECK(own_ticks == 0, "a thread's tick came to the leader");
	join_thread(one);
}

/* An absolute time stays that time. */
static void absolute(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4};
	struct timespec end;
	handle(SIGRTMIN + 4);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	settime(make_timer(CLOCK_MONOTONIC, &event), TIMER_ABSTIME, 0, end.tv_sec, end.tv_nsec);
	ready();
	while (next_round())
		CHECK(ticks == 0 || now_ms() >= end.tv_sec * 1000 + end.tv_nsec / 1000000, "too early");
	for (int i = 0; i < 500 && !ticks; i++)
		nap_ms(10);
	CHECK(ticks == 1, "%d ticks", (int)ticks);
}

/* Timers are not the child's; it has its own. */
static void child_timer(void *arg)
{
	struct itimerval set = {{0, 0}, {FAR * 2, 0}}, now;
	struct sigevent event = quiet();
	(void)arg;
	setitimer(ITIMER_REAL, &set, NULL);
	timer_t timer = make_timer(CLOCK_MONOTONIC, &event);
	settime(timer, 0, 0, FAR * 3, 0);
	ready();
	while (next_round()) {
		getitimer(ITIMER_REAL, &now);
		CHECK(now.it_value.tv_sec > 2 * FAR - 60, "left %ld", now.it_value.tv_sec);
		CHECK(gettime(timer).it_value.tv_sec > 3 * FAR - 60, "left");
	}
}

static void of_child(void)
{
	struct itimerval set = {{0, 0}, {FAR, 0}}, now;
	setitimer(ITIMER_REAL, &set, NULL);
	start_child("child", child_timer, NULL);
	ready();
	while (next_round()) {
		getitimer(ITIMER_REAL, &now);
		CHECK(now.it_value.tv_sec <= FAR && now.it_value.tv_sec > FAR - 60, "left %ld", now.it_value.tv_sec);
	}
	join_children();
}

SUBJECT({"interval-remaining", interval_remaining}, {"interval-ticks", interval_ticks},
	{"one-shot", one_shot_expires}, {"ids", ids}, {"clocks", clocks},
	{"signals-with-value", signals_with_value}, {"disarmed", disarmed}, {"overrun", overrun},
	{"last-overrun", last_overrun}, {"thread-timers", thread_timers}, {"cpu-timers", cpu_timers},
	{"absolute", absolute}, {"of-child", of_child})
