#include "subject.h"
#include <stdarg.h>

#define MAX_CHILDREN 4096

static int log_fd = -1;
static bool once, here;
static char directory[4096];
static char **arguments;
static pid_t children[MAX_CHILDREN];
static int child_count;

/* Who reports: the main thread of a process, or a thread of its own name. */
static __thread struct {
	char name[64];
	unsigned round;
	bool bad_round, bad_ever, stopping;
	int ready_fd;
} me = {.name = "main", .ready_fd = -1};

static void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void log_line(const char *format, ...)
{
	char line[600];
	va_list list;
	va_start(list, format);
	int n = vsnprintf(line, sizeof(line) - 1, format, list);
	va_end(list);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	/* One write: lines of several processes never mix. */
	if (write(log_fd, line, n + 1) != n + 1)
		_exit(3);
}

void subject_bad(const char *format, ...)
{
	char reason[400];
	va_list list;
	va_start(list, format);
	vsnprintf(reason, sizeof(reason), format, list);
	va_end(list);
	me.bad_round = me.bad_ever = true;
	log_line("BAD %s %u: %s", me.name, me.round, reason);
}

/* Stdio is /dev/null from the start: what goes wrong in set-up is handed to the launcher. */
static _Noreturn void give_up(int status, const char *text)
{
	char path[4200];
	snprintf(path, sizeof(path), "%s/error", directory);
	FILE *file = fopen(path, "a");
	if (file) {
		fprintf(file, "%s: %s\n", me.name, text);
		fclose(file);
	}
	_exit(status);
}

void subject_die(const char *format, ...)
{
	char text[400];
	const char *error = strerror(errno);
	va_list list;
	va_start(list, format);
	int n = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (n >= 0 && n < (int)sizeof(text))
		snprintf(text + n, sizeof(text) - n, ": %s", error);
	give_up(2, text);
}

void subject_cannot(const char *what)
{
	char text[400];
	snprintf(text, sizeof(text), "cannot run on this machine: %s", what);
	give_up(CANNOT_RUN, text);
}

const char *subject_arg(int i)
{
	for (int n = 0; n <= i; n++)
		if (!arguments[n])
			return NULL;
	return arguments[i];
}

const char *subject_dir(void)
{
	return directory;
}

int subject_log(void)
{
	return log_fd;
}

bool all_well(void)
{
	return !me.bad_ever;
}

bool stop_requested(void)
{
	struct stat st;
	return (once && me.round >= 3) || (fstat(log_fd, &st) == 0 && (st.st_mode & 0100));
}

void ready(void)
{
	char byte = 1;
	if (write(me.ready_fd, &byte, 1) != 1)
		subject_die("ready");
	close(me.ready_fd);
	me.ready_fd = -1;
}

bool next_busy_round(void)
{
	if (me.round > 0 && !me.bad_round)
		log_line("ok %s %u", me.name, me.round);
	if (me.stopping)
		return false;
	me.stopping = stop_requested();
	me.bad_round = false;
	me.round++;
	return true;
}

bool next_round(void)
{
	if (!me.stopping)
		nap_ms(20);
	return next_busy_round();
}

static int finish(void)
{
	log_line("end %s", me.name);
	return me.bad_ever ? 1 : 0;
}

/* In the child or thread: a fresh reporter. */
static void become(const char *name, int ready_fd)
{
	memset(&me, 0, sizeof(me));
	snprintf(me.name, sizeof(me.name), "%s", name);
	me.ready_fd = ready_fd;
}

