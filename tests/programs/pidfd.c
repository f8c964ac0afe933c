/* pidfds: of processes that live, wait to be reaped, are gone; of threads. */
#include "subject.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define THREAD 0x80 /* PIDFD_THREAD */

static int open_pid(pid_t pid, unsigned flags)
{
	int fd = syscall(SYS_pidfd_open, pid, flags);
	REQUIRE(fd >= 0, "pidfd_open %d: %m", pid);
	return fd;
}

static int events_of(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

/* A signal's number that the process is sent without harm: 0. */
static bool is_alive(int fd)
{
	return syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
}

/* Asked without a file of /proc, which a dump or a snapshot would find open; -1: it is gone. */
static long pid_of(int fd)
{
	struct {
		uint64_t mask, cgroup;
		uint32_t pid, ids[10];
		int32_t exit_code;
	} info = {.mask = 1};
	char path[64];
	if (ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64), &info) == 0)
		return info.mask & 1 ? (long)info.pid : -1;
	if (errno == ESRCH)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return field_of(path, "Pid");
}

static void idle_child(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

static void self(void)
{
	int fd = open_pid(getpid(), 0), nonblock = open_pid(getpid(), O_NONBLOCK);
	ready();
	while (next_round()) {
		CHECK(is_alive(fd) && pid_of(fd) == getpid(), "pid %ld", pid_of(fd));
		CHECK(events_of(fd) == 0, "it has ended");
		CHECK(fcntl(fd, F_GETFL) == O_RDWR && fcntl(nonblock, F_GETFL) == (O_RDWR | O_NONBLOCK), "flags");
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC, "close on exec");
	}
}

/* The child ends at the end, and the parent waits for it by the pidfd alone. */
static void child(void)
{
	pid_t pid = start_child("child", idle_child, NULL);
	int fd = open_pid(pid, 0);
	ready();
	while (next_round())
		CHECK((is_alive(fd) && pid_of(fd) == pid && events_of(fd) == 0) || stop_requested(), "not alive");
	siginfo_t info = {0};
	CHECK(waitid(P_PIDFD, fd, &info, WEXITED) == 0 && info.si_pid == pid, "waitid: %m");
	CHECK(info.si_code == CLD_EXITED && info.si_status == 0, "code %d status %d", info.si_code, info.si_status);
}

static void look_at_parent(void *arg)
{
	int fd = *(int *)arg;
	ready();
	while (next_round())
		CHECK(is_alive(fd) && pid_of(fd) == getppid(), "pid %ld", pid_of(fd));
}

static void parent(void)
{
	int fd = open_pid(getpid(), 0);
	start_child("child", look_at_parent, &fd);
	ready();
	while (next_round())
		CHECK(is_alive(fd), "dead");
	join_children();
}

static void zombie(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(7);
	int fd = open_pid(pid, 0);
	siginfo_t info = {0};
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	ready();
	while (next_round()) {
		CHECK(pid_of(fd) == pid, "pid %ld", pid_of(fd));
		CHECK(events_of(fd) == POLLIN, "events %x", events_of(fd));
	}
	CHECK(waitid(P_PIDFD, fd, &info, WEXITED) == 0 && info.si_status == 7, "waitid");
	CHECK(events_of(fd) == (POLLIN | POLLHUP), "events %x", events_of(fd));
}

/* Since Linux 6.15 the kernel tells how it ended. */
static int end_of(int fd)
{
	struct {
		uint64_t mask, cgroup;
		uint32_t ids[11];
		int32_t exit_code;
	} info = {.mask = 8};
	return ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64), &info) == 0 && info.mask & 8 ? info.exit_code : -1;
}

static int reap(int status, unsigned flags)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (status & 0x7f) {
			signal(status & 0x7f, SIG_DFL);
			kill(getpid(), status & 0x7f);
		}
		_exit(status >> 8);
	}
	int fd = open_pid(pid, flags);
	waitpid(pid, NULL, 0);
	return fd;
}

static void reaped(void)
{
	static const int statuses[] = {0, 42 << 8, SIGKILL, SIGTERM, SIGUSR1};
	int fd[COUNT_OF(statuses)], again = -1;
	for (int i = 0; i < COUNT_OF(statuses); i++)
		fd[i] = reap(statuses[i], i & 1 ? O_NONBLOCK : 0);
	again = dup(fd[1]);
	bool known = end_of(fd[1]) == 42 << 8;
	ready();
	while (next_round()) {
		for (int i = 0; i < COUNT_OF(statuses); i++) {
			CHECK(!is_alive(fd[i]) && errno == ESRCH && pid_of(fd[i]) == -1, "pid %ld", pid_of(fd[i]));
			CHECK(events_of(fd[i]) == (POLLIN | POLLHUP), "events %x", events_of(fd[i]));
			CHECK(!known || end_of(fd[i]) == statuses[i], "%d ended by %x", i, end_of(fd[i]));
			CHECK(fcntl(fd[i], F_GETFL) == (O_RDWR | (i & 1 ? O_NONBLOCK : 0)), "flags");
			struct stat a, b;
			CHECK(i == 0 || (fstat(fd[i], &a) == 0 && fstat(fd[0], &b) == 0 && a.st_ino != b.st_ino), "one inode");
		}
		CHECK(syscall(SYS_kcmp, getpid(), getpid(), 0, fd[1], again) == 0, "two descriptions");
	}
}

