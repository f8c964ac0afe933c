/* What else belongs to a process: names, areas, flags. */
#include "subject.h"
#include <linux/membarrier.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <linux/prctl.h>
#include <sys/prctl.h>

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "write %s", path);
	close(fd);
}

static size_t read_bytes(const char *path, char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	for (ssize_t n; fd >= 0 && (n = read(fd, bytes + used, size - used)) > 0;)
		used += n;
	close(fd);
	return used;
}

/* The bytes of a file under /proc stay the same. */
static void keep_file(const char *path)
{
	static char before[65536], after[65536];
	size_t size = read_bytes(path, before, sizeof(before));
	ready();
	while (next_round()) {
		size_t now = read_bytes(path, after, sizeof(after));
		CHECK(now == size && memcmp(before, after, size) == 0, "%s is %.*s", path, (int)(now < 60 ? now : 60),
		      after);
	}
}

static void set_personality(void)
{
	REQUIRE(personality(strtoul(subject_arg(0), NULL, 16)) >= 0, "personality");
	unsigned long want = personality(0xffffffff);
	ready();
	while (next_round())
		CHECK((unsigned long)personality(0xffffffff) == want, "personality %x", personality(0xffffffff));
}

static void huge_page_flag(void)
{
	REQUIRE(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0, "PR_SET_THP_DISABLE");
	ready();
	while (next_round())
		CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "THP flag %d",
		      prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

static void slack_thread(void *arg)
{
	unsigned long want = (uintptr_t)arg;
	prctl(PR_SET_TIMERSLACK, want);
	ready();
	while (next_round())
		CHECK((unsigned long)prctl(PR_GET_TIMERSLACK) == want, "slack %d", prctl(PR_GET_TIMERSLACK));
}

static void timer_slack(void)
{
	prctl(PR_SET_TIMERSLACK, 1234567);
	pthread_t thread = start_thread("thread", slack_thread, (void *)777);
	start_child("child", slack_thread, (void *)1);
	ready();
	while (next_round())
		CHECK(prctl(PR_GET_TIMERSLACK) == 1234567, "slack %d", prctl(PR_GET_TIMERSLACK));
	join_thread(thread);
	join_children();
}

static void oom_child(void *arg)
{
	write_text("/proc/self/oom_score_adj", (char *)arg);
	keep_file("/proc/self/oom_score_adj");
}

static void oom(void)
{
	write_text("/proc/self/oom_score_adj", "100");
	start_child("child", oom_child, "987");
	keep_file("/proc/self/oom_score_adj");
	join_children();
}

static void comm(void)
{
	write_text("/proc/self/comm", subject_arg(0));
	keep_file("/proc/self/comm");
}

static void command_line(void)
{
	keep_file("/proc/self/cmdline");
}

static void environment(void)
{
	/* The area shown is that of the start; what is set later lies in the heap. */
	setenv("LATER", "set", 1);
	char *path = getenv("PATH");
	path[0] = '#';
	keep_file("/proc/self/environ");
	CHECK(strcmp(getenv("LATER"), "set") == 0 && getenv("PATH")[0] == '#', "variables");
}

/* Fields of /proc/self/stat by their numbers in proc(5); the first three are no numbers. */
static void read_stat(unsigned long fields[53])
{
	FILE *file = fopen("/proc/self/stat", "r");
	REQUIRE(file, "/proc/self/stat");
	for (int field = 1; field <= 52; field++)
		if (field < 4)
			REQUIRE(fscanf(file, "%*s") >= 0, "stat");
		else
			REQUIRE(fscanf(file, "%lu", &fields[field]) == 1, "stat");
	fclose(file);
}

/* Written over, as daemons do to say what they are at. */
static void title(void)
{
	unsigned long fields[53];
	read_stat(fields);
	strcpy((char *)fields[48], "worker: idle");
	keep_file("/proc/self/cmdline");
}

/* Areas moved to memory of one's own. */
static void moved_areas(void)
{
	struct prctl_mm_map map;
	unsigned long fields[53];
	char *area = map_private(PAGE);
	read_stat(fields);
	strcpy(area, "argument");
	strcpy(area + 100, "VARIABLE=value");
	memset(&map, 0, sizeof(map));
	map.start_code = fields[26], map.end_code = fields[27], map.start_stack = fields[28];
	map.start_data = fields[45], map.end_data = fields[46], map.start_brk = fields[47];
	map.brk = (unsigned long)sbrk(0), map.exe_fd = -1;
	map.arg_start = (unsigned long)area, map.arg_end = map.arg_start + 9;
	map.env_start = (unsigned long)area + 100, map.env_end = map.env_start + 15;
	REQUIRE(prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) == 0, "PR_SET_MM_MAP");
	keep_file("/proc/self/cmdline");
	CHECK(strcmp(area + 100, "VARIABLE=value") == 0, "environment");
}

