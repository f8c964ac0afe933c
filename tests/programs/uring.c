/* io_uring at rest: positions, unread completions, registered objects, mappings. Raw system calls. */
#include "subject.h"
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
#define SETUP_NO_SQARRAY (1U << 16)

struct ring {
	int fd;
	struct io_uring_params p;
	char *rings, *cqes_at;
	struct io_uring_sqe *sqes;
	size_t rings_size;
	/* As liburing keeps them: in the program's own memory. */
	unsigned tail;
};

static unsigned *word(struct ring *r, unsigned offset)
{
	return (unsigned *)(r->rings + offset);
}

static struct ring make(unsigned entries, unsigned flags, unsigned cq)
{
	struct ring r = {.p = {.flags = flags | (cq ? IORING_SETUP_CQSIZE : 0), .cq_entries = cq}};
	r.fd = syscall(SYS_io_uring_setup, entries, &r.p);
	NEEDS(r.fd >= 0, "io_uring with these flags");
	unsigned cqe = flags & IORING_SETUP_CQE32 ? 32 : 16;
	r.rings_size = flags & SETUP_NO_SQARRAY ? r.p.cq_off.cqes + r.p.cq_entries * cqe
						: r.p.sq_off.array + r.p.sq_entries * 4;
	r.rings = mmap(NULL, r.rings_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r.fd,
		       IORING_OFF_SQ_RING);
	r.sqes = mmap(NULL, r.p.sq_entries * (flags & IORING_SETUP_SQE128 ? 128 : 64),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r.fd, IORING_OFF_SQES);
	REQUIRE(r.rings != MAP_FAILED && r.sqes != MAP_FAILED, "mmap: %d", errno);
	return r;
}

static struct io_uring_sqe *next(struct ring *r)
{
	unsigned index = r->tail & (r->p.sq_entries - 1);
	struct io_uring_sqe *sqe =
		r->p.flags & IORING_SETUP_SQE128 ? &r->sqes[2 * index] : &r->sqes[index];
	if (!(r->p.flags & SETUP_NO_SQARRAY))
		word(r, r->p.sq_off.array)[index] = index;
	memset(sqe, 0, sizeof(*sqe));
	r->tail++;
	return sqe;
}

static int enter(struct ring *r, unsigned submit, unsigned wait)
{
	__atomic_store_n(word(r, r->p.sq_off.tail), r->tail, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, r->fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0,
		       NULL, 0);
}

/* The oldest completion; NULL without one. */
static struct io_uring_cqe *peek(struct ring *r)
{
	unsigned head = *word(r, r->p.cq_off.head), index = head & (r->p.cq_entries - 1);
	if (__atomic_load_n(word(r, r->p.cq_off.tail), __ATOMIC_ACQUIRE) == head)
		return NULL;
	return (void *)(r->rings + r->p.cq_off.cqes +
			index * (r->p.flags & IORING_SETUP_CQE32 ? 32 : 16));
}

static void seen(struct ring *r)
{
	unsigned *head = word(r, r->p.cq_off.head);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
}

static void nop(struct ring *r, unsigned long data)
{
	struct io_uring_sqe *sqe = next(r);
	sqe->opcode = IORING_OP_NOP;
	sqe->user_data = data;
	int got = enter(r, 1, 0);
	CHECK(got == 1, "submit: %d, %d", got, errno);
}

static void take(struct ring *r, unsigned long data, int result)
{
	struct io_uring_cqe *cqe = peek(r);
	CHECK(cqe && cqe->user_data == data && cqe->res == result, "completion %llu: %d, not %lu",
	      cqe ? cqe->user_data : 0, cqe ? cqe->res : 0, data);
	if (cqe)
		seen(r);
}

static void nops(struct ring *r, int count)
{
	for (int i = 0; i < count; i++) {
		nop(r, 100 + i);
		take(r, 100 + i, 0);
	}
}

static unsigned flags_arg(int i)
{
	return subject_arg(i) ? strtoul(subject_arg(i), NULL, 0) : 0;
}

/* ARGS: entries, flags, completions entries, operations before. */
static void used(void)
{
	struct ring r = make(flags_arg(0), flags_arg(1), flags_arg(2));
	nops(&r, flags_arg(3));
	unsigned at = r.tail;
	ready();
	while (next_round()) {
		CHECK(*word(&r, r.p.sq_off.head) == at && *word(&r, r.p.cq_off.tail) == at,
		      "positions %u %u, not %u", *word(&r, r.p.sq_off.head),
		      *word(&r, r.p.cq_off.tail), at);
		nops(&r, 3);
		at += 3;
	}
	nops(&r, 1000);
}

