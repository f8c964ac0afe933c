/* Files that have no name any more: their content must travel in the images. */
#include "subject.h"

static int open_ghost(const char *name, size_t size, unsigned seed)
{
	int fd = make_file(name, size, seed);
	REQUIRE(unlink(name) == 0, "unlink %s", name);
	return fd;
}

static bool holds(int fd, size_t size, unsigned seed)
{
	char *bytes = malloc(size + 1);
	bool same = pread(fd, bytes, size + 1, 0) == (ssize_t)size && filled(bytes, size, seed);
	free(bytes);
	return same;
}

static unsigned long links_of(int fd)
{
	struct stat st = {0};
	fstat(fd, &st);
	return st.st_nlink;
}

static bool absent(const char *name)
{
	return access(name, F_OK) == -1 && errno == ENOENT;
}

static void unlinked(void)
{
	int fd = open_ghost("ghost", 10000, 1);
	lseek(fd, 500, SEEK_SET);
	ready();
	while (next_round()) {
		CHECK(holds(fd, 10000, 1), "content");
		CHECK(links_of(fd) == 0 && absent("ghost"), "%lu links", links_of(fd));
		CHECK(lseek(fd, 0, SEEK_CUR) == 500, "position");
	}
}

/* Mode, owner and times of a file without a name. */
static void attributes(void)
{
	int fd = open_ghost("ghost", 100, 1);
	struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
	struct stat st;
	REQUIRE(fchmod(fd, 04751) == 0 && fchown(fd, 12, 34) == 0 && fchmod(fd, 04751) == 0, "chmod");
	REQUIRE(futimens(fd, times) == 0, "futimens");
	ready();
	while (next_round()) {
		CHECK(fstat(fd, &st) == 0 && st.st_mode == (S_IFREG | 04751), "mode %o", st.st_mode);
		CHECK(st.st_uid == 12 && st.st_gid == 34, "owner %d %d", st.st_uid, st.st_gid);
		CHECK(st.st_mtim.tv_sec == 1100000000 && st.st_atim.tv_sec == 1000000000, "times %ld %ld",
		      st.st_mtim.tv_sec, st.st_atim.tv_sec);
	}
}

/* Two opens of one ghost, and one in a child: one file, not three. */
static void ghost_child(void *arg)
{
	int fd = *(int *)arg;
	char c;
	ready();
	while (next_round())
		CHECK(pread(fd, &c, 1, 0) == 1 && c == 'w', "%c is read", c);
}

static void shared(void)
{
	int fd = make_file("ghost", 100, 1), other = open("ghost", O_RDWR), third = open("ghost", O_RDONLY);
	struct stat a, b;
	REQUIRE(unlink("ghost") == 0, "unlink");
	pwrite(fd, "w", 1, 0);
	start_child("child", ghost_child, &third);
	close(third);
	ready();
	for (unsigned char n = 0; next_round(); n++) {
		unsigned char got = 0;
		CHECK(fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_ino == b.st_ino, "two files");
		CHECK(pwrite(fd, &n, 1, 50) == 1 && pread(other, &got, 1, 50) == 1 && got == n,
		      "what one writes the other does not read");
	}
	join_children();
}

/* The name was taken by another file, which stays as it is. */
static void name_taken(void)
{
	int fd = open_ghost("name", 1000, 1), heir = make_file("name", 2000, 2);
	ready();
	while (next_round()) {
		CHECK(holds(fd, 1000, 1) && links_of(fd) == 0, "the unlinked one");
		CHECK(holds(heir, 2000, 2) && links_of(heir) == 1, "its heir");
	}
}

/* A hard link is left: --link-remap. */
static void hard_link(void)
{
	struct stat st, other;
	int fd = make_file("first", 1000, 1);
	REQUIRE(link("first", "second") == 0 && unlink("first") == 0, "link");
	ready();
	while (next_round()) {
		CHECK(holds(fd, 1000, 1), "content");
		CHECK(fstat(fd, &st) == 0 && stat("second", &other) == 0 && st.st_ino == other.st_ino,
		      "no more the file of the other name");
		CHECK(st.st_nlink == 1 && absent("first"), "%lu links", (long)st.st_nlink);
	}
}

