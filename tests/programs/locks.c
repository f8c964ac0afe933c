/*
 * Locks of files: POSIX, open file description, flock, leases. Whether a lock is held is seen through
 * another description of the file (`other`), which must stay open: closing it would drop POSIX locks.
 */
#include "subject.h"
#include <sys/file.h>
#include <sys/socket.h>

static int open_again(const char *name, int flags)
{
	int fd = open(name, flags);
	REQUIRE(fd >= 0, "open %s: %s", name, strerror(errno));
	return fd;
}

static int set(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	return fcntl(fd, command, &lock);
}

static void lock_range(int fd, int command, short type, off_t start, off_t length)
{
	REQUIRE(set(fd, command, type, start, length) == 0, "lock: %s", strerror(errno));
}

/* What goes when another process of the subject ends, which may see the stop request first. */
#define UNTIL_STOP(condition, ...) CHECK((condition) || stop_requested(), __VA_ARGS__)

/* Through `other`, a write lock of one byte at `at` meets this very lock; F_UNLCK: none. */
static void expect(int other, off_t at, short type, off_t start, off_t length, pid_t pid)
{
	struct flock met = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
	CHECK(fcntl(other, F_OFD_GETLK, &met) == 0, "F_OFD_GETLK: %s", strerror(errno));
	UNTIL_STOP(met.l_type == type, "byte %ld: type %d, not %d", at, met.l_type, type);
	if (type == F_UNLCK || met.l_type != type)
		return;
	CHECK(met.l_start == start && met.l_len == length, "byte %ld: lock %ld+%ld", at, met.l_start,
	      met.l_len);
	CHECK(met.l_pid == pid, "byte %ld: of process %d, not %d", at, met.l_pid, pid);
}

/* ---- POSIX ---- */

static void posix_whole(void)
{
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDWR);
	lock_range(fd, F_SETLK, F_WRLCK, 0, 0);
	ready();
	while (next_round())
		expect(other, 50, F_WRLCK, 0, 0, getpid());
}

/* Reading and writing, a gap, past the end of the file and past 4 GiB, to whatever end. */
static void posix_ranges(void)
{
	off_t far = 5L << 32;
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDWR);
	lock_range(fd, F_SETLK, F_WRLCK, 0, 10);
	lock_range(fd, F_SETLK, F_RDLCK, 10, 10);
	lock_range(fd, F_SETLK, F_WRLCK, 30, 1);
	lock_range(fd, F_SETLK, F_RDLCK, 200, 50);
	lock_range(fd, F_SETLK, F_WRLCK, far, 7);
	lock_range(fd, F_SETLK, F_RDLCK, far + 100, 0);
	ready();
	while (next_round()) {
		expect(other, 9, F_WRLCK, 0, 10, getpid());
		expect(other, 10, F_RDLCK, 10, 10, getpid());
		expect(other, 20, F_UNLCK, 0, 0, 0);
		expect(other, 30, F_WRLCK, 30, 1, getpid());
		expect(other, 249, F_RDLCK, 200, 50, getpid());
		expect(other, far - 1, F_UNLCK, 0, 0, 0);
		expect(other, far + 6, F_WRLCK, far, 7, getpid());
		expect(other, far + 1000000, F_RDLCK, far + 100, 0, getpid());
	}
}

static void posix_many(void)
{
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDWR);
	for (int i = 0; i < 2000; i++)
		lock_range(fd, F_SETLK, i % 2 ? F_RDLCK : F_WRLCK, i * 10, 5);
	ready();
	while (next_round())
		for (int i = 0; i < 2000; i += 97) {
			expect(other, i * 10 + 4, i % 2 ? F_RDLCK : F_WRLCK, i * 10, 5, getpid());
			expect(other, i * 10 + 5, F_UNLCK, 0, 0, 0);
		}
}

