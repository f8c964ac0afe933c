/*
 * Objects that a dump refuses. Each sits at a descriptor of its own number (100 and up), so that the
 * report can be checked for it; the subject counts on, and its object works as before.
 */
#include "subject.h"
#include <arpa/inet.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Moves what was just made to its number. */
static void at(int number, int fd)
{
	REQUIRE(fd >= 0 && dup2(fd, number) == number, "descriptor %d", number);
	close(fd);
}

static void idle(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

static void keep_descriptors(void)
{
	struct stat before[40], now;
	for (int i = 0; i < 40; i++)
		if (fstat(100 + i, &before[i]) != 0)
			before[i].st_ino = 0;
	ready();
	while (next_round())
		for (int i = 0; i < 40; i++)
			CHECK(!before[i].st_ino || (fstat(100 + i, &now) == 0 && now.st_ino == before[i].st_ino),
			      "descriptor %d", 100 + i);
}

static void make_sockets(void)
{
	int s;
	struct sockaddr_un name = {AF_UNIX, "renamed"};
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	REQUIRE(bind(s, (void *)&name, sizeof(name)) == 0 && listen(s, 1) == 0, "unix socket");
	REQUIRE(rename("renamed", "another") == 0, "rename");
	at(102, s);
	at(103, socket(AF_VSOCK, SOCK_STREAM, 0));
	at(104, socket(AF_XDP, SOCK_RAW, 0));
	at(105, socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
}

static void sockets(void)
{
	make_sockets();
	keep_descriptors();
}

static void make_events(void)
{
	at(110, open("/proc/self/ns/net", O_RDONLY));
	at(114, inotify_init());
	at(115, fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
	at(116, syscall(SYS_pidfd_open, getpid(), 0));
	at(117, syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY));
}

static void events(void)
{
	make_events();
	keep_descriptors();
}

/* Puts `fd` at 199, where the epoll at 111 watches it. */
static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	at(199, fd);
	at(111, epoll_create1(0));
	REQUIRE(epoll_ctl(111, EPOLL_CTL_ADD, 199, &event) == 0, "epoll_ctl");
}

/* Somebody outside keeps the eventfd alive; here its number is closed. */
static void lost_target(void)
{
	watch(eventfd(0, 0));
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			setsid();
			close(111);
			while (!stop_requested())
				nap_ms(20);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(199);
	keep_descriptors();
}

static void has_signalfd(void *arg)
{
	(void)arg;
	close(111);
	idle(NULL);
}

static void lone_signalfd(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	watch(signalfd(-1, &set, 0));
	start_child("child", has_signalfd, NULL);
	close(199);
	keep_descriptors();
	join_children();
}

static void make_others(void)
{
	struct io_uring_params params;
	struct perf_event_attr perf = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(perf),
				       .config = PERF_COUNT_SW_TASK_CLOCK};
	union bpf_attr map;
	memset(&params, 0, sizeof(params));
	memset(&map, 0, sizeof(map));
	map.map_type = BPF_MAP_TYPE_ARRAY, map.key_size = 4, map.value_size = 4, map.max_entries = 1;
	at(120, syscall(SYS_io_uring_setup, 4, &params));
	at(121, syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0));
	at(122, syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)));
	at(123, syscall(SYS_fsopen, "tmpfs", 0));
	at(124, posix_openpt(O_RDWR | O_NOCTTY));
}

static void others(void)
{
	make_others();
	keep_descriptors();
}

static void devices(void)
{
	at(130, open("/dev/fuse", O_RDWR));
	at(131, open("/dev/net/tun", O_RDWR));
	at(132, open("/dev/loop-control", O_RDWR));
	at(133, open("/dev/kmsg", O_RDONLY));
	keep_descriptors();
}

static void file_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	int fd = make_file("data", 100, 1);
	switch (subject_arg(0)[0]) {
	case 'p': REQUIRE(fcntl(fd, F_SETLK, &lock) == 0, "F_SETLK"); break;
	case 'o': REQUIRE(fcntl(fd, F_OFD_SETLK, &lock) == 0, "F_OFD_SETLK"); break;
	case 'f': REQUIRE(flock(fd, LOCK_EX) == 0, "flock"); break;
	default:
		close(fd);
		fd = open("data", O_RDONLY);
		REQUIRE(fcntl(fd, F_SETLEASE, F_RDLCK) == 0, "F_SETLEASE");
	}
	/* A duplicate and its closing would give a POSIX lock up; so the number is what it is. */
	ready();
	while (next_round())
		CHECK(fcntl(fd, F_GETFD) == 0, "descriptor");
}

