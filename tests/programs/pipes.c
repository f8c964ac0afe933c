/* Pipes and fifos: content, size, modes, ends that are gone, and who shares them. */
#include "subject.h"
#include <sys/ioctl.h>

static int queued(int fd)
{
	int n = -1;
	ioctl(fd, FIONREAD, &n);
	return n;
}

/* Bytes lie in the pipe across the dump, and are read at the end. */
static void content(void)
{
	int p[2];
	char out[3000], in[4000];
	fill(out, sizeof(out), 1);
	REQUIRE(pipe(p) == 0 && write(p[1], out, sizeof(out)) == sizeof(out), "pipe");
	ready();
	while (next_round())
		CHECK(queued(p[0]) == sizeof(out), "%d bytes in the pipe", queued(p[0]));
	CHECK(read(p[0], in, sizeof(in)) == sizeof(out), "another length");
	CHECK(memcmp(in, out, sizeof(out)) == 0, "other bytes");
}

static void size_of_pipe(void)
{
	int p[2], small[2];
	static char out[300000], in[300000];
	fill(out, sizeof(out), 2);
	REQUIRE(pipe(p) == 0 && pipe(small) == 0, "pipe");
	REQUIRE(fcntl(p[1], F_SETPIPE_SZ, 512 * 1024) == 512 * 1024, "F_SETPIPE_SZ");
	REQUIRE(fcntl(small[1], F_SETPIPE_SZ, 4096) == 4096, "F_SETPIPE_SZ");
	REQUIRE(write(p[1], out, sizeof(out)) == sizeof(out), "write");
	ready();
	while (next_round()) {
		CHECK(fcntl(p[0], F_GETPIPE_SZ) == 512 * 1024, "size %d", fcntl(p[0], F_GETPIPE_SZ));
		CHECK(fcntl(small[0], F_GETPIPE_SZ) == 4096, "size %d", fcntl(small[0], F_GETPIPE_SZ));
		CHECK(queued(p[0]) == sizeof(out), "%d bytes", queued(p[0]));
	}
	CHECK(read(p[0], in, sizeof(in)) == sizeof(out) && memcmp(in, out, sizeof(in)) == 0, "bytes");
}

static void full(void)
{
	int p[2];
	static char out[65536], in[65536];
	fill(out, sizeof(out), 3);
	REQUIRE(pipe2(p, O_NONBLOCK) == 0 && write(p[1], out, sizeof(out)) == sizeof(out), "pipe");
	ready();
	while (next_round())
		CHECK(write(p[1], "x", 1) == -1 && errno == EAGAIN, "a full pipe takes a byte");
	CHECK(read(p[0], in, sizeof(in)) == sizeof(in) && memcmp(in, out, sizeof(in)) == 0, "bytes");
}

/* In packet mode (O_DIRECT) each write is read by itself. */
static void packets(void)
{
	int p[2];
	char in[100];
	REQUIRE(pipe2(p, O_DIRECT) == 0, "pipe2");
	REQUIRE(write(p[1], "one", 3) == 3 && write(p[1], "four", 4) == 4, "write");
	ready();
	while (next_round())
		CHECK(fcntl(p[1], F_GETFL) & O_DIRECT, "flags %x", fcntl(p[1], F_GETFL));
	CHECK(read(p[0], in, sizeof(in)) == 3 && memcmp(in, "one", 3) == 0, "first packet");
	CHECK(read(p[0], in, sizeof(in)) == 4 && memcmp(in, "four", 4) == 0, "second packet");
}

/* Flags belong to each end by itself. */
static void nonblock(void)
{
	int p[2];
	char c;
	REQUIRE(pipe(p) == 0 && fcntl(p[0], F_SETFL, O_NONBLOCK) == 0, "pipe");
	ready();
	while (next_round()) {
		CHECK(read(p[0], &c, 1) == -1 && errno == EAGAIN, "read: %d", errno);
		CHECK((fcntl(p[0], F_GETFL) & O_NONBLOCK) && !(fcntl(p[1], F_GETFL) & O_NONBLOCK),
		      "flags %x %x", fcntl(p[0], F_GETFL), fcntl(p[1], F_GETFL));
	}
}

