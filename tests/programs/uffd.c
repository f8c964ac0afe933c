/* userfaultfds: memory whose faults a program answers itself. */
#include "subject.h"
#include <linux/userfaultfd.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/ioctl.h>

#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFDIO_POISON
struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 8, struct uffdio_poison)
#endif

static int make(uint64_t features, int flags)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | flags);
	struct uffdio_api api = {.api = UFFD_API, .features = features};
	NEEDS(fd >= 0 || errno != EPERM, "userfaultfd");
	REQUIRE(fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0, "userfaultfd: %m");
	return fd;
}

static void enlist(int fd, void *at, size_t pages, uint64_t mode)
{
	struct uffdio_register r = {{(uintptr_t)at, pages * PAGE}, mode, 0};
	REQUIRE(ioctl(fd, UFFDIO_REGISTER, &r) == 0, "UFFDIO_REGISTER: %m");
}

static void copy(int fd, void *to, const void *from)
{
	struct uffdio_copy c = {.dst = (uintptr_t)to, .src = (uintptr_t)from, .len = PAGE};
	CHECK(ioctl(fd, UFFDIO_COPY, &c) == 0 || errno == EEXIST, "UFFDIO_COPY: %m");
}

static void protect(int fd, void *at, size_t pages, bool on)
{
	struct uffdio_writeprotect w = {{(uintptr_t)at, pages * PAGE}, on ? UFFDIO_WRITEPROTECT_MODE_WP : 0};
	CHECK(ioctl(fd, UFFDIO_WRITEPROTECT, &w) == 0, "UFFDIO_WRITEPROTECT: %m");
}

static void zero(int fd, void *at)
{
	struct uffdio_zeropage z = {.range = {(uintptr_t)at, PAGE}};
	CHECK(ioctl(fd, UFFDIO_ZEROPAGE, &z) == 0, "UFFDIO_ZEROPAGE: %m");
}

/* Answers faults: a missing page gets bytes of its number, a protected one is unprotected. */
struct watch {
	int fd;
	char *at;
	volatile int missing, protected, minor, done;
	pthread_t thread;
};

static void serve(struct watch *w)
{
	static __thread char page[4096] __attribute__((aligned(4096)));
	struct pollfd p = {w->fd, POLLIN, 0};
	struct uffd_msg m;
	if (poll(&p, 1, 5) <= 0 || read(w->fd, &m, sizeof(m)) != sizeof(m) || m.event != UFFD_EVENT_PAGEFAULT)
		return;
	char *at = (char *)(uintptr_t)(m.arg.pagefault.address & ~(PAGE - 1));
	if (m.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
		w->protected++;
		protect(w->fd, at, 1, false);
	} else if (m.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_MINOR) {
		struct uffdio_continue c = {.range = {(uintptr_t)at, PAGE}};
		w->minor++;
		CHECK(ioctl(w->fd, UFFDIO_CONTINUE, &c) == 0 || errno == EEXIST, "UFFDIO_CONTINUE: %m");
	} else {
		w->missing++;
		fill(page, PAGE, (at - w->at) / PAGE);
		copy(w->fd, at, page);
	}
}

static void *monitor(void *arg)
{
	struct watch *w = arg;
	while (!w->done)
		serve(w);
	return NULL;
}

static void begin(struct watch *w)
{
	REQUIRE(pthread_create(&w->thread, NULL, monitor, w) == 0, "pthread_create");
}

static void end(struct watch *w)
{
	w->done = 1;
	pthread_join(w->thread, NULL);
}