/* The file is mapped as well, through this descriptor and through one that is closed since. */
static void posix_mapped(void)
{
	int fd = make_file("data", 3 * PAGE, 1), other = open_again("data", O_RDWR);
	int third = open_again("data", O_RDWR);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, third, PAGE);
	char *again = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, third, 2 * PAGE);
	REQUIRE(shared != MAP_FAILED && private != MAP_FAILED && again != MAP_FAILED, "mmap");
	close(third);
	private[0] = 'p';
	lock_range(fd, F_SETLK, F_WRLCK, 0, 100);
	ready();
	for (char n = 0; next_round(); n++) {
		expect(other, 1, F_WRLCK, 0, 100, getpid());
		shared[5] = n;
		CHECK(private[0] == 'p' && again[0] == again[0] && shared[5] == n, "mappings");
	}
}

/*
 * As SQLite in WAL mode: a shared lock of the database far behind its end, and bytes of a mapped -shm
 * file, some of them locked by another process.
 */
enum { PENDING = 0x40000000, SHARED_FIRST = PENDING + 2, SHARED_SIZE = 510 };
enum { WAL_WRITE = 120, WAL_READ = 123 };

static void wal_process(bool writes)
{
	int db = open_again("db", O_RDWR), shm = open_again("db-shm", O_RDWR);
	lock_range(db, F_SETLK, F_RDLCK, SHARED_FIRST, SHARED_SIZE);
	char *index = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, shm, 0);
	REQUIRE(index != MAP_FAILED, "mmap");
	lock_range(shm, F_SETLK, F_RDLCK, WAL_READ + 1, 1);
	if (writes)
		lock_range(shm, F_SETLK, F_WRLCK, WAL_WRITE, 1);
	ready();
	for (uint32_t n = 0; next_round(); n++) {
		/* The other one's writing lock is seen, ours is not (F_GETLK). */
		struct flock met = {.l_type = F_WRLCK, .l_start = WAL_WRITE, .l_len = 1};
		UNTIL_STOP(fcntl(shm, F_GETLK, &met) == 0, "F_GETLK");
		UNTIL_STOP(met.l_type == (writes ? F_UNLCK : F_WRLCK), "writer's lock: %d", met.l_type);
		struct flock all = {.l_type = F_WRLCK, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE};
		UNTIL_STOP(fcntl(db, F_GETLK, &all) == 0 && all.l_type == F_RDLCK, "no other reader");
		if (writes)
			memcpy(index + 100, &n, sizeof(n));
	}
}

static void wal_child(void *arg)
{
	(void)arg;
	wal_process(false);
}

static void posix_wal(void)
{
	close(make_file("db", 8192, 1));
	close(make_file("db-shm", 8 * PAGE, 2));
	/* The child comes first: each looks for the locks of the other. */
	int db = open_again("db", O_RDWR), shm = open_again("db-shm", O_RDWR);
	(void)db, (void)shm;
	lock_range(shm, F_SETLK, F_WRLCK, WAL_WRITE, 1);
	start_child("reader", wal_child, NULL);
	wal_process(true);
	join_children();
}

static void holds_read_lock(void *arg)
{
	int fd = open_again("data", O_RDWR);
	(void)arg;
	lock_range(fd, F_SETLK, F_RDLCK, 0, 50);
	lock_range(fd, F_SETLK, F_WRLCK, 90, 5);
	ready();
	while (next_round()) {
		struct flock met = {.l_type = F_WRLCK, .l_start = 0, .l_len = 100};
		UNTIL_STOP(fcntl(fd, F_GETLK, &met) == 0 && met.l_type == F_RDLCK, "the parent's lock");
		UNTIL_STOP(met.l_pid == getppid(), "of process %d, not %d", met.l_pid, getppid());
		UNTIL_STOP(met.l_start == 10 && met.l_len == 50, "%ld+%ld", met.l_start, met.l_len);
	}
}