/* ARGS: entries, operations read, completions unread. */
static void unread(void)
{
	struct ring r = make(flags_arg(0), 0, 0);
	int count = flags_arg(2);
	nops(&r, flags_arg(1));
	for (int i = 0; i < count; i++)
		nop(&r, 5000 + i);
	ready();
	while (next_round())
		CHECK(*word(&r, r.p.cq_off.tail) - *word(&r, r.p.cq_off.head) == count, "unread");
	for (int i = 0; i < count; i++)
		take(&r, 5000 + i, 0);
	CHECK(!peek(&r), "more completions");
	nops(&r, 1000);
}

/* Requests that were written and not submitted. */
static void pending(void)
{
	struct ring r = make(8, 0, 0);
	nops(&r, 13);
	for (int i = 0; i < 3; i++)
		next(&r)->user_data = 70 + i;
	__atomic_store_n(word(&r, r.p.sq_off.tail), r.tail, __ATOMIC_RELEASE);
	ready();
	while (next_round())
		CHECK(!peek(&r), "they were submitted");
	CHECK(enter(&r, 3, 3) == 3, "submit: %d", errno);
	for (int i = 0; i < 3; i++)
		take(&r, 70 + i, 0);
	nops(&r, 100);
}

static int read_file(struct ring *r, int fd, unsigned flags, void *buffer, unsigned size,
		     unsigned offset)
{
	struct io_uring_sqe *sqe = next(r);
	sqe->opcode = IORING_OP_READ;
	sqe->fd = fd;
	sqe->flags = flags;
	sqe->addr = (uintptr_t)buffer;
	sqe->len = size;
	sqe->off = offset;
	CHECK(enter(r, 1, 1) == 1, "submit: %d", errno);
	struct io_uring_cqe *cqe = peek(r);
	int result = cqe ? cqe->res : -1;
	if (cqe)
		seen(r);
	return result;
}

static void files(void)
{
	struct ring r = make(8, 0, 0);
	int fd = make_file("data", 16 * PAGE, 3);
	char whole[16 * PAGE], buffer[PAGE];
	fill(whole, sizeof(whole), 3);
	ready();
	for (int n = 0; next_round(); n = (n + 1) % 16) {
		CHECK(read_file(&r, fd, 0, buffer, PAGE, n * PAGE) == PAGE, "read");
		CHECK(memcmp(buffer, whole + n * PAGE, PAGE) == 0, "page %d", n);
	}
}

/* Slots 1 and 3 of five. */
static void registered_files(void)
{
	struct ring r = make(8, 0, 0);
	int a = make_file("a file", PAGE, 3), b = make_file("other", PAGE, 4);
	int slots[5] = {-1, a, -1, b, -1};
	char buffer[PAGE];
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, slots, 5) == 0,
		"register: %d", errno);
	ready();
	while (next_round()) {
		CHECK(read_file(&r, 1, IOSQE_FIXED_FILE, buffer, PAGE, 0) == PAGE &&
			      filled(buffer, PAGE, 3),
		      "slot 1");
		CHECK(read_file(&r, 3, IOSQE_FIXED_FILE, buffer, PAGE, 0) == PAGE &&
			      filled(buffer, PAGE, 4),
		      "slot 3");
		CHECK(read_file(&r, 2, IOSQE_FIXED_FILE, buffer, PAGE, 0) == -EBADF, "slot 2");
	}
}

static void registered_buffers(void)
{
	struct ring r = make(8, 0, 0);
	int fd = make_file("data", 4 * PAGE, 6);
	char *memory = map_private(8 * PAGE), whole[4 * PAGE];
	struct iovec buffers[3] = {{memory, PAGE}, {NULL, 0}, {memory + 3 * PAGE + 100, 2 * PAGE}};
	fill(whole, sizeof(whole), 6);
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_BUFFERS, buffers, 3) == 0,
		"register: %d", errno);
	ready();
	while (next_round()) {
		memset(buffers[2].iov_base, 0, 2 * PAGE);
		struct io_uring_sqe *sqe = next(&r);
		sqe->opcode = IORING_OP_READ_FIXED;
		sqe->fd = fd;
		sqe->addr = (uintptr_t)buffers[2].iov_base + 50;
		sqe->len = PAGE;
		sqe->buf_index = 2;
		sqe->user_data = 1;
		CHECK(enter(&r, 1, 1) == 1, "submit: %d", errno);
		take(&r, 1, PAGE);
		CHECK(memcmp((char *)buffers[2].iov_base + 50, whole, PAGE) == 0, "bytes");
	}
}

