/* Descriptors of files, directories and devices: what belongs to each description, and sharing. */
#include "subject.h"
#include <dirent.h>

#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
struct f_owner_ex {
	int type;
	pid_t pid;
};
#endif

static long position_of(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

static int flags_of(int fd)
{
	return fcntl(fd, F_GETFL) & ~0100000; /* O_LARGEFILE, always set by the kernel */
}

static void position(void)
{
	int fd = make_file("data", 10000, 1);
	char in[100], whole[10000];
	fill(whole, sizeof(whole), 1);
	lseek(fd, 1234, SEEK_SET);
	ready();
	while (next_round())
		CHECK(position_of(fd) == 1234, "position %ld", position_of(fd));
	CHECK(read(fd, in, 100) == 100 && memcmp(in, whole + 1234, 100) == 0, "bytes there");
}

static void far_position(void)
{
	int fd = make_file("data", 100, 1);
	lseek(fd, 1LL << 33, SEEK_SET);
	ready();
	while (next_round())
		CHECK(position_of(fd) == 1LL << 33, "position %ld", position_of(fd));
}

static void append(void)
{
	make_file("data", 100, 1);
	int fd = open("data", O_WRONLY | O_APPEND);
	long size = 100;
	REQUIRE(fd >= 0, "open");
	ready();
	while (next_round()) {
		CHECK(flags_of(fd) == (O_WRONLY | O_APPEND), "flags %o", flags_of(fd));
		lseek(fd, 0, SEEK_SET);
		CHECK(write(fd, "x", 1) == 1, "write: %d", errno);
		CHECK(position_of(fd) == ++size, "written at %ld, not at the end", position_of(fd) - 1);
		lseek(fd, 7, SEEK_SET);
	}
}

static void access_modes(void)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
	int fds[3];
	char c;
	make_file("data", 100, 1);
	for (int i = 0; i < 3; i++)
		REQUIRE((fds[i] = open("data", modes[i])) >= 0, "open");
	ready();
	while (next_round()) {
		for (int i = 0; i < 3; i++)
			CHECK(flags_of(fds[i]) == modes[i], "flags %o", flags_of(fds[i]));
		CHECK(write(fds[0], "x", 1) == -1 && errno == EBADF, "read-only takes a write");
		CHECK(read(fds[1], &c, 1) == -1 && errno == EBADF, "write-only gives bytes");
	}
}

static void status_flags(void)
{
	static const int flags[] = {O_NONBLOCK, O_DIRECT, O_NOATIME, O_SYNC, O_DSYNC};
	int fds[COUNT_OF(flags)], n = COUNT_OF(flags);
	make_file("data", 8192, 1);
	for (int i = 0; i < n; i++) {
		fds[i] = open("data", O_RDWR | flags[i]);
		REQUIRE(fds[i] >= 0, "open with %o", flags[i]);
	}
	ready();
	while (next_round())
		for (int i = 0; i < n; i++)
			CHECK(flags_of(fds[i]) == (O_RDWR | flags[i]), "flags %o for %o",
			      flags_of(fds[i]), flags[i]);
}

/* Opened with O_CREAT, O_EXCL, O_TRUNC: which must not be done again. */
static void creation_flags(void)
{
	int fd = open("fresh", O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_NOFOLLOW, 0600);
	REQUIRE(fd >= 0 && write(fd, "kept", 4) == 4, "open");
	ready();
	while (next_round()) {
		char in[4];
		CHECK(pread(fd, in, 4, 0) == 4 && memcmp(in, "kept", 4) == 0, "the file was truncated");
	}
}

static void sharer(void *arg)
{
	int fd = *(int *)arg;
	ready();
	while (next_round())
		CHECK(position_of(fd) % 10 == 5, "position %ld", position_of(fd));
}

/* One description in three places: what one moves is moved for all. */
static void shared_description(void)
{
	int fd = make_file("data", 1000, 1), twin = dup2(fd, 50), alone = open("data", O_RDWR);
	long at = 5;
	lseek(fd, at, SEEK_SET);
	lseek(alone, 77, SEEK_SET);
	start_child("child", sharer, &fd);
	ready();
	while (next_round()) {
		CHECK(position_of(twin) == at, "position %ld in the twin", position_of(twin));
		lseek(twin, at += 10, SEEK_SET);
		CHECK(position_of(fd) == at, "the twins came apart");
		CHECK(position_of(alone) == 77, "the other open was joined to them");
	}
	join_children();
}

