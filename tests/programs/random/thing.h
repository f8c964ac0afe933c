/*
 * One object of a random tree: how it is made, how every process that has it sees that it is whole,
 * and how its maker, at the end, takes out all that lies in it.
 */
#ifndef THING_H
#define THING_H
#include "../subject.h"

struct thing;

struct thing_kind {
	const char *name;
	void (*make)(struct thing *);
	/* Changes nothing; runs in all that have it, some fifty times a second. */
	void (*check)(struct thing *);
	/* In its maker alone, once all others have ended; may be NULL. */
	void (*finish)(struct thing *);
	/* Not inherited by a fork (timers, pending signals, locks of a process). */
	bool own;
};

struct thing {
	const struct thing_kind *kind;
	unsigned seed;
	/* Number of the thing in its tree: for names that must not meet. */
	unsigned number;
	pid_t maker;
	int fd[4];
	char *at;
	size_t size;
	long value[4];
};

/* The same numbers for the same seed. */
unsigned pick(unsigned below);

/* Names the thing in what is reported, and in its files. */
#define HOLD(thing, condition, ...)                                                                \
	CHECK(condition, "%s %u: " FIRST(__VA_ARGS__), (thing)->kind->name, (thing)->number REST(__VA_ARGS__))
#define FIRST(format, ...) format
#define REST(format, ...) __VA_OPT__(, ) __VA_ARGS__

static inline char *name_of(const struct thing *t)
{
	static __thread char name[64];
	snprintf(name, sizeof(name), "%s-%u", t->kind->name, t->number);
	for (char *c = name; *c; c++)
		if (*c == ' ')
			*c = '-';
	return name;
}

static inline char *path_of(const struct thing *t)
{
	static __thread char path[4300];
	snprintf(path, sizeof(path), "%s/%s", subject_dir(), name_of(t));
	return path;
}

/* Bytes of the thing's own at `at`. */
static inline bool is_whole(const struct thing *t, const void *at, size_t size)
{
	return filled(at, size, t->seed);
}
#endif
