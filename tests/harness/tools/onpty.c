/*
 * onpty COMMAND [ARGUMENT ...]
 *
 * Runs COMMAND as the leader of a new session whose terminal is a new pseudo terminal, copies what
 * it prints to our stdout, and exits with its status. The master stays with us: for COMMAND and all
 * that it starts it is a terminal from outside, like that of a shell.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(125);
}

static _Noreturn void run(const char *terminal, char **command)
{
	setsid();
	int fd = open(terminal, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
		die(terminal);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	close_range(3, ~0U, 0);
	execvp(command[0], command);
	die(command[0]);
}

int main(int argc, char **argv)
{
	char bytes[4096];
	ssize_t n;
	int status;
	if (argc < 2)
		return fprintf(stderr, "usage: onpty COMMAND [ARGUMENT ...]\n"), 64;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		die("posix_openpt");
	/* Held open here too: a moment without any slave open would end the copying. */
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	pid_t pid = fork();
	if (pid == 0)
		run(ptsname(master), argv + 1);
	fcntl(master, F_SETFL, O_NONBLOCK);
	for (int left = 0; !left;) {
		left = waitpid(pid, &status, WNOHANG) == pid;
		while ((n = read(master, bytes, sizeof(bytes))) > 0)
			if (write(1, bytes, n) != n)
				return 1;
		usleep(2000);
	}
	close(slave);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