/* Read locks of two processes that overlap, and a write lock beside them. */
static void posix_processes(void)
{
	int fd = make_file("data", 100, 1);
	lock_range(fd, F_SETLK, F_RDLCK, 10, 50);
	pid_t child = start_child("child", holds_read_lock, NULL);
	ready();
	while (next_round()) {
		struct flock met = {.l_type = F_WRLCK, .l_start = 60, .l_len = 40};
		UNTIL_STOP(fcntl(fd, F_GETLK, &met) == 0 && met.l_type == F_WRLCK, "the child's lock");
		UNTIL_STOP(met.l_start == 90 && met.l_len == 5 && met.l_pid == child, "%ld+%ld of %d",
		      met.l_start, met.l_len, met.l_pid);
		met = (struct flock){.l_type = F_WRLCK, .l_start = 0, .l_len = 5};
		UNTIL_STOP(fcntl(fd, F_GETLK, &met) == 0 && met.l_type == F_RDLCK, "the child's read lock");
	}
	join_children();
}

static int given[2];

static void locks_given(void *arg)
{
	(void)arg;
	lock_range(given[0], F_SETLK, F_WRLCK, 20, 10);
	ready();
	while (next_round())
		expect(given[1], 25, F_WRLCK, 20, 10, getpid());
}

/* A child that has the same table of descriptors took the lock: it is of both, and has its pid. */
static void posix_shared_table(void)
{
	given[0] = make_file("data", 100, 1);
	given[1] = open_again("data", O_RDWR);
	pid_t child = clone_child("sharer", CLONE_FILES | SIGCHLD, locks_given, NULL);
	lock_range(given[0], F_SETLK, F_WRLCK, 50, 10);
	ready();
	while (next_round()) {
		expect(given[1], 25, F_WRLCK, 20, 10, child);
		expect(given[1], 55, F_WRLCK, 50, 10, getpid());
	}
	join_children();
}

/* The child locks through a description that it has inherited: the lock is its own. */
static void posix_inherited(void)
{
	given[0] = make_file("data", 100, 1);
	given[1] = open_again("data", O_RDWR);
	pid_t child = start_child("child", locks_given, NULL);
	lock_range(given[0], F_SETLK, F_RDLCK, 60, 10);
	ready();
	while (next_round()) {
		expect(given[1], 25, F_WRLCK, 20, 10, child);
		expect(given[1], 65, F_RDLCK, 60, 10, getpid());
	}
	join_children();
}

/* Several descriptors of one description, and several descriptions with locks of the same owner. */
static void posix_duplicates(void)
{
	int fd = make_file("data", 100, 1), copy = dup(fd), second = open_again("data", O_RDWR);
	int other = open_again("data", O_RDWR);
	lock_range(copy, F_SETLK, F_WRLCK, 0, 10);
	lock_range(second, F_SETLK, F_WRLCK, 50, 10);
	REQUIRE(dup2(fd, 60) == 60, "dup2");
	ready();
	while (next_round()) {
		expect(other, 5, F_WRLCK, 0, 10, getpid());
		expect(other, 55, F_WRLCK, 50, 10, getpid());
	}
}

static volatile int got_it;

static void waits_for_posix(void *arg)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = 0, .l_len = 10};
	int result;
	while ((result = fcntl(*(int *)arg, F_SETLKW, &lock)) == -1 && errno == EINTR)
		;
	got_it = result == 0 ? 1 : -errno;
}

static void *posix_waiter(void *arg)
{
	waits_for_posix(arg);
	return NULL;
}

static void *flock_waiter(void *arg)
{
	got_it = flock(*(int *)arg, LOCK_EX) == 0 ? 1 : -errno;
	return NULL;
}

