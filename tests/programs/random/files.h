/* Files, pipes, locks. */
#include "thing.h"
#include <sys/file.h>
#include <sys/ioctl.h>

static void make_regular(struct thing *t)
{
	t->size = 1 + pick(20000);
	t->fd[0] = make_file(name_of(t), t->size, t->seed);
	t->value[0] = pick(t->size);
	int flags = pick(2) ? O_APPEND : 0;
	t->value[1] = flags;
	REQUIRE(fcntl(t->fd[0], F_SETFL, flags) == 0, "F_SETFL");
	REQUIRE(lseek(t->fd[0], t->value[0], SEEK_SET) == t->value[0], "lseek");
}

static void check_regular(struct thing *t)
{
	char bytes[20001];
	HOLD(t, lseek(t->fd[0], 0, SEEK_CUR) == t->value[0], "position");
	HOLD(t, (fcntl(t->fd[0], F_GETFL) & O_APPEND) == t->value[1], "flags");
	HOLD(t, pread(t->fd[0], bytes, sizeof(bytes), 0) == t->size && is_whole(t, bytes, t->size), "content");
}

static void make_ghost(struct thing *t)
{
	make_regular(t);
	REQUIRE(unlink(path_of(t)) == 0, "unlink %s", path_of(t));
}

static void check_ghost(struct thing *t)
{
	struct stat st;
	HOLD(t, fstat(t->fd[0], &st) == 0 && st.st_nlink == 0, "links");
	check_regular(t);
}

static void make_directory(struct thing *t)
{
	REQUIRE(mkdir(path_of(t), 0700) == 0, "mkdir");
	t->fd[0] = open(path_of(t), O_RDONLY | O_DIRECTORY);
	REQUIRE(t->fd[0] >= 0 && mkdirat(t->fd[0], "inside", 0700) == 0, "directory");
}

static void check_directory(struct thing *t)
{
	HOLD(t, faccessat(t->fd[0], "inside", F_OK, 0) == 0, "what is inside");
}

static void make_null(struct thing *t)
{
	t->fd[0] = open("/dev/null", O_RDWR);
	REQUIRE(t->fd[0] >= 0, "/dev/null");
}

static void check_null(struct thing *t)
{
	char c;
	HOLD(t, write(t->fd[0], "x", 1) == 1 && read(t->fd[0], &c, 1) == 0, "reads and writes");
}

static void fill_pipe(struct thing *t)
{
	char bytes[20000];
	t->size = pick(sizeof(bytes));
	fill(bytes, t->size, t->seed);
	REQUIRE(write(t->fd[1], bytes, t->size) == t->size, "write");
}

static void make_pipe(struct thing *t)
{
	REQUIRE(pipe2(t->fd, pick(2) ? O_NONBLOCK : 0) == 0, "pipe");
	fill_pipe(t);
}

static void make_fifo(struct thing *t)
{
	REQUIRE(mkfifo(path_of(t), 0600) == 0, "mkfifo");
	t->fd[0] = open(path_of(t), O_RDONLY | O_NONBLOCK);
	t->fd[1] = open(path_of(t), O_WRONLY);
	REQUIRE(t->fd[0] >= 0 && t->fd[1] >= 0, "open");
	fill_pipe(t);
}

static void check_pipe(struct thing *t)
{
	int queued = -1;
	HOLD(t, ioctl(t->fd[0], FIONREAD, &queued) == 0 && queued == t->size, "%d bytes", queued);
}

static void finish_pipe(struct thing *t)
{
	char bytes[20000];
	HOLD(t, t->size == 0 || (read(t->fd[0], bytes, sizeof(bytes)) == t->size && is_whole(t, bytes, t->size)), "content");
}