static void other_side(void *arg)
{
	int fd = *(int *)arg;
	ready();
	while (next_round())
		CHECK(position_of(fd) == 333, "position %ld", position_of(fd));
}

/* Two children share a description that their parent has closed. */
static void shared_by_children(void)
{
	int fd = make_file("data", 1000, 1);
	lseek(fd, 333, SEEK_SET);
	start_child("first", other_side, &fd);
	start_child("second", other_side, &fd);
	close(fd);
	ready();
	while (next_round())
		CHECK(fcntl(fd, F_GETFD) == -1, "descriptor %d is back", fd);
	join_children();
}

static void cloexec(void)
{
	int fd = make_file("data", 10, 1), twin = fcntl(fd, F_DUPFD_CLOEXEC, 20);
	REQUIRE(twin == 20, "dup");
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETFD) == 0, "close-on-exec appeared");
		CHECK(fcntl(twin, F_GETFD) == FD_CLOEXEC, "close-on-exec is lost");
	}
}

static void owner(void)
{
	int fd = make_file("data", 10, 1), group = dup(make_file("other", 10, 1));
	struct f_owner_ex thread = {0 /* F_OWNER_TID */, gettid_raw()}, got;
	int third = make_file("third", 10, 1);
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETSIG, SIGRTMIN + 3);
	REQUIRE(fcntl(group, F_SETOWN, -getpgrp()) == 0, "F_SETOWN of a group");
	REQUIRE(fcntl(third, F_SETOWN_EX, &thread) == 0, "F_SETOWN_EX");
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, F_GETOWN) == getpid(), "owner %d", fcntl(fd, F_GETOWN));
		CHECK(fcntl(fd, F_GETSIG) == SIGRTMIN + 3, "signal %d", fcntl(fd, F_GETSIG));
		got = (struct f_owner_ex){0};
		fcntl(group, F_GETOWN_EX, &got);
		CHECK(got.type == 2 && got.pid == getpgrp(), "owner type %d, %d", got.type, got.pid);
		fcntl(third, F_GETOWN_EX, &got);
		CHECK(got.type == 0 && got.pid == thread.pid, "owner type %d, %d", got.type, got.pid);
	}
}

/* An owner set by a task with other ids signals with those ids. */
static void owner_ids(void)
{
	int fd = make_file("data", 10, 1);
	uint32_t ids[2] = {0, 0};
	REQUIRE(seteuid(1234) == 0 && fcntl(fd, F_SETOWN, getpid()) == 0 && seteuid(0) == 0, "owner");
	ready();
	while (next_round()) {
		CHECK(fcntl(fd, 17 /* F_GETOWNER_UIDS */, ids) == 0, "F_GETOWNER_UIDS: %d", errno);
		CHECK(ids[0] == 0 && ids[1] == 1234, "uids of the owner %u %u", ids[0], ids[1]);
	}
}

static void same_table(void *arg)
{
	int *fd = arg;
	ready();
	while (next_round())
		if (*fd >= 0)
			CHECK(fcntl(*fd, F_GETFD) >= 0, "descriptor %d is not here", *fd);
}

/* CLONE_FILES: what one process opens, the other has. */
static void shared_table(void)
{
	int *fd = map_shared(PAGE);
	*fd = -1;
	clone_child("child", SIGCHLD | CLONE_FILES, same_table, fd);
	ready();
	while (next_round()) {
		int opened = open("/dev/null", O_RDONLY);
		CHECK(opened >= 0, "open: %d", errno);
		*fd = opened;
		nap_ms(25);
		*fd = -1;
		nap_ms(25);
		close(opened);
	}
	join_children();
}

static void same_fs(void *arg)
{
	char *where = arg, at[4096];
	ready();
	while (next_round()) {
		CHECK(getcwd(at, sizeof(at)) && strstr(at, where), "current directory %s", at);
		CHECK(umask(027) == 027, "another umask");
	}
}

/* CLONE_FS: one current directory and umask for both. */
static void shared_fs(void)
{
	mkdir("inner", 0755);
	clone_child("child", SIGCHLD | CLONE_FS, same_fs, "inner");
	REQUIRE(chdir("inner") == 0, "chdir");
	umask(027);
	ready();
	while (next_round()) {
		char at[4096];
		CHECK(getcwd(at, sizeof(at)) && strstr(at, "inner"), "current directory %s", at);
	}
	join_children();
}