static void auxiliary(void)
{
	unsigned long phdr = getauxval(AT_PHDR), random = getauxval(AT_RANDOM);
	unsigned char bytes[16];
	memcpy(bytes, (void *)random, 16);
	static char before[4096], after[4096];
	size_t size = read_bytes("/proc/self/auxv", before, sizeof(before));
	ready();
	while (next_round()) {
		CHECK(getauxval(AT_PHDR) == phdr && memcmp(bytes, (void *)random, 16) == 0, "values");
		CHECK(read_bytes("/proc/self/auxv", after, sizeof(after)) == size &&
			      memcmp(before, after, size) == 0, "/proc/self/auxv");
	}
}

static void exe_link(void)
{
	char before[4096], after[4096];
	ssize_t n = readlink("/proc/self/exe", before, sizeof(before));
	ready();
	while (next_round())
		CHECK(readlink("/proc/self/exe", after, sizeof(after)) == n && memcmp(before, after, n) == 0,
		      "exe is another");
}

static void set_umask(void)
{
	umask(0137);
	ready();
	while (next_round()) {
		mode_t now = umask(0137);
		CHECK(now == 0137, "umask %o", now);
	}
}

#define MEMBARRIER_GET 512 /* MEMBARRIER_CMD_GET_REGISTRATIONS, since 6.3 */

static void membarrier_registered(void)
{
	int all = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
		  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, had = 0;
	for (int command = 1; command < 512; command <<= 1)
		if (command & all)
			REQUIRE(syscall(SYS_membarrier, command, 0, 0) == 0, "membarrier %x", command);
	had = syscall(SYS_membarrier, MEMBARRIER_GET, 0, 0);
	NEEDS(had == all, "MEMBARRIER_CMD_GET_REGISTRATIONS");
	ready();
	while (next_round()) {
		CHECK(syscall(SYS_membarrier, MEMBARRIER_GET, 0, 0) == had, "registrations %lx, were %x",
		      syscall(SYS_membarrier, MEMBARRIER_GET, 0, 0), had);
		CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0, "membarrier: %d", errno);
	}
}

/* With all of it registered, rseq too. */
static void membarrier_rseq(void)
{
	REQUIRE(syscall(SYS_membarrier, 1 << 8, 0, 0) == 0, "membarrier of rseq");
	ready();
	while (next_round())
		CHECK(syscall(SYS_membarrier, 1 << 7, 0, 0) == 0, "membarrier of rseq: %d", errno);
}

SUBJECT({"personality", set_personality}, {"huge-page-flag", huge_page_flag},
	{"timer-slack", timer_slack}, {"oom", oom}, {"comm", comm}, {"command-line", command_line},
	{"environment", environment}, {"title", title}, {"moved-areas", moved_areas},
	{"auxiliary", auxiliary}, {"exe-link", exe_link}, {"umask", set_umask},
	{"membarrier", membarrier_registered}, {"membarrier-rseq", membarrier_rseq})
