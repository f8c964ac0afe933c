/* Huge pages (hugetlb): private and shared, with a name and without, of two sizes. */
#include "subject.h"
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>

#define HUGE ((size_t)2 << 20)
#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#define MAP_HUGE_1GB (30 << 26)
#endif
#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4
#endif
#define ANON (MAP_ANONYMOUS | MAP_HUGETLB)

static char *map_huge(size_t pages, int flags)
{
	char *p = mmap(NULL, pages * HUGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	NEEDS(p != MAP_FAILED, "free huge pages");
	return p;
}

/* Value of a line of the mapping's part of smaps, in kB. */
static long smaps_of(const void *at, const char *name)
{
	char line[300];
	long value = -1;
	bool here = false;
	FILE *f = fopen("/proc/self/smaps", "r");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (unsigned long)at && (unsigned long)at < end;
		else if (here && strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name) + 1, NULL, 10);
	}
	if (f)
		fclose(f);
	return value;
}

/* Some pages have content, others were never touched. */
static void private_pages(void)
{
	char *p = map_huge(5, MAP_PRIVATE | ANON);
	fill(p, HUGE, 1);
	fill(p + 3 * HUGE + 12345, 100, 2);
	ready();
	while (next_round()) {
		CHECK(filled(p, HUGE, 1) && filled(p + 3 * HUGE + 12345, 100, 2), "other bytes");
	}
	CHECK(smaps_of(p, "Private_Hugetlb") == 4096, "%ld kB", smaps_of(p, "Private_Hugetlb"));
	CHECK(smaps_of(p, "KernelPageSize") == 2048, "%ld kB", smaps_of(p, "KernelPageSize"));
	p[4 * HUGE] = 1; /* set aside */
}

static void explicit_size(void)
{
	char *p = map_huge(2, MAP_PRIVATE | ANON | MAP_HUGE_2MB);
	fill(p, 2 * HUGE, 3);
	ready();
	while (next_round())
		CHECK(filled(p, 2 * HUGE, 3), "other bytes");
}

static void gigantic(void)
{
	size_t size = (size_t)1 << 30;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | ANON | MAP_HUGE_1GB, -1, 0);
	NEEDS(p != MAP_FAILED, "a free page of 1 GiB");
	fill(p + size / 2, 5000, 4);
	ready();
	while (next_round()) {
		CHECK(filled(p + size / 2, 5000, 4) && p[0] == 0, "other bytes");
	}
	CHECK(smaps_of(p, "KernelPageSize") == 1048576, "%ld kB", smaps_of(p, "KernelPageSize"));
}

/* Protections of its parts; what may not be read has content all the same. */
static void protections(void)
{
	char *p = map_huge(4, MAP_PRIVATE | ANON);
	fill(p, 4 * HUGE, 5);
	REQUIRE(mprotect(p + HUGE, HUGE, PROT_NONE) == 0 &&
			mprotect(p + 2 * HUGE, HUGE, PROT_READ) == 0,
		"mprotect");
	ready();
	while (next_round())
		CHECK(filled(p, HUGE, 5), "other bytes");
	CHECK(mprotect(p, 4 * HUGE, PROT_READ) == 0 && filled(p, 4 * HUGE, 5), "hidden pages");
}

static void watch(void *arg)
{
	char *p = arg;
	int *n = (int *)p;
	ready();
	while (next_round()) {
		CHECK(filled(p + HUGE, HUGE, 6), "other bytes");
		n[1] = n[0];
	}
}

static void shared_pages(void)
{
	char *p = map_huge(3, MAP_SHARED | ANON);
	int *n = (int *)p;
	fill(p + HUGE, HUGE, 6);
	start_child("child", watch, p);
	ready();
	while (next_round()) {
		int last = n[0]++;
		nap_ms(50);
		CHECK(n[1] >= last || stop_requested(), "the child does not see it");
	}
	CHECK(smaps_of(p, "KernelPageSize") == 2048, "%ld kB", smaps_of(p, "KernelPageSize"));
	join_children();
	CHECK(filled(p + HUGE, HUGE, 6) && p[2 * HUGE] == 0, "other bytes");
}

static void look_private(void *arg)
{
	char *p = arg;
	p[2 * HUGE] = 'c';
	ready();
	while (next_round())
		CHECK(filled(p, 2 * HUGE, 7) && p[2 * HUGE] == 'c', "other bytes");
}

/* Private pages that a child has by fork, one of which it has written. */
static void inherited(void)
{
	char *p = map_huge(3, MAP_PRIVATE | ANON);
	fill(p, 3 * HUGE, 7);
	start_child("child", look_private, p);
	ready();
	while (next_round())
		CHECK(filled(p, 3 * HUGE, 7), "other bytes");
	join_children();
}

static void no_reserve(void)
{
	char *p = map_huge(1000, MAP_PRIVATE | ANON | MAP_NORESERVE);
	fill(p + 500 * HUGE, HUGE, 8);
	ready();
	while (next_round())
		CHECK(filled(p + 500 * HUGE, HUGE, 8), "other bytes");
}

static int make_memfd(size_t pages)
{
	int fd = memfd_create("huge", MFD_HUGETLB | MFD_ALLOW_SEALING);
	NEEDS(fd >= 0, "memfds of huge pages");
	REQUIRE(ftruncate(fd, pages * HUGE) == 0, "ftruncate");
	return fd;
}