static void await_ready(int fds[2], const char *name)
{
	char byte;
	ssize_t n;
	close(fds[1]);
	do
		n = read(fds[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	close(fds[0]);
	if (n != 1)
		subject_die("%s did not become ready", name);
}

pid_t clone_child(const char *name, unsigned long flags, void (*body)(void *), void *arg)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		subject_die("pipe");
	/* With a shared table the writing end must stay open here until the child closes it. */
	bool shared = flags & CLONE_FILES;
	/* Only fork() tells libc of the new thread id and its robust list. */
	pid_t pid = flags == SIGCHLD ? fork() : syscall(SYS_clone, flags, 0, 0, 0, 0);
	if (pid < 0)
		subject_die("clone");
	if (pid == 0) {
		child_count = 0;
		if (!shared)
			close(fds[0]);
		become(name, fds[1]);
		body(arg);
		/* exit() would flush buffers that the parent has too; nothing here needs it. */
		_exit(finish());
	}
	if (shared) {
		char byte;
		if (read(fds[0], &byte, 1) != 1)
			subject_die("%s did not become ready", name);
		close(fds[0]);
	} else {
		await_ready(fds, name);
	}
	if (child_count < MAX_CHILDREN)
		children[child_count++] = pid;
	return pid;
}

pid_t start_child(const char *name, void (*body)(void *), void *arg)
{
	return clone_child(name, SIGCHLD, body, arg);
}

struct exec_start {
	const char *name, *program, *mode;
};

static void exec_body(void *arg)
{
	struct exec_start *start = arg;
	char path[4096], fd[16];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	char *slash = strrchr(path, '/');
	if (!slash)
		subject_die("readlink");
	snprintf(slash + 1, path + sizeof(path) - slash - 1, "%s", start->program);
	snprintf(fd, sizeof(fd), "%d", me.ready_fd);
	fcntl(me.ready_fd, F_SETFD, 0);
	close(log_fd);
	execl(path, start->program, "--as", start->name, fd, directory, start->mode, (char *)NULL);
	_exit(126);
}

pid_t exec_child(const char *name, const char *program, const char *mode)
{
	struct exec_start start = {name, program, mode};
	return start_child(name, exec_body, &start);
}

void join_child(pid_t pid)
{
	int status = -1;
	pid_t got;
	do
		got = waitpid(pid, &status, __WALL);
	while (got < 0 && errno == EINTR);
	CHECK(got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0,
	      "child %d: waitpid %d, status %x", pid, got, status);
	for (int i = 0; i < child_count; i++)
		if (children[i] == pid)
			children[i] = 0;
}

void join_children(void)
{
	for (int i = 0; i < child_count; i++)
		if (children[i])
			join_child(children[i]);
}

struct thread_start {
	const char *name;
	void (*body)(void *);
	void *arg;
	int ready_fd;
};

static void *thread_main(void *arg)
{
	struct thread_start start = *(struct thread_start *)arg;
	become(start.name, start.ready_fd);
	start.body(start.arg);
	return (void *)(intptr_t)finish();
}

pthread_t start_thread(const char *name, void (*body)(void *), void *arg)
{
	int fds[2];
	char byte;
	pthread_t thread;
	if (pipe2(fds, O_CLOEXEC) < 0)
		subject_die("pipe");
	struct thread_start start = {name, body, arg, fds[1]};
	if (pthread_create(&thread, NULL, thread_main, &start) != 0)
		subject_die("pthread_create");
	if (read(fds[0], &byte, 1) != 1)
		subject_die("thread %s did not become ready", name);
	close(fds[0]);
	return thread;
}

void join_thread(pthread_t thread)
{
	void *result = (void *)-1;
	int error = pthread_join(thread, &result);
	CHECK(error == 0 && result == NULL, "thread: pthread_join %d, result %p", error, result);
}

static uint32_t pattern(unsigned seed, size_t i)
{
	uint32_t x = (uint32_t)i * 2654435761u + seed * 40503u + 1;
	x ^= x >> 15;
	x *= 2246822519u;
	return x ^ (x >> 13);
}

void fill(void *at, size_t size, unsigned seed)
{
	uint32_t *words = at;
	for (size_t i = 0; i < size / 4; i++)
		words[i] = pattern(seed, i);
}

bool filled(const void *at, size_t size, unsigned seed)
{
	const uint32_t *words = at;
	for (size_t i = 0; i < size / 4; i++)
		if (words[i] != pattern(seed, i))
			return false;
	return true;
}

int make_file(const char *name, size_t size, unsigned seed)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	char *bytes = malloc(size ? size : 1);
	REQUIRE(fd >= 0 && bytes, "open %s", name);
	fill(bytes, size, seed);
	REQUIRE(write(fd, bytes, size) == (ssize_t)size, "write %s", name);
	REQUIRE(lseek(fd, 0, SEEK_SET) == 0, "lseek %s", name);
	free(bytes);
	return fd;
}

