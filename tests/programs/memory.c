/* Mappings of all kinds: what lies in them, what they allow, whom they are shared with. */
#include "subject.h"
#include <setjmp.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#define MIB (1024 * 1024UL)

static sigjmp_buf fault_jump;
static volatile int fault_signal;

static void on_fault(int signal)
{
	fault_signal = signal;
	siglongjmp(fault_jump, 1);
}

/* The signal that reading (or writing) at `at` raises; 0 when it works. */
static int fault_of(volatile char *at, bool write)
{
	struct sigaction act = {.sa_handler = on_fault}, old_segv, old_bus;
	sigaction(SIGSEGV, &act, &old_segv);
	sigaction(SIGBUS, &act, &old_bus);
	fault_signal = 0;
	if (sigsetjmp(fault_jump, 1) == 0) {
		char c = *at;
		if (write)
			*at = c;
	}
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	return fault_signal;
}

static int write_fault_of(volatile char *at, char value)
{
	struct sigaction act = {.sa_handler = on_fault}, old;
	sigaction(SIGSEGV, &act, &old);
	fault_signal = 0;
	if (sigsetjmp(fault_jump, 1) == 0)
		*at = value;
	sigaction(SIGSEGV, &old, NULL);
	return fault_signal;
}

static void *map(size_t size, int protection, int flags, int fd, off_t offset)
{
	void *at = mmap(NULL, size, protection, flags, fd, offset);
	REQUIRE(at != MAP_FAILED, "mmap");
	return at;
}

static void protect(void *at, size_t size, int protection)
{
	REQUIRE(mprotect(at, size, protection) == 0, "mprotect");
}

static void private_anonymous(void)
{
	size_t size = 8 * MIB;
	char *at = map_private(size);
	fill(at, size, 1);
	ready();
	while (next_round())
		CHECK(filled(at, size, 1), "content");
}

/* Some pages in a sea of untouched ones; zeroes that were written; the rest stays unfilled. */
static void sparse(void)
{
	size_t size = 4096 * MIB;
	char *at = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (size_t i = 0; i < size; i += 64 * MIB)
		fill(at + i, PAGE, i / MIB);
	memset(at + 3 * PAGE, 0, PAGE);
	ready();
	while (next_round()) {
		for (size_t i = 0; i < size; i += 64 * MIB)
			CHECK(filled(at + i, PAGE, i / MIB), "page at %zu MiB", i / MIB);
		CHECK(field_of("/proc/self/status", "VmRSS") < 64 * 1024, "%ld kB are filled",
		      field_of("/proc/self/status", "VmRSS"));
		CHECK(at[3 * PAGE] == 0 && at[5 * PAGE] == 0, "zeroes");
	}
}

/* Pages of every other kind in turn: the runs are short. */
static void checkered(void)
{
	size_t pages = 4000;
	char *at = map_private(pages * PAGE);
	for (size_t i = 0; i < pages; i += 2)
		fill(at + i * PAGE, PAGE, i);
	ready();
	while (next_round())
		for (size_t i = 0; i < pages; i++)
			CHECK(i % 2 ? at[i * PAGE] == 0 : filled(at + i * PAGE, PAGE, i), "page %zu", i);
}

static void echo_child(void *arg)
{
	volatile uint32_t *words = arg;
	ready();
	while (next_round())
		words[1] = words[0];
}

/* What the parent writes the child reads, also after the restore. */
static void shared_anonymous(void)
{
	volatile uint32_t *words = map_shared(4 * PAGE);
	fill((char *)words + PAGE, 3 * PAGE, 5);
	start_child("child", echo_child, (void *)words);
	ready();
	while (next_round()) {
		int64_t until = now_ms() + 3000;
		words[0]++;
		while (words[1] != words[0] && now_ms() < until)
			nap_ms(2);
		CHECK(words[1] == words[0] || stop_requested(), "the child does not see %u", words[0]);
		CHECK(filled((char *)words + PAGE, 3 * PAGE, 5), "content");
	}
	join_children();
}

static void cousin(void *arg)
{
	volatile uint32_t *words = arg;
	int own = getpid() % 2;
	ready();
	while (next_round()) {
		words[own]++;
		nap_ms(1);
		CHECK(filled((char *)words + PAGE, PAGE, 6), "content");
	}
}

static void uncle(void *arg)
{
	start_child("cousin", cousin, arg);
	munmap(arg, 2 * PAGE);
	ready();
	while (next_round())
		;
	join_children();
}

