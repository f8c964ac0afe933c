/* Resource limits: every one another value, soft below hard; also of a child and of a plain user. */
#include "subject.h"
#include <sys/resource.h>

static const char *const names[] = {"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE",
				    "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO",
				    "RTTIME"};
#define COUNT 16

static void lower(int step)
{
	/* High enough not to be in the way; never above what the process was given. */
	for (int i = 0; i < COUNT; i++) {
		struct rlimit l, wanted;
		getrlimit(i, &l);
		rlim_t base = i == RLIMIT_NOFILE ? 1000 : i == RLIMIT_NICE || i == RLIMIT_RTPRIO ? 0 :
			      i == RLIMIT_AS || i == RLIMIT_DATA ? 1UL << 40 : 4000000;
		wanted.rlim_max = base + 100 * i + step;
		if (l.rlim_max < wanted.rlim_max)
			wanted.rlim_max = l.rlim_max;
		wanted.rlim_cur = wanted.rlim_max > 60 ? wanted.rlim_max - 50 - step : wanted.rlim_max;
		if (i == RLIMIT_NPROC)
			wanted = l;
		REQUIRE(setrlimit(i, &wanted) == 0, "setrlimit %s", names[i]);
	}
}

static void keep(void)
{
	struct rlimit want[COUNT], l;
	for (int i = 0; i < COUNT; i++)
		getrlimit(i, &want[i]);
	ready();
	while (next_round())
		for (int i = 0; i < COUNT; i++) {
			getrlimit(i, &l);
			CHECK(l.rlim_cur == want[i].rlim_cur && l.rlim_max == want[i].rlim_max,
			      "%s is %lu of %lu, was %lu of %lu", names[i], l.rlim_cur, l.rlim_max,
			      want[i].rlim_cur, want[i].rlim_max);
		}
}

static void all(void)
{
	lower(1);
	keep();
}

static void lower_child(void *arg)
{
	(void)arg;
	lower(0);
	keep();
}

static void of_child(void)
{
	start_child("child", lower_child, NULL);
	keep();
	join_children();
}

static void of_user(void)
{
	lower(1);
	REQUIRE(setresgid(1001, 1001, 1001) == 0 && setresuid(1001, 1001, 1001) == 0, "ids");
	keep();
}

/* Lower than what is in use already. */
static void below_use(void)
{
	struct rlimit files = {3, 20}, space = {16 << 20, 1UL << 40}, stack = {8192, 8 << 20}, data = {0, RLIM_INFINITY};
	static int fds[12];
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < 12; i++)
		REQUIRE((fds[i] = make_file("data", 100, 1)) >= 0, "open");
	char *at = map_private(64 << 20);
	at[5000000] = 1;
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_AS, &space);
	setrlimit(RLIMIT_DATA, &data);
	setrlimit(RLIMIT_STACK, &stack);
	struct rlimit l;
	ready();
	while (next_round()) {
		CHECK(fcntl(fds[11], F_GETFD) == 0 && at[5000000] == 1, "what was there");
		CHECK(open("data", O_RDONLY) == -1 && errno == EMFILE, "a file can be opened");
		getrlimit(RLIMIT_AS, &l);
		CHECK(l.rlim_cur == 16 << 20, "AS %lu", l.rlim_cur);
		CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, "memory can be mapped");
	}
}

SUBJECT({"all", all}, {"of-child", of_child}, {"of-user", of_user}, {"below-use", below_use})
