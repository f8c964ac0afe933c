/*
 * subject MODE [N]: what the benchmarks dump. It prints its pid once all is set up, and from then on
 * waits in the background in a session of its own.
 *
 *   tiny            nothing
 *   memory MIB      private memory, every page another one
 *   gap MIB         the same, and it keeps the longest time (in ns) that it saw no time slice in the
 *                   first 8 bytes of the file gap, which it maps; a byte 1 behind them starts anew
 *   processes N     N children
 *   threads N       N threads besides the first
 *   descriptors N   half of them files, half of them ends of pipes
 *   mappings N      of one page each, none like its neighbour
 *   family MIB      private memory shared copy-on-write with eight children
 *
 *   copy-out MIB FILE   a plain write of so much memory to FILE, copy-in a plain read of it; they
 *                       print how many microseconds it took
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024 * 1024UL)
#define CHILDREN 8

static int ready_pipe[2];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static char *fresh(size_t size)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static char *filled(size_t size)
{
	char *at = fresh(size);
	uint64_t x = 88172645463325252ULL;
	for (size_t i = 0; i < size / 8; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		((uint64_t *)at)[i] = x;
	}
	return at;
}

/* All is set up: whoever started us is told, and prints our pid. */
static void ready(void)
{
	if (write(ready_pipe[1], "", 1) != 1)
		die("ready");
	close(ready_pipe[1]);
}

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void gap(long mib)
{
	filled(mib * MIB);
	int fd = open("gap", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, 4096) < 0)
		die("gap");
	volatile int64_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		die("mmap gap");
	close(fd);
	ready();
	for (int64_t last = now();;) {
		int64_t t = now();
		if (shared[1] == 1)
			shared[0] = shared[1] = 0;
		else if (t - last > shared[0])
			shared[0] = t - last;
		last = t;
	}
}

static void processes(long n)
{
	for (long i = 0; i < n; i++)
		if (fork() == 0) {
			close(ready_pipe[1]);
			wait_for_ever();
		}
}

static void *idle(void *unused)
{
	(void)unused;
	wait_for_ever();
}

static void threads(long n)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (long i = 0; i < n; i++)
		if (pthread_create(&thread, &attributes, idle, NULL) != 0)
			die("pthread_create");
}

static void descriptors(long n)
{
	char name[32];
	int ends[2];
	struct rlimit limit = {n + 64, n + 64};
	setrlimit(RLIMIT_NOFILE, &limit);
	mkdir("files", 0700);
	for (long i = 0; i < n / 2; i++) {
		snprintf(name, sizeof(name), "files/%ld", i);
		if (open(name, O_RDWR | O_CREAT, 0600) < 0)
			die(name);
	}
	for (long i = 0; i < n / 4; i++)
		if (pipe(ends) < 0)
			die("pipe");
}

static void mappings(long n)
{
	for (long i = 0; i < n; i++) {
		char *at = fresh(4096);
		*at = 1;
		if (i % 2 && mprotect(at, 4096, PROT_READ) < 0)
			die("mprotect");
	}
}

static void family(long mib)
{
	filled(mib * MIB);
	processes(CHILDREN);
}

static int copy(int out, long mib, const char *path)
{
	char *at = out ? filled(mib * MIB) : NULL;
	int64_t begun = now();
	int fd = open(path, out ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
	if (fd < 0)
		die(path);
	if (!out)
		at = fresh(mib * MIB);
	for (long i = 0; i < mib; i++)
		if ((out ? write(fd, at + i * MIB, MIB) : read(fd, at + i * MIB, MIB)) != (ssize_t)MIB)
			die(path);
	close(fd);
	printf("%ld\n", (now() - begun) / 1000);
	return 0;
}

/* Room for so many descriptors besides the few that everybody has. */
static void raise_limit(long n)
{
	struct rlimit limit = {n + 64, n + 64};
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}

static void pipes(long n)
{
	int ends[2];
	raise_limit(2 * n);
	for (long i = 0; i < n; i++)
		if (pipe(ends) < 0 || write(ends[1], "full", 4) != 4)
			die("pipe");
}

static void unix_pairs(long n)
{
	int ends[2];
	raise_limit(2 * n);
	for (long i = 0; i < n; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || write(ends[1], "full", 4) != 4)
			die("socketpair");
}

/* The network namespace is new: its loopback is down. */
static void bring_loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die("SIOCSIFFLAGS");
	close(fd);
}

static void fill_socket(int fd)
{
	char bytes[4096] = "full";
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void tcp(long n)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int small = 8192, server = socket(AF_INET, SOCK_STREAM, 0);
	raise_limit(2 * n);
	bring_loopback_up();
	setsockopt(server, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(server, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (bind(server, (void *)&address, length) < 0 || listen(server, 100) < 0)
		die("listen");
	getsockname(server, (void *)&address, &length);
	for (long i = 0; i < n; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		if (connect(client, (void *)&address, length) < 0)
			die("connect");
		int accepted = accept(server, NULL, NULL);
		if (accepted < 0)
			die("accept");
		fill_socket(client);
		fill_socket(accepted);
	}
}

static void epoll_entries(long n)
{
	int ends[2], epoll = epoll_create1(0);
	raise_limit(2 * n);
	for (long i = 0; i < n; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
		if (pipe(ends) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) < 0)
			die("epoll_ctl");
	}
}

static void set_up(const char *mode, long n)
{
	if (strcmp(mode, "gap") == 0)
		gap(n);
	else if (strcmp(mode, "memory") == 0)
		filled(n * MIB);
	else if (strcmp(mode, "processes") == 0)
		processes(n);
	else if (strcmp(mode, "threads") == 0)
		threads(n);
	else if (strcmp(mode, "descriptors") == 0)
		descriptors(n);
	else if (strcmp(mode, "mappings") == 0)
		mappings(n);
	else if (strcmp(mode, "family") == 0)
		family(n);
	else if (strcmp(mode, "pipes") == 0)
		pipes(n);
	else if (strcmp(mode, "unix") == 0)
		unix_pairs(n);
	else if (strcmp(mode, "tcp") == 0)
		tcp(n);
	else if (strcmp(mode, "epoll") == 0)
		epoll_entries(n);
	else if (strcmp(mode, "tiny") != 0)
		die(mode);
}

int main(int argc, char **argv)
{
	char byte;
	if (argc < 2)
		return 64;
	long n = argc > 2 ? atol(argv[2]) : 0;
	if (argc == 4)
		return copy(strcmp(argv[1], "copy-out") == 0, n, argv[3]);
	if (pipe(ready_pipe) < 0)
		die("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		close(null);
		close(ready_pipe[0]);
		setsid();
		set_up(argv[1], n);
		ready();
		wait_for_ever();
	}
	close(ready_pipe[1]);
	if (pid < 0 || read(ready_pipe[0], &byte, 1) != 1)
		die(argv[1]);
	printf("%d\n", pid);
	return 0;
}