/* A thread of a child waits for a lock of the parent; it gets it when the parent lets go, not before. */
static void waiting_child(void *arg)
{
	pthread_t thread;
	int fd = open_again("data", O_RDWR);
	REQUIRE(pthread_create(&thread, NULL, (void *(*)(void *))arg, &fd) == 0, "thread");
	nap_ms(50);
	ready();
	/* At the end the parent lets go whenever it sees the request, this one perhaps later. */
	while (next_round())
		UNTIL_STOP(got_it == 0, "the lock was taken: %d", got_it);
	for (int i = 0; i < 400 && !got_it; i++)
		nap_ms(20);
	CHECK(got_it == 1, "the lock was not taken: %d", got_it);
	pthread_join(thread, NULL);
}

static void posix_waiting(void)
{
	int fd = make_file("data", 100, 1);
	lock_range(fd, F_SETLK, F_WRLCK, 0, 0);
	start_child("waiter", waiting_child, posix_waiter);
	ready();
	while (next_round())
		;
	lock_range(fd, F_SETLK, F_UNLCK, 0, 0);
	join_children();
}

static void flock_waiting(void)
{
	int fd = make_file("data", 100, 1);
	REQUIRE(flock(fd, LOCK_EX) == 0, "flock");
	start_child("waiter", waiting_child, flock_waiter);
	ready();
	while (next_round())
		;
	REQUIRE(flock(fd, LOCK_UN) == 0, "unlock");
	join_children();
}

/* ---- flock ---- */

/* Can another description be locked so; if it can, it is unlocked again. */
static bool can_flock(int other, int operation)
{
	if (flock(other, operation | LOCK_NB) == -1)
		return false;
	flock(other, LOCK_UN);
	return true;
}

static void flock_exclusive(void)
{
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDONLY);
	REQUIRE(flock(fd, LOCK_EX) == 0, "flock");
	ready();
	while (next_round())
		CHECK(!can_flock(other, LOCK_SH), "it is not locked");
	flock(fd, LOCK_UN);
	CHECK(can_flock(other, LOCK_EX), "it stays locked");
}

static void flock_shared(void)
{
	close(make_file("data", 100, 1));
	int fd = open_again("data", O_RDONLY), second = open_again("data", O_RDONLY);
	int other = open_again("data", O_RDONLY);
	REQUIRE(flock(fd, LOCK_SH) == 0 && flock(second, LOCK_SH) == 0, "flock");
	ready();
	while (next_round()) {
		CHECK(!can_flock(other, LOCK_EX), "it is not locked");
		CHECK(can_flock(other, LOCK_SH), "it is locked for readers");
	}
	close(second);
	CHECK(!can_flock(other, LOCK_EX), "the first lock is gone");
	flock(fd, LOCK_UN);
	CHECK(can_flock(other, LOCK_EX), "it stays locked");
}

static void flock_duplicate(void)
{
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDONLY), copy = dup(fd);
	REQUIRE(flock(copy, LOCK_EX) == 0, "flock");
	ready();
	while (next_round())
		CHECK(!can_flock(other, LOCK_SH), "it is not locked");
	close(copy);
	CHECK(!can_flock(other, LOCK_SH), "closing a duplicate has unlocked it");
	flock(fd, LOCK_UN);
	CHECK(can_flock(other, LOCK_SH), "unlocking through a duplicate does not work");
}

static void holds_given(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		CHECK(!can_flock(given[1], LOCK_SH), "it is not locked");
	/* The lock is of the description: this unlocks it for the parent as well. */
	flock(given[0], LOCK_UN);
}

static void flock_inherited(void)
{
	given[0] = make_file("data", 100, 1);
	given[1] = open_again("data", O_RDONLY);
	REQUIRE(flock(given[0], LOCK_EX) == 0, "flock");
	start_child("heir", holds_given, NULL);
	ready();
	while (next_round())
		UNTIL_STOP(!can_flock(given[1], LOCK_SH), "it is not locked");
	join_children();
	CHECK(can_flock(given[1], LOCK_EX), "it stays locked");
}

