/*
 * The frame of a subject: a small program that sets up some state, and then checks that state by
 * itself, some fifty times a second, before, between and after dumps and restores.
 *
 *   static void position(void)
 *   {
 *       ... set up; REQUIRE(fd >= 0, "open"); ...
 *       ready();
 *       while (next_round())
 *           CHECK(lseek(fd, 0, SEEK_CUR) == 7, "position %ld", ...);
 *   }
 *   SUBJECT({"position", position})
 *
 * Started as `PROGRAM DIR MODE`, it opens DIR/log, makes itself a session leader of its own, and
 * the command returns 0 as soon as ready() was called; DIR/pid then holds its pid. Each reporter
 * (process or thread with a name of its own) appends lines to the log:
 *
 *   ok NAME ROUND            the round's checks were all right
 *   BAD NAME ROUND: reason   one that was not
 *   end NAME                 the reporter has ended by the stop request
 *
 * The stop request is an executable log (`chmod +x DIR/log`): seen by fstat, so it needs no path
 * and works in a chroot, without privileges and after any change of directories.
 */
#ifndef SUBJECT_H
#define SUBJECT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct subject_mode {
	const char *name;
	void (*run)(void);
};

#define SUBJECT(...)                                                                               \
	static const struct subject_mode subject_modes[] = {__VA_ARGS__, {NULL, NULL}};            \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return subject_main(argc, argv, subject_modes);                                    \
	}

int subject_main(int argc, char **argv, const struct subject_mode *modes);

/* Exit status of a subject that cannot run on this machine (no such CPU feature). */
#define CANNOT_RUN 77

/* What follows MODE on the command line; NULL past the end. */
const char *subject_arg(int i);
/* The directory of the test, absolute; also the current directory at the start. */
const char *subject_dir(void);
/* Descriptor of the log. */
int subject_log(void);

/* Ends set-up: of the subject, or of the child or thread that calls it. */
void ready(void);
/* Reports the round before, naps 20 ms; false once the stop request was seen and checked after. */
bool next_round(void);
/* next_round() without the nap, for those that spend the time otherwise. */
bool next_busy_round(void);
bool stop_requested(void);
/* True when no check of this reporter has failed so far. */
bool all_well(void);

void subject_bad(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void subject_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			subject_bad(__VA_ARGS__);                                                  \
	} while (0)
/* Set-up that fails is no lost state: the subject never becomes ready. */
#define REQUIRE(condition, ...)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			subject_die(__VA_ARGS__);                                                  \
	} while (0)
/* A machine without the feature says so, and the test is shown as not run. */
#define NEEDS(condition, what)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			subject_cannot(what);                                                      \
	} while (0)
_Noreturn void subject_cannot(const char *what);

/*
 * A child process with a name of its own, which runs `body` and must call ready(); returns its pid
 * once it did. It ends by the same stop request; join_child() checks that it ended well.
 */
pid_t start_child(const char *name, void (*body)(void *), void *arg);
/* The same with clone flags (CLONE_FILES, CLONE_FS, CLONE_PARENT, an exit signal). */
pid_t clone_child(const char *name, unsigned long flags, void (*body)(void *), void *arg);
/* A child that executes PROGRAM MODE, of the same directory: another word size, another libc. */
pid_t exec_child(const char *name, const char *program, const char *mode);
void join_child(pid_t pid);
/* Joins all children that start_child made here. */
void join_children(void);
/* A thread with a name of its own, which must call ready() too. */
pthread_t start_thread(const char *name, void (*body)(void *), void *arg);
void join_thread(pthread_t thread);

/* Bytes that differ by seed and place: what was lost, moved or swapped is seen. */
void fill(void *at, size_t size, unsigned seed);
bool filled(const void *at, size_t size, unsigned seed);
/* A file of `size` such bytes; returns a descriptor (O_RDWR). */
int make_file(const char *name, size_t size, unsigned seed);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t now_ms(void);
void nap_ms(int ms);
pid_t gettid_raw(void);
/* A private anonymous mapping, read and write. */
void *map_private(size_t size);
void *map_shared(size_t size);
/* Value of `Field:` in /proc/PID/status or of a smaps-like file at `path`; -1 when absent. */
long field_of(const char *path, const char *field);
#define PAGE ((size_t)4096)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#endif