static void make_memfd(struct thing *t)
{
	t->size = 1 + pick(30000);
	t->fd[0] = memfd_create(name_of(t), MFD_ALLOW_SEALING);
	REQUIRE(t->fd[0] >= 0 && ftruncate(t->fd[0], t->size) == 0, "memfd");
	char *bytes = malloc(t->size);
	fill(bytes, t->size, t->seed);
	REQUIRE(pwrite(t->fd[0], bytes, t->size, 0) == t->size, "pwrite");
	free(bytes);
	t->value[0] = pick(2) ? F_SEAL_SHRINK | F_SEAL_GROW : 0;
	REQUIRE(fcntl(t->fd[0], F_ADD_SEALS, t->value[0]) == 0, "seals");
}

static void check_memfd(struct thing *t)
{
	char bytes[30001];
	HOLD(t, fcntl(t->fd[0], F_GET_SEALS) == t->value[0], "seals");
	HOLD(t, pread(t->fd[0], bytes, sizeof(bytes), 0) == t->size && is_whole(t, bytes, t->size), "content");
}

static void make_flock(struct thing *t)
{
	t->fd[0] = make_file(name_of(t), 10, t->seed);
	REQUIRE(flock(t->fd[0], LOCK_EX) == 0, "flock");
}

static void check_flock(struct thing *t)
{
	int other = open(path_of(t), O_RDWR);
	HOLD(t, other >= 0 && flock(other, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK, "not locked");
	close(other);
}

/* A lock of the description; F_OFD_GETLK of another one sees it. */
static void make_ofd_lock(struct thing *t)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = pick(100), .l_len = 1 + pick(100)};
	t->fd[0] = make_file(name_of(t), 10, t->seed);
	REQUIRE(fcntl(t->fd[0], F_OFD_SETLK, &lock) == 0, "F_OFD_SETLK");
	t->value[0] = lock.l_start;
	t->value[1] = lock.l_len;
}

static void check_ofd_lock(struct thing *t)
{
	struct flock lock = {.l_type = F_RDLCK};
	int other = open(path_of(t), O_RDWR);
	HOLD(t, other >= 0 && fcntl(other, F_OFD_GETLK, &lock) == 0, "F_OFD_GETLK");
	HOLD(t, lock.l_type == F_WRLCK && lock.l_start == t->value[0] && lock.l_len == t->value[1], "type %d", lock.l_type);
	close(other);
}

/* A lock of the process: it must not close any descriptor of the file, so it only looks. */
static void make_posix_lock(struct thing *t)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = pick(100), .l_len = 1 + pick(100)};
	t->fd[0] = make_file(name_of(t), 10, t->seed);
	REQUIRE(fcntl(t->fd[0], F_SETLK, &lock) == 0, "F_SETLK");
	t->value[0] = lock.l_start;
}

static void check_posix_lock(struct thing *t)
{
	char line[200], wanted[80], path[80];
	struct stat st;
	bool found = false;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", t->fd[0]);
	FILE *info = fopen(path, "r");
	REQUIRE(fstat(t->fd[0], &st) == 0, "fstat");
	snprintf(wanted, sizeof(wanted), ":%llu %ld ", (unsigned long long)st.st_ino, t->value[0]);
	while (info && fgets(line, sizeof(line), info))
		found |= strstr(line, "POSIX") && strstr(line, wanted);
	if (info)
		fclose(info);
	HOLD(t, found, "no lock");
}

#define FILE_THINGS                                                                                \
	{"file", make_regular, check_regular, NULL, false},                                        \
	{"ghost", make_ghost, check_ghost, NULL, false},                                           \
	{"directory", make_directory, check_directory, NULL, false},                               \
	{"device", make_null, check_null, NULL, false},                                            \
	{"pipe", make_pipe, check_pipe, finish_pipe, false},                                       \
	{"fifo", make_fifo, check_pipe, finish_pipe, false},                                       \
	{"memfd", make_memfd, check_memfd, NULL, false},                                           \
	{"flock", make_flock, check_flock, NULL, false},                                           \
	{"lock of a description", make_ofd_lock, check_ofd_lock, NULL, false},                     \
	{"lock of a process", make_posix_lock, check_posix_lock, NULL, true}
