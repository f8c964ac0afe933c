/* POSIX message queues: messages, attributes, names, who has them open and who waits. */
#include "subject.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/mount.h>

static mqd_t make(const char *name, int flags, long maxmsg, long msgsize)
{
	struct mq_attr attr = {.mq_maxmsg = maxmsg, .mq_msgsize = msgsize};
	mqd_t q = mq_open(name, flags | O_CREAT | O_EXCL, 0600, &attr);
	REQUIRE(q >= 0, "mq_open: %d", errno);
	return q;
}

static long messages(mqd_t q)
{
	struct mq_attr attr = {0};
	CHECK(mq_getattr(q, &attr) == 0, "mq_getattr: %d", errno);
	return attr.mq_curmsgs;
}

static void put(mqd_t q, size_t size, unsigned priority, unsigned seed)
{
	char text[8192];
	fill(text, size, seed);
	REQUIRE(mq_send(q, text, size, priority) == 0, "mq_send: %d", errno);
}

static void take(mqd_t q, size_t size, unsigned priority, unsigned seed)
{
	char text[8192];
	unsigned got = 0;
	struct timespec at_once = {0, 0};
	ssize_t n = mq_timedreceive(q, text, sizeof(text), &got, &at_once);
	CHECK(n == (ssize_t)size && got == priority, "%zd bytes of priority %u: %d", n, got, errno);
	CHECK(n < 0 || filled(text, size, seed), "other bytes");
}

/* Priorities, and the order among equals. */
static void content(void)
{
	mqd_t q = make("/content", O_RDWR, 10, 8192);
	put(q, 100, 1, 1);
	put(q, 0, 5, 2);
	put(q, 8192, 5, 3);
	put(q, 10, 32767, 4);
	put(q, 20, 0, 5);
	put(q, 30, 1, 6);
	ready();
	while (next_round())
		CHECK(messages(q) == 6, "%ld messages", messages(q));
	take(q, 10, 32767, 4);
	take(q, 0, 5, 2);
	take(q, 8192, 5, 3);
	take(q, 100, 1, 1);
	take(q, 30, 1, 6);
	take(q, 20, 0, 5);
	mq_unlink("/content");
}

static void attributes(void)
{
	mqd_t q = make("/attributes", O_RDWR | O_NONBLOCK, 7, 333);
	REQUIRE(fchmod(q, 0624) == 0 && fchown(q, 1001, 1002) == 0, "fchmod");
	put(q, 333, 3, 1);
	ready();
	while (next_round()) {
		struct mq_attr attr;
		struct stat st;
		CHECK(mq_getattr(q, &attr) == 0 && attr.mq_maxmsg == 7 && attr.mq_msgsize == 333 &&
			      attr.mq_curmsgs == 1 && attr.mq_flags == O_NONBLOCK,
		      "%ld %ld %ld %lx", attr.mq_maxmsg, attr.mq_msgsize, attr.mq_curmsgs, attr.mq_flags);
		CHECK(fstat(q, &st) == 0 && (st.st_mode & 0777) == 0624 && st.st_uid == 1001 &&
			      st.st_gid == 1002,
		      "mode %o, owner %d %d", st.st_mode, st.st_uid, st.st_gid);
	}
	mq_unlink("/attributes");
}

/* Without a name, and another one that has its name since. */
static void unlinked(void)
{
	mqd_t old = make("/name", O_RDWR, 4, 100);
	put(old, 10, 1, 1);
	REQUIRE(mq_unlink("/name") == 0, "mq_unlink");
	mqd_t new = make("/name", O_RDWR, 5, 200);
	put(new, 20, 2, 2);
	ready();
	while (next_round()) {
		struct mq_attr a, b;
		CHECK(mq_getattr(old, &a) == 0 && a.mq_maxmsg == 4 && a.mq_curmsgs == 1, "the old one");
		CHECK(mq_getattr(new, &b) == 0 && b.mq_maxmsg == 5 && b.mq_curmsgs == 1, "the new one");
	}
	mqd_t again = mq_open("/name", O_RDONLY);
	REQUIRE(again >= 0, "mq_open: %d", errno);
	take(again, 20, 2, 2);
	CHECK(messages(new) == 0 && messages(old) == 1, "not the same queue");
	mq_unlink("/name");
}

/* Three descriptions of one queue, each with flags of its own. */
static void descriptions(void)
{
	mqd_t q = make("/three", O_RDONLY, 3, 50);
	mqd_t w = mq_open("/three", O_WRONLY | O_NONBLOCK), dup_of_w = dup(w);
	mqd_t x = mq_open("/three", O_RDWR | O_NONBLOCK);
	REQUIRE(w >= 0 && x >= 0 && dup_of_w >= 0, "mq_open");
	ready();
	while (next_round()) {
		char text[50];
		CHECK(mq_send(dup_of_w, "text", 4, 1) == 0, "mq_send: %d", errno);
		CHECK(mq_receive(q, text, 50, NULL) == 4, "mq_receive: %d", errno);
		CHECK(mq_receive(x, text, 50, NULL) == -1 && errno == EAGAIN, "it is empty: %d", errno);
		CHECK(mq_receive(w, text, 50, NULL) == -1 && errno == EBADF, "for writing: %d", errno);
		CHECK(mq_send(q, "text", 4, 1) == -1 && errno == EBADF, "for reading: %d", errno);
	}
	mq_unlink("/three");
}

static mqd_t there, back;

static void echo(void *arg)
{
	(void)arg;
	ready();
	char text[100];
	for (ssize_t n; (n = mq_receive(there, text, 100, NULL)) > 0;) {
		next_busy_round();
		CHECK(mq_send(back, text, n, 0) == 0, "mq_send: %d", errno);
	}
}