static void secret_memory(void)
{
	int fd = syscall(447 /* memfd_secret */, 0);
	if (fd < 0)
		REQUIRE(errno == ENOSYS, "memfd_secret");
	NEEDS(fd >= 0, "memfd_secret");
	REQUIRE(ftruncate(fd, PAGE) == 0, "ftruncate");
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(at != MAP_FAILED, "mmap");
	close(fd);
	strcpy(at, "secret");
	ready();
	while (next_round())
		CHECK(strcmp(at, "secret") == 0, "content");
}

/* The other end of a fifo is with somebody outside. */
static void outside_fifo(void)
{
	int p[2], both;
	REQUIRE(mkfifo("fifo", 0600) == 0, "mkfifo");
	both = open("fifo", O_RDWR);
	p[0] = open("fifo", O_RDONLY);
	p[1] = open("fifo", O_WRONLY);
	close(both);
	REQUIRE(p[1] >= 0, "open");
	/* Outside of the tree: reparented to init. */
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			setsid();
			close(subject_log());
			for (char c; read(p[0], &c, 1) == 1;)
				;
			_exit(0);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(p[0]);
	at(140, p[1]);
	signal(SIGPIPE, SIG_IGN);
	ready();
	while (next_round())
		CHECK(write(140, "x", 1) == 1, "the reader is gone");
}

static void in_namespace(void *arg)
{
	REQUIRE(unshare((int)(uintptr_t)arg) == 0, "unshare");
	idle(NULL);
}

static void namespace_of_child(void)
{
	start_child("child", in_namespace, (void *)(uintptr_t)strtoul(subject_arg(0), NULL, 16));
	ready();
	while (next_round())
		;
	join_children();
}

/* A debugger and what it debugs. */
static void traced_body(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

static void traced(void)
{
	pid_t pid = start_child("traced", traced_body, NULL);
	REQUIRE(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0, "PTRACE_SEIZE");
	ready();
	while (next_round())
		;
	/* It may have ended by itself in the meantime. */
	int status = 0;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	CHECK(waitpid(pid, &status, __WALL) == pid, "waitpid: %d", errno);
	if (WIFSTOPPED(status)) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		join_children();
	}
}

/* Two processes in one address space. */
static int vm_child(void *arg)
{
	struct timespec nap = {0, 1000000};
	while (*(volatile int *)arg == 0)
		nanosleep(&nap, NULL);
	return 0;
}

static void shared_address_space(void)
{
	static int stop;
	int status;
	char *stack = map_private(16 * PAGE);
	pid_t pid = clone(vm_child, stack + 16 * PAGE, CLONE_VM | SIGCHLD, &stop);
	REQUIRE(pid > 0, "clone");
	ready();
	while (next_round())
		CHECK(waitpid(pid, &status, WNOHANG) == 0, "the other has ended");
	stop = 1;
	waitpid(pid, &status, 0);
}

/* A thread with descriptors, or a directory, of its own. */
static void apart(void *arg)
{
	ready();
	/* Only then: what the leader closes by now would stay open in a copy. */
	nap_ms(20);
	CHECK(unshare((int)(uintptr_t)arg) == 0, "unshare: %d", errno);
	while (next_round())
		;
}

static void thread_apart(void)
{
	pthread_t thread = start_thread("apart", apart, (void *)(uintptr_t)strtoul(subject_arg(0), NULL, 16));
	nap_ms(40);
	ready();
	while (next_round())
		;
	join_thread(thread);
}

/* Many at once, in parent and child: one report names them all. */
static void all_child(void *arg)
{
	(void)arg;
	at(118, inotify_init());
	at(119, syscall(SYS_pidfd_open, getpid(), 0));
	idle(NULL);
}

static void all(void)
{
	make_sockets();
	make_events();
	make_others();
	start_child("child", all_child, NULL);
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	REQUIRE(shmat(id, NULL, 0) != (void *)-1, "shmat");
	shmctl(id, IPC_RMID, NULL);
	keep_descriptors();
	join_children();
}

SUBJECT({"sockets", sockets}, {"events", events}, {"lost-target", lost_target},
	{"lone-signalfd", lone_signalfd}, {"others", others}, {"devices", devices},
	{"file-lock", file_lock},
	{"secret-memory", secret_memory}, {"outside-fifo", outside_fifo},
	{"namespace", namespace_of_child}, {"traced", traced},
	{"shared-address-space", shared_address_space}, {"thread-apart", thread_apart}, {"all", all})
