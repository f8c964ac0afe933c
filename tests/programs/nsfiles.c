/* Open namespaces. */
#include "subject.h"
#include <sys/epoll.h>

static const char *names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts", "time", "time_for_children"};

static int open_own(const char *name, int flags)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return open(path, flags);
}

static bool same(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static void own(void)
{
	int fd[COUNT_OF(names)];
	for (int i = 0; i < COUNT_OF(names); i++)
		fd[i] = open_own(names[i], O_RDONLY);
	ready();
	while (next_round())
		for (int i = 0; i < COUNT_OF(names); i++) {
			/* No descriptor for a moment: a snapshot would see it. */
			char path[64];
			struct stat one, other;
			snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
			CHECK(fd[i] < 0 || (fstat(fd[i], &one) == 0 && stat(path, &other) == 0 && one.st_ino == other.st_ino),
			      "%s is another one", names[i]);
		}
	/* It can still be entered. */
	CHECK(setns(fd[3], CLONE_NEWNET) == 0 && setns(fd[6], CLONE_NEWUTS) == 0, "setns: %m");
}

static void flags(void)
{
	int fd = open_own("net", O_RDONLY | O_CLOEXEC), path = open_own("net", O_PATH), again = dup(fd);
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(again, F_GETFD) == 0, "close on exec");
		CHECK(fcntl(path, F_GETFL) & O_PATH && !(fcntl(fd, F_GETFL) & O_PATH), "flags");
		CHECK(syscall(SYS_kcmp, getpid(), getpid(), 0, fd, again) == 0, "two descriptions");
	}
}

/* One that nobody is in any more. */
static void empty(void)
{
	int own = open_own("uts", O_RDONLY);
	REQUIRE(unshare(CLONE_NEWUTS) == 0, "unshare");
	int fd = open_own("uts", O_RDONLY);
	REQUIRE(setns(own, CLONE_NEWUTS) == 0 && dup2(fd, 100) == 100 && close(fd) == 0, "setns");
	ready();
	while (next_round())
		CHECK(!same(own, 100), "the same");
}

SUBJECT({"own", own}, {"flags", flags}, {"empty", empty})