static void memfd(void)
{
	int fd = make_memfd(3);
	char *p = mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEEDS(p != MAP_FAILED, "free huge pages");
	char *q = mmap(NULL, HUGE, PROT_READ, MAP_SHARED, fd, 2 * HUGE);
	REQUIRE(q != MAP_FAILED && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0, "seal");
	fill(p, HUGE, 9);
	fill(p + 2 * HUGE, HUGE, 10);
	ready();
	while (next_round()) {
		char bytes[100];
		struct stat st;
		CHECK(filled(p, HUGE, 9) && filled(q, HUGE, 10), "other bytes");
		CHECK(pread(fd, bytes, 100, 2 * HUGE) == 100 && filled(bytes, 100, 10), "pread");
		CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_SHRINK, "seals %d", fcntl(fd, F_GET_SEALS));
		CHECK(fstat(fd, &st) == 0 && st.st_size == 3 * HUGE && st.st_blksize == HUGE, "size");
	}
}

/* A private mapping of one: its written pages are its own. */
static void memfd_private(void)
{
	int fd = make_memfd(2);
	char *p = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEEDS(p != MAP_FAILED && q != MAP_FAILED, "free huge pages");
	fill(p, 2 * HUGE, 11);
	memset(q + HUGE, 'q', 10);
	ready();
	while (next_round()) {
		CHECK(filled(p, 2 * HUGE, 11), "other bytes");
		CHECK(memcmp(p, q, HUGE) == 0, "the common page");
		CHECK(memcmp(q + HUGE, "qqqqqqqqqq", 10) == 0, "its own page");
		CHECK(memcmp(q + HUGE + 10, p + HUGE + 10, HUGE - 10) == 0, "the rest of it");
	}
	p[100] ^= 1;
	CHECK(q[100] == p[100], "the page is not common any more");
}

/* A memfd of small pages may have the same inode number. */
static void memfd_both(void)
{
	int huge[8], small[8];
	for (int i = 0; i < 8; i++) {
		char name[20];
		huge[i] = make_memfd(1);
		snprintf(name, sizeof(name), "small %d", i);
		small[i] = memfd_create(name, 0);
		REQUIRE(write(small[i], name, strlen(name)) > 0, "write");
	}
	ready();
	while (next_round())
		for (int i = 0; i < 8; i++) {
			char name[20] = "", wanted[20];
			struct stat st;
			snprintf(wanted, sizeof(wanted), "small %d", i);
			CHECK(pread(small[i], name, 19, 0) > 0 && strcmp(name, wanted) == 0, "%s", name);
			CHECK(fstat(huge[i], &st) == 0 && st.st_size == HUGE, "size of %d", i);
		}
}

static void sysv(void)
{
	int id = shmget(0x5eed0002, 3 * HUGE, IPC_CREAT | IPC_EXCL | SHM_HUGETLB | 0600);
	NEEDS(id >= 0, "free huge pages");
	char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
	REQUIRE(p != (void *)-1 && q != (void *)-1, "shmat");
	fill(p, HUGE, 12);
	fill(p + 2 * HUGE, HUGE, 13);
	REQUIRE(shmctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
	ready();
	while (next_round()) {
		struct shmid_ds ds;
		CHECK(filled(q, HUGE, 12) && filled(p + 2 * HUGE, HUGE, 13), "other bytes");
		CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 2, "attached");
	}
	CHECK(smaps_of(p, "KernelPageSize") == 2048, "%ld kB", smaps_of(p, "KernelPageSize"));
}

static int file_on_hugetlbfs(void)
{
	REQUIRE(mkdir("huge", 0755) == 0, "mkdir");
	REQUIRE(mount("none", "huge", "hugetlbfs", 0, "pagesize=2M") == 0, "mount: %d", errno);
	int fd = open("huge/file", O_RDWR | O_CREAT, 0600);
	REQUIRE(fd >= 0 && ftruncate(fd, 2 * HUGE) == 0, "file");
	return fd;
}

/* A file of hugetlbfs keeps its content itself; private pages are the task's. */
static void file(void)
{
	int fd = file_on_hugetlbfs();
	char *p = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEEDS(p != MAP_FAILED && q != MAP_FAILED, "free huge pages");
	fill(p, 2 * HUGE, 14);
	q[HUGE] = 'q';
	ready();
	while (next_round()) {
		CHECK(filled(p, 2 * HUGE, 14), "other bytes");
		CHECK(memcmp(p, q, HUGE) == 0 && q[HUGE] == 'q', "private pages");
	}
}

static void unlinked_file(void)
{
	int fd = file_on_hugetlbfs();
	char *p = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEEDS(p != MAP_FAILED, "free huge pages");
	REQUIRE(unlink("huge/file") == 0, "unlink");
	strcpy(p, "kept");
	ready();
	while (next_round())
		CHECK(strcmp(p, "kept") == 0, "%s", p);
}

SUBJECT({"private", private_pages}, {"explicit", explicit_size}, {"gigantic", gigantic},
	{"protections", protections}, {"shared", shared_pages}, {"inherited", inherited},
	{"no-reserve", no_reserve}, {"memfd", memfd}, {"memfd-private", memfd_private},
	{"memfd-both", memfd_both}, {"sysv", sysv}, {"file", file}, {"unlinked-file", unlinked_file})