/* A child that waits for messages almost all the time, and answers. */
static void between(void)
{
	there = make("/there", O_RDWR, 4, 100);
	back = make("/back", O_RDWR, 4, 100);
	start_child("echo", echo, NULL);
	ready();
	for (int n = 0; next_round(); n++) {
		int answer = -1;
		char text[100];
		CHECK(mq_send(there, (char *)&n, sizeof(n), 0) == 0, "mq_send: %d", errno);
		CHECK(mq_receive(back, text, 100, NULL) == sizeof(n), "mq_receive: %d", errno);
		memcpy(&answer, text, sizeof(answer));
		CHECK(answer == n, "%d, not %d", answer, n);
	}
	CHECK(mq_send(there, "", 0, 0) == 0, "the end");
	join_children();
	mq_unlink("/there");
	mq_unlink("/back");
}

static void fill_up(void *arg)
{
	(void)arg;
	ready();
	for (int i = 0; !stop_requested(); i++) {
		next_busy_round();
		CHECK(mq_send(there, (char *)&i, sizeof(i), 0) == 0, "mq_send: %d", errno);
	}
}

/* A full queue and a sender that waits: no message is lost, none comes twice. */
static void full(void)
{
	there = make("/full", O_RDWR, 2, 8);
	start_child("sender", fill_up, NULL);
	ready();
	int i = 0;
	while (next_round())
		for (int k = 0; k < 3; k++) {
			int got = -1;
			char text[8];
			CHECK(mq_receive(there, text, 8, NULL) == sizeof(got), "mq_receive: %d", errno);
			memcpy(&got, text, sizeof(got));
			CHECK(got == i, "%d, not %d", got, i);
			i++;
		}
	for (char text[8]; i > 0; i--) {
		struct timespec soon;
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_sec += 1;
		if (mq_timedreceive(there, text, 8, NULL, &soon) < 0)
			break;
	}
	join_children();
	mq_unlink("/full");
}

static void watched(void)
{
	mqd_t q = make("/watched", O_RDWR, 3, 10), empty = make("/empty", O_RDWR, 3, 10);
	int ep = epoll_create1(0);
	struct epoll_event one = {EPOLLIN, {.u32 = 1}}, two = {EPOLLIN, {.u32 = 2}}, found[2];
	put(q, 5, 1, 1);
	REQUIRE(epoll_ctl(ep, EPOLL_CTL_ADD, q, &one) == 0 &&
			epoll_ctl(ep, EPOLL_CTL_ADD, empty, &two) == 0,
		"epoll_ctl");
	ready();
	while (next_round())
		CHECK(epoll_wait(ep, found, 2, 0) == 1 && found[0].data.u32 == 1, "events");
	take(q, 5, 1, 1);
	CHECK(epoll_wait(ep, found, 2, 0) == 0, "no event is left");
	mq_unlink("/watched");
	mq_unlink("/empty");
}

/* Opened as a file, where the file system is mounted. */
static void by_path(void)
{
	mqd_t q = make("/mounted", O_RDWR, 3, 10);
	REQUIRE(mkdir("queues", 0755) == 0 && mount("none", "queues", "mqueue", 0, NULL) == 0, "mount");
	int fd = open("queues/mounted", O_RDWR);
	REQUIRE(fd >= 0, "open: %d", errno);
	put(fd, 7, 1, 1);
	ready();
	while (next_round())
		CHECK(messages(fd) == 1 && messages(q) == 1, "%ld %ld", messages(fd), messages(q));
	take(q, 7, 1, 1);
	mq_unlink("/mounted");
}

static void many(void)
{
	mqd_t q[30];
	for (int i = 0; i < 30; i++) {
		char name[20];
		snprintf(name, sizeof(name), "/many-%d", i);
		q[i] = make(name, O_RDWR, 5, 64);
		for (int k = 0; k < i % 6; k++)
			put(q[i], i + k, k, i * 10 + k);
	}
	ready();
	while (next_round())
		for (int i = 0; i < 30; i++)
			CHECK(messages(q[i]) == i % 6, "%ld messages in %d", messages(q[i]), i);
	for (int i = 0; i < 30; i++) {
		char name[20];
		for (int k = i % 6 - 1; k >= 0; k--)
			take(q[i], i + k, k, i * 10 + k);
		snprintf(name, sizeof(name), "/many-%d", i);
		mq_unlink(name);
	}
}

static void registered(void)
{
	mqd_t q = make("/registered", O_RDWR, 3, 10);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	signal(SIGUSR1, SIG_IGN);
	REQUIRE(mq_notify(q, &event) == 0, "mq_notify");
	ready();
	while (next_round())
		CHECK(mq_notify(q, &event) == -1 && errno == EBUSY, "the registration is gone");
	mq_unlink("/registered");
}

static void outside(void)
{
	int fds[2];
	char c;
	mqd_t q = make("/outside", O_RDWR, 3, 10);
	put(q, 5, 1, 1);
	REQUIRE(pipe(fds) == 0, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			setsid();
			close(subject_log());
			if (write(fds[1], "x", 1) == 1)
				pause();
			_exit(0);
		}
		_exit(0);
	}
	REQUIRE(read(fds[0], &c, 1) == 1, "read");
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	ready();
	while (next_round())
		CHECK(messages(q) == 1, "%ld messages", messages(q));
	take(q, 5, 1, 1);
	mq_unlink("/outside");
}

SUBJECT({"content", content}, {"attributes", attributes}, {"unlinked", unlinked},
	{"descriptions", descriptions}, {"between", between}, {"full", full}, {"watched", watched},
	{"by-path", by_path}, {"many", many}, {"registered", registered}, {"outside", outside})
