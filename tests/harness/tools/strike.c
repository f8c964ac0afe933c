/*
 * strike [-SIGNAL] MICROSECONDS COMMAND [ARGUMENT ...]     kills COMMAND after so long
 * strike [-SIGNAL] LOG:TEXT COMMAND [ARGUMENT ...]         kills it once TEXT stands in the file LOG
 *
 * By SIGKILL, with all of its process group, as a terminal does by SIGINT (-2) and SIGHUP; any other
 * SIGNAL, a number, is for COMMAND alone. Prints the microseconds that it lived. Exits with 0 if it was
 * killed by that, with 10 if it ended well, with 1 if it failed by itself, with 11 if it goes on for
 * longer than ten seconds all the same.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long micros(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Looks through what was added since the last call; a little of the old, too, for a split TEXT. */
static int stands_in(const char *path, const char *text)
{
	static int fd = -1;
	static off_t at;
	static char bytes[1 << 16];
	size_t overlap = strlen(text);
	ssize_t n;
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		if (memmem(bytes, n, text, overlap))
			return 1;
		if ((size_t)n <= overlap)
			break;
		at += n - overlap;
	}
	return 0;
}

static void wait_for(pid_t pid, char *when)
{
	long start = micros();
	char *text = strchr(when, ':');
	if (text)
		*text++ = 0;
	siginfo_t info = {0};
	while (text ? !stands_in(when, text) : micros() - start < atol(when)) {
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid)
			return;
		usleep(text ? 50 : 20);
	}
}

int main(int argc, char **argv)
{
	int status, signal = SIGKILL;
	if (argc > 1 && argv[1][0] == '-') {
		signal = atoi(argv[1] + 1);
		argv++, argc--;
	}
	if (argc < 3)
		return fprintf(stderr, "usage: strike [-SIGNAL] MICROSECONDS|LOG:TEXT COMMAND ...\n"), 64;
	long start = micros();
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		/* A shell ignores it in what it runs in the background. */
		sigaction(SIGINT, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
		execvp(argv[2], argv + 2);
		_exit(126);
	}
	setpgid(pid, pid);
	wait_for(pid, argv[1]);
	kill(signal == SIGKILL || signal == SIGINT || signal == SIGHUP ? -pid : pid, signal);
	long struck = micros();
	siginfo_t info = {0};
	while (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid) {
		if (micros() - struck > 10 * 1000000) {
			kill(-pid, SIGKILL);
			return 11;
		}
		usleep(20);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	printf("%ld\n", micros() - start);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == signal ? 0 : 1;
	return WEXITSTATUS(status) == 0 ? 10 : 1;
}
