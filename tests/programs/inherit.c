/* Descriptors in whose place others come at a restore (--inherit-fd, --external): fd 50 is the caller's. */
#include "subject.h"
#include <linux/kcmp.h>

#define GIVEN 50
#define OTHER 51

static bool same_description(pid_t a, int fd, pid_t b, int other)
{
	return syscall(SYS_kcmp, a, b, KCMP_FILE, fd, other) == 0;
}

/* Writes one numbered line a round; O_NONBLOCK is the program's own. */
static void writer(void)
{
	signal(SIGPIPE, SIG_IGN);
	fcntl(GIVEN, F_SETFL, fcntl(GIVEN, F_GETFL) | O_NONBLOCK);
	ready();
	for (int line = 1; next_round(); line++) {
		CHECK(dprintf(GIVEN, "%d\n", line) > 0, "write: %d", errno);
		CHECK(fcntl(GIVEN, F_GETFL) & O_NONBLOCK, "O_NONBLOCK is gone");
	}
}

/* Once the file `go` is there: reads letters, in the order of the alphabet. */
static void reader(void)
{
	char next = 'a', c;
	fcntl(GIVEN, F_SETFL, fcntl(GIVEN, F_GETFL) | O_NONBLOCK);
	ready();
	while (next_round()) {
		if (access("go", F_OK) != 0)
			continue;
		while (read(GIVEN, &c, 1) == 1)
			CHECK(c == next++, "read %c, not %c", c, next - 1);
	}
	CHECK(next == 'a' + atoi(subject_arg(0)), "read up to %c", next - 1);
}

static void shared_child(void *arg)
{
	pid_t parent = (pid_t)(intptr_t)arg;
	ready();
	while (next_round())
		CHECK(same_description(getpid(), GIVEN, parent, GIVEN), "not the parent's");
}

/* One description under two numbers, and in a child. */
static void shared(void)
{
	REQUIRE(dup2(GIVEN, OTHER) == OTHER, "dup2");
	start_child("child", shared_child, (void *)(intptr_t)getpid());
	ready();
	while (next_round()) {
		CHECK(same_description(getpid(), GIVEN, getpid(), OTHER), "not one description");
		CHECK(write(OTHER, "x", 1) == 1, "write: %d", errno);
	}
	join_children();
}

/* Both ends of a pipe of its own, and something in it. */
static void both(void)
{
	int p[2];
	char c;
	REQUIRE(pipe(p) == 0, "pipe");
	REQUIRE(dup2(p[0], GIVEN) == GIVEN && dup2(p[1], OTHER) == OTHER, "dup2");
	close(p[0]);
	close(p[1]);
	REQUIRE(write(OTHER, "a", 1) == 1, "write");
	ready();
	for (char last = 'a'; next_round(); last = last == 'z' ? 'a' : last + 1) {
		char now = last == 'z' ? 'a' : last + 1;
		CHECK(write(OTHER, &now, 1) == 1, "write: %d", errno);
		CHECK(read(GIVEN, &c, 1) == 1 && c == last, "read %c, not %c", c, last);
	}
}

/* A log file by its path, as DIR/text. */
static void text(void)
{
	int fd = open("text", O_WRONLY | O_APPEND | O_CREAT, 0644);
	REQUIRE(fd >= 0 && dup2(fd, GIVEN) == GIVEN, "open");
	close(fd);
	writer();
}

/* A mapping of the given file, besides the descriptor. */
static void mapped(void)
{
	const char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, GIVEN, 0);
	REQUIRE(at != MAP_FAILED, "mmap");
	ready();
	while (next_round())
		CHECK(memcmp(at, "content", 7) == 0, "mapped: %.7s", at);
}

/* A device of the given path; with a second argument it goes on to read zeroes from it. */
static void device(void)
{
	int fd = open(subject_arg(0), O_RDWR);
	char bytes[8];
	REQUIRE(fd >= 0 && dup2(fd, GIVEN) == GIVEN, "open: %d", errno);
	close(fd);
	ready();
	while (next_round()) {
		CHECK(fcntl(GIVEN, F_GETFD) == 0, "closed");
		if (subject_arg(1) && access("go", F_OK) == 0)
			CHECK(read(GIVEN, bytes, 8) == 8 && bytes[7] == 0, "read: %d", errno);
	}
}

/* Only has what it was given. */
static void idle(void)
{
	ready();
	while (next_round())
		CHECK(fcntl(GIVEN, F_GETFD) >= 0, "closed");
}

SUBJECT({"writer", writer}, {"reader", reader}, {"shared", shared}, {"both", both},
	{"text", text}, {"mapped", mapped}, {"device", device}, {"idle", idle})
