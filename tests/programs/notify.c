/* inotify and fanotify: what is watched, under which numbers, for what. Events are made and read in
 * the end, all dumps and restores behind them: a dump that finds some unread refuses. */
#include "subject.h"
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

static int instance(int flags)
{
	int fd = inotify_init1(flags);
	REQUIRE(fd >= 0, "inotify_init1");
	return fd;
}

static void directory(const char *path)
{
	REQUIRE(mkdir(path, 0755) == 0, "mkdir %s", path);
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	REQUIRE(fd >= 0, "create %s", path);
	close(fd);
}

static int watch(int fd, const char *path, uint32_t mask)
{
	int wd = inotify_add_watch(fd, path, mask);
	REQUIRE(wd > 0, "inotify_add_watch %s", path);
	return wd;
}

/* Number of bytes that wait to be read. */
static int queued(int fd)
{
	int bytes = -1;
	ioctl(fd, FIONREAD, &bytes);
	return bytes;
}

static char buffer[65536];
static ssize_t have, next;

/* The next event: 0 when there is none. */
static const struct inotify_event *event(int fd)
{
	static const struct inotify_event none;
	if (next >= have) {
		next = have = 0;
		if (queued(fd) <= 0 || (have = read(fd, buffer, sizeof(buffer))) <= 0)
			return &none;
	}
	const struct inotify_event *e = (void *)(buffer + next);
	next += sizeof(*e) + e->len;
	return e;
}

static void expect(int fd, int wd, uint32_t mask, const char *name)
{
	const struct inotify_event *e = event(fd);
	CHECK(e->wd == wd && e->mask == mask && strcmp(e->len ? e->name : "", name) == 0,
	      "wd %d mask %x name %s instead of %d %x %s", e->wd, e->mask, e->len ? e->name : "", wd, mask,
	      name);
}

static void nothing(int fd)
{
	const struct inotify_event *e = event(fd);
	CHECK(e->wd == 0, "an event of watch %d, mask %x", e->wd, e->mask);
}

static void idle(void)
{
	ready();
	while (next_round())
		;
}

/* ---- inotify ---- */

static void instances(void)
{
	int fd = instance(0), other = instance(IN_NONBLOCK | IN_CLOEXEC);
	idle();
	char c[64];
	CHECK(fcntl(fd, F_GETFL) == O_RDONLY && !(fcntl(fd, F_GETFD) & FD_CLOEXEC), "flags");
	CHECK(fcntl(other, F_GETFL) == (O_RDONLY | O_NONBLOCK) && fcntl(other, F_GETFD) & FD_CLOEXEC, "flags");
	CHECK(read(other, c, sizeof(c)) < 0 && errno == EAGAIN, "read");
	directory("d");
	CHECK(inotify_add_watch(fd, "d", IN_CREATE) == 1, "first watch");
}

static void watched_directory(void)
{
	directory("d");
	int fd = instance(IN_NONBLOCK);
	int wd = watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM);
	idle();
	nothing(fd);
	touch("d/a");
	expect(fd, wd, IN_CREATE, "a");
	rename("d/a", "d/b");
	expect(fd, wd, IN_MOVED_FROM, "a");
	expect(fd, wd, IN_MOVED_TO, "b");
	mkdir("d/e", 0755);
	expect(fd, wd, IN_CREATE | IN_ISDIR, "e");
	unlink("d/b");
	expect(fd, wd, IN_DELETE, "b");
	nothing(fd);
}

static void watched_file(void)
{
	int fd = instance(IN_NONBLOCK), file = make_file("file", 100, 1);
	int wd = watch(fd, "file", IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF);
	close(file);
	idle();
	file = open("file", O_WRONLY);
	CHECK(write(file, "x", 1) == 1, "write");
	expect(fd, wd, IN_MODIFY, "");
	fchmod(file, 0600);
	expect(fd, wd, IN_ATTRIB, "");
	close(file);
	nothing(fd);
	unlink("file");
	expect(fd, wd, IN_ATTRIB, "");
	expect(fd, wd, IN_DELETE_SELF, "");
	expect(fd, wd, IN_IGNORED, "");
}