/* A directory, read half way: the rest comes, nothing twice. */
static void directory(void)
{
	char name[32], seen[64] = {0};
	mkdir("many", 0755);
	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	int fd = open("many", O_RDONLY | O_DIRECTORY);
	char entries[600];
	long n = syscall(SYS_getdents64, fd, entries, sizeof(entries));
	REQUIRE(fd >= 0 && n > 0, "getdents");
	long at = position_of(fd);
	ready();
	while (next_round())
		CHECK(position_of(fd) == at, "position %ld, not %ld", position_of(fd), at);
	for (; n > 0; n = syscall(SYS_getdents64, fd, entries, sizeof(entries)))
		for (long i = 0; i < n; i += *(unsigned short *)(entries + i + 16))
			if (entries[i + 19] != '.')
				seen[atoi(entries + i + 19) % 64]++;
	for (int i = 0; i < 64; i++)
		CHECK(seen[i] == 1, "entry %d seen %d times", i, seen[i]);
}

static void path_only(void)
{
	struct stat st, other;
	char c;
	make_file("data", 10, 1);
	mkdir("dir", 0700);
	REQUIRE(symlink("data", "link") == 0, "symlink");
	int file = open("data", O_PATH), dir = open("dir", O_PATH | O_DIRECTORY),
	    link = open("link", O_PATH | O_NOFOLLOW);
	REQUIRE(file >= 0 && dir >= 0 && link >= 0, "O_PATH");
	stat("data", &st);
	ready();
	while (next_round()) {
		CHECK(flags_of(file) & O_PATH, "flags %o", flags_of(file));
		CHECK(read(file, &c, 1) == -1 && errno == EBADF, "a path is read");
		CHECK(fstat(file, &other) == 0 && other.st_ino == st.st_ino, "another file");
		CHECK(fstat(dir, &other) == 0 && S_ISDIR(other.st_mode), "not the directory");
		CHECK(fstat(link, &other) == 0 && S_ISLNK(other.st_mode), "not the link itself");
	}
}

static void devices(void)
{
	static const char *const names[] = {"null", "zero", "full", "random", "urandom"};
	int fds[COUNT_OF(names)], n = COUNT_OF(names);
	char path[32], bytes[16];
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/dev/%s", names[i]);
		REQUIRE((fds[i] = open(path, O_RDWR | (i % 2 ? O_NONBLOCK : 0))) >= 0, "%s", path);
	}
	ready();
	while (next_round()) {
		CHECK(read(fds[0], bytes, 16) == 0 && write(fds[0], bytes, 16) == 16, "null");
		CHECK(read(fds[1], bytes, 16) == 16 && bytes[0] == 0 && bytes[15] == 0, "zero");
		CHECK(write(fds[2], bytes, 16) == -1 && errno == ENOSPC, "full");
		CHECK(read(fds[4], bytes, 16) == 16, "urandom");
		CHECK(flags_of(fds[3]) == (O_RDWR | O_NONBLOCK), "flags %o", flags_of(fds[3]));
	}
}