static void told(void)
{
	struct ring r = make(8, 0, 0);
	int event = eventfd(0, EFD_NONBLOCK);
	uint64_t count;
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD, &event, 1) == 0,
		"register: %d", errno);
	ready();
	while (next_round()) {
		nops(&r, 2);
		CHECK(read(event, &count, 8) == 8 && count == 2, "eventfd: %lu", (long)count);
	}
}

/* The program polls the ring itself. */
static void polled(void)
{
	struct ring r = make(8, 0, 0);
	struct pollfd p = {r.fd, POLLIN, 0};
	nop(&r, 1);
	ready();
	while (next_round()) {
		CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN, "not ready");
		take(&r, 1, 0);
		CHECK(poll(&p, 1, 0) == 0, "ready");
		nop(&r, 1);
	}
}

static void disabled(void)
{
	struct ring r = make(8, IORING_SETUP_R_DISABLED, 0);
	next(&r)->user_data = 3;
	ready();
	while (next_round())
		CHECK(enter(&r, 1, 0) < 0 && errno == EBADFD, "it is not disabled");
	CHECK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) == 0,
	      "enable");
	CHECK(enter(&r, 1, 1) == 1, "submit");
	take(&r, 3, 0);
}

/* Parent and child share a ring, and take turns. */
struct shared {
	struct ring *r;
	volatile int *turn;
};

static void shared_child(void *arg)
{
	struct shared *s = arg;
	ready();
	while (next_round()) {
		if (*s->turn != 1)
			continue;
		s->r->tail = *word(s->r, s->r->p.sq_off.tail);
		nops(s->r, 2);
		*s->turn = 0;
	}
}

static void shared(void)
{
	struct ring r = make(8, 0, 0);
	struct shared s = {&r, map_shared(PAGE)};
	start_child("child", shared_child, &s);
	ready();
	while (next_round()) {
		if (*s.turn != 0)
			continue;
		r.tail = *word(&r, r.p.sq_off.tail);
		nops(&r, 3);
		*s.turn = 1;
	}
	join_children();
}

/* Mapped once more, protected, kept from children; and rings of many sizes. */
static void mappings(void)
{
	struct ring r[6];
	unsigned sizes[6] = {1, 2, 64, 512, 4096, 128};
	for (int i = 0; i < 6; i++) {
		r[i] = make(sizes[i], 0, i == 5 ? 4096 : 0);
		nops(&r[i], 10 * i);
	}
	void *again = mmap(NULL, r[2].rings_size, PROT_READ, MAP_SHARED, r[2].fd, IORING_OFF_CQ_RING);
	REQUIRE(again != MAP_FAILED, "mmap: %d", errno);
	madvise(r[3].rings, r[3].rings_size, MADV_DONTFORK);
	mprotect(r[4].sqes, 4096 * 64, PROT_READ);
	ready();
	while (next_round()) {
		for (int i = 0; i < 4; i++)
			nops(&r[i], 2);
		CHECK(memcmp(again, r[2].rings, r[2].rings_size) == 0, "the second mapping");
	}
}

/* Many operations: positions beyond what the rings hold by far. */
static void far(void)
{
	struct ring r = make(256, 0, 0);
	for (int i = 0; i < 8000; i++) {
		for (int n = 0; n < 256; n++)
			next(&r)->user_data = n;
		REQUIRE(enter(&r, 256, 256) == 256, "submit");
		*word(&r, r.p.cq_off.head) += 256;
	}
	ready();
	while (next_round())
		nops(&r, 1);
	CHECK(r.tail > 8000 * 256, "tail");
}

/* What a worker thread of the kernel has done; it idles for some seconds. */
static void worker(void)
{
	struct ring r = make(8, 0, 0);
	int fd = make_file("data", PAGE, 3);
	char buffer[PAGE];
	ready();
	while (next_round())
		CHECK(read_file(&r, fd, IOSQE_ASYNC, buffer, PAGE, 0) == PAGE, "read");
}

static void sockets(void)
{
	struct ring r = make(8, 0, 0);
	int fd = eventfd(0, 0);
	ready();
	while (next_round()) {
		uint64_t one = 1, got = 0;
		CHECK(write(fd, &one, 8) == 8, "write");
		CHECK(read_file(&r, fd, 0, &got, 8, 0) == 8 && got == 1, "read by the ring");
	}
}