/* Watches with numbers that others had before them in between. */
static void gaps(void)
{
	int fd = instance(IN_NONBLOCK), wd[40];
	char name[16];
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		directory(name);
		wd[i] = watch(fd, name, IN_CREATE);
	}
	for (int i = 0; i < 40; i++)
		if (i % 7 != 3) {
			REQUIRE(inotify_rm_watch(fd, wd[i]) == 0, "inotify_rm_watch");
			expect(fd, wd[i], IN_IGNORED, "");
		}
	idle();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%d/f", i);
		touch(name);
		if (i % 7 == 3)
			expect(fd, wd[i], IN_CREATE, "f");
		else
			CHECK(inotify_rm_watch(fd, wd[i]) < 0, "watch %d is there again", wd[i]);
		nothing(fd);
	}
	int more = inotify_add_watch(fd, "d0", IN_CREATE);
	for (int i = 3; i < 40; i += 7)
		CHECK(more > wd[i], "number %d again", more);
}

static void masks(void)
{
	int fd = instance(IN_NONBLOCK);
	directory("once"), directory("excluding"), directory("both"), directory("all");
	touch("excluding/f");
	int once = watch(fd, "once", IN_CREATE | IN_ONESHOT);
	int excluding = watch(fd, "excluding", IN_MODIFY | IN_EXCL_UNLINK);
	int both = watch(fd, "both", IN_CREATE);
	REQUIRE(watch(fd, "both", IN_DELETE | IN_MASK_ADD) == both, "IN_MASK_ADD");
	int all = watch(fd, "all", IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW);
	int file = open("excluding/f", O_WRONLY);
	idle();
	touch("once/a"), touch("once/b");
	expect(fd, once, IN_CREATE, "a");
	expect(fd, once, IN_IGNORED, "");
	CHECK(write(file, "x", 1) == 1, "write");
	expect(fd, excluding, IN_MODIFY, "f");
	unlink("excluding/f");
	CHECK(write(file, "x", 1) == 1, "write");
	nothing(fd);
	touch("both/a"), unlink("both/a");
	expect(fd, both, IN_CREATE, "a");
	expect(fd, both, IN_DELETE, "a");
	touch("all/a");
	expect(fd, all, IN_CREATE, "a");
	expect(fd, all, IN_OPEN, "a");
	expect(fd, all, IN_CLOSE_WRITE, "a");
	nothing(fd);
}

/* Paths that lead elsewhere now than when they were watched. */
static void moved(void)
{
	int fd = instance(IN_NONBLOCK);
	directory("a"), directory("a/deep"), directory("b");
	int wd = watch(fd, "a/deep", IN_CREATE);
	REQUIRE(rename("a/deep", "b/elsewhere") == 0, "rename");
	directory("a/deep");
	make_file("f", 10, 1), make_file("g", 10, 2);
	int file = watch(fd, "f", IN_MODIFY);
	REQUIRE(rename("f", "moved") == 0 && rename("g", "f") == 0, "rename");
	idle();
	touch("a/deep/x");
	nothing(fd);
	touch("b/elsewhere/x");
	expect(fd, wd, IN_CREATE, "x");
	truncate("f", 3);
	nothing(fd);
	truncate("moved", 3);
	expect(fd, file, IN_MODIFY, "");
}

/* Removed, but open: it lives on, and so does the watch. */
static void removed(void)
{
	int fd = instance(IN_NONBLOCK), file = make_file("file", 1000, 1);
	directory("dir");
	int dir = open("dir", O_RDONLY | O_DIRECTORY);
	int wd = watch(fd, "file", IN_MODIFY | IN_DELETE_SELF), gone = watch(fd, "dir", IN_DELETE_SELF);
	REQUIRE(unlink("file") == 0, "unlink");
	(void)gone;
	idle();
	nothing(fd);
	CHECK(pwrite(file, "x", 1, 0) == 1, "write");
	expect(fd, wd, IN_MODIFY, "");
	close(file);
	expect(fd, wd, IN_DELETE_SELF, "");
	expect(fd, wd, IN_IGNORED, "");
	close(dir);
}