/* Shared by a child and by a grandchild of another branch; nobody between them has it any more. */
static void shared_by_unrelated(void)
{
	int fds[2];
	uint32_t *words = map_shared(2 * PAGE);
	fill((char *)words + PAGE, PAGE, 6);
	REQUIRE(pipe(fds) == 0, "pipe");
	start_child("nephew", cousin, words);
	start_child("uncle", uncle, words);
	munmap(words, 2 * PAGE);
	close(fds[0]), close(fds[1]);
	ready();
	while (next_round())
		;
	join_children();
}

/* Twice in one process, at different places and offsets, once read-only. */
static void shared_twice(void)
{
	char *first = map_shared(8 * PAGE);
	char *second = mremap(first, 0, 8 * PAGE, MREMAP_MAYMOVE);
	REQUIRE(second != MAP_FAILED && second != first, "mremap");
	char *third = mremap(first + 2 * PAGE, 0, 4 * PAGE, MREMAP_MAYMOVE);
	REQUIRE(third != MAP_FAILED, "mremap");
	protect(third, 4 * PAGE, PROT_READ);
	unsigned n = 0;
	ready();
	while (next_round()) {
		fill(first + 2 * PAGE, PAGE, ++n);
		CHECK(filled(second + 2 * PAGE, PAGE, n), "the second is another");
		CHECK(filled(third, PAGE, n), "the third is another");
		CHECK(write_fault_of(third, 1) == SIGSEGV, "the third can be written");
	}
}

/* Only a middle piece is still mapped; its offset is not 0. */
static void shared_piece(void)
{
	char *at = map_shared(16 * PAGE);
	fill(at, 16 * PAGE, 7);
	char *copy = map_private(16 * PAGE);
	memcpy(copy, at, 16 * PAGE);
	munmap(at, 4 * PAGE);
	munmap(at + 12 * PAGE, 4 * PAGE);
	start_child("child", echo_child, at + 4 * PAGE);
	ready();
	while (next_round())
		CHECK(memcmp(at + 5 * PAGE, copy + 5 * PAGE, 7 * PAGE) == 0, "content");
	join_children();
}

static void dev_zero(void)
{
	int fd = open("/dev/zero", O_RDWR);
	char *private = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char *shared = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	fill(private, 2 * PAGE, 1);
	fill(shared + PAGE, 2 * PAGE, 2);
	ready();
	while (next_round()) {
		CHECK(filled(private, 2 * PAGE, 1) && private[3 * PAGE] == 0, "private");
		CHECK(filled(shared + PAGE, 2 * PAGE, 2) && shared[0] == 0, "shared");
	}
}

/* Pages that were written are ours, the others follow the file. */
static void private_file(void)
{
	int fd = make_file("data", 8 * PAGE, 3);
	char word = 0;
	char *at = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	fill(at + 2 * PAGE, PAGE, 30);
	ready();
	while (next_round()) {
		CHECK(filled(at + 2 * PAGE, PAGE, 30), "the written page");
		CHECK(filled(at, PAGE, 3), "a page of the file");
		word++;
		CHECK(pwrite(fd, &word, 1, 5 * PAGE) == 1 && at[5 * PAGE] == word, "the file is not behind it");
	}
}