/* The one that took it has closed it: only the child has it. */
static void flock_left_to_child(void)
{
	given[0] = make_file("data", 100, 1);
	given[1] = open_again("data", O_RDONLY);
	REQUIRE(flock(given[0], LOCK_EX) == 0, "flock");
	start_child("heir", holds_given, NULL);
	close(given[0]);
	ready();
	while (next_round())
		UNTIL_STOP(!can_flock(given[1], LOCK_SH), "it is not locked");
	join_children();
}

/* Files that are no regular ones. */
static void flock_others(void)
{
	int fds[3], others[3];
	REQUIRE(mkdir("directory", 0755) == 0 && mkfifo("fifo", 0644) == 0, "make");
	fds[0] = open_again("directory", O_RDONLY | O_DIRECTORY);
	others[0] = open_again("directory", O_RDONLY | O_DIRECTORY);
	fds[1] = open_again("fifo", O_RDWR);
	others[1] = open_again("fifo", O_RDWR);
	fds[2] = memfd_create("memory", 0);
	others[2] = open_again("/proc/self/fd/4", O_RDONLY);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[2]);
	close(others[2]);
	others[2] = open_again(path, O_RDWR);
	for (int i = 0; i < 3; i++)
		REQUIRE(flock(fds[i], LOCK_EX) == 0, "flock");
	ready();
	while (next_round())
		for (int i = 0; i < 3; i++)
			CHECK(!can_flock(others[i], LOCK_SH), "file %d is not locked", i);
}

/* ---- open file description locks ---- */

static void ofd_ranges(void)
{
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDWR);
	lock_range(fd, F_OFD_SETLK, F_WRLCK, 0, 10);
	lock_range(fd, F_OFD_SETLK, F_RDLCK, 40, 10);
	lock_range(fd, F_OFD_SETLK, F_WRLCK, 1000, 0);
	ready();
	while (next_round()) {
		expect(other, 5, F_WRLCK, 0, 10, -1);
		expect(other, 45, F_RDLCK, 40, 10, -1);
		expect(other, 20, F_UNLCK, 0, 0, 0);
		expect(other, 5000, F_WRLCK, 1000, 0, -1);
	}
}

/* Two descriptions of one process exclude each other. */
static void ofd_descriptions(void)
{
	int fd = make_file("data", 100, 1), second = open_again("data", O_RDWR);
	lock_range(fd, F_OFD_SETLK, F_WRLCK, 0, 10);
	lock_range(second, F_OFD_SETLK, F_WRLCK, 10, 10);
	ready();
	while (next_round()) {
		expect(second, 5, F_WRLCK, 0, 10, -1);
		expect(fd, 15, F_WRLCK, 10, 10, -1);
		CHECK(set(fd, F_OFD_SETLK, F_WRLCK, 15, 1) == -1 && errno == EAGAIN, "lock");
	}
}

static void ofd_heir(void *arg)
{
	(void)arg;
	ready();
	while (next_round()) {
		expect(given[1], 5, F_WRLCK, 0, 10, -1);
		/* It is the child's as much: it may lock the same bytes again. */
		CHECK(set(given[0], F_OFD_SETLK, F_WRLCK, 2, 2) == 0, "not its own");
	}
}

static void ofd_inherited(void)
{
	given[0] = make_file("data", 100, 1);
	given[1] = open_again("data", O_RDWR);
	lock_range(given[0], F_OFD_SETLK, F_WRLCK, 0, 10);
	start_child("heir", ofd_heir, NULL);
	ready();
	while (next_round())
		expect(given[1], 5, F_WRLCK, 0, 10, -1);
	join_children();
}

/* All kinds on one file; flock knows nothing of the others. */
static void mixed(void)
{
	int fd = make_file("data", 100, 1), second = open_again("data", O_RDWR);
	int other = open_again("data", O_RDWR);
	lock_range(fd, F_SETLK, F_WRLCK, 0, 10);
	lock_range(second, F_OFD_SETLK, F_RDLCK, 20, 10);
	REQUIRE(flock(fd, LOCK_EX) == 0, "flock");
	ready();
	while (next_round()) {
		expect(other, 5, F_WRLCK, 0, 10, getpid());
		expect(other, 25, F_RDLCK, 20, 10, -1);
		CHECK(!can_flock(other, LOCK_SH), "flock");
	}
}