/* Two descriptions of one process: the same inode. */
static void reaped_twice(void)
{
	struct stat a, b;
	pid_t pid = fork();
	if (pid == 0)
		_exit(3);
	int one = open_pid(pid, 0), two = open_pid(pid, O_NONBLOCK);
	waitpid(pid, NULL, 0);
	ready();
	while (next_round()) {
		CHECK(fstat(one, &a) == 0 && fstat(two, &b) == 0 && a.st_ino == b.st_ino, "two inodes");
		CHECK(!is_alive(one) && !is_alive(two), "alive");
		CHECK(fcntl(one, F_GETFL) != fcntl(two, F_GETFL), "flags");
	}
}

static pid_t thread_id;

static void thread_body(void *arg)
{
	(void)arg;
	thread_id = gettid_raw();
	ready();
	while (next_round())
		;
}

static void threads(void)
{
	pthread_t thread = start_thread("thread", thread_body, NULL);
	int fd = open_pid(thread_id, THREAD), leader = open_pid(getpid(), THREAD);
	ready();
	while (next_round()) {
		CHECK((is_alive(fd) && pid_of(fd) == thread_id) || stop_requested(), "pid %ld", pid_of(fd));
		CHECK(is_alive(leader) && pid_of(leader) == getpid(), "pid %ld", pid_of(leader));
		CHECK(fcntl(fd, F_GETFL) == (O_RDWR | THREAD), "flags %x", fcntl(fd, F_GETFL));
	}
	join_thread(thread);
}

static void watched(void)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 77}, got;
	pid_t pid = start_child("child", idle_child, NULL);
	int fd = open_pid(pid, 0), gone = reap(0, 0), epoll = epoll_create1(0), other = epoll_create1(0);
	REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
	REQUIRE(epoll_ctl(other, EPOLL_CTL_ADD, gone, &e) == 0, "epoll_ctl");
	ready();
	while (next_round()) {
		CHECK(epoll_wait(epoll, &got, 1, 0) == 0 || stop_requested(), "ended");
		CHECK(epoll_wait(other, &got, 1, 0) == 1 && got.data.u64 == 77, "not ended");
	}
	CHECK(epoll_wait(epoll, &got, 1, 5000) == 1 && got.data.u64 == 77, "not ended");
	join_child(pid);
}

/* Two processes have one description. */
static void shared_end(void *arg)
{
	int fd = *(int *)arg;
	ready();
	while (next_round())
		CHECK(syscall(SYS_kcmp, getpid(), getppid(), 0, fd, fd) == 0, "two descriptions");
}

static void shared(void)
{
	pid_t first = start_child("first", idle_child, NULL);
	int fd = open_pid(first, 0);
	pid_t second = start_child("second", shared_end, &fd);
	ready();
	while (next_round())
		CHECK(is_alive(fd) || stop_requested(), "dead");
	join_child(first);
	join_child(second);
}

/* A process that is none of ours: the grandchild belongs to whoever reaps it. */
static void foreign(void)
{
	int p[2];
	pid_t pid, grandchild = 0;
	REQUIRE(pipe(p) == 0, "pipe");
	if ((pid = fork()) == 0) {
		if ((grandchild = fork()) == 0) {
			setsid();
			while (!stop_requested())
				nap_ms(20);
			_exit(0);
		}
		_exit(write(p[1], &grandchild, sizeof(grandchild)) < 0);
	}
	waitpid(pid, NULL, 0);
	REQUIRE(read(p[0], &grandchild, sizeof(grandchild)) == sizeof(grandchild), "read");
	close(p[0]), close(p[1]);
	int fd = open_pid(grandchild, 0);
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	ready();
	while (next_round())
		CHECK(pid_of(100) == grandchild || stop_requested(), "pid %ld", pid_of(100));
}

SUBJECT({"self", self}, {"child", child}, {"parent", parent}, {"zombie", zombie}, {"reaped", reaped},
	{"reaped-twice", reaped_twice}, {"threads", threads}, {"watched", watched}, {"shared", shared},
	{"foreign", foreign})