/* SINGLE_ISSUER and DEFER_TASKRUN, with an eventfd and a registered file. */
static void deferred(void)
{
	struct ring r = make(8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 0);
	int event = eventfd(0, EFD_NONBLOCK), fd = make_file("data", PAGE, 3);
	char buffer[PAGE];
	uint64_t count;
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD, &event, 1) == 0 &&
			syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, &fd, 1) == 0,
		"register: %d", errno);
	ready();
	while (next_round()) {
		CHECK(read_file(&r, 0, IOSQE_FIXED_FILE, buffer, PAGE, 0) == PAGE &&
			      filled(buffer, PAGE, 3),
		      "read");
		CHECK(read(event, &count, 8) == 8 && count == 1, "eventfd: %lu", (long)count);
	}
}

static void thread_body(void *arg)
{
	(void)arg;
	struct ring r = make(8, IORING_SETUP_SINGLE_ISSUER, 0);
	nops(&r, 5);
	ready();
	while (next_round())
		nops(&r, 3);
}

static void in_thread(void)
{
	pthread_t other = start_thread("other", thread_body, NULL);
	ready();
	while (next_round())
		;
	join_thread(other);
}

/* ---- refused ---- */

static void idle(struct ring *r)
{
	(void)r;
	ready();
	while (next_round())
		;
}

static void under_way(void)
{
	struct ring r = make(8, 0, 0);
	int p[2];
	REQUIRE(pipe(p) == 0, "pipe");
	struct io_uring_sqe *sqe = next(&r);
	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = p[0];
	sqe->poll32_events = POLLIN;
	REQUIRE(enter(&r, 1, 0) == 1, "submit");
	idle(&r);
	close(r.fd);
}

static void timeout(void)
{
	struct ring r = make(8, 0, 0);
	static struct __kernel_timespec long_time = {100000, 0};
	struct io_uring_sqe *sqe = next(&r);
	sqe->opcode = IORING_OP_TIMEOUT;
	sqe->addr = (uintptr_t)&long_time;
	sqe->len = 1;
	REQUIRE(enter(&r, 1, 0) == 1, "submit");
	idle(&r);
}

static void flagged(void)
{
	struct ring r = make(8, flags_arg(0), 0);
	idle(&r);
}

static void provided(void)
{
	struct ring r = make(8, flags_arg(1), 0);
	char *memory = map_private(PAGE);
	struct io_uring_sqe *sqe = next(&r);
	sqe->opcode = IORING_OP_PROVIDE_BUFFERS;
	sqe->fd = 2;
	sqe->addr = (uintptr_t)memory;
	sqe->len = 100;
	sqe->buf_group = flags_arg(0);
	sqe->user_data = 1;
	REQUIRE(enter(&r, 1, 1) == 1, "submit");
	take(&r, 1, 0);
	idle(&r);
}

static void restricted(void)
{
	struct ring r = make(8, IORING_SETUP_R_DISABLED, 0);
	struct io_uring_restriction only = {.opcode = IORING_RESTRICTION_SQE_OP,
					    .sqe_op = IORING_OP_NOP};
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_RESTRICTIONS, &only, 1) == 0,
		"restrict: %d", errno);
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) == 0,
		"enable: %d", errno);
	idle(&r);
}

static void closed(void)
{
	struct ring r = make(8, 0, 0);
	close(r.fd);
	idle(&r);
}

static void number(void)
{
	struct ring r = make(8, 0, 0);
	struct io_uring_rsrc_update one = {.offset = -1U, .data = r.fd};
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_RING_FDS, &one, 1) == 1,
		"register: %d", errno);
	idle(&r);
}

static void lost_file(void)
{
	struct ring r = make(8, 0, 0);
	int fd = make_file("lost", PAGE, 1);
	REQUIRE(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, &fd, 1) == 0, "register");
	close(fd);
	idle(&r);
}

SUBJECT({"used", used}, {"unread", unread}, {"pending", pending}, {"files", files},
	{"registered-files", registered_files}, {"registered-buffers", registered_buffers},
	{"told", told}, {"polled", polled}, {"disabled", disabled}, {"shared", shared},
	{"mappings", mappings}, {"far", far}, {"worker", worker}, {"sockets", sockets}, {"deferred", deferred}, {"thread", in_thread},
	{"under-way", under_way}, {"timeout", timeout}, {"flagged", flagged},
	{"provided", provided}, {"restricted", restricted}, {"closed", closed}, {"number", number},
	{"lost-file", lost_file})
