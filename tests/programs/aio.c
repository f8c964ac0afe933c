/* Contexts of asynchronous I/O (io_setup): the ring, its positions, what lies in it unread. */
#include "subject.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>

struct ring {
	unsigned id, nr, head, tail, magic, compat, incompat, length;
	struct io_event events[];
};

static aio_context_t make(int requests)
{
	aio_context_t context = 0;
	REQUIRE(syscall(SYS_io_setup, requests, &context) == 0, "io_setup: %d", errno);
	return context;
}

static long submit(aio_context_t context, struct iocb *request)
{
	return syscall(SYS_io_submit, context, 1, &request);
}

static long reap(aio_context_t context, struct io_event *events, long least, long most)
{
	struct timespec second = {1, 0};
	return syscall(SYS_io_getevents, context, least, most, events, &second);
}

/* Completes at once: a read of nothing. */
static void complete(aio_context_t context, unsigned long data)
{
	static int null = -1;
	if (null < 0)
		null = open("/dev/null", O_RDONLY);
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = null, .aio_data = data};
	REQUIRE(submit(context, &request) == 1, "io_submit: %d", errno);
}

static void complete_and_read(aio_context_t context, int count)
{
	struct io_event event;
	for (int i = 0; i < count; i++) {
		complete(context, i);
		REQUIRE(reap(context, &event, 1, 1) == 1 && event.data == i, "io_getevents");
	}
}

static void unread_are(aio_context_t context, int count, int first)
{
	struct io_event events[512];
	CHECK(reap(context, events, count, 512) == count, "events");
	for (int i = 0; i < count; i++)
		CHECK(events[i].data == first + i && events[i].res == 0, "event %d: %llu", i,
		      events[i].data);
}

/* A request a round, in a context that is otherwise idle. */
static void used(void)
{
	aio_context_t context = make(8);
	struct ring *ring = (void *)context;
	ready();
	for (unsigned n = 0; next_round(); n++) {
		CHECK(ring->tail == n % ring->nr, "tail %u", ring->tail);
		complete_and_read(context, 1);
	}
}

static void file(void)
{
	int fd = make_file("data", 64 * PAGE, 5);
	aio_context_t context = make(64);
	char *buffer = map_private(PAGE), whole[64 * PAGE];
	fill(whole, sizeof(whole), 5);
	ready();
	for (int n = 0; next_round(); n = (n + 1) % 64) {
		struct iocb request = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
				       .aio_buf = (uintptr_t)buffer, .aio_nbytes = PAGE,
				       .aio_offset = n * PAGE};
		struct io_event event;
		CHECK(submit(context, &request) == 1, "io_submit: %d", errno);
		CHECK(reap(context, &event, 1, 1) == 1 && event.res == PAGE, "io_getevents");
		CHECK(memcmp(buffer, whole + n * PAGE, PAGE) == 0, "bytes of page %d", n);
	}
}

/* Events that nobody has read; ARG: how many were read before. */
static void unread(void)
{
	int before = atoi(subject_arg(0)), count = atoi(subject_arg(1));
	aio_context_t context = make(8);
	struct ring *ring = (void *)context;
	complete_and_read(context, before);
	for (int i = 0; i < count; i++)
		complete(context, 1000 + i);
	unsigned tail = ring->tail, head = ring->head, id = ring->id;
	ready();
	while (next_round())
		CHECK(ring->tail == tail && ring->head == head && ring->id == id,
		      "positions %u %u of %u", ring->head, ring->tail, ring->id);
	unread_are(context, count, 1000);
	complete_and_read(context, 1000);
}

/* As much as the ring can hold: the next request is refused, until one is read. */
static void full(void)
{
	aio_context_t context = make(8);
	struct io_event event;
	int null = open("/dev/null", O_RDONLY), count = 0;
	struct iocb request = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = null};
	complete_and_read(context, 50);
	for (request.aio_data = 0; submit(context, &request) == 1; request.aio_data++)
		count++;
	REQUIRE(errno == EAGAIN, "io_submit: %d", errno);
	ready();
	while (next_round())
		CHECK(submit(context, &request) < 0 && errno == EAGAIN, "more than the ring holds");
	for (int i = 0; i < count; i++)
		CHECK(reap(context, &event, 1, 1) == 1 && event.data == i, "event %d", i);
}