/* A directory that was removed, and is still where the process is. */
static void removed_cwd(void)
{
	int fd = instance(IN_NONBLOCK);
	directory("here");
	REQUIRE(chdir("here") == 0, "chdir");
	int wd = watch(fd, ".", IN_ATTRIB);
	REQUIRE(rmdir("../here") == 0, "rmdir");
	idle();
	nothing(fd);
	chmod(".", 0700);
	expect(fd, wd, IN_ATTRIB | IN_ISDIR, "");
}

static void temporary(void)
{
	int fd = instance(IN_NONBLOCK);
	char name[300];
	snprintf(name, sizeof(name), "/dev/shm/criu-live-%s", strrchr(subject_dir(), '/') + 1);
	touch(name);
	int wd = watch(fd, name, IN_MODIFY);
	idle();
	truncate(name, 3);
	expect(fd, wd, IN_MODIFY, "");
	unlink(name);
}

/* Files that no handle opens: procfs, sysfs, devpts, cgroups. */
static void pseudo(void)
{
	static const char *paths[] = {"/proc", "/sys", "/sys/kernel", "/dev/pts", "/proc/sys/kernel/hostname"};
	int fd = instance(IN_NONBLOCK), wd[COUNT_OF(paths)];
	int held = open("/proc/sys/kernel/hostname", O_RDONLY);
	for (int i = 0; i < COUNT_OF(paths); i++)
		wd[i] = watch(fd, paths[i], i == 4 ? IN_OPEN : IN_ATTRIB);
	idle();
	char path[64];
	int other = open("/proc/sys/kernel/hostname", O_RDONLY);
	expect(fd, wd[4], IN_OPEN, "");
	close(other);
	nothing(fd);
	for (int i = 0; i < COUNT_OF(paths); i++) {
		snprintf(path, sizeof(path), "%s", paths[i]);
		CHECK(inotify_add_watch(fd, path, IN_OPEN) == wd[i], "%s has another number", path);
	}
	close(held);
}

static void symlinked(void)
{
	int fd = instance(IN_NONBLOCK);
	directory("d");
	REQUIRE(symlink("d", "link") == 0, "symlink");
	int through = watch(fd, "link", IN_CREATE), itself = watch(fd, "link", IN_ATTRIB | IN_DONT_FOLLOW);
	REQUIRE(through != itself, "two watches");
	idle();
	touch("d/x");
	expect(fd, through, IN_CREATE, "x");
	lchown("link", 0, 0);
	expect(fd, itself, IN_ATTRIB, "");
}

static void sleeper(void *arg)
{
	int *fd = arg;
	struct inotify_event e[16];
	ready();
	CHECK(read(*fd, e, sizeof(e)) > 0 && e->mask == IN_CREATE, "read");
	next_busy_round();
	while (next_round())
		;
}

/* A child waits in read; parent and child have it in common. */
static void waiting(void)
{
	int fd = instance(0);
	directory("d");
	watch(fd, "d", IN_CREATE);
	start_child("child", sleeper, &fd);
	ready();
	while (next_round())
		;
	touch("d/x");
	join_children();
	CHECK(queued(fd) == 0, "the event is still there");
}

static void polled(void)
{
	int fd = instance(IN_NONBLOCK);
	directory("d");
	int wd = watch(fd, "d", IN_CREATE);
	struct pollfd p = {fd, POLLIN, 0};
	ready();
	while (next_round())
		CHECK(poll(&p, 1, 0) == 0, "ready");
	touch("d/x");
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN, "not ready");
	expect(fd, wd, IN_CREATE, "x");
}

static void many(void)
{
	int fd = instance(IN_NONBLOCK), wd[500];
	char name[16];
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		directory(name);
		wd[i] = watch(fd, name, IN_CREATE);
	}
	idle();
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "d%d/x", i);
		touch(name);
		expect(fd, wd[i], IN_CREATE, "x");
	}
}