static void writer_gone(void)
{
	int p[2];
	char in[10];
	REQUIRE(pipe(p) == 0 && write(p[1], "rest", 4) == 4 && close(p[1]) == 0, "pipe");
	ready();
	while (next_round())
		CHECK(queued(p[0]) == 4, "%d bytes", queued(p[0]));
	CHECK(read(p[0], in, sizeof(in)) == 4 && memcmp(in, "rest", 4) == 0, "rest");
	CHECK(read(p[0], in, sizeof(in)) == 0, "no end of file");
}

static void reader_gone(void)
{
	int p[2];
	signal(SIGPIPE, SIG_IGN);
	REQUIRE(pipe(p) == 0 && close(p[0]) == 0, "pipe");
	ready();
	while (next_round())
		CHECK(write(p[1], "x", 1) == -1 && errno == EPIPE, "write: %d", errno);
}

static void answer(void *arg)
{
	int *p = arg;
	char c;
	close(p[1]);
	close(p[2]);
	ready();
	while (read(p[0], &c, 1) == 1) {
		next_busy_round();
		c++;
		CHECK(write(p[3], &c, 1) == 1, "write: %d", errno);
	}
}

/* Every round a byte goes to the child through one pipe, and comes back through another. */
static void between(void)
{
	int p[4];
	char c = 0, back;
	REQUIRE(pipe(p) == 0 && pipe(p + 2) == 0, "pipe");
	start_child("child", answer, p);
	close(p[0]);
	close(p[3]);
	ready();
	while (next_round()) {
		CHECK(write(p[1], &c, 1) == 1 && read(p[2], &back, 1) == 1, "no answer: %d", errno);
		CHECK(back == (char)(c + 1), "%d came back for %d", back, c);
		c++;
	}
	close(p[1]);
	join_children();
}

#define STAGE_BYTES 1000

static void produce(void *arg)
{
	int *p = arg;
	uint32_t n = 0, block[STAGE_BYTES];
	close(p[0]), close(p[2]), close(p[3]);
	ready();
	while (next_busy_round()) {
		for (int i = 0; i < STAGE_BYTES; i++)
			block[i] = n++;
		CHECK(write(p[1], block, sizeof(block)) == sizeof(block), "write: %d", errno);
		if (n % (50 * STAGE_BYTES) == 0)
			nap_ms(1);
	}
}

static void pass_on(void *arg)
{
	int *p = arg;
	char block[777];
	ssize_t n;
	close(p[1]), close(p[2]);
	ready();
	while ((n = read(p[0], block, sizeof(block))) > 0)
		for (ssize_t done = 0, w; done < n; done += w)
			if ((w = write(p[3], block + done, n - done)) <= 0) {
				CHECK(false, "write: %d", errno);
				return;
			}
}

/* producer | passer | consumer, as fast as they can: no byte is lost, doubled or moved. */
static void pipeline(void)
{
	int p[4];
	uint32_t want = 0, got = 0;
	size_t have = 0;
	REQUIRE(pipe(p) == 0 && pipe(p + 2) == 0, "pipe");
	pid_t first = start_child("producer", produce, p);
	pid_t second = clone_child("passer", SIGCHLD, pass_on, p);
	close(p[0]), close(p[1]), close(p[3]);
	ready();
	int64_t next = now_ms();
	for (;;) {
		ssize_t n = read(p[2], (char *)&got + have, 4 - have);
		if (n <= 0)
			break;
		if ((have += n) < 4)
			continue;
		have = 0;
		CHECK(got == want, "%u came instead of %u", got, want);
		want = got + 1;
		if (now_ms() >= next) {
			next_busy_round();
			next = now_ms() + 20;
		}
	}
	while (next_busy_round())
		;
	join_child(first);
	join_child(second);
}