/* Files below /proc: of the system, of the process itself, of its child. */
static void proc_child(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

static void proc_files(void)
{
	char path[64], text[200], want[32];
	pid_t child = start_child("child", proc_child, NULL);
	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	snprintf(want, sizeof(want), "%d (", child);
	int uptime = open("/proc/uptime", O_RDONLY), self = open("/proc/self/stat", O_RDONLY),
	    other = open(path, O_RDONLY), dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", uptime);
	int info = open(path, O_RDONLY);
	REQUIRE(uptime >= 0 && self >= 0 && other >= 0 && dir >= 0 && info >= 0, "open");
	ready();
	while (next_round()) {
		CHECK(pread(uptime, text, 20, 0) > 0, "uptime: %d", errno);
		CHECK(pread(other, text, sizeof(text), 0) > 0 &&
			      strncmp(text, want, strlen(want)) == 0, "the child's stat");
		CHECK(pread(self, text, sizeof(text), 0) > 0 && atoi(text) == getpid(), "own stat");
		CHECK(faccessat(dir, "..", F_OK, 0) == 0, "/proc/self/task: %d", errno);
		CHECK(pread(info, text, sizeof(text), 0) > 0 && strncmp(text, "pos:", 4) == 0,
		      "fdinfo: %d", errno);
	}
	join_children();
}

static void sys_file(void)
{
	char text[100];
	int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
	REQUIRE(fd >= 0 && read(fd, text, 5) == 5, "open");
	ready();
	while (next_round())
		CHECK(position_of(fd) == 5 && pread(fd, text, 5, 0) == 5, "position %ld", position_of(fd));
}

static void renamed(void)
{
	struct stat before, after;
	int fd = make_file("before", 100, 1);
	mkdir("elsewhere", 0755);
	REQUIRE(rename("before", "elsewhere/after") == 0 && fstat(fd, &before) == 0, "rename");
	ready();
	while (next_round()) {
		CHECK(stat("elsewhere/after", &after) == 0 && after.st_ino == before.st_ino, "inode");
		CHECK(access("before", F_OK) == -1, "the old name is back");
		CHECK(fstat(fd, &after) == 0 && after.st_ino == before.st_ino, "another file");
	}
}

/* The directory above was renamed, and another one made in its place. */
static void renamed_parent(void)
{
	char in[4];
	mkdir("one", 0755);
	int fd = open("one/data", O_RDWR | O_CREAT, 0600);
	REQUIRE(write(fd, "true", 4) == 4 && rename("one", "two") == 0, "rename");
	mkdir("one", 0755);
	int decoy = open("one/data", O_RDWR | O_CREAT, 0600);
	REQUIRE(write(decoy, "fake", 4) == 4 && close(decoy) == 0, "decoy");
	ready();
	while (next_round())
		CHECK(pread(fd, in, 4, 0) == 4 && memcmp(in, "true", 4) == 0, "the other file");
}

static void high_numbers(void)
{
	int fd = make_file("data", 10, 1);
	struct stat st;
	static const int at[] = {63, 64, 255, 256, 1000, 1023};
	for (size_t i = 0; i < COUNT_OF(at); i++)
		REQUIRE(dup2(fd, at[i]) == at[i], "dup2 to %d", at[i]);
	ready();
	while (next_round())
		for (size_t i = 0; i < COUNT_OF(at); i++)
			CHECK(fstat(at[i], &st) == 0 && S_ISREG(st.st_mode), "no descriptor %d", at[i]);
}

static void no_stdio(void)
{
	close(0), close(1), close(2);
	ready();
	while (next_round())
		for (int fd = 0; fd < 3; fd++)
			CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF, "descriptor %d is back", fd);
}

static void many(void)
{
	static int fds[1000];
	make_file("data", 5000, 1);
	for (int i = 0; i < 1000; i++)
		REQUIRE((fds[i] = open("data", O_RDONLY)) >= 0 && lseek(fds[i], i, SEEK_SET) == i, "%d", i);
	ready();
	while (next_round())
		for (int i = 0; i < 1000; i++)
			CHECK(position_of(fds[i]) == i, "fd %d at %ld", fds[i], position_of(fds[i]));
}

/* Opened when its user still was allowed to. */
static void forbidden_since(void)
{
	int fd = make_file("data", 100, 1);
	char in[100];
	REQUIRE(fchmod(fd, 0) == 0 && setresuid(1234, 1234, 1234) == 0, "ids");
	ready();
	while (next_round())
		CHECK(pread(fd, in, 100, 0) == 100 && filled(in, 100, 1), "read: %d", errno);
}

/* The file of the page size that grows under the subject's own pen. */
static void growing(void)
{
	int fd = open("data", O_RDWR | O_CREAT, 0600);
	uint32_t n = 0, got;
	REQUIRE(fd >= 0, "open");
	ready();
	while (next_round()) {
		CHECK(write(fd, &n, 4) == 4, "write: %d", errno);
		CHECK(pread(fd, &got, 4, n * 4L) == 4 && got == n, "word %u is %u", n, got);
		n++;
	}
	for (uint32_t i = 0; i < n; i++)
		CHECK(pread(fd, &got, 4, i * 4L) == 4 && got == i, "word %u is %u", i, got);
}