/* Faults between dumps: one page a tenth of a second, by another thread. */
static void missing(void)
{
	enum { PAGES = 512 };
	struct watch w = {.fd = make(0, 0), .at = map_private(PAGES * PAGE)};
	enlist(w.fd, w.at, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	begin(&w);
	ready();
	int touched = 0;
	for (int i = 0; next_round(); i++) {
		if (i % 5 == 0 && touched < PAGES) {
			char *page = w.at + (touched * 37 % PAGES) * PAGE;
			CHECK(filled(page, PAGE, touched * 37 % PAGES), "page %d", touched * 37 % PAGES);
			CHECK(w.missing == ++touched, "%d faults for %d pages", w.missing, touched);
		}
		for (int j = 0; j < touched; j += 7)
			CHECK(filled(w.at + (j * 37 % PAGES) * PAGE, PAGE, j * 37 % PAGES), "page %d again", j);
	}
	end(&w);
}

/* What was there without a fault; what was answered by the zero page; what is still to be told. */
static void mixed(void)
{
	struct watch w = {.fd = make(0, 0), .at = map_private(64 * PAGE)};
	for (int i = 0; i < 64; i += 4)
		fill(w.at + i * PAGE, PAGE, i + 100);
	enlist(w.fd, w.at, 64, UFFDIO_REGISTER_MODE_MISSING);
	for (int i = 1; i < 64; i += 4)
		zero(w.fd, w.at + i * PAGE);
	ready();
	while (next_round())
		for (int i = 0; i < 64; i += 4) {
			CHECK(filled(w.at + i * PAGE, PAGE, i + 100), "page %d", i);
			CHECK(w.at[(i + 1) * PAGE] == 0, "page %d", i + 1);
		}
	struct pollfd p = {w.fd, POLLIN, 0};
	CHECK(poll(&p, 1, 0) == 0, "a fault");
	for (int i = 2; i < 64; i += 4)
		fill(w.at, PAGE, i), copy(w.fd, w.at + i * PAGE, w.at);
}

static void protected_pages(void)
{
	struct watch w = {.fd = make(UFFD_FEATURE_PAGEFAULT_FLAG_WP, 0), .at = map_private(64 * PAGE)};
	fill(w.at, 64 * PAGE, 5);
	enlist(w.fd, w.at, 64, UFFDIO_REGISTER_MODE_WP);
	protect(w.fd, w.at, 32, true);
	protect(w.fd, w.at + 7 * PAGE, 2, false);
	ready();
	while (next_round())
		CHECK(filled(w.at, 64 * PAGE, 5), "content");
	begin(&w);
	for (int i = 0; i < 64; i++)
		w.at[i * PAGE] = 1;
	CHECK(w.protected == 30, "%d faults", w.protected);
	end(&w);
}

/* Protection of what is not there, and no fault for what is missing. */
static void protected_nothing(void)
{
	struct watch w = {.fd = make(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_UNPOPULATED, 0), .at = map_private(32 * PAGE)};
	fill(w.at, 4 * PAGE, 5);
	enlist(w.fd, w.at, 32, UFFDIO_REGISTER_MODE_WP);
	protect(w.fd, w.at, 16, true);
	ready();
	while (next_round())
		CHECK(filled(w.at, 4 * PAGE, 5), "content");
	begin(&w);
	for (int i = 0; i < 32; i++)
		w.at[i * PAGE] = 1;
	CHECK(w.protected == 16, "%d faults", w.protected);
	end(&w);
}

/* Missing and protected at once: nobody may read these pages, not even to save them. */
static void both_modes(void)
{
	struct watch w = {.fd = make(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_UNPOPULATED, 0), .at = map_private(32 * PAGE)};
	fill(w.at, 4 * PAGE, 5);
	enlist(w.fd, w.at, 32, UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MISSING);
	protect(w.fd, w.at, 8, true);
	ready();
	while (next_round())
		CHECK(filled(w.at, 4 * PAGE, 5), "content");
	begin(&w);
	for (int i = 0; i < 8; i++)
		w.at[i * PAGE] = 1;
	CHECK(w.missing == 4 && w.protected >= 4, "%d and %d faults", w.missing, w.protected);
	end(&w);
}

static sigjmp_buf back;

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static bool is_poisoned(volatile char *at)
{
	if (sigsetjmp(back, 1))
		return true;
	(void)*at;
	return false;
}

static void poisoned(void)
{
	int fd = make(0, 0);
	char *at = map_private(8 * PAGE);
	fill(at, PAGE, 1);
	enlist(fd, at, 8, UFFDIO_REGISTER_MODE_MISSING);
	struct uffdio_poison p = {.range = {(uintptr_t)at + 3 * PAGE, 2 * PAGE}};
	int done = ioctl(fd, UFFDIO_POISON, &p);
	NEEDS(done == 0, "UFFDIO_POISON");
	signal(SIGBUS, on_bus);
	ready();
	while (next_round()) {
		CHECK(is_poisoned(at + 3 * PAGE) && is_poisoned(at + 4 * PAGE), "not poisoned");
		CHECK(filled(at, PAGE, 1), "content");
	}
}

/* SIGBUS in place of an event. */
static void by_signal(void)
{
	int fd = make(UFFD_FEATURE_SIGBUS, UFFD_USER_MODE_ONLY);
	char *at = map_private(8 * PAGE);
	at[0] = 7;
	enlist(fd, at, 8, UFFDIO_REGISTER_MODE_MISSING);
	signal(SIGBUS, on_bus);
	ready();
	while (next_round())
		CHECK(at[0] == 7 && is_poisoned(at + 2 * PAGE), "no signal");
}

static void shared_memory(void)
{
	struct watch w = {.fd = make(UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM, 0), .at = NULL};
	int fd = memfd_create("memory", 0);
	REQUIRE(ftruncate(fd, 32 * PAGE) == 0, "ftruncate");
	char *other = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	w.at = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fill(other, 8 * PAGE, 3);
	enlist(w.fd, w.at, 32, UFFDIO_REGISTER_MODE_MINOR);
	struct uffdio_continue c = {.range = {(uintptr_t)w.at, 4 * PAGE}};
	REQUIRE(ioctl(w.fd, UFFDIO_CONTINUE, &c) == 0, "UFFDIO_CONTINUE");
	ready();
	while (next_round())
		CHECK(filled(w.at, PAGE, 3), "content");
	begin(&w);
	CHECK(filled(w.at, 8 * PAGE, 3) && w.minor == 4, "%d faults", w.minor);
	end(&w);
}

/* Two of them in one process: which one a range is registered with shows in nothing but its faults. */
static void two(void)
{
	struct watch a = {.fd = make(0, 0), .at = map_private(16 * PAGE)}, b = {.fd = make(0, 0), .at = map_private(16 * PAGE)};
	enlist(a.fd, a.at, 16, UFFDIO_REGISTER_MODE_MISSING);
	enlist(b.fd, b.at, 16, UFFDIO_REGISTER_MODE_MISSING);
	ready();
	while (next_round())
		;
	begin(&a), begin(&b);
	for (int i = 0; i < 16; i++)
		CHECK(filled(a.at + i * PAGE, PAGE, i) && filled(b.at + i * PAGE, PAGE, i), "page %d", i);
	CHECK(a.missing == 16 && b.missing == 16, "%d and %d faults", a.missing, b.missing);
	end(&a), end(&b);
}

/* Another process answers the faults of its parent. */
static void remote(void)
{
	struct watch *w = map_shared(PAGE);
	w->fd = make(0, 0);
	w->at = map_private(128 * PAGE);
	enlist(w->fd, w->at, 128, UFFDIO_REGISTER_MODE_MISSING);
	pid_t pid = fork();
	if (pid == 0) {
		/* No reporter: it is the one that the faults of the other wait for. */
		monitor(w);
		_exit(0);
	}
	ready();
	for (int i = 0; next_round(); i++)
		if (i % 3 == 0 && i / 3 < 128)
			CHECK(filled(w->at + i / 3 * PAGE, PAGE, i / 3) && w->missing == i / 3 + 1, "page %d", i / 3);
	w->done = 1;
	waitpid(pid, NULL, 0);
}

/* Nothing registered, or not even UFFDIO_API called. */
static void idle(void)
{
	int plain = syscall(SYS_userfaultfd, O_CLOEXEC), used = make(UFFD_FEATURE_EVENT_REMAP, 0);
	REQUIRE(plain >= 0, "userfaultfd");
	char *at = map_private(4 * PAGE);
	ready();
	while (next_round()) {
		CHECK(fcntl(plain, F_GETFL) == 0 && fcntl(used, F_GETFL) == O_NONBLOCK, "flags");
		CHECK(fcntl(plain, F_GETFD) == FD_CLOEXEC, "close on exec");
	}
	struct uffdio_api api = {.api = UFFD_API};
	CHECK(ioctl(plain, UFFDIO_API, &api) == 0, "UFFDIO_API: %m");
	enlist(used, at, 4, UFFDIO_REGISTER_MODE_MISSING);
	enlist(plain, map_private(PAGE), 1, UFFDIO_REGISTER_MODE_MISSING);
}

/* To be refused: its owner has closed it, and the child that has it cannot be asked whose it is. */
static void has_it(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

static void given_away(void)
{
	int fd = make(0, 0);
	char *at = map_private(4 * PAGE);
	at[0] = 1;
	enlist(fd, at, 4, UFFDIO_REGISTER_MODE_MISSING);
	start_child("child", has_it, NULL);
	close(fd);
	ready();
	while (next_round())
		CHECK(at[0] == 1, "content");
	join_children();
}

SUBJECT({"missing", missing}, {"mixed", mixed}, {"protected", protected_pages},
	{"protected-nothing", protected_nothing}, {"both-modes", both_modes}, {"poisoned", poisoned},
	{"by-signal", by_signal}, {"shared-memory", shared_memory}, {"two", two}, {"remote", remote},
	{"idle", idle}, {"given-away", given_away})
