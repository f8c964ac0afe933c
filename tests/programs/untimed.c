/* Calls that wait without a timeout, and that the kernel ends with EINTR for a tracer's sake. */
#include "subject.h"
#include <sys/epoll.h>

struct waiter {
	int errors, last_error, rounds;
};
static struct waiter *waiter;
static int pipe_fds[2], epoll;

static void failed(void)
{
	waiter->errors++;
	waiter->last_error = errno;
}

/* One that waits almost all the time; `wake` ends its wait once. */
static void run(void (*body)(void), void (*wake)(pid_t))
{
	waiter = map_shared(PAGE);
	pid_t pid = fork();
	int status, sent = 0;
	REQUIRE(pid >= 0, "fork");
	if (pid == 0) {
		body();
		_exit(0);
	}
	while (waiter->last_error == 0)
		nap_ms(1);
	ready();
	while (next_round()) {
		wake(pid);
		sent++;
		for (int i = 0; i < 1000 && waiter->rounds < sent; i++)
			nap_ms(1);
		CHECK(waiter->errors == 0, "%d calls failed, the last with %d", waiter->errors,
		      waiter->last_error);
		CHECK(waiter->rounds == sent, "%d wakes of %d", waiter->rounds, sent);
	}
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
}

static void write_byte(pid_t pid)
{
	(void)pid;
	CHECK(write(pipe_fds[1], "x", 1) == 1, "write");
}

static void take_byte(int events)
{
	char c;
	if (events == 1 && read(pipe_fds[0], &c, 1) == 1)
		waiter->rounds++;
	else
		failed();
}

static void make_epoll(void)
{
	struct epoll_event event = {EPOLLIN, {.u32 = 1}};
	REQUIRE(pipe(pipe_fds) == 0 && (epoll = epoll_create1(0)) >= 0, "epoll");
	REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_fds[0], &event) == 0, "epoll_ctl");
}

static void wait_epoll(void)
{
	struct epoll_event event;
	for (waiter->last_error = -1;;)
		take_byte(epoll_wait(epoll, &event, 1, -1));
}

static void epoll_wait_(void)
{
	make_epoll();
	run(wait_epoll, write_byte);
}

static void wait_epoll_masked(void)
{
	struct epoll_event event;
	sigset_t none;
	sigemptyset(&none);
	for (waiter->last_error = -1;;)
		take_byte(epoll_pwait(epoll, &event, 1, -1, &none));
}

static void epoll_pwait_(void)
{
	make_epoll();
	run(wait_epoll_masked, write_byte);
}

static void wait_epoll_2(void)
{
	struct epoll_event event;
	for (waiter->last_error = -1;;)
		take_byte(syscall(441 /* epoll_pwait2 */, epoll, &event, 1, NULL, NULL, 0));
}

static void epoll_pwait2_(void)
{
	make_epoll();
	run(wait_epoll_2, write_byte);
}

static void wait_signal(void)
{
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (waiter->last_error = -1;;)
		if (sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == getppid())
			waiter->rounds++;
		else
			failed();
}

static void send_signal(pid_t pid)
{
	CHECK(kill(pid, SIGUSR1) == 0, "kill");
}

static void sigwaitinfo_(void)
{
	run(wait_signal, send_signal);
}

static volatile sig_atomic_t handled;
static void on_signal(int signal)
{
	(void)signal;
	handled++;
}

static void wait_handler(void)
{
	struct epoll_event event;
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &action, NULL);
	for (waiter->last_error = -1;;)
		if (epoll_wait(epoll, &event, 1, -1) == -1 && errno == EINTR && handled > waiter->rounds)
			waiter->rounds++;
		else
			failed();
}

/* A handler ends the call with EINTR as ever; nothing else does. */
static void handler(void)
{
	make_epoll();
	run(wait_handler, send_signal);
}

SUBJECT({"epoll-wait", epoll_wait_}, {"epoll-pwait", epoll_pwait_}, {"epoll-pwait2", epoll_pwait2_},
	{"sigwaitinfo", sigwaitinfo_}, {"handler", handler})
