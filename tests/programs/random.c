/*
 * Trees at random: `random DIR tree SEED [KIND ...]` makes processes, threads and objects by the
 * numbers that follow from SEED; the same seed makes the same tree. With kinds named (dashes for
 * blanks) only those are made.
 */
#include "random/events.h"
#include "random/files.h"
#include "random/memory.h"
#include "random/sockets.h"
#include <sys/prctl.h>

enum { MOST_THINGS = 60, MOST_PROCESSES = 6, MOST_HERE = 8 };

static const struct thing_kind kinds[] = {FILE_THINGS, EVENT_THINGS, MEMORY_THINGS, SOCKET_THINGS};

static uint64_t state;
/* What this process has: its own, and what it inherited. */
static struct thing things[MOST_THINGS];
static int count;
static unsigned made, processes = 1;

/* splitmix64 */
unsigned pick(unsigned below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

static bool is_wanted(const struct thing_kind *kind)
{
	const struct thing t = {.kind = kind};
	if (!subject_arg(1))
		return true;
	char name[64];
	snprintf(name, sizeof(name), "%s", name_of(&t));
	*strrchr(name, '-') = 0;
	for (int i = 1; subject_arg(i); i++)
		if (strcmp(subject_arg(i), name) == 0)
			return true;
	return false;
}

static void make_one(void)
{
	const struct thing_kind *kind;
	do
		kind = &kinds[pick(COUNT_OF(kinds))];
	while (!is_wanted(kind));
	struct thing *t = &things[count++];
	*t = (struct thing){.kind = kind, .seed = pick(1 << 30), .maker = getpid(), .fd = {-1, -1, -1, -1}};
	/* Unlike in all processes: each makes numbers of its own. */
	t->number = getpid() * 100 + made++;
	kind->make(t);
}

/* A description at another number, as shells and servers leave it. */
static void move_some(void)
{
	for (int i = 0; i < count; i++)
		if (!things[i].kind->own && things[i].fd[0] >= 0 && pick(6) == 0 && strncmp(things[i].kind->name, "lock", 4) &&
		    strcmp(things[i].kind->name, "epoll")) {
			int moved = fcntl(things[i].fd[0], pick(2) ? F_DUPFD : F_DUPFD_CLOEXEC, 100 + pick(200));
			REQUIRE(moved >= 0, "F_DUPFD");
			close(things[i].fd[0]);
			things[i].fd[0] = moved;
		}
}

/* What a child does not want of its parent's. */
static void drop_some(void)
{
	int kept = 0;
	for (int i = 0; i < count; i++) {
		struct thing *t = &things[i];
		bool drop = t->kind->own || pick(4) == 0;
		if (!drop) {
			things[kept++] = *t;
			continue;
		}
		/* Not the file of a process's lock: the lock is the parent's, and stays. */
		for (int n = 0; n < 4; n++)
			if (t->fd[n] >= 0)
				close(t->fd[n]);
		if (t->at)
			munmap(t->at, t->size);
	}
	count = kept;
}

static void look_at_all(void)
{
	for (int i = 0; i < count; i++)
		things[i].kind->check(&things[i]);
}

static void thread(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

static void live(void);

static void child(void *arg)
{
	state = *(uint64_t *)arg;
	made = 0;
	processes *= 2;
	if (pick(4) == 0)
		setsid();
	drop_some();
	live();
}

/* All of a process: set-up, then checks until the end. */
static void live(void)
{
	pid_t self = getpid();
	pthread_t threads[3];
	int thread_count = pick(3) ? 0 : pick(3), own = 1 + pick(MOST_HERE);
	for (int i = 0; i < own && count < MOST_THINGS; i++)
		make_one();
	move_some();
	int child_count = processes < MOST_PROCESSES ? pick(4) : 0;
	for (int i = 0; i < child_count; i++) {
		char name[32];
		uint64_t seed = state ^ (uint64_t)(i + 1) << 32;
		snprintf(name, sizeof(name), "p%u.%d", self, i);
		processes++;
		start_child(name, child, &seed);
	}
	own = pick(4);
	for (int i = 0; i < own && count < MOST_THINGS; i++)
		make_one();
	for (int i = 0; i < thread_count; i++) {
		char name[32];
		snprintf(name, sizeof(name), "t%u.%d", self, i);
		threads[i] = start_thread(name, thread, NULL);
	}
	ready();
	while (next_round())
		look_at_all();
	for (int i = 0; i < thread_count; i++)
		join_thread(threads[i]);
	join_children();
	for (int i = 0; i < count; i++)
		if (things[i].maker == self && things[i].kind->finish)
			things[i].kind->finish(&things[i]);
}

static void tree(void)
{
	REQUIRE(subject_arg(0), "a seed");
	state = strtoull(subject_arg(0), NULL, 0);
	live();
}

SUBJECT({"tree", tree})