static void unlinked(void)
{
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDWR);
	int third = make_file("third", 100, 1);
	REQUIRE(unlink("data") == 0 && unlink("third") == 0, "unlink");
	lock_range(fd, F_SETLK, F_WRLCK, 0, 10);
	lock_range(fd, F_OFD_SETLK, F_WRLCK, 20, 10);
	REQUIRE(flock(fd, LOCK_EX) == 0 && flock(third, LOCK_SH) == 0, "flock");
	ready();
	while (next_round()) {
		expect(other, 5, F_WRLCK, 0, 10, getpid());
		expect(other, 25, F_WRLCK, 20, 10, -1);
		CHECK(!can_flock(other, LOCK_SH), "flock");
	}
}

/* Another user's: the locks come before the rights go. */
static void of_user(void)
{
	int fd = make_file("data", 100, 1), other = open_again("data", O_RDWR);
	int leased = open_again("data2", O_RDONLY | O_CREAT);
	REQUIRE(fchown(leased, 1000, 1000) == 0, "fchown");
	REQUIRE(setgid(1000) == 0 && setuid(1000) == 0, "setuid");
	lock_range(fd, F_SETLK, F_WRLCK, 0, 10);
	REQUIRE(flock(other, LOCK_SH) == 0, "flock");
	REQUIRE(fcntl(leased, F_SETLEASE, F_RDLCK) == 0, "F_SETLEASE");
	ready();
	while (next_round()) {
		expect(other, 5, F_WRLCK, 0, 10, getpid());
		CHECK(fcntl(leased, F_GETLEASE) == F_RDLCK, "lease %d", fcntl(leased, F_GETLEASE));
	}
}

/* ---- leases ---- */

static volatile int told, told_fd;

static void count(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	told++;
	told_fd = info->si_fd;
}

static void count_signal(int signal)
{
	struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_RESTART};
	REQUIRE(sigaction(signal, &action, NULL) == 0, "sigaction");
}

/* A lease on a new file through a descriptor of that mode; nobody has it open otherwise. */
static int leased(const char *name, int mode, int type)
{
	close(make_file(name, 100, 1));
	int fd = open_again(name, mode);
	count_signal(SIGIO);
	REQUIRE(fcntl(fd, F_SETLEASE, type) == 0, "F_SETLEASE: %s", strerror(errno));
	return fd;
}

/* Opens and does not wait; true where a lease kept it from that. */
static bool is_kept_out(const char *name, int mode)
{
	int fd = open(name, mode | O_NONBLOCK);
	if (fd >= 0)
		close(fd);
	return fd == -1 && errno == EWOULDBLOCK;
}

static void lease_read(void)
{
	int fd = leased("data", O_RDONLY, F_RDLCK);
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETLEASE) == F_RDLCK, "lease %d", fcntl(fd, F_GETLEASE));
		CHECK(!is_kept_out("data", O_RDONLY), "a reader is kept out");
		CHECK(told == 0, "told of a break");
	}
	CHECK(is_kept_out("data", O_WRONLY) && told == 1, "a writer: told %d times", told);
}

static void lease_write(void)
{
	int fd = leased("data", O_RDWR, F_WRLCK), reading = leased("data2", O_RDONLY, F_WRLCK);
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETLEASE) == F_WRLCK, "lease %d", fcntl(fd, F_GETLEASE));
		CHECK(fcntl(reading, F_GETLEASE) == F_WRLCK, "lease %d", fcntl(reading, F_GETLEASE));
		CHECK(told == 0, "told of a break");
	}
	CHECK(is_kept_out("data", O_RDONLY) && told == 1, "a reader: told %d times", told);
	CHECK(is_kept_out("data2", O_RDONLY) && told == 2, "a reader: told %d times", told);
}