/* An end opened again through /proc is a description of its own, with flags of its own. */
static void reopened(void)
{
	int p[2];
	char path[64], in[10];
	REQUIRE(pipe(p) == 0, "pipe");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	int both = open(path, O_RDWR | O_NONBLOCK), other = open(path, O_RDONLY);
	REQUIRE(both >= 0 && other >= 0 && write(both, "abc", 3) == 3, "open %s", path);
	ready();
	while (next_round()) {
		CHECK((fcntl(both, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_RDWR | O_NONBLOCK), "flags");
		CHECK((fcntl(other, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == O_RDONLY, "flags");
		CHECK(queued(other) == 3, "%d bytes", queued(other));
	}
	CHECK(read(p[0], in, 1) == 1 && read(other, in + 1, 1) == 1 && read(both, in + 2, 9) == 1,
	      "the three share one pipe");
	CHECK(memcmp(in, "abc", 3) == 0, "bytes");
}

/* Both ends are held by both processes, and the child holds one twice. */
static void holder(void *arg)
{
	int *p = arg;
	int twice = dup(p[1]);
	ready();
	while (next_round()) {
		CHECK(queued(p[0]) == 5, "%d bytes", queued(p[0]));
		CHECK(fcntl(twice, F_GETFL) == fcntl(p[1], F_GETFL), "flags");
	}
}

static void shared(void)
{
	int p[2];
	REQUIRE(pipe(p) == 0 && write(p[1], "hello", 5) == 5, "pipe");
	start_child("child", holder, p);
	ready();
	while (next_round())
		CHECK(queued(p[0]) == 5, "%d bytes", queued(p[0]));
	join_children();
}

/* Many small writes: buffers that are partly filled, and one partly read. */
static void pieces(void)
{
	int p[2];
	char in[64];
	REQUIRE(pipe(p) == 0, "pipe");
	for (int i = 0; i < 20; i++)
		REQUIRE(dprintf(p[1], "%c", 'a' + i) == 1, "write");
	REQUIRE(read(p[0], in, 3) == 3, "read");
	ready();
	while (next_round())
		CHECK(queued(p[0]) == 17, "%d bytes", queued(p[0]));
	CHECK(read(p[0], in, sizeof(in)) == 17 && memcmp(in, "defghijklmnopqrst", 17) == 0, "bytes");
}

static volatile sig_atomic_t io_signals, io_fd;

static void on_io(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	io_signals++;
	io_fd = info->si_fd;
}

/* O_ASYNC with an owner and a signal of its own: a byte that comes is told of. */
static void async(void)
{
	int p[2], told = 0;
	char c;
	struct sigaction action = {.sa_sigaction = on_io, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGRTMIN + 2, &action, NULL);
	REQUIRE(pipe(p) == 0 && fcntl(p[0], F_SETOWN, getpid()) == 0, "F_SETOWN");
	REQUIRE(fcntl(p[0], F_SETSIG, SIGRTMIN + 2) == 0, "F_SETSIG");
	REQUIRE(fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0, "O_ASYNC");
	ready();
	while (next_round()) {
		CHECK(fcntl(p[0], F_GETOWN) == getpid(), "owner %d", fcntl(p[0], F_GETOWN));
		CHECK(fcntl(p[0], F_GETSIG) == SIGRTMIN + 2, "signal %d", fcntl(p[0], F_GETSIG));
		CHECK(fcntl(p[0], F_GETFL) & O_ASYNC, "flags %x", fcntl(p[0], F_GETFL));
		told = io_signals;
		CHECK(write(p[1], "x", 1) == 1, "write");
		CHECK(io_signals == told + 1 && io_fd == p[0], "%d signals, fd %d", io_signals - told,
		      (int)io_fd);
		while (read(p[0], &c, 1) == 1)
			;
	}
}

static int make_fifo(const char *name)
{
	REQUIRE(mkfifo(name, 0600) == 0, "mkfifo");
	int fd = open(name, O_RDWR | O_NONBLOCK);
	REQUIRE(fd >= 0, "open fifo");
	return fd;
}

static void fifo_content(void)
{
	char in[20];
	int keeper = make_fifo("fifo");
	int reader = open("fifo", O_RDONLY), writer = open("fifo", O_WRONLY);
	REQUIRE(close(keeper) == 0 && write(writer, "in a fifo", 9) == 9, "fifo");
	ready();
	while (next_round())
		CHECK(queued(reader) == 9, "%d bytes", queued(reader));
	CHECK(read(reader, in, sizeof(in)) == 9 && memcmp(in, "in a fifo", 9) == 0, "bytes");
	CHECK(close(writer) == 0 && read(reader, in, 1) == 0, "no end of file");
}

/* One descriptor for both directions, and nobody else. */
static void fifo_both(void)
{
	char in[20];
	int fd = make_fifo("fifo");
	REQUIRE(write(fd, "both", 4) == 4, "write");
	ready();
	while (next_round())
		CHECK(queued(fd) == 4, "%d bytes", queued(fd));
	CHECK(read(fd, in, sizeof(in)) == 4 && memcmp(in, "both", 4) == 0, "bytes");
}

static void fifo_unlinked(void)
{
	char in[20];
	int keeper = make_fifo("fifo");
	int reader = open("fifo", O_RDONLY), writer = open("fifo", O_WRONLY);
	REQUIRE(close(keeper) == 0 && unlink("fifo") == 0 && write(writer, "gone", 4) == 4, "fifo");
	ready();
	while (next_round()) {
		CHECK(access("fifo", F_OK) == -1, "the name is back");
		CHECK(queued(reader) == 4, "%d bytes", queued(reader));
	}
	CHECK(read(reader, in, sizeof(in)) == 4 && memcmp(in, "gone", 4) == 0, "bytes");
}

static void fifo_reader_gone(void)
{
	signal(SIGPIPE, SIG_IGN);
	int keeper = make_fifo("fifo");
	int writer = open("fifo", O_WRONLY);
	REQUIRE(writer >= 0 && close(keeper) == 0, "fifo");
	ready();
	while (next_round())
		CHECK(write(writer, "x", 1) == -1 && errno == EPIPE, "write: %d", errno);
}

static void fifo_size(void)
{
	int fd = make_fifo("fifo");
	REQUIRE(fcntl(fd, F_SETPIPE_SZ, 128 * 1024) == 128 * 1024, "F_SETPIPE_SZ");
	ready();
	while (next_round())
		CHECK(fcntl(fd, F_GETPIPE_SZ) == 128 * 1024, "size %d", fcntl(fd, F_GETPIPE_SZ));
}

/* 200 pipes, each with its own word in it. */
static void many(void)
{
	static int p[200][2];
	for (int i = 0; i < 200; i++)
		REQUIRE(pipe(p[i]) == 0 && write(p[i][1], &i, 4) == 4, "pipe %d", i);
	ready();
	while (next_round())
		for (int i = 0; i < 200; i++)
			CHECK(queued(p[i][0]) == 4, "pipe %d: %d bytes", i, queued(p[i][0]));
	for (int i = 0, word; i < 200; i++)
		CHECK(read(p[i][0], &word, 4) == 4 && word == i, "pipe %d: another word", i);
}

SUBJECT({"content", content}, {"size", size_of_pipe}, {"full", full}, {"packets", packets},
	{"nonblock", nonblock}, {"writer-gone", writer_gone}, {"reader-gone", reader_gone},
	{"between", between}, {"pipeline", pipeline}, {"reopened", reopened}, {"shared", shared},
	{"pieces", pieces}, {"async", async}, {"fifo-content", fifo_content},
	{"fifo-both", fifo_both}, {"fifo-unlinked", fifo_unlinked},
	{"fifo-reader-gone", fifo_reader_gone}, {"fifo-size", fifo_size}, {"many", many})