static void shared_file(void)
{
	int fd = make_file("data", 8 * PAGE, 3);
	char *at = map(6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
	unsigned char n = 0, got;
	ready();
	while (next_round()) {
		at[PAGE] = ++n;
		CHECK(pread(fd, &got, 1, 3 * PAGE) == 1 && got == n, "what is written does not come to the file");
		CHECK(memcmp(at + 2, at + 2, 1) == 0 && at[6 * PAGE - 1] != 0, "content");
	}
}

/* The descriptor is closed, and was read-only: writing must stay forbidden even to mprotect. */
static void shared_read_only(void)
{
	close(make_file("data", 4 * PAGE, 3));
	int fd = open("data", O_RDONLY);
	char *at = map(4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	ready();
	while (next_round()) {
		CHECK(filled(at, 4 * PAGE, 3), "content");
		CHECK(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES, "it may be written");
	}
}

static void deleted_file(void)
{
	int fd = make_file("data", 4 * PAGE, 3), share = atoi(subject_arg(0)) ? MAP_SHARED : MAP_PRIVATE;
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE, share, fd, 0);
	if (subject_arg(1) == NULL)
		close(fd);
	fill(at + PAGE, PAGE, 31);
	REQUIRE(unlink("data") == 0, "unlink");
	unsigned n = 0, got;
	ready();
	while (next_round()) {
		CHECK(filled(at, PAGE, 3) && filled(at + PAGE, PAGE, 31), "content");
		CHECK(access("data", F_OK) == -1, "the name is back");
		if (subject_arg(1) && share == MAP_SHARED) {
			*(unsigned *)(at + 2 * PAGE) = ++n;
			CHECK(pread(fd, &got, 4, 2 * PAGE) == 4 && got == n, "file and mapping came apart");
		}
	}
}

static void renamed_file(void)
{
	int fd = make_file("before", 4 * PAGE, 3);
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(rename("before", "after") == 0, "rename");
	ready();
	for (unsigned char n = 1, got; next_round(); n++) {
		at[10] = n;
		CHECK(pread(fd, &got, 1, 10) == 1 && got == n, "another file");
	}
}

/* One file in pieces: protections, offsets and privacy differ from page to page. */
static void pieces_of_file(void)
{
	int fd = make_file("data", 16 * PAGE, 3);
	char *at = map(16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	protect(at + PAGE, PAGE, PROT_READ);
	protect(at + 2 * PAGE, PAGE, PROT_NONE);
	protect(at + 3 * PAGE, PAGE, PROT_READ | PROT_EXEC);
	REQUIRE(mmap(at + 5 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		     5 * PAGE) != MAP_FAILED, "mmap");
	REQUIRE(mmap(at + 8 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) != MAP_FAILED, "mmap");
	munmap(at + 10 * PAGE, PAGE);
	close(fd);
	ready();
	while (next_round()) {
		CHECK(filled(at, PAGE, 3) && filled(at + 8 * PAGE, PAGE, 3), "content");
		CHECK(fault_of(at + 2 * PAGE, false) == SIGSEGV, "PROT_NONE");
		CHECK(fault_of(at + 10 * PAGE, false) == SIGSEGV, "the hole is filled");
		CHECK(write_fault_of(at + PAGE, 1) == SIGSEGV, "read-only");
	}
}

/* Pages past the end of the file raise SIGBUS; the end grows later. */
static void past_the_end(void)
{
	int fd = make_file("data", PAGE, 3);
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE, atoi(subject_arg(0)) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	ready();
	while (next_round()) {
		CHECK(filled(at, PAGE, 3), "content");
		CHECK(fault_of(at + 2 * PAGE, false) == SIGBUS, "signal %d", fault_signal);
	}
	REQUIRE(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
	CHECK(fault_of(at + 2 * PAGE, true) == 0, "the file grew, the mapping not");
}

static void far_offset(void)
{
	int fd = make_file("data", PAGE, 3);
	off_t far = 5L << 30;
	REQUIRE(ftruncate(fd, far + 2 * PAGE) == 0 && pwrite(fd, "far", 4, far) == 4, "ftruncate");
	char *at = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, far);
	char *own = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, far);
	strcpy(own + PAGE, "own");
	ready();
	while (next_round())
		CHECK(strcmp(at, "far") == 0 && strcmp(own + PAGE, "own") == 0 && strcmp(own, "far") == 0,
		      "content");
}

static void memfd(void)
{
	bool keep = atoi(subject_arg(0)), private = atoi(subject_arg(1));
	int fd = memfd_create("named", 0);
	REQUIRE(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0, "memfd");
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE, private ? MAP_PRIVATE : MAP_SHARED, fd, 0);
	fill(at, 3 * PAGE, 8);
	if (!keep)
		close(fd);
	ready();
	for (unsigned n = 1, got; next_round(); n++) {
		CHECK(filled(at, 3 * PAGE, 8), "content");
		*(unsigned *)(at + 3 * PAGE) = n;
		if (keep) {
			CHECK(pread(fd, &got, 4, 3 * PAGE) == 4, "pread: %d", errno);
			CHECK((got == n) == !private, "file %u, mapping %u", got, n);
		}
	}
}

/* A memfd's mapping in parent and child, and the file in a third. */
static void memfd_reader(void *arg)
{
	int fd = *(int *)arg;
	unsigned got;
	ready();
	while (next_round())
		CHECK(pread(fd, &got, 4, PAGE) == 4 && got == 4711, "content %u", got);
}

static void memfd_shared(void)
{
	int fd = memfd_create("between", MFD_CLOEXEC);
	REQUIRE(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0, "memfd");
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	*(unsigned *)(at + PAGE) = 4711;
	start_child("writer", echo_child, at);
	start_child("reader", memfd_reader, &fd);
	close(fd);
	ready();
	volatile uint32_t *words = (void *)at;
	while (next_round()) {
		int64_t until = now_ms() + 3000;
		words[0]++;
		while (words[1] != words[0] && now_ms() < until && !stop_requested())
			nap_ms(2);
		CHECK(words[1] == words[0] || stop_requested(), "the child does not see %u", words[0]);
	}
	join_children();
}

static void tmpfs_file(void)
{
	char name[64];
	snprintf(name, sizeof(name), "/dev/shm/criu-live-%s", strrchr(subject_dir(), '/') + 1);
	int fd = make_file(name, 4 * PAGE, 3);
	char *at = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (atoi(subject_arg(0)))
		unlink(name);
	ready();
	while (next_round())
		CHECK(filled(at, 4 * PAGE, 3), "content");
	unlink(name);
}