static void two_instances(void)
{
	int a = instance(IN_NONBLOCK), b = instance(IN_NONBLOCK);
	directory("d"), directory("e");
	watch(b, "e", IN_CREATE);
	int wa = watch(a, "d", IN_CREATE), wb = watch(b, "d", IN_DELETE);
	idle();
	touch("d/x"), unlink("d/x");
	expect(a, wa, IN_CREATE, "x");
	nothing(a);
	expect(b, wb, IN_DELETE, "x");
	nothing(b);
}

/* To be refused: an event waits, or an inode that nothing leads to. */
static void unread(void)
{
	int fd = instance(IN_NONBLOCK);
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	directory("d");
	int wd = watch(100, "d", IN_CREATE);
	touch("d/x");
	int before = queued(100);
	ready();
	while (next_round())
		CHECK(queued(100) == before, "%d bytes", queued(100));
	expect(100, wd, IN_CREATE, "x");
}

/* ---- fanotify ---- */

static int group(unsigned flags)
{
	int fd = fanotify_init(flags | FAN_NONBLOCK, O_RDONLY | O_LARGEFILE);
	REQUIRE(fd >= 0, "fanotify_init");
	return fd;
}

static void mark(int fd, unsigned flags, uint64_t mask, const char *path)
{
	REQUIRE(fanotify_mark(fd, FAN_MARK_ADD | flags, mask, AT_FDCWD, path) == 0, "fanotify_mark %s: %m",
		path);
}

/* The mask of the next event of our own; 0 when there is none. */
static uint64_t told(int fd)
{
	static char events[4096];
	static ssize_t size, at;
	for (;; at += ((struct fanotify_event_metadata *)(events + at))->event_len) {
		if (at >= size) {
			at = 0;
			if ((size = read(fd, events, sizeof(events))) <= 0)
				return size = 0;
		}
		struct fanotify_event_metadata *e = (void *)(events + at);
		uint64_t mask = e->mask;
		if (e->fd >= 0)
			close(e->fd);
		if (e->pid == getpid()) {
			at += e->event_len;
			return mask;
		}
	}
}

static void drop(int fd)
{
	while (told(fd))
		;
}

static void look(const char *path)
{
	close(open(path, O_RDONLY));
}

static void groups(void)
{
	int plain = group(FAN_CLASS_NOTIF);
	int content = group(FAN_CLASS_CONTENT | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS);
	int names = group(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_REPORT_TID | FAN_CLOEXEC);
	directory("d");
	idle();
	CHECK(fcntl(plain, F_GETFL) == (O_RDWR | O_NONBLOCK), "flags %x", fcntl(plain, F_GETFL));
	CHECK(fcntl(names, F_GETFD) & FD_CLOEXEC && !(fcntl(plain, F_GETFD) & FD_CLOEXEC), "close on exec");
	mark(content, 0, FAN_OPEN, "d"), mark(names, 0, FAN_CREATE, "d");
	CHECK(fanotify_mark(plain, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "d") < 0, "names are reported");
	touch("d/x");
	CHECK(told(names) == FAN_CREATE, "no name");
}

static void inode_marks(void)
{
	int fd = group(FAN_CLASS_NOTIF);
	directory("d"), touch("d/x"), touch("f");
	mark(fd, 0, FAN_OPEN | FAN_EVENT_ON_CHILD | FAN_ONDIR, "d");
	mark(fd, 0, FAN_CLOSE_WRITE, "f");
	drop(fd);
	idle();
	CHECK(told(fd) == 0, "an event");
	look("d/x");
	CHECK(told(fd) == FAN_OPEN, "no event of the child");
	look("d");
	CHECK(told(fd) == FAN_OPEN, "no event of the directory");
	look("f");
	CHECK(told(fd) == 0, "an event");
	touch("f");
	CHECK(told(fd) == FAN_CLOSE_WRITE, "no event of the file");
}

/* A mount of our own: other tests open files as well. */
static void own_mount(void)
{
	directory("m");
	REQUIRE(mount("none", "m", "tmpfs", 0, NULL) == 0, "mount");
	touch("m/x");
}