static void tmpfs(void)
{
	char name[64], in[100];
	snprintf(name, sizeof(name), "/dev/shm/criu-live-%s", strrchr(subject_dir(), '/') + 1);
	int fd = make_file(name, 100, 9);
	lseek(fd, 40, SEEK_SET);
	ready();
	while (next_round())
		CHECK(position_of(fd) == 40 && pread(fd, in, 100, 0) == 100 && filled(in, 100, 9), "bytes");
	unlink(name);
}

static void working_directory(void)
{
	char at[4096], want[8192];
	mkdir("deep", 0755);
	mkdir("deep/er", 0755);
	REQUIRE(chdir("deep/er") == 0, "chdir");
	snprintf(want, sizeof(want), "%s/deep/er", subject_dir());
	ready();
	while (next_round())
		CHECK(getcwd(at, sizeof(at)) && strcmp(at, want) == 0, "current directory %s", at);
}

static void changed_root(void)
{
	char at[4096];
	mkdir("jail", 0755);
	mkdir("jail/inside", 0755);
	int fd = open("jail/inside/file", O_RDWR | O_CREAT, 0600);
	REQUIRE(fd >= 0 && chroot("jail") == 0 && chdir("/inside") == 0, "chroot");
	ready();
	while (next_round()) {
		CHECK(getcwd(at, sizeof(at)) && strcmp(at, "/inside") == 0, "current directory %s", at);
		CHECK(access("/inside/file", F_OK) == 0 && access("/etc", F_OK) == -1, "another root");
	}
}

/* A child in a jail, the parent outside; each opens a file of the same name. */
static void jailed(void *arg)
{
	char in[6];
	(void)arg;
	REQUIRE(chroot("jail") == 0 && chdir("/") == 0, "chroot");
	int fd = open("/data", O_RDWR);
	REQUIRE(fd >= 0, "open in the jail");
	ready();
	while (next_round()) {
		CHECK(pread(fd, in, 6, 0) == 6 && memcmp(in, "inside", 6) == 0, "the file outside");
		CHECK(access("/data", F_OK) == 0 && access("/jail", F_OK) == -1, "another root");
	}
}

static void two_roots(void)
{
	char in[7];
	mkdir("jail", 0755);
	int inside = open("jail/data", O_RDWR | O_CREAT, 0600), fd = open("data", O_RDWR | O_CREAT, 0600);
	REQUIRE(write(inside, "inside", 6) == 6 && write(fd, "outside", 7) == 7, "write");
	close(inside);
	start_child("jailed", jailed, NULL);
	ready();
	while (next_round())
		CHECK(pread(fd, in, 7, 0) == 7 && memcmp(in, "outside", 7) == 0, "the file inside");
	join_children();
}

/* A memfd as a file: content, position, seals, name. */
static void memfd(void)
{
	int fd = memfd_create("kept", MFD_ALLOW_SEALING);
	char bytes[5000], in[5000];
	fill(bytes, sizeof(bytes), 4);
	REQUIRE(fd >= 0 && write(fd, bytes, sizeof(bytes)) == sizeof(bytes), "memfd");
	REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0, "seals");
	lseek(fd, 99, SEEK_SET);
	ready();
	while (next_round()) {
		CHECK(position_of(fd) == 99, "position %ld", position_of(fd));
		CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW), "seals %x",
		      fcntl(fd, F_GET_SEALS));
		CHECK(pread(fd, in, sizeof(in), 0) == sizeof(in) && memcmp(in, bytes, sizeof(in)) == 0,
		      "bytes");
		CHECK(ftruncate(fd, 10) == -1 && errno == EPERM, "the seal does not hold");
	}
}