int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void nap_ms(int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&t, NULL);
}

pid_t gettid_raw(void)
{
	return syscall(SYS_gettid);
}

static void *map_anonymous(size_t size, int flags)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	REQUIRE(at != MAP_FAILED, "mmap of %zu bytes", size);
	return at;
}

void *map_private(size_t size)
{
	return map_anonymous(size, MAP_PRIVATE);
}

void *map_shared(size_t size)
{
	return map_anonymous(size, MAP_SHARED);
}

long field_of(const char *path, const char *field)
{
	char line[512];
	long value = -1;
	size_t n = strlen(field);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, n) == 0 && line[n] == ':') {
			value = strtol(line + n + 1, NULL, 0);
			break;
		}
	if (file)
		fclose(file);
	return value;
}

static void quiet_stdio(void)
{
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void write_pid(pid_t pid)
{
	FILE *file = fopen("pid", "w");
	if (!file || fprintf(file, "%d\n", pid) < 0 || fclose(file) != 0)
		subject_die("write pid");
}

static void print_error(void)
{
	char line[600];
	FILE *file = fopen("error", "r");
	while (file && fgets(line, sizeof(line), file))
		fputs(line, stderr);
}

/* The command that started the subject: waits until it is ready or dead. */
static int launcher(pid_t pid, int ready_fd)
{
	char byte;
	int status = 0;
	bool came = read(ready_fd, &byte, 1) == 1;
	if (came)
		write_pid(pid);
	if (came && !once)
		return 0;
	waitpid(pid, &status, 0);
	print_error();
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return came || status ? status : 2;
}

static _Noreturn void run(const struct subject_mode *mode, int ready_fd)
{
	me.ready_fd = ready_fd;
	mode->run();
	_exit(finish());
}

static const struct subject_mode *find_mode(const struct subject_mode *modes, const char *name)
{
	for (const struct subject_mode *m = modes; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static int usage(const char *program, const struct subject_mode *modes)
{
	fprintf(stderr, "usage: %s [--once | --here] DIR MODE [ARGUMENT ...]\nmodes:", program);
	for (const struct subject_mode *m = modes; m->name; m++)
		fprintf(stderr, " %s", m->name);
	fprintf(stderr, "\n");
	return 64;
}

int subject_main(int argc, char **argv, const struct subject_mode *modes)
{
	char **args = argv + 1;
	/* --once: three rounds, then the end; --here: stay in the session and on the terminal. */
	here = argc > 1 && strcmp(args[0], "--here") == 0;
	once = argc > 1 && strcmp(args[0], "--once") == 0;
	args += once || here;
	/* --as NAME FD: a child of another subject, made by exec_child(). */
	bool as_child = argc > 5 && strcmp(args[0], "--as") == 0;
	if (as_child) {
		become(args[1], atoi(args[2]));
		args += 3;
	}
	const struct subject_mode *mode = args[0] && args[1] ? find_mode(modes, args[1]) : NULL;
	if (!mode)
		return usage(argv[0], modes);
	arguments = args + 2;
	if (chdir(args[0]) < 0 || !getcwd(directory, sizeof(directory)))
		subject_die("chdir %s", args[0]);
	log_fd = open("log", O_WRONLY | O_APPEND | O_CREAT, 0644);
	int fds[2];
	if (log_fd < 0)
		subject_die("log");
	if (as_child)
		run(mode, me.ready_fd);
	if (pipe2(fds, O_CLOEXEC) < 0)
		subject_die("pipe");
	pid_t pid = fork();
	if (pid != 0) {
		close(fds[1]);
		return pid < 0 ? 2 : launcher(pid, fds[0]);
	}
	close(fds[0]);
	if (!here) {
		setsid();
		quiet_stdio();
	}
	run(mode, fds[1]);
}