static void mount_mark(void)
{
	own_mount();
	directory("b");
	REQUIRE(mount("m", "b", NULL, MS_BIND, NULL) == 0, "bind");
	int fd = group(FAN_CLASS_NOTIF);
	mark(fd, FAN_MARK_MOUNT, FAN_OPEN, "m");
	idle();
	look("b/x");
	CHECK(told(fd) == 0, "an event of the other mount");
	look("m/x");
	CHECK(told(fd) == FAN_OPEN, "no event of the mount");
	umount("b"), umount("m");
}

static void file_system_mark(void)
{
	own_mount();
	directory("b"), directory("n");
	/* Not /dev/shm: others use it too. */
	REQUIRE(mount("none", "n", "tmpfs", 0, NULL) == 0, "tmpfs");
	REQUIRE(mount("m", "b", NULL, MS_BIND, NULL) == 0, "bind");
	int fd = group(FAN_CLASS_NOTIF), names = group(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME);
	mark(fd, FAN_MARK_FILESYSTEM, FAN_OPEN, "m"), mark(fd, FAN_MARK_FILESYSTEM, FAN_CLOSE_WRITE, "n");
	mark(names, FAN_MARK_FILESYSTEM, FAN_DELETE, "b");
	idle();
	drop(fd);
	look("b/x");
	CHECK(told(fd) == FAN_OPEN, "no event of the file system");
	unlink("b/x");
	CHECK(told(names) == FAN_DELETE, "no event of the file system");
	umount("b"), umount("n"), umount("m");
}

static void ignored(void)
{
	int fd = group(FAN_CLASS_NOTIF);
	directory("d"), touch("d/loud"), touch("d/quiet"), touch("d/kept");
	mark(fd, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, "d");
	mark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d/quiet");
	mark(fd, FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_OPEN, "d/kept");
	mark(fd, 0x400 /* FAN_MARK_IGNORE */ | FAN_MARK_IGNORED_SURV_MODIFY, FAN_CLOSE_NOWRITE, "d/loud");
	drop(fd);
	idle();
	look("d/quiet"), look("d/kept");
	CHECK(told(fd) == 0, "an event that is ignored");
	look("d/loud");
	CHECK(told(fd) == FAN_OPEN, "no event");
	truncate("d/quiet", 1), truncate("d/kept", 1);
	drop(fd);
	look("d/quiet");
	CHECK(told(fd) == FAN_OPEN, "ignored after a change");
	look("d/kept");
	CHECK(told(fd) == 0, "not ignored after a change");
}

static void group_child(void *arg)
{
	int fd = *(int *)arg;
	ready();
	while (next_round())
		;
	CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK), "flags");
}

static void group_shared(void)
{
	int fd = group(FAN_CLASS_NOTIF);
	touch("f");
	mark(fd, 0, FAN_OPEN, "f");
	drop(fd);
	start_child("child", group_child, &fd);
	idle();
	look("f");
	CHECK(told(fd) == FAN_OPEN, "no event");
	join_children();
}

static void group_unread(void)
{
	int fd = group(FAN_CLASS_NOTIF);
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	touch("f");
	mark(100, 0, FAN_OPEN, "f");
	look("f");
	idle();
	CHECK(told(100) == FAN_OPEN, "no event");
}

/* Even of the program itself: nobody can look at it while it is stopped. */
static void group_permission(void)
{
	int fd = group(FAN_CLASS_CONTENT);
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	mark(100, 0, FAN_OPEN_PERM, "/proc/self/exe");
	idle();
}

SUBJECT({"instances", instances}, {"directory", watched_directory}, {"file", watched_file},
	{"gaps", gaps}, {"masks", masks}, {"moved", moved}, {"removed", removed},
	{"removed-cwd", removed_cwd}, {"temporary", temporary}, {"pseudo", pseudo},
	{"symlinked", symlinked}, {"waiting", waiting}, {"polled", polled}, {"many", many},
	{"two-instances", two_instances}, {"unread", unread}, {"groups", groups},
	{"inode-marks", inode_marks}, {"mount-mark", mount_mark}, {"file-system-mark", file_system_mark},
	{"ignored", ignored}, {"group-shared", group_shared}, {"group-unread", group_unread},
	{"group-permission", group_permission})