static void sparse(void)
{
	int fd = open_ghost("ghost", 4096, 1);
	struct stat st;
	char in[4096];
	REQUIRE(ftruncate(fd, 1L << 30) == 0 && pwrite(fd, "far", 3, 512L << 20) == 3, "holes");
	ready();
	while (next_round()) {
		CHECK(fstat(fd, &st) == 0 && st.st_size == 1L << 30, "size %ld", st.st_size);
		CHECK(st.st_blocks <= 64, "%ld blocks: the holes are filled", (long)st.st_blocks);
		CHECK(pread(fd, in, 4096, 0) == 4096 && filled(in, 4096, 1), "start");
		CHECK(pread(fd, in, 4, 512L << 20) == 4 && memcmp(in, "far", 4) == 0, "middle");
	}
}

static void size(void)
{
	size_t bytes = atol(subject_arg(0));
	int fd = open_ghost("ghost", bytes, 5);
	ready();
	while (next_round())
		CHECK(holds(fd, bytes, 5), "content");
}

static void directory_gone(void)
{
	struct stat st;
	mkdir("gone", 0751);
	int fd = open("gone", O_RDONLY | O_DIRECTORY);
	REQUIRE(fd >= 0 && rmdir("gone") == 0, "rmdir");
	ready();
	while (next_round()) {
		CHECK(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode), "no directory");
		CHECK(st.st_nlink == 0 && absent("gone"), "the name is back");
		CHECK((st.st_mode & 07777) == 0751, "mode %o", st.st_mode);
	}
}

static void current_directory_gone(void)
{
	char at[4096];
	mkdir("gone", 0755);
	REQUIRE(chdir("gone") == 0 && rmdir("../gone") == 0, "rmdir");
	ready();
	while (next_round()) {
		CHECK(!getcwd(at, sizeof(at)) && errno == ENOENT, "the current directory is %s", at);
		CHECK(open("new", O_CREAT | O_RDWR, 0600) == -1 && errno == ENOENT, "files can be made");
	}
}

/* The file and all directories above it are gone. */
static void path_gone(void)
{
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	int fd = open_ghost("a/b/ghost", 1000, 1);
	REQUIRE(rmdir("a/b") == 0 && rmdir("a") == 0, "rmdir");
	ready();
	while (next_round()) {
		CHECK(holds(fd, 1000, 1) && links_of(fd) == 0, "content");
		CHECK(absent("a"), "the directory is back");
	}
}

/* Never had a name: O_TMPFILE. */
static void nameless(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	REQUIRE(fd >= 0 && write(fd, "nameless", 8) == 8, "O_TMPFILE");
	ready();
	while (next_round()) {
		char in[9];
		CHECK(pread(fd, in, 9, 0) == 8 && memcmp(in, "nameless", 8) == 0, "content");
		CHECK(links_of(fd) == 0, "%lu links", links_of(fd));
	}
}

static void on_tmpfs(void)
{
	char name[64];
	snprintf(name, sizeof(name), "/dev/shm/criu-live-%s", strrchr(subject_dir(), '/') + 1);
	int fd = open_ghost(name, 10000, 3);
	ready();
	while (next_round())
		CHECK(holds(fd, 10000, 3) && absent(name), "content");
}

/* Open for reading alone: the content must travel all the same. */
static void read_only(void)
{
	close(make_file("ghost", 3000, 2));
	int fd = open("ghost", O_RDONLY);
	REQUIRE(fd >= 0 && fchmod(fd, 0400) == 0 && unlink("ghost") == 0, "unlink");
	ready();
	while (next_round())
		CHECK(holds(fd, 3000, 2) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY, "content");
}

SUBJECT({"unlinked", unlinked}, {"attributes", attributes}, {"shared", shared},
	{"name-taken", name_taken}, {"hard-link", hard_link}, {"sparse", sparse}, {"size", size},
	{"directory-gone", directory_gone}, {"current-directory-gone", current_directory_gone},
	{"path-gone", path_gone}, {"nameless", nameless}, {"on-tmpfs", on_tmpfs},
	{"read-only", read_only})
