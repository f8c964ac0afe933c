/*
 * init SECONDS COMMAND [ARGUMENT ...]
 *
 * Runs COMMAND in a pid, a mount and an IPC namespace of its own, with a /proc and a /dev/pts of its
 * own, under an init that reaps at once: a dumped process must be gone at once, or its pid is taken
 * when it is to be restored. Exits with the command's status; whatever else lives in the namespace
 * then dies with it, and also when we are killed. After SECONDS all is killed, and the status is 124.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Pid 1 of the namespace: its end is the end of all in it. */
static int reap(int seconds, char **command)
{
	int status;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A subject must not hold what our caller happened to leave open: it would be refused. */
	close_range(3, ~0U, 0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("make mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		die("mount /proc");
	/* The numbers of pseudoterminals are given to whoever asks first, in each instance. */
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666") < 0)
		die("mount /dev/pts");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execvp(command[0], command);
		die(command[0]);
	}
	alarm(seconds);
	for (;;) {
		pid_t dead = wait(&status);
		if (dead == pid)
			return status_of(status);
		if (dead < 0 && errno != EINTR)
			die("wait");
	}
}

static void on_alarm(int signal)
{
	(void)signal;
	static const char text[] = "init: out of time, all is killed\n";
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(124);
}

int main(int argc, char **argv)
{
	int status;
	if (argc < 3)
		return fprintf(stderr, "usage: init SECONDS COMMAND [ARGUMENT ...]\n"), 64;
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC) < 0)
		die("unshare");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		signal(SIGALRM, on_alarm);
		_exit(reap(atoi(argv[1]), argv + 2));
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return status_of(status);
}