/* Every seal by itself, and all at once; what was mapped for writing before stays so. */
static void memfd_seals(void)
{
	enum { SEAL = 1, SHRINK = 2, GROW = 4, WRITE = 8, FUTURE_WRITE = 0x10, EXEC = 0x20 };
	static const int seals[] = {0, SEAL, SHRINK, GROW, WRITE, FUTURE_WRITE, EXEC, SEAL | SHRINK | GROW | WRITE | EXEC};
	int fds[COUNT_OF(seals)], lasting[COUNT_OF(seals)], plain = memfd_create("plain", 0);
	unsigned char *shared = NULL, *readable = NULL;
	REQUIRE(plain >= 0 && ftruncate(plain, PAGE) == 0, "memfd");
	for (size_t i = 0; i < COUNT_OF(seals); i++) {
		fds[i] = memfd_create("sealed", MFD_ALLOW_SEALING);
		REQUIRE(fds[i] >= 0 && write(fds[i], "content", 7) == 7 && ftruncate(fds[i], PAGE) == 0, "memfd");
		if (seals[i] == FUTURE_WRITE)
			shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		if (seals[i] == WRITE)
			readable = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fds[i], 0);
		NEEDS(fcntl(fds[i], F_ADD_SEALS, seals[i]) == 0, "F_SEAL_EXEC");
		lasting[i] = fcntl(fds[i], F_GET_SEALS);
	}
	REQUIRE(shared != MAP_FAILED && readable != MAP_FAILED, "mmap");
	ready();
	for (unsigned char round = 1; next_round(); round++) {
		CHECK(fcntl(plain, F_GET_SEALS) == SEAL, "seals of one that takes none: %x", fcntl(plain, F_GET_SEALS));
		shared[0]++;
		CHECK(shared[0] == (unsigned char)('c' + round), "shared memory has %d", shared[0]);
		CHECK(memcmp(readable, "content", 7) == 0, "private memory");
		for (size_t i = 0; i < COUNT_OF(seals); i++) {
			/* EXEC brings all others with it, where the file may be executed. */
			int now = fcntl(fds[i], F_GET_SEALS);
			CHECK(now == lasting[i], "seals %x, not %x", now, lasting[i]);
			CHECK((pwrite(fds[i], "c", 1, 6) == 1) == !(now & (WRITE | FUTURE_WRITE)), "writing with seals %x", now);
			CHECK((fchmod(fds[i], 0666) == 0) == !(now & EXEC), "mode with seals %x", now);
			CHECK((fcntl(fds[i], F_ADD_SEALS, 0) == 0) == !(now & SEAL), "sealing with seals %x", now);
			CHECK((ftruncate(fds[i], PAGE - 1) == 0) == !(now & SHRINK), "shrinking with seals %x", now);
			CHECK((now & SHRINK) || (ftruncate(fds[i], PAGE) == 0) == !(now & GROW), "growing with seals %x", now);
		}
	}
}

/* The running program's own file, which may not be written. */
static void own_program(void)
{
	char magic[4];
	int fd = open("/proc/self/exe", O_RDONLY);
	REQUIRE(fd >= 0, "open");
	ready();
	while (next_round()) {
		CHECK(pread(fd, magic, 4, 0) == 4 && memcmp(magic, "\177ELF", 4) == 0, "not the program");
		CHECK(open("/proc/self/exe", O_WRONLY) == -1 && errno == ETXTBSY, "it can be written");
	}
}

/* Names that try one's quoting. */
static void odd_names(void)
{
	static const char *const names[] = {"with space", "new\nline", "back\\slash", "ünï", "(deleted)",
					    "x (deleted)", "\xff\xfe"};
	int fds[COUNT_OF(names)];
	char in[100];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		fds[i] = make_file(names[i], 100, i);
	ready();
	while (next_round())
		for (size_t i = 0; i < COUNT_OF(names); i++)
			CHECK(pread(fds[i], in, 100, 0) == 100 && filled(in, 100, i), "file %zu", i);
}

SUBJECT({"position", position}, {"far-position", far_position}, {"append", append},
	{"access-modes", access_modes}, {"status-flags", status_flags},
	{"creation-flags", creation_flags}, {"shared-description", shared_description},
	{"shared-by-children", shared_by_children}, {"cloexec", cloexec}, {"owner", owner},
	{"owner-ids", owner_ids}, {"shared-table", shared_table}, {"shared-fs", shared_fs},
	{"directory", directory}, {"path-only", path_only}, {"devices", devices},
	{"proc-files", proc_files}, {"sys-file", sys_file}, {"renamed", renamed},
	{"renamed-parent", renamed_parent}, {"high-numbers", high_numbers}, {"no-stdio", no_stdio},
	{"many", many}, {"forbidden-since", forbidden_since}, {"growing", growing}, {"tmpfs", tmpfs},
	{"working-directory", working_directory}, {"changed-root", changed_root},
	{"two-roots", two_roots}, {"memfd", memfd}, {"memfd-seals", memfd_seals}, {"own-program", own_program},
	{"odd-names", odd_names})
