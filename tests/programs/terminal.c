/* A job of a shell: its terminal and its session are those of somebody outside the tree. */
#include "subject.h"
#include <sys/ioctl.h>
#include <termios.h>

static void check_terminal(pid_t session, const struct termios *settings)
{
	struct termios now;
	for (int fd = 0; fd < 3; fd++)
		CHECK(isatty(fd), "descriptor %d is no terminal", fd);
	CHECK(tcgetattr(0, &now) == 0 && now.c_lflag == settings->c_lflag && now.c_iflag == settings->c_iflag,
	      "settings");
	CHECK(getsid(0) == session, "session %d, was %d", getsid(0), session);
	CHECK(tcgetsid(0) == session, "the terminal belongs to session %d", tcgetsid(0));
	int tty = open("/dev/tty", O_RDWR);
	CHECK(tty >= 0, "/dev/tty: %d", errno);
	close(tty);
}

static void keep(void)
{
	struct termios settings;
	pid_t session = getsid(0);
	REQUIRE(isatty(0) && tcgetattr(0, &settings) == 0, "terminal");
	ready();
	while (next_round())
		check_terminal(session, &settings);
}

static void shared(void)
{
	keep();
}

static void foreground_child(void *arg)
{
	struct termios settings;
	(void)arg;
	signal(SIGTTOU, SIG_IGN);
	REQUIRE(setpgid(0, 0) == 0 && tcsetpgrp(0, getpid()) == 0, "foreground");
	REQUIRE(tcgetattr(0, &settings) == 0, "terminal");
	ready();
	while (next_round()) {
		check_terminal(getsid(0), &settings);
		CHECK(tcgetpgrp(0) == getpid(), "group %d is in the foreground", tcgetpgrp(0));
	}
}

/* A child in the foreground, its parent in the background. */
static void foreground(void)
{
	start_child("child", foreground_child, NULL);
	keep();
	join_children();
}

static void writer(void *arg)
{
	int *p = arg;
	close(p[0]);
	ready();
	for (char c = 0; next_round(); c++)
		CHECK(write(p[1], &c, 1) == 1, "write: %d", errno);
}

static void pipeline(void)
{
	int p[2];
	char c, want = 0;
	REQUIRE(pipe(p) == 0, "pipe");
	start_child("writer", writer, p);
	close(p[1]);
	ready();
	while (next_busy_round())
		if (read(p[0], &c, 1) == 1)
			CHECK(c == want++, "%d came", c);
	join_children();
}

SUBJECT({"shared", shared}, {"foreground", foreground}, {"pipeline", pipeline})
