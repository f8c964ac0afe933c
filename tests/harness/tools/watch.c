/*
 * watch LOG ROUNDS SECONDS   waits until every reporter of a subject has said ok ROUNDS times from
 *                            now on
 * watch --end LOG SECONDS    waits until every reporter has ended
 *
 * Fails with the line of any BAD (1), and with the names of those that stand still (2).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_REPORTERS 2048

static struct reporter {
	char name[64];
	long rounds;
	int ended;
} reporters[MAX_REPORTERS];
static int count;
static int bad;

static struct reporter *find(const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(reporters[i].name, name) == 0)
			return &reporters[i];
	if (count == MAX_REPORTERS) {
		fprintf(stderr, "watch: too many reporters\n");
		exit(3);
	}
	snprintf(reporters[count].name, sizeof(reporters[count].name), "%s", name);
	return &reporters[count++];
}

static void take(const char *line)
{
	char verb[16], name[64];
	if (sscanf(line, "%15s %63s", verb, name) != 2)
		return;
	struct reporter *r = find(name);
	if (strcmp(verb, "ok") == 0)
		r->rounds++;
	else if (strcmp(verb, "end") == 0)
		r->ended = 1;
	else if (bad++ < 5)
		fprintf(stderr, "%s\n", line);
}

/* Takes all complete lines from the descriptor's position on, and stays behind the last. */
static void take_lines(int fd)
{
	static char buffer[1 << 16];
	static size_t used;
	ssize_t n;
	while ((n = read(fd, buffer + used, sizeof(buffer) - 1 - used)) > 0) {
		char *line = buffer, *end;
		used += n;
		buffer[used] = 0;
		while ((end = strchr(line, '\n'))) {
			*end = 0;
			take(line);
			line = end + 1;
		}
		used -= line - buffer;
		memmove(buffer, line, used);
	}
}

static int lagging(long rounds, int want_end, int say)
{
	int left = 0;
	for (int i = 0; i < count; i++) {
		struct reporter *r = &reporters[i];
		if (want_end ? r->ended : r->ended || r->rounds >= rounds)
			continue;
		if (say)
			fprintf(stderr, "%s: %s\n", r->name,
				want_end ? "has not ended" : "stands still");
		left++;
	}
	return left;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return fprintf(stderr, "usage: watch LOG ROUNDS SECONDS | watch --end LOG SECONDS\n"), 64;
	int want_end = strcmp(argv[1], "--end") == 0;
	int fd = open(argv[want_end ? 2 : 1], O_RDONLY);
	long rounds = want_end ? 0 : atol(argv[2]);
	double deadline = now() + atof(argv[3]);
	if (fd < 0)
		return perror("watch: log"), 3;
	take_lines(fd);
	for (int i = 0; i < count; i++)
		reporters[i].rounds = 0;
	for (;;) {
		take_lines(fd);
		if (bad)
			return 1;
		if (count > 0 && lagging(rounds, want_end, 0) == 0)
			return 0;
		if (now() > deadline)
			return lagging(rounds, want_end, 1), 2;
		usleep(4000);
	}
}
