/* Scheduling: policy, priority, nice, affinity, I/O priority, per process and per thread. */
#include "subject.h"
#include <sys/resource.h>

/* As in <linux/sched/types.h>, which libc's own headers do not bear beside them. */
struct sched_attr {
	uint32_t size, sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime, sched_deadline, sched_period;
	uint32_t sched_util_min, sched_util_max;
};

struct state {
	struct sched_attr attr;
	uint64_t cpus[16];
	long io;
};

static struct state now(void)
{
	struct state s;
	memset(&s, 0, sizeof(s));
	syscall(SYS_sched_getattr, 0, &s.attr, sizeof(s.attr), 0);
	syscall(SYS_sched_getaffinity, 0, sizeof(s.cpus), s.cpus);
	s.io = syscall(SYS_ioprio_get, 1, 0);
	return s;
}

static void same(const struct state *want)
{
	struct state s = now();
	CHECK(s.attr.sched_policy == want->attr.sched_policy, "policy %u", s.attr.sched_policy);
	CHECK(s.attr.sched_flags == want->attr.sched_flags, "flags %lx", (long)s.attr.sched_flags);
	CHECK(s.attr.sched_nice == want->attr.sched_nice, "nice %d", s.attr.sched_nice);
	CHECK(s.attr.sched_priority == want->attr.sched_priority, "priority %u", s.attr.sched_priority);
	CHECK(s.attr.sched_runtime == want->attr.sched_runtime &&
		      s.attr.sched_deadline == want->attr.sched_deadline &&
		      s.attr.sched_period == want->attr.sched_period,
	      "runtime %lu", (long)s.attr.sched_runtime);
	CHECK(memcmp(s.cpus, want->cpus, sizeof(s.cpus)) == 0, "affinity %lx", (long)s.cpus[0]);
	CHECK(s.io == want->io, "I/O priority %lx, was %lx", s.io, want->io);
}

static void keep(void)
{
	struct state s = now();
	ready();
	while (next_round())
		same(&s);
}

static void set_policy(int policy, int nice, int priority, uint64_t flags)
{
	struct sched_attr a = {.size = sizeof(a), .sched_policy = policy, .sched_nice = nice,
			       .sched_priority = priority, .sched_flags = flags};
	REQUIRE(syscall(SYS_sched_setattr, 0, &a, 0) == 0, "sched_setattr of policy %d", policy);
}

static void policy(void)
{
	set_policy(atoi(subject_arg(0)), atoi(subject_arg(1)), atoi(subject_arg(2)), atoi(subject_arg(3)));
	keep();
}

static void deadline(void)
{
	struct sched_attr a = {.size = sizeof(a), .sched_policy = SCHED_DEADLINE, .sched_runtime = 5000000,
			       .sched_deadline = 20000000, .sched_period = 30000000};
	REQUIRE(syscall(SYS_sched_setattr, 0, &a, 0) == 0, "sched_setattr");
	keep();
}

/* A slice of one's own, since 6.12. */
static void slice(void)
{
	struct sched_attr a = {.size = sizeof(a), .sched_policy = SCHED_OTHER, .sched_nice = 3,
			       .sched_runtime = 10000000};
	REQUIRE(syscall(SYS_sched_setattr, 0, &a, 0) == 0, "sched_setattr");
	keep();
}

static void affinity(void)
{
	uint64_t cpus[16] = {1};
	syscall(SYS_sched_setaffinity, 0, sizeof(cpus), cpus);
	keep();
}

static void io_priority(void)
{
	REQUIRE(syscall(SYS_ioprio_set, 1, 0, atoi(subject_arg(0))) == 0, "ioprio_set");
	keep();
}

static void own_state(void *arg)
{
	int n = (int)(uintptr_t)arg;
	uint64_t cpus[16] = {n % 2 + 1};
	switch (n) {
	case 0: set_policy(SCHED_RR, 0, 7, 0); break;
	case 1: set_policy(SCHED_BATCH, 12, 0, 0); break;
	case 2: set_policy(SCHED_OTHER, -7, 0, 0); break;
	default: set_policy(SCHED_IDLE, 5, 0, 0);
	}
	syscall(SYS_sched_setaffinity, 0, sizeof(cpus), cpus);
	syscall(SYS_ioprio_set, 1, 0, 2 << 13 | n);
	struct state s = now();
	ready();
	while (next_round())
		same(&s);
}

static void per_thread(void)
{
	pthread_t threads[4];
	char name[16];
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "thread-%d", i);
		threads[i] = start_thread(name, own_state, (void *)(uintptr_t)i);
	}
	keep();
	for (int i = 0; i < 4; i++)
		join_thread(threads[i]);
}

static void per_process(void)
{
	start_child("child-1", own_state, (void *)1);
	start_child("child-3", own_state, (void *)3);
	keep();
	join_children();
}

SUBJECT({"policy", policy}, {"deadline", deadline}, {"slice", slice}, {"affinity", affinity},
	{"io-priority", io_priority}, {"per-thread", per_thread}, {"per-process", per_process})