/* With a signal of its own, which names the descriptor. */
static void lease_signal(void)
{
	int fd = leased("data", O_RDWR, F_WRLCK);
	count_signal(SIGRTMIN + 3);
	REQUIRE(fcntl(fd, F_SETSIG, SIGRTMIN + 3) == 0, "F_SETSIG");
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETOWN) == getpid(), "owner %d", fcntl(fd, F_GETOWN));
		CHECK(fcntl(fd, F_GETSIG) == SIGRTMIN + 3 && told == 0, "signal");
	}
	CHECK(is_kept_out("data", O_RDONLY), "no lease");
	CHECK(told == 1 && told_fd == fd, "told %d times, of %d", told, told_fd);
}

/* Nobody is to be told. */
static void lease_unowned(void)
{
	int fd = leased("data", O_RDWR, F_WRLCK);
	REQUIRE(fcntl(fd, F_SETOWN, 0) == 0, "F_SETOWN");
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETLEASE) == F_WRLCK, "lease %d", fcntl(fd, F_GETLEASE));
		CHECK(fcntl(fd, F_GETOWN) == 0, "owner %d", fcntl(fd, F_GETOWN));
	}
	CHECK(is_kept_out("data", O_RDONLY) && told == 0, "told %d times", told);
}

static void lease_heir(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		CHECK(fcntl(given[0], F_GETLEASE) == F_RDLCK, "lease");
}

static void lease_inherited(void)
{
	given[0] = leased("data", O_RDONLY, F_RDLCK);
	start_child("heir", lease_heir, NULL);
	ready();
	while (next_round())
		CHECK(fcntl(given[0], F_GETLEASE) == F_RDLCK && told == 0, "lease, told %d", told);
	join_children();
}

/* Being broken by an open that did not wait: the holder was told once, and never again. */
static void lease_breaking(void)
{
	int mode = O_RDWR, type = F_WRLCK, by = O_WRONLY, into = F_UNLCK;
	switch (subject_arg(0)[0]) {
	case 'd': by = O_RDONLY, into = F_RDLCK; break; /* to be downgraded */
	case 'r': mode = O_RDONLY, type = F_RDLCK; break; /* a read lease */
	case 'w': mode = O_RDONLY; break; /* a write lease of one who reads */
	}
	int fd = leased("data", mode, type);
	REQUIRE(is_kept_out("data", by) && told == 1, "break, told %d", told);
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETLEASE) == into, "lease %d", fcntl(fd, F_GETLEASE));
		CHECK(is_kept_out("data", by), "it is not broken any more");
		CHECK(is_kept_out("data", O_RDONLY) == (type == F_WRLCK), "readers");
		CHECK(told == 1, "told %d times", told);
	}
	REQUIRE(fcntl(fd, F_SETLEASE, F_UNLCK) == 0, "give up");
	CHECK(!is_kept_out("data", O_WRONLY), "it was not given up");
}

/* An unlinked file is read for the images, and its lease is not broken by that. */
static void lease_unlinked(void)
{
	int fd = leased("data", O_RDWR, F_WRLCK), reading = leased("data2", O_RDONLY, F_RDLCK);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	REQUIRE(unlink("data") == 0 && unlink("data2") == 0, "unlink");
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETLEASE) == F_WRLCK, "lease %d", fcntl(fd, F_GETLEASE));
		CHECK(fcntl(reading, F_GETLEASE) == F_RDLCK, "lease %d", fcntl(reading, F_GETLEASE));
		CHECK(told == 0, "told %d times", told);
	}
	char content[100];
	CHECK(pread(fd, content, 100, 0) == 100 && filled(content, 100, 1), "content");
	CHECK(is_kept_out(path, O_RDONLY) && told == 1, "a reader: told %d times", told);
}