static __attribute__((noinline)) unsigned deep(unsigned n)
{
	volatile char frame[3000];
	memset((void *)frame, n, sizeof(frame));
	unsigned below = n ? deep(n - 1) : 0;
	return below + (unsigned char)frame[n % sizeof(frame)];
}

/* The stack grows past what it had at the dump. */
static void stack_grows(void)
{
	unsigned depth = 10;
	ready();
	while (next_round()) {
		unsigned sum = 0;
		depth += 20;
		for (unsigned i = 0; i <= depth; i++)
			sum += i % 256;
		CHECK(deep(depth) == sum, "frames %u deep", depth);
	}
}

static void grows_down(void)
{
	char *area = map(64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(area, 64 * PAGE);
	char *at = mmap(area + 62 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	REQUIRE(at != MAP_FAILED, "MAP_GROWSDOWN");
	fill(at, 2 * PAGE, 1);
	ready();
	while (next_round())
		CHECK(filled(at, 2 * PAGE, 1), "content");
	CHECK(fault_of(at - PAGE, true) == 0, "it does not grow down");
}

/* brk: content, growth and shrinking after the restore. */
static void heap(void)
{
	char *start = sbrk(0), *now = start;
	REQUIRE(sbrk(16 * PAGE) == start, "sbrk");
	fill(start, 16 * PAGE, 1);
	ready();
	for (unsigned n = 0; next_round(); n++) {
		CHECK(filled(start, 16 * PAGE, 1), "content");
		now = sbrk(0);
		CHECK(now == start + 16 * PAGE, "break at %p", (void *)now);
		CHECK(sbrk(5 * PAGE) == now, "it does not grow");
		fill(now, 5 * PAGE, n);
		CHECK(filled(now, 5 * PAGE, n), "new pages");
		CHECK(sbrk(-5 * (long)PAGE) != (void *)-1 && sbrk(0) == now, "it does not shrink");
	}
}

static void guard_pages(void)
{
	char *at = map_private(16 * PAGE);
	fill(at, 16 * PAGE, 1);
	NEEDS(madvise(at + 4 * PAGE, 2 * PAGE, MADV_GUARD_INSTALL) == 0, "MADV_GUARD_INSTALL");
	char *empty = map_private(16 * PAGE);
	REQUIRE(madvise(empty + PAGE, 3 * PAGE, MADV_GUARD_INSTALL) == 0, "guard");
	char *first = map_private(PAGE);
	memcpy(first, at, PAGE);
	ready();
	while (next_round()) {
		CHECK(memcmp(first, at, PAGE) == 0, "content");
		CHECK(fault_of(at + 3 * PAGE, true) == 0 && fault_of(at + 6 * PAGE, true) == 0, "beside it");
		CHECK(fault_of(at + 4 * PAGE, false) == SIGSEGV, "no guard, first page");
		CHECK(fault_of(at + 5 * PAGE, true) == SIGSEGV, "no guard, second page");
		for (int i = 1; i < 4; i++)
			CHECK(fault_of(empty + i * PAGE, true) == SIGSEGV, "no guard, empty page %d", i);
		CHECK(fault_of(empty, true) == 0, "guard before");
	}
	CHECK(madvise(at + 4 * PAGE, 2 * PAGE, MADV_GUARD_REMOVE) == 0, "remove: %d", errno);
	CHECK(fault_of(at + 4 * PAGE, true) == 0 && at[4 * PAGE] == 0, "after the removal");
}

static void file_guard_pages(void)
{
	int fd = make_file("data", 8 * PAGE, 3);
	char *at = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEEDS(madvise(at + 2 * PAGE, PAGE, MADV_GUARD_INSTALL) == 0, "MADV_GUARD_INSTALL of a file");
	ready();
	while (next_round()) {
		CHECK(fault_of(at + 2 * PAGE, false) == SIGSEGV, "no guard");
		CHECK(filled(at, PAGE, 3) && fault_of(at + 3 * PAGE, true) == 0, "beside it");
	}
}

static void no_access(void)
{
	char *at = map_private(8 * PAGE);
	char *never = map(8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(at, 8 * PAGE, 1);
	protect(at, 8 * PAGE, PROT_NONE);
	ready();
	while (next_round()) {
		CHECK(fault_of(at + PAGE, false) == SIGSEGV, "it can be read");
		CHECK(fault_of(never, false) == SIGSEGV, "the other can be read");
	}
	protect(at, 8 * PAGE, PROT_READ);
	CHECK(filled(at, 8 * PAGE, 1), "content");
}

static void write_only(void)
{
	char *at = map_private(4 * PAGE);
	char *later = map(4 * PAGE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(at, 4 * PAGE, 1);
	protect(at, 4 * PAGE, PROT_WRITE);
	ready();
	for (char n = 0; next_round(); n++)
		CHECK(write_fault_of(later, n) == 0, "it cannot be written");
	protect(at, 4 * PAGE, PROT_READ);
	CHECK(filled(at, 4 * PAGE, 1), "content");
}

static void shared_no_access(void)
{
	char *at = map_shared(4 * PAGE);
	fill(at, 4 * PAGE, 1);
	protect(at, 2 * PAGE, PROT_NONE);
	protect(at + 2 * PAGE, 2 * PAGE, PROT_READ);
	ready();
	while (next_round())
		CHECK(fault_of(at, false) == SIGSEGV, "it can be read");
	protect(at, 4 * PAGE, PROT_READ);
	CHECK(filled(at, 4 * PAGE, 1), "content");
}

static void executable(void)
{
	/* mov eax, 4711; ret */
	static const unsigned char code[] = {0xb8, 0x67, 0x12, 0, 0, 0xc3};
	char *at = map_private(PAGE), *both = map(PAGE, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(at, code, sizeof(code));
	memcpy(both, code, sizeof(code));
	protect(at, PAGE, PROT_EXEC);
	ready();
	while (next_round()) {
		CHECK(((int (*)(void))at)() == 4711, "execute-only");
		CHECK(((int (*)(void))both)() == 4711, "read, write and execute");
	}
}

static __attribute__((noinline)) int patched(void)
{
	__asm__ volatile("nop;nop;nop;nop;nop;nop;nop;nop");
	return 1;
}

/* The program's own text, written to like a debugger or a JIT does. */
static void own_text(void)
{
	static const unsigned char code[] = {0xb8, 0x67, 0x12, 0, 0, 0xc3};
	char *page = (char *)((uintptr_t)patched & ~(PAGE - 1));
	protect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy((void *)(uintptr_t)patched, code, sizeof(code));
	protect(page, 2 * PAGE, PROT_READ | PROT_EXEC);
	int (*volatile call)(void) = patched;
	ready();
	while (next_round())
		CHECK(call() == 4711, "the patch is lost");
}

static bool has_flag(void *at, const char *flag)
{
	char line[512];
	bool here = false, found = false;
	FILE *file = fopen("/proc/self/smaps", "re");
	while (fgets(line, sizeof(line), file)) {
		unsigned long from, to;
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= (unsigned long)at && (unsigned long)at < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(file);
	return found;
}

static void advice(void)
{
	int advice = atoi(subject_arg(0));
	const char *flag = subject_arg(1);
	char *at = map_private(4 * MIB);
	fill(at, 64 * PAGE, 1);
	REQUIRE(madvise(at, 4 * MIB, advice) == 0 && has_flag(at, flag), "madvise");
	ready();
	while (next_round()) {
		CHECK(has_flag(at, flag), "flag %s", flag);
		CHECK(filled(at, 64 * PAGE, 1), "content");
	}
}

/* DONTFORK and WIPEONFORK do so in a fork after the restore. */
static void fork_advice(void)
{
	char *gone = map_private(PAGE), *wiped = map_private(PAGE);
	fill(gone, PAGE, 1);
	fill(wiped, PAGE, 2);
	REQUIRE(madvise(gone, PAGE, MADV_DONTFORK) == 0 && madvise(wiped, PAGE, MADV_WIPEONFORK) == 0, "madvise");
	ready();
	while (next_round()) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit((fault_of(gone, false) ? 0 : 1) | (wiped[0] == 0 && wiped[9] == 0 ? 0 : 2));
		waitpid(pid, &status, 0);
		CHECK(status == 0, "the child sees %x", status);
		CHECK(filled(gone, PAGE, 1) && filled(wiped, PAGE, 2), "content");
	}
}

/* A child lives already, without the one and with the other empty. */
static void fork_advice_child(void *arg)
{
	char **at = arg;
	ready();
	while (next_round()) {
		CHECK(fault_of(at[0], false) == SIGSEGV, "it is here");
		CHECK(at[1][0] == 0 && at[1][9] == 0, "not empty");
	}
}

static void fork_advice_before(void)
{
	char *at[2] = {map_private(PAGE), map_private(PAGE)};
	fill(at[0], PAGE, 1);
	fill(at[1], PAGE, 2);
	REQUIRE(madvise(at[0], PAGE, MADV_DONTFORK) == 0 && madvise(at[1], PAGE, MADV_WIPEONFORK) == 0, "madvise");
	start_child("child", fork_advice_child, at);
	ready();
	while (next_round())
		CHECK(filled(at[0], PAGE, 1) && filled(at[1], PAGE, 2), "content");
	join_children();
}

static void locked(void)
{
	char *at = map_private(8 * PAGE), *lazy = map_private(8 * PAGE);
	fill(at, 4 * PAGE, 1);
	REQUIRE(mlock(at, 8 * PAGE) == 0 && mlock2(lazy, 8 * PAGE, MLOCK_ONFAULT) == 0, "mlock");
	*lazy = 1;
	long kib = field_of("/proc/self/status", "VmLck");
	ready();
	while (next_round()) {
		CHECK(field_of("/proc/self/status", "VmLck") == kib, "%ld kB are locked, not %ld",
		      field_of("/proc/self/status", "VmLck"), kib);
		CHECK(has_flag(at, "lo") && has_flag(lazy, "lo") && has_flag(lazy, "lf"), "flags");
		CHECK(filled(at, 4 * PAGE, 1), "content");
	}
}

/* mlockall(MCL_FUTURE): what is mapped later is locked as well. */
static void locked_future(void)
{
	REQUIRE(mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "mlockall");
	ready();
	while (next_round()) {
		char *at = map_private(PAGE);
		CHECK(has_flag(at, "lo"), "a new mapping is not locked");
		munmap(at, PAGE);
	}
}

/* A sealed mapping (mseal, Linux 6.10) keeps its content and lets nobody change it. */
static void sealed(void)
{
	char *at = map_private(3 * PAGE);
	memset(at + PAGE, 7, PAGE);
	REQUIRE(mprotect(at + PAGE, PAGE, PROT_READ) == 0, "mprotect");
	REQUIRE(syscall(462, at + PAGE, PAGE, 0) == 0, "mseal: %d", errno);
	ready();
	while (next_round()) {
		CHECK(at[PAGE] == 7 && at[2 * PAGE - 1] == 7, "content %d", at[PAGE]);
		CHECK(mprotect(at + PAGE, PAGE, PROT_NONE) < 0 && errno == EPERM, "it can be changed");
		CHECK(munmap(at + PAGE, PAGE) < 0 && errno == EPERM, "it can be unmapped");
		CHECK(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0, "its neighbour cannot be changed");
	}
}

/* Mappings one below the other, without a gap, that no kernel joins: each differs in one thing. */
static void adjacent(void)
{
	int fd = make_file("data", 32 * PAGE, 3);
	char *at = map_private(32 * PAGE);
	struct {
		int protection, flags;
	} kinds[] = {
		{PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS},
		{PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS},
		{PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS},
		{PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS},
		{PROT_READ | PROT_WRITE, MAP_SHARED},
		{PROT_READ | PROT_WRITE, MAP_PRIVATE},
		{PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS},
		{PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS},
	};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		char *here = at + i * 2 * PAGE;
		REQUIRE(mmap(here, 2 * PAGE, kinds[i].protection, kinds[i].flags | MAP_FIXED,
			     kinds[i].flags & MAP_ANONYMOUS ? -1 : fd, 0) == here, "mmap");
		if (kinds[i].protection & PROT_WRITE)
			fill(here, 2 * PAGE, i);
	}
	ready();
	while (next_round())
		for (size_t i = 0; i < COUNT_OF(kinds); i++)
			CHECK(!(kinds[i].protection & PROT_WRITE) || i == 4 || filled(at + i * 2 * PAGE, 2 * PAGE, i),
			      "mapping %zu", i);
}

static void many_mappings(void)
{
	int count = atoi(subject_arg(0));
	char *at = map_private(count * 2 * PAGE);
	for (int i = 0; i < count; i++) {
		*(int *)(at + i * 2 * PAGE) = i;
		protect(at + (i * 2 + 1) * PAGE, PAGE, i % 2 ? PROT_NONE : PROT_READ);
	}
	ready();
	while (next_round())
		for (int i = 0; i < count; i++)
			CHECK(*(int *)(at + i * 2 * PAGE) == i, "mapping %d", i);
}

/* The lowest that may be mapped, and the highest below the end of the address space. */
static void edges(void)
{
	char *low = mmap((void *)0x10000, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	char *high = mmap((void *)0x7ffffffff000 - 4096, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	REQUIRE(low == (void *)0x10000 && high != MAP_FAILED, "mmap: %p %p", (void *)low, (void *)high);
	fill(low, PAGE, 1);
	fill(high, PAGE, 2);
	ready();
	while (next_round())
		CHECK(filled(low, PAGE, 1) && filled(high, PAGE, 2), "content");
}

static long pss_of(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	return field_of(path, "Pss");
}

#define COW_CHILDREN 3

struct cow {
	char *at;
	size_t size;
	int number;
};

/* Each child changes every sixteenth page, drops one page and has the rest from its parent. */
static void cow_child(void *arg)
{
	struct cow *c = arg;
	size_t pages = c->size / PAGE;
	for (size_t i = c->number; i < pages; i += 16)
		fill(c->at + i * PAGE, PAGE, 100 + c->number);
	madvise(c->at + 15 * PAGE, PAGE, MADV_DONTNEED);
	ready();
	while (next_round()) {
		for (size_t i = 0; i < pages; i++) {
			char *page = c->at + i * PAGE;
			if (i == 15)
				CHECK(page[0] == 0 && page[100] == 0, "the dropped page is back");
			else
				CHECK(filled(page, PAGE, i % 16 == (size_t)c->number ? 100 + c->number : i),
				      "page %zu", i);
		}
	}
}

/*
 * Pages that parent and children share stay shared: the sum of Pss grows by 5% at most. The first
 * measure is taken in the first round, when all have settled.
 */
static void copy_on_write(void)
{
	struct cow c = {.size = 16 * MIB};
	pid_t pids[COW_CHILDREN];
	char name[16];
	long before = 0;
	c.at = map_private(c.size);
	madvise(c.at, c.size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < c.size / PAGE; i++)
		fill(c.at + i * PAGE, PAGE, i);
	for (int i = 0; i < COW_CHILDREN; i++) {
		c.number = i + 1;
		snprintf(name, sizeof(name), "child-%d", i);
		pids[i] = start_child(name, cow_child, &c);
	}
	/* The parent too changes some after the children were made. */
	for (size_t i = 7; i < c.size / PAGE; i += 16)
		fill(c.at + i * PAGE, PAGE, 1000);
	ready();
	while (next_round()) {
		long sum = pss_of(getpid());
		for (int i = 0; i < COW_CHILDREN; i++)
			sum += pss_of(pids[i]);
		if (!before)
			before = sum;
		CHECK(sum <= before + before / 20 || stop_requested(), "Pss %ld kB, was %ld", sum, before);
		for (size_t i = 0; i < c.size / PAGE; i++)
			CHECK(filled(c.at + i * PAGE, PAGE, i % 16 == 7 ? 1000 : i), "page %zu", i);
	}
	join_children();
}

/* The child unmapped, moved and protected parts of what it had from its parent. */
static void cow_shuffled_child(void *arg)
{
	char *at = arg;
	munmap(at, 4 * PAGE);
	protect(at + 4 * PAGE, 4 * PAGE, PROT_READ);
	char *moved = mremap(at + 8 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at);
	REQUIRE(moved == at, "mremap");
	ready();
	while (next_round()) {
		for (size_t i = 0; i < 4; i++)
			CHECK(filled(at + i * PAGE, PAGE, 8 + i), "moved page %zu", i);
		for (size_t i = 4; i < 8; i++)
			CHECK(filled(at + i * PAGE, PAGE, i), "page %zu", i);
		CHECK(write_fault_of(at + 4 * PAGE, 0) == SIGSEGV, "read-only");
		CHECK(fault_of(at + 8 * PAGE, false) == SIGSEGV, "moved away");
	}
}

static void cow_shuffled(void)
{
	char *at = map_private(16 * PAGE);
	for (size_t i = 0; i < 16; i++)
		fill(at + i * PAGE, PAGE, i);
	start_child("child", cow_shuffled_child, at);
	ready();
	while (next_round())
		for (size_t i = 0; i < 16; i++)
			CHECK(filled(at + i * PAGE, PAGE, i), "page %zu", i);
	join_children();
}

/* The parent has unmapped it: what the child had from it is all its own. */
static void cow_parent_dropped_child(void *arg)
{
	char *at = arg;
	ready();
	while (next_round())
		CHECK(filled(at, MIB, 1), "content");
}

static void cow_parent_dropped(void)
{
	char *at = map_private(MIB);
	fill(at, MIB, 1);
	start_child("child", cow_parent_dropped_child, at);
	munmap(at, MIB);
	ready();
	while (next_round())
		CHECK(fault_of(at, false) == SIGSEGV, "it is back");
	join_children();
}

static void huge_pages(void)
{
	size_t size = 8 * MIB;
	char *area = map_private(size + 2 * MIB);
	char *at = (char *)(((uintptr_t)area + 2 * MIB - 1) & ~(2 * MIB - 1));
	REQUIRE(madvise(at, size, MADV_HUGEPAGE) == 0, "madvise");
	fill(at, size, 1);
	madvise(at + 3 * MIB, PAGE, MADV_DONTNEED);
	fill(at + 3 * MIB, PAGE, 2);
	ready();
	while (next_round()) {
		CHECK(filled(at, 3 * MIB, 1) && filled(at + 3 * MIB, PAGE, 2), "content");
		CHECK(has_flag(at, "hg"), "advice");
	}
}

static void moved(void)
{
	char *at = map_private(8 * PAGE), *to = map_private(16 * PAGE);
	fill(at, 8 * PAGE, 1);
	REQUIRE(mremap(at, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to, "mremap");
	ready();
	while (next_round())
		CHECK(filled(to, 8 * PAGE, 1) && to[9 * PAGE] == 0, "content");
	CHECK(mremap(to, 16 * PAGE, 64 * PAGE, MREMAP_MAYMOVE) != MAP_FAILED, "mremap: %d", errno);
}

/* Time by the vDSO goes on, and agrees with the kernel's. */
static void vdso(void)
{
	struct timespec by_vdso, by_call, last = {0, 0};
	unsigned cpu, node;
	ready();
	while (next_round()) {
		for (int i = 0; i < 1000; i++) {
			clock_gettime(CLOCK_MONOTONIC, &by_vdso);
			CHECK(by_vdso.tv_sec > last.tv_sec ||
				      (by_vdso.tv_sec == last.tv_sec && by_vdso.tv_nsec >= last.tv_nsec),
			      "time went back");
			last = by_vdso;
		}
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &by_call);
		CHECK(llabs((by_call.tv_sec - by_vdso.tv_sec) * 1000000000LL + by_call.tv_nsec -
			    by_vdso.tv_nsec) < 1000000000LL, "vDSO and kernel differ");
		CHECK(getcpu(&cpu, &node) == 0 && time(NULL) > 1000000000, "getcpu, time");
	}
}

/* 16 MiB of words that change all the while, checked by a running sum. */
static void busy(void)
{
	size_t size = 16 * MIB, words = size / 8;
	uint64_t *at = map_private(size), seed = 1, sum = 0;
	ready();
	while (next_busy_round()) {
		for (int i = 0; i < 500000; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			uint64_t *word = &at[(seed >> 20) % words];
			sum += seed - *word;
			*word = seed;
		}
		uint64_t found = 0;
		for (size_t i = 0; i < words; i++)
			found += at[i];
		CHECK(found == sum, "a write was lost");
	}
}

/*
 * Much memory, all of it written to while it is looked at: a counter goes up at both ends of it, first
 * at one and then at the other, so that in no moment they differ by more than 1.
 */
enum { LARGE = 24 << 20 };

static void count_at_both_ends(void)
{
	char *at = map_private(LARGE + 2 * PAGE);
	fill(at + PAGE, LARGE, getpid());
	volatile long *first = (void *)at, *last = (void *)(at + LARGE + PAGE);
	ready();
	while (next_round()) {
		CHECK(*first == *last, "%ld at one end, %ld at the other", *first, *last);
		for (int i = 0; i < 1000; i++) {
			++*first;
			++*last;
		}
	}
	CHECK(filled(at + PAGE, LARGE, getpid()), "what lies between");
}

static void counting_child(void *arg)
{
	(void)arg;
	count_at_both_ends();
}

static void large(void)
{
	start_child("child", counting_child, NULL);
	count_at_both_ends();
	join_children();
}

SUBJECT({"large", large}, {"private", private_anonymous}, {"sparse", sparse}, {"checkered", checkered},
	{"shared", shared_anonymous}, {"shared-by-unrelated", shared_by_unrelated},
	{"shared-twice", shared_twice}, {"shared-piece", shared_piece}, {"dev-zero", dev_zero},
	{"private-file", private_file}, {"shared-file", shared_file},
	{"shared-read-only", shared_read_only}, {"deleted-file", deleted_file},
	{"renamed-file", renamed_file}, {"pieces-of-file", pieces_of_file},
	{"past-the-end", past_the_end}, {"far-offset", far_offset}, {"memfd", memfd},
	{"memfd-shared", memfd_shared}, {"tmpfs-file", tmpfs_file}, {"stack-grows", stack_grows},
	{"grows-down", grows_down}, {"heap", heap}, {"guard-pages", guard_pages},
	{"file-guard-pages", file_guard_pages}, {"no-access", no_access}, {"write-only", write_only},
	{"shared-no-access", shared_no_access}, {"executable", executable}, {"own-text", own_text},
	{"advice", advice}, {"fork-advice", fork_advice}, {"fork-advice-before", fork_advice_before},
	{"locked", locked}, {"locked-future", locked_future}, {"sealed", sealed}, {"adjacent", adjacent},
	{"many-mappings", many_mappings}, {"edges", edges}, {"copy-on-write", copy_on_write},
	{"cow-shuffled", cow_shuffled}, {"cow-parent-dropped", cow_parent_dropped},
	{"huge-pages", huge_pages}, {"moved", moved}, {"vdso", vdso}, {"busy", busy})
