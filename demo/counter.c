/*
 * counter LOG: a program of the kind that cannot be started again in the middle. Three threads count
 * in memory that a child process shares. Twenty times a second the main thread writes a line to
 * LOG (an open file), sends the same number through a pipe to the child, which adds it up in the
 * shared memory, and prints where all of them are. It ends with 1 as soon as anything got lost.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3

struct shared {
	atomic_long counts[THREADS];
	atomic_long received;
	atomic_long sum;
};

static struct shared *shared;

static void nap(long ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000};
	nanosleep(&t, NULL);
}

static void *count(void *number)
{
	for (;;) {
		shared->counts[(long)number]++;
		nap(1);
	}
	return NULL;
}

/* The child: adds up what comes through the pipe. */
static _Noreturn void add_up(int from)
{
	long n;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(from, &n, sizeof(n)) == sizeof(n)) {
		shared->sum += n;
		shared->received = n;
	}
	exit(0);
}

static void fail(const char *what)
{
	printf("LOST: %s\n", what);
	exit(1);
}

static void one_round(FILE *log, int to, long n)
{
	fprintf(log, "%ld\n", n);
	fflush(log);
	if (write(to, &n, sizeof(n)) != sizeof(n))
		fail("the pipe");
	nap(50);
	for (int i = 0; i < 100 && shared->received != n; i++)
		nap(10);
	if (shared->received != n || shared->sum != n * (n + 1) / 2)
		fail("a number in the pipe");
	printf("round %ld: threads at %ld, %ld, %ld; file at byte %ld; sum through the pipe %ld\n", n,
	       shared->counts[0], shared->counts[1], shared->counts[2], ftell(log), shared->sum);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int ends[2];
	pthread_t thread;
	FILE *log = argc == 2 ? fopen(argv[1], "w") : NULL;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!log || shared == MAP_FAILED || pipe(ends) < 0)
		return perror("counter"), 2;
	if (fork() == 0) {
		close(ends[1]);
		add_up(ends[0]);
	}
	close(ends[0]);
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, count, (void *)i) != 0)
			return 2;
	for (long n = 1;; n++)
		one_round(log, ends[1], n);
}