static void *opener(void *arg)
{
	int fd = open("data", *(int *)arg);
	got_it = fd >= 0 ? 1 : -errno;
	return NULL;
}

static void breaks(void *arg)
{
	pthread_t thread;
	REQUIRE(pthread_create(&thread, NULL, opener, arg) == 0, "thread");
	nap_ms(50);
	ready();
	while (next_round())
		UNTIL_STOP(got_it == 0, "it could open: %d", got_it);
	for (int i = 0; i < 400 && !got_it; i++)
		nap_ms(20);
	CHECK(got_it == 1, "it could not open: %d", got_it);
	pthread_join(thread, NULL);
}

/* The one that breaks the lease waits in open: it goes on when the holder has let go, not before. */
static void lease_waiting(void)
{
	bool downgrade = subject_arg(0)[0] == 'd';
	int mode = downgrade ? O_RDONLY : O_RDWR, into = downgrade ? F_RDLCK : F_UNLCK;
	int fd = leased("data", downgrade ? O_RDONLY : O_RDWR, F_WRLCK);
	start_child("opener", breaks, &mode);
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETLEASE) == into, "lease %d", fcntl(fd, F_GETLEASE));
		CHECK(told == 1, "told %d times", told);
	}
	REQUIRE(fcntl(fd, F_SETLEASE, into) == 0, "let go: %s", strerror(errno));
	join_children();
}

/* A locked file that nobody has open: it waits in the queue of a socket. */
static void in_flight(void)
{
	int ends[2], fd = make_file("data", 100, 1), other = open_again("data", O_RDONLY);
	REQUIRE(flock(fd, LOCK_EX) == 0, "flock");
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
	char byte = 1, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	REQUIRE(sendmsg(ends[0], &message, 0) == 1, "sendmsg");
	close(fd);
	ready();
	while (next_round())
		CHECK(!can_flock(other, LOCK_SH), "it is not locked");
}

/* A lease of a file that is mapped: what waits for nobody else is refused, a read lease is not. */
static void lease_mapped(void)
{
	bool reading = subject_arg(0)[0] == 'r';
	int fd = leased("data", reading ? O_RDONLY : O_RDWR, reading ? F_RDLCK : F_WRLCK);
	char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(at != MAP_FAILED, "mmap");
	ready();
	while (next_round())
		CHECK(fcntl(fd, F_GETLEASE) == (reading ? F_RDLCK : F_WRLCK), "lease");
}

SUBJECT({"posix-whole", posix_whole}, {"posix-ranges", posix_ranges}, {"posix-many", posix_many},
	{"posix-mapped", posix_mapped}, {"posix-wal", posix_wal},
	{"posix-processes", posix_processes}, {"posix-shared-table", posix_shared_table},
	{"posix-inherited", posix_inherited}, {"posix-duplicates", posix_duplicates},
	{"posix-waiting", posix_waiting}, {"flock-waiting", flock_waiting},
	{"flock-exclusive", flock_exclusive}, {"flock-shared", flock_shared},
	{"flock-duplicate", flock_duplicate}, {"flock-inherited", flock_inherited},
	{"flock-left-to-child", flock_left_to_child}, {"flock-others", flock_others},
	{"ofd-ranges", ofd_ranges}, {"ofd-descriptions", ofd_descriptions},
	{"ofd-inherited", ofd_inherited}, {"mixed", mixed}, {"unlinked", unlinked},
	{"of-user", of_user}, {"lease-read", lease_read}, {"lease-write", lease_write},
	{"lease-signal", lease_signal}, {"lease-unowned", lease_unowned},
	{"lease-inherited", lease_inherited}, {"lease-breaking", lease_breaking},
	{"lease-waiting", lease_waiting}, {"lease-mapped", lease_mapped},
	{"lease-unlinked", lease_unlinked}, {"in-flight", in_flight})