/* Several contexts, one of them removed: the others keep address, number and content. */
static void several(void)
{
	aio_context_t c[5];
	int sizes[5] = {1, 100, 300, 1000, 8};
	for (int i = 0; i < 5; i++) {
		c[i] = make(sizes[i]);
		complete_and_read(c[i], i * 30);
		for (int n = 0; n < i; n++)
			complete(c[i], 10 * i + n);
	}
	REQUIRE(syscall(SYS_io_destroy, c[1]) == 0, "io_destroy");
	ready();
	while (next_round())
		for (int i = 0; i < 5; i++)
			if (i != 1)
				CHECK(((struct ring *)c[i])->id == i, "context %d is %u", i,
				      ((struct ring *)c[i])->id);
	for (int i = 0; i < 5; i++)
		if (i != 1)
			unread_are(c[i], i, 10 * i);
	CHECK(((struct ring *)make(8))->id == 1, "the number of the removed one is not free");
}

/* A waiter in io_getevents goes on to wait; eventfd tells of completions. */
static void waiter(void *arg)
{
	aio_context_t context = *(aio_context_t *)arg;
	struct io_event event;
	struct timespec brief = {0, 30000000};
	ready();
	for (unsigned long next = 0; next_round();) {
		long got = syscall(SYS_io_getevents, context, 1, 1, &event, &brief);
		CHECK(got == 0 || (got < 0 && errno == EINTR) || (got == 1 && event.data == next),
		      "io_getevents: %ld, %d", got, errno);
		if (got == 1)
			next++;
	}
}

static void waited(void)
{
	aio_context_t context = make(8);
	pthread_t thread = start_thread("waiter", waiter, &context);
	ready();
	for (unsigned long n = 0; next_round(); n++)
		complete(context, n);
	join_thread(thread);
}

static void told(void)
{
	aio_context_t context = make(8);
	int null = open("/dev/null", O_RDONLY), event = eventfd(0, EFD_NONBLOCK);
	struct iocb request = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = null,
			       .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = event};
	REQUIRE(submit(context, &request) == 1, "io_submit: %d", errno);
	ready();
	uint64_t count;
	while (next_round()) {
		struct io_event one;
		CHECK(read(event, &count, 8) == 8 && count == 1, "eventfd");
		CHECK(reap(context, &one, 1, 1) == 1, "io_getevents");
		CHECK(submit(context, &request) == 1, "io_submit: %d", errno);
	}
}

/* The ring at another address than the kernel gave it, and not writable. */
static void moved(void)
{
	aio_context_t context = make(8);
	void *at = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at = mremap((void *)context, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 5 * PAGE);
	REQUIRE(at != MAP_FAILED, "mremap: %d", errno);
	context = (aio_context_t)at;
	complete_and_read(context, 10);
	complete(context, 77);
	REQUIRE(mprotect(at, PAGE, PROT_READ) == 0, "mprotect");
	ready();
	while (next_round())
		CHECK(((struct ring *)at)->tail == 11, "tail");
	REQUIRE(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
	unread_are(context, 1, 77);
}

/* A child has contexts of its own. */
static void child_body(void *arg)
{
	(void)arg;
	used();
}

static void children(void)
{
	start_child("child", child_body, NULL);
	used();
	join_children();
}

/* O_DIRECT, a request under way at any moment. */
static void direct(void)
{
	int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT, 0600);
	char *buffer = map_private(16 * PAGE);
	aio_context_t context = make(16);
	REQUIRE(fd >= 0, "open: %d", errno);
	fill(buffer, 16 * PAGE, 9);
	ready();
	struct iocb requests[8];
	bool under_way = false;
	while (next_round()) {
		struct io_event events[8];
		if (under_way)
			CHECK(reap(context, events, 8, 8) == 8 && events[7].res == 2 * PAGE,
			      "io_getevents");
		for (int i = 0; i < 8; i++) {
			requests[i] = (struct iocb){.aio_lio_opcode = IOCB_CMD_PWRITE,
						    .aio_fildes = fd,
						    .aio_buf = (uintptr_t)buffer + 2 * i * PAGE,
						    .aio_nbytes = 2 * PAGE,
						    .aio_offset = 2 * i * PAGE};
			CHECK(submit(context, &requests[i]) == 1, "io_submit: %d", errno);
		}
		under_way = true;
	}
}

/* Fork copies the mapping of a ring, and no context. */
static void copied_body(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

static void copied(void)
{
	make(8);
	start_child("child", copied_body, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

/* The half of a ring. */
static void half(void)
{
	aio_context_t context = make(1000);
	REQUIRE(munmap((void *)context + 2 * PAGE, PAGE) == 0, "munmap");
	ready();
	while (next_round())
		CHECK(((struct ring *)context)->tail == 0, "tail");
}

SUBJECT({"used", used}, {"file", file}, {"unread", unread}, {"full", full}, {"several", several},
	{"waited", waited}, {"told", told}, {"moved", moved}, {"children", children},
	{"direct", direct}, {"copied", copied}, {"half", half})
