/*
 * Pseudoterminals: both sides, what lies in them, their modes, and what sessions have of them. What can
 * only be seen by taking it is put back in each round, or looked at once, at the end.
 */
#include "subject.h"
#include <asm/termbits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

/* <termios.h> does not go with the kernel's struct termios2. */
char *ptsname(int fd);
int posix_openpt(int flags);
int unlockpt(int fd);
pid_t tcgetpgrp(int fd);
int tcsetpgrp(int fd, pid_t group);

struct pty {
	int master, slave;
	char path[64];
};

static struct pty new_master(void)
{
	struct pty p = {.slave = -1};
	p.master = posix_openpt(O_RDWR | O_NOCTTY);
	REQUIRE(p.master >= 0 && unlockpt(p.master) == 0, "openpt");
	snprintf(p.path, sizeof(p.path), "%s", ptsname(p.master));
	return p;
}

static struct pty new_pty(void)
{
	struct pty p = new_master();
	p.slave = open(p.path, O_RDWR | O_NOCTTY);
	REQUIRE(p.slave >= 0, "%s", p.path);
	return p;
}

static struct termios2 modes_of(int fd)
{
	struct termios2 t;
	memset(&t, 0, sizeof(t));
	CHECK(ioctl(fd, TCGETS2, &t) == 0, "TCGETS2: %d", errno);
	return t;
}

static void set_modes(int fd, struct termios2 t)
{
	REQUIRE(ioctl(fd, TCSETS2, &t) == 0, "TCSETS2");
}

static void set_lflag(int fd, int on, int off)
{
	struct termios2 t = modes_of(fd);
	t.c_lflag = (t.c_lflag | on) & ~off;
	set_modes(fd, t);
}

static void make_raw(int fd)
{
	struct termios2 t = modes_of(fd);
	t.c_iflag = t.c_oflag = t.c_lflag = 0;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	set_modes(fd, t);
}

static int polled(int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI, 0};
	poll(&p, 1, 0);
	return p.revents;
}

/* What is written to one side reaches the other a moment later. */
static bool comes(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	return poll(&p, 1, 2000) == 1;
}

static int queued(int fd)
{
	int n = -1;
	return ioctl(fd, FIONREAD, &n) == 0 ? n : -1;
}

static void put(int fd, const char *text)
{
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "write «%s»: %d", text, errno);
}

/* One read gives just this. */
static void expect(int fd, const char *text)
{
	char bytes[8192];
	if (!comes(fd)) {
		CHECK(false, "«%s» does not come", text);
		return;
	}
	ssize_t n = read(fd, bytes, sizeof(bytes) - 1);
	bytes[n < 0 ? 0 : n] = 0;
	CHECK(n == (ssize_t)strlen(text) && memcmp(bytes, text, n) == 0, "«%s» came, not «%s»", bytes,
	      text);
}

static void expect_none(int fd)
{
	CHECK(!(polled(fd) & POLLIN), "something came on %d", fd);
}

/* Both ways, without echo. */
static void talk(struct pty *p)
{
	put(p->master, "to the slave\n");
	expect(p->slave, "to the slave\n");
	put(p->slave, "to the master");
	expect(p->master, "to the master");
	expect_none(p->master);
	expect_none(p->slave);
}

static int index_of(int master)
{
	int n = -1;
	ioctl(master, TIOCGPTN, &n);
	return n;
}

static void pair(void)
{
	struct pty p = new_pty();
	int n = index_of(p.master);
	set_lflag(p.slave, 0, ECHO);
	ready();
	while (next_round()) {
		CHECK(index_of(p.master) == n, "index %d, was %d", index_of(p.master), n);
		CHECK(strcmp(ptsname(p.master), p.path) == 0, "name %s", ptsname(p.master));
		talk(&p);
	}
}

static struct pty shared;

static void answer(void *arg)
{
	char bytes[64];
	(void)arg;
	close(shared.master);
	ready();
	while (next_busy_round())
		if (comes(shared.slave)) {
			ssize_t n = read(shared.slave, bytes, sizeof(bytes));
			CHECK(n > 0 && write(shared.slave, bytes, n) == n, "answer: %zd %d", n, errno);
		}
}

static void parent_child(void)
{
	shared = new_pty();
	make_raw(shared.slave);
	start_child("child", answer, NULL);
	close(shared.slave);
	ready();
	while (next_round()) {
		put(shared.master, "question");
		expect(shared.master, "question");
	}
	put(shared.master, "the last");
	join_children();
}

static void hold(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		talk(&shared);
}

static void shared_by_both(void)
{
	shared = new_pty();
	set_lflag(shared.slave, 0, ECHO);
	start_child("child", hold, NULL);
	ready();
	while (next_round())
		CHECK(index_of(shared.master) >= 0, "index");
	join_children();
}

static void slave_closed(void)
{
	struct pty p = new_pty();
	char c;
	close(p.slave);
	ready();
	while (next_round()) {
		CHECK(polled(p.master) & POLLHUP, "poll says %x", polled(p.master));
		CHECK(read(p.master, &c, 1) == -1 && errno == EIO, "read: %d", errno);
	}
	p.slave = open(p.path, O_RDWR | O_NOCTTY);
	CHECK(p.slave >= 0, "%s: %d", p.path, errno);
	set_lflag(p.slave, 0, ECHO);
	talk(&p);
}

static void never_opened(void)
{
	struct pty p = new_master();
	char c;
	fcntl(p.master, F_SETFL, O_RDWR | O_NONBLOCK);
	ready();
	while (next_round()) {
		CHECK(!(polled(p.master) & POLLHUP), "poll says %x", polled(p.master));
		CHECK(read(p.master, &c, 1) == -1 && errno == EAGAIN, "read: %d", errno);
	}
}

static void locked(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), lock;
	REQUIRE(master >= 0, "openpt");
	const char *path = ptsname(master);
	ready();
	while (next_round()) {
		CHECK(ioctl(master, TIOCGPTLCK, &lock) == 0 && lock, "not locked");
		CHECK(open(path, O_RDWR | O_NOCTTY) == -1 && errno == EIO, "open: %d", errno);
		CHECK(!(polled(master) & POLLHUP), "poll says %x", polled(master));
	}
}

static void early_input(void)
{
	struct pty p = new_master();
	set_lflag(p.master, 0, ECHO);
	put(p.master, "first\nsecond\n");
	ready();
	while (next_round())
		CHECK(!(polled(p.master) & POLLHUP), "poll says %x", polled(p.master));
	int slave = open(p.path, O_RDWR | O_NOCTTY);
	expect(slave, "first\n");
	expect(slave, "second\n");
}

static void check_hung(int slave)
{
	struct termios2 t;
	char c;
	CHECK(read(slave, &c, 1) == 0, "read: %d", errno);
	CHECK(write(slave, "x", 1) == -1 && errno == EIO, "write: %d", errno);
	CHECK(ioctl(slave, TCGETS2, &t) == -1 && errno == EIO, "ioctl: %d", errno);
}

static void master_closed(void)
{
	struct pty p = new_pty();
	int other = open(p.path, O_WRONLY | O_NOCTTY);
	close(p.master);
	ready();
	while (next_round()) {
		check_hung(p.slave);
		CHECK(write(other, "x", 1) == -1 && errno == EIO, "write: %d", errno);
		CHECK(access(p.path, F_OK) == -1, "%s is there", p.path);
	}
}

static void hung_up(void)
{
	struct pty p = new_pty();
	REQUIRE(ioctl(p.slave, TIOCVHANGUP) == 0, "hang-up");
	int dead = p.slave;
	p.slave = open(p.path, O_RDWR | O_NOCTTY);
	set_lflag(p.slave, 0, ECHO);
	ready();
	while (next_round()) {
		check_hung(dead);
		talk(&p);
	}
}

static void raw_input(void)
{
	struct pty p = new_pty();
	make_raw(p.slave);
	put(p.master, "\003\023\021\177 anything\n at all\r\377");
	ready();
	while (next_round()) {
		expect(p.slave, "\003\023\021\177 anything\n at all\r\377");
		put(p.master, "\003\023\021\177 anything\n at all\r\377");
	}
}

/* Lines, an end of file after text, one alone, a quoted newline, and a line that is not finished. */
static void put_lines(int master)
{
	put(master, "one\ntwo\n\nthree\004\004qu\026\nted \026\003\nhal");
}

static void take_lines(struct pty *p)
{
	char c;
	expect(p->slave, "one\n");
	expect(p->slave, "two\n");
	expect(p->slave, "\n");
	expect(p->slave, "three");
	CHECK(comes(p->slave) && read(p->slave, &c, 1) == 0, "no end of file");
	expect(p->slave, "qu\nted \003\n");
	expect_none(p->slave);
	/* The rest can still be edited. */
	put(p->master, "\177ppy\n");
	expect(p->slave, "happy\n");
}

static void lines(void)
{
	struct pty p = new_pty();
	set_lflag(p.slave, 0, ECHO);
	put_lines(p.master);
	ready();
	while (next_round()) {
		take_lines(&p);
		put_lines(p.master);
	}
}

static void other_ends(void)
{
	struct pty p = new_pty();
	struct termios2 t = modes_of(p.slave);
	t.c_lflag &= ~ECHO;
	t.c_cc[VEOL] = ';';
	t.c_cc[VEOL2] = '.';
	set_modes(p.slave, t);
	put(p.master, "a;b.c\n\026;d");
	ready();
	while (next_round()) {
		expect(p.slave, "a;");
		expect(p.slave, "b.");
		expect(p.slave, "c\n");
		expect_none(p.slave);
		put(p.master, ";");
		expect(p.slave, ";d;");
		put(p.master, "a;b.c\n\026;d");
	}
}

static void open_line(void)
{
	struct pty p = new_pty();
	set_lflag(p.slave, 0, ECHO);
	ready();
	put(p.master, "half a l");
	while (next_round()) {
		CHECK(queued(p.slave) == 0, "%d bytes", queued(p.slave));
		expect_none(p.slave);
		put(p.master, "ine\n");
		expect(p.slave, "half a line\n");
		put(p.master, "half a l");
	}
}

static void output(void)
{
	struct pty p = new_pty();
	put(p.slave, "line\n\tnext");
	ready();
	while (next_round()) {
		expect(p.master, "line\r\n\tnext");
		put(p.slave, "line\n\tnext");
	}
}

static void last_output(void)
{
	struct pty p = new_pty();
	char c;
	put(p.slave, "last words");
	close(p.slave);
	ready();
	while (next_round())
		CHECK(queued(p.master) == 10, "%d bytes", queued(p.master));
	expect(p.master, "last words");
	CHECK(read(p.master, &c, 1) == -1 && errno == EIO, "read: %d", errno);
}

static void left_input(void)
{
	struct pty p = new_pty();
	set_lflag(p.slave, 0, ECHO);
	put(p.master, "left\nthere");
	close(p.slave);
	ready();
	while (next_round())
		CHECK(polled(p.master) & POLLHUP, "poll says %x", polled(p.master));
	p.slave = open(p.path, O_RDWR | O_NOCTTY);
	expect(p.slave, "left\n");
	put(p.master, "!\n");
	expect(p.slave, "there!\n");
}

static unsigned char counted[1 << 17];

/* Until nothing more goes in; a nap lets the kernel move on what it has. */
static size_t fill_up(int fd, size_t piece)
{
	size_t total = 0;
	int flags = fcntl(fd, F_GETFL);
	fill(counted, sizeof(counted), 5);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	for (int tries = 0; tries < 4; tries++, nap_ms(3))
		for (ssize_t n; (n = write(fd, counted + total, piece)) > 0; total += n)
			;
	fcntl(fd, F_SETFL, flags);
	return total;
}

static void take_all(int fd, size_t size)
{
	unsigned char bytes[8192];
	size_t total = 0;
	for (ssize_t n; total < size && comes(fd) && (n = read(fd, bytes, sizeof(bytes))) > 0; total += n)
		CHECK(memcmp(bytes, counted + total, n) == 0, "other bytes at %zu", total);
	CHECK(total == size, "%zu bytes of %zu", total, size);
	expect_none(fd);
}

static void full_output(void)
{
	struct pty p = new_pty();
	make_raw(p.slave);
	size_t size = fill_up(p.slave, atoi(subject_arg(0)));
	ready();
	while (next_round())
		CHECK(queued(p.master) == 4095, "%d bytes", queued(p.master));
	take_all(p.master, size);
}

static void full_input(void)
{
	struct pty p = new_pty();
	make_raw(p.slave);
	size_t size = fill_up(p.master, atoi(subject_arg(0)));
	ready();
	while (next_round())
		CHECK(queued(p.slave) == 4095, "%d bytes", queued(p.slave));
	take_all(p.slave, size);
}

/* More lines than the line discipline holds: the rest has not been interpreted yet. */
static void many_lines(void)
{
	struct pty p = new_pty();
	struct termios2 t = modes_of(p.slave);
	t.c_lflag &= ~ECHO;
	t.c_iflag |= ICRNL;
	set_modes(p.slave, t);
	for (int i = 0; i < 1000; i++)
		put(p.master, "line\r");
	while (queued(p.slave) < 4000) /* a worker of the kernel moves them */
		nap_ms(1);
	ready();
	while (next_round())
		CHECK(queued(p.slave) > 4000, "%d bytes", queued(p.slave));
	for (int i = 0; i < 1000 && all_well(); i++)
		expect(p.slave, "line\n");
	expect_none(p.slave);
}

static void check_modes(int fd, struct termios2 *want)
{
	struct termios2 now = modes_of(fd);
	CHECK(now.c_iflag == want->c_iflag && now.c_oflag == want->c_oflag, "iflag or oflag");
	CHECK(now.c_cflag == want->c_cflag, "cflag %o, was %o", now.c_cflag, want->c_cflag);
	CHECK(now.c_lflag == want->c_lflag, "lflag %o, was %o", now.c_lflag, want->c_lflag);
	CHECK(memcmp(now.c_cc, want->c_cc, sizeof(now.c_cc)) == 0, "characters");
	CHECK(now.c_ispeed == want->c_ispeed && now.c_ospeed == want->c_ospeed, "speeds %u %u",
	      now.c_ispeed, now.c_ospeed);
}

static void keep_modes(struct pty p, struct termios2 t)
{
	set_modes(p.slave, t);
	t = modes_of(p.slave);
	ready();
	while (next_round())
		check_modes(p.slave, &t);
}

static void modes(void)
{
	struct pty p = new_pty();
	struct termios2 t = modes_of(p.slave);
	t.c_iflag = IGNBRK | INLCR | IXANY | IMAXBEL | IUTF8;
	t.c_oflag = OPOST | OLCUC | ONOCR | TAB3;
	t.c_lflag = ISIG | ECHONL | NOFLSH | TOSTOP;
	t.c_cflag = (t.c_cflag & ~CBAUD) | B57600 | CSTOPB | HUPCL;
	for (int i = 0; i < 17; i++)
		t.c_cc[i] = 'A' + i;
	keep_modes(p, t);
}

static void speeds(void)
{
	struct pty p = new_pty();
	struct termios2 t = modes_of(p.slave);
	t.c_cflag = (t.c_cflag & ~(CBAUD | CIBAUD)) | BOTHER | (BOTHER << IBSHIFT);
	t.c_ispeed = 12345;
	t.c_ospeed = 54321;
	keep_modes(p, t);
}

static void external_processing(void)
{
	struct pty p = new_pty();
	set_lflag(p.slave, EXTPROC, ECHO);
	put(p.master, "no line");
	ready();
	while (next_round()) {
		CHECK(modes_of(p.master).c_lflag & EXTPROC, "no EXTPROC");
		expect(p.slave, "no line");
		put(p.master, "no line");
	}
}

static void locked_modes(void)
{
	struct pty p = new_pty();
	struct termios t, now;
	memset(&t, 0, sizeof(t));
	t.c_lflag = ECHO;
	t.c_cc[VINTR] = 1;
	REQUIRE(ioctl(p.slave, TIOCSLCKTRMIOS, &t) == 0, "lock");
	ready();
	while (next_round()) {
		CHECK(ioctl(p.slave, TIOCGLCKTRMIOS, &now) == 0, "TIOCGLCKTRMIOS: %d", errno);
		CHECK(now.c_lflag == ECHO && now.c_cc[VINTR] == 1 && now.c_iflag == 0, "not locked");
		set_lflag(p.slave, 0, ECHO);
		CHECK(modes_of(p.slave).c_lflag & ECHO, "it could be changed");
	}
}

static int told;

static void count_signal(int number)
{
	told++;
	(void)number;
}

static void window(void)
{
	struct pty p = new_pty();
	struct winsize want = {33, 111, 333, 1111}, now;
	REQUIRE(ioctl(p.slave, TIOCSWINSZ, &want) == 0, "size");
	ready();
	while (next_round())
		for (int side = 0; side < 2; side++) {
			CHECK(ioctl(side ? p.master : p.slave, TIOCGWINSZ, &now) == 0, "%d", errno);
			CHECK(memcmp(&now, &want, sizeof(now)) == 0, "size %d %d", now.ws_row, now.ws_col);
		}
}

static struct pty packet_pty(void)
{
	struct pty p = new_pty();
	int on = 1;
	REQUIRE(ioctl(p.master, TIOCPKT, &on) == 0, "packet mode");
	set_lflag(p.slave, 0, ECHO);
	return p;
}

static void packets(void)
{
	struct pty p = packet_pty();
	char bytes[16];
	int on = 0;
	put(p.slave, "data");
	ready();
	while (next_round()) {
		CHECK(ioctl(p.master, TIOCGPKT, &on) == 0 && on, "no packet mode");
		CHECK(!(polled(p.master) & POLLPRI), "a status");
		CHECK(comes(p.master) && read(p.master, bytes, 16) == 5 && memcmp(bytes, "\0data", 5) == 0,
		      "data");
		put(p.slave, "data");
	}
}

static void make_status(struct pty *p, int bits)
{
	struct termios2 t = modes_of(p->slave), other = t;
	other.c_iflag ^= IXON;
	if (bits & TIOCPKT_FLUSHREAD)
		ioctl(p->slave, TCFLSH, TCIFLUSH);
	if (bits & TIOCPKT_FLUSHWRITE)
		ioctl(p->slave, TCFLSH, TCOFLUSH);
	if (bits & TIOCPKT_IOCTL) {
		set_lflag(p->slave, EXTPROC, 0);
		set_lflag(p->slave, 0, EXTPROC);
	}
	if (bits & TIOCPKT_NOSTOP)
		set_modes(p->slave, other);
	if (bits & TIOCPKT_DOSTOP) {
		set_modes(p->slave, other);
		set_modes(p->slave, t);
	}
	if (bits & (TIOCPKT_STOP | TIOCPKT_START))
		ioctl(p->slave, TCXONC, TCOOFF);
	if (bits & TIOCPKT_START)
		ioctl(p->slave, TCXONC, TCOON);
}

static void packet_status(void)
{
	struct pty p = packet_pty();
	int bits = atoi(subject_arg(0));
	unsigned char c = 0;
	make_status(&p, bits);
	put(p.master, "input\n");
	ready();
	while (next_round())
		CHECK(polled(p.master) & POLLPRI, "no status");
	CHECK(read(p.master, &c, 1) == 1 && c == bits, "status %x, was %x", c, bits);
	CHECK(!(polled(p.master) & POLLPRI), "another status");
	expect(p.slave, "input\n");
}

static void exclusive(void)
{
	struct pty p = new_pty();
	int on = 0;
	REQUIRE(ioctl(p.slave, TIOCEXCL) == 0, "exclusive");
	ready();
	while (next_round()) {
		CHECK(ioctl(p.slave, TIOCGEXCL, &on) == 0 && on, "not exclusive");
		CHECK(ioctl(p.master, TIOCGEXCL, &on) == 0 && !on, "the master is");
	}
}

static void stopped(void)
{
	struct pty p = new_pty();
	make_raw(p.slave);
	put(p.slave, "before");
	REQUIRE(ioctl(p.slave, TCXONC, TCOOFF) == 0, "stop");
	ready();
	while (next_round())
		CHECK(!(polled(p.slave) & POLLOUT), "output is not stopped");
	expect(p.master, "before");
	ioctl(p.slave, TCXONC, TCOON);
	put(p.slave, "after");
	expect(p.master, "after");
}

static void stopped_by_key(void)
{
	struct pty p = new_pty();
	set_lflag(p.slave, 0, ECHO);
	put(p.master, "typed\n\023");
	expect(p.slave, "typed\n");
	put(p.master, "more");
	ready();
	while (next_round()) {
		CHECK(!(polled(p.slave) & POLLOUT), "output is not stopped");
		ioctl(p.slave, TCXONC, TCOON);
		CHECK(!(polled(p.slave) & POLLOUT), "it was stopped by a call");
	}
	put(p.master, "\021\n");
	expect(p.slave, "more\n");
	put(p.slave, "after");
	expect(p.master, "after");
}

static void master_stopped(void)
{
	struct pty p = new_pty();
	make_raw(p.slave);
	REQUIRE(ioctl(p.master, TCXONC, TCOOFF) == 0, "stop");
	ready();
	while (next_round())
		CHECK(!(polled(p.master) & POLLOUT), "the master is not stopped");
	ioctl(p.master, TCXONC, TCOON);
	put(p.master, "after");
	expect(p.slave, "after");
}

static void node(void)
{
	struct pty p = new_pty();
	struct stat st;
	REQUIRE(fchown(p.slave, 1234, 5678) == 0 && fchmod(p.slave, 0640) == 0, "owner");
	if (subject_arg(0))
		close(p.slave);
	ready();
	while (next_round()) {
		CHECK(stat(p.path, &st) == 0, "%s: %d", p.path, errno);
		CHECK(st.st_uid == 1234 && st.st_gid == 5678, "owner %d %d", st.st_uid, st.st_gid);
		CHECK((st.st_mode & 07777) == 0640, "mode %o", st.st_mode);
	}
}

static void gap(void)
{
	struct pty p[12];
	for (int i = 0; i < 12; i++)
		p[i] = new_pty();
	for (int i = 0; i < 11; i += 2) {
		close(p[i].slave);
		close(p[i].master);
	}
	int n = index_of(p[11].master);
	ready();
	while (next_round()) {
		CHECK(index_of(p[11].master) == n, "index %d, was %d", index_of(p[11].master), n);
		int next = posix_openpt(O_RDWR | O_NOCTTY);
		CHECK(index_of(next) == n - 11, "the next is %d", index_of(next));
		close(next);
	}
}

static void many(void)
{
	struct pty p[50];
	for (int i = 0; i < 50; i++) {
		p[i] = new_pty();
		set_lflag(p[i].slave, 0, ECHO);
	}
	ready();
	while (next_round())
		for (int i = 0; i < 50; i++)
			talk(&p[i]);
}

static void opened_again(void)
{
	struct pty p = new_pty();
	char proc[40];
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", p.slave);
	set_lflag(p.slave, 0, ECHO);
	int peer = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
	int fds[] = {open(p.path, O_WRONLY | O_NOCTTY | O_NONBLOCK), open(proc, O_RDONLY | O_NOCTTY), peer,
		     dup(p.slave)};
	int flags[4];
	for (int i = 0; i < 4; i++) {
		flags[i] = fcntl(fds[i], F_GETFL);
		REQUIRE(fds[i] >= 0, "open");
	}
	ready();
	while (next_round()) {
		for (int i = 0; i < 4; i++)
			CHECK(fcntl(fds[i], F_GETFL) == flags[i], "flags %o, were %o",
			      fcntl(fds[i], F_GETFL), flags[i]);
		put(fds[0], "one way");
		expect(p.master, "one way");
		put(p.master, "back\n");
		expect(fds[1], "back\n");
	}
}

static void master_flags(void)
{
	struct pty p = new_pty();
	fcntl(p.master, F_SETFL, O_NONBLOCK | O_APPEND);
	int flags = fcntl(p.master, F_GETFL);
	set_lflag(p.slave, 0, ECHO);
	ready();
	while (next_round()) {
		CHECK(fcntl(p.master, F_GETFL) == flags, "flags %o", fcntl(p.master, F_GETFL));
		talk(&p);
	}
}

static void asynchronous(void)
{
	struct pty p = new_pty();
	signal(SIGUSR2, count_signal);
	fcntl(p.master, F_SETOWN, getpid());
	fcntl(p.master, F_SETSIG, SIGUSR2);
	fcntl(p.master, F_SETFL, O_RDWR | O_ASYNC);
	set_lflag(p.slave, 0, ECHO);
	ready();
	while (next_round()) {
		told = 0;
		put(p.slave, "x");
		expect(p.master, "x");
		/* The signal comes from a worker of the kernel's, perhaps on another CPU. */
		for (int i = 0; i < 1000 && told == 0; i++)
			nap_ms(1);
		CHECK(told > 0, "no signal");
	}
}

/* ---- sessions ---- */

/* Signals that the kernel sends to jobs of a terminal; none of them is to come by itself. */
static const int job_signals[] = {SIGHUP, SIGCONT, SIGWINCH, SIGTTIN, SIGTTOU, SIGTSTP};

static void count_job_signals(void)
{
	told = 0;
	for (size_t i = 0; i < COUNT_OF(job_signals); i++)
		signal(job_signals[i], count_signal);
}

static void take_terminal(void)
{
	REQUIRE(setsid() > 0 && ioctl(shared.slave, TIOCSCTTY, 0) == 0, "controlling terminal");
	count_job_signals();
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR);
	unsigned int device = 0;
	struct stat st;
	fstat(shared.slave, &st);
	bool is_it = fd >= 0 && ioctl(fd, TIOCGDEV, &device) == 0 && device == st.st_rdev;
	close(fd);
	return is_it;
}

static void check_session(pid_t session, pid_t foreground)
{
	pid_t sid = -1;
	CHECK(getsid(0) == session, "session %d, was %d", getsid(0), session);
	CHECK(has_terminal(), "/dev/tty is another terminal");
	CHECK(ioctl(shared.slave, TIOCGSID, &sid) == 0 && sid == session, "terminal of session %d", sid);
	CHECK(tcgetpgrp(shared.slave) == foreground, "group %d is in the foreground, was %d",
	      tcgetpgrp(shared.slave), foreground);
	CHECK(told == 0, "%d signals came", told);
}

static void member(void *arg)
{
	pid_t *foreground = arg;
	count_job_signals();
	ready();
	while (next_round())
		check_session(getsid(0), *foreground ? *foreground : getsid(0));
}

static void leader(void *arg)
{
	static pid_t own;
	(void)arg;
	take_terminal();
	start_child("member", member, &own);
	ready();
	while (next_round())
		check_session(getpid(), getpid());
	join_children();
}

static void session(void)
{
	shared = new_pty();
	pid_t pid = start_child("leader", leader, NULL), sid;
	ready();
	while (next_round())
		CHECK((ioctl(shared.master, TIOCGSID, &sid) == 0 && sid == pid) || stop_requested(), "session %d", sid);
	join_children();
}

/* Two of them at the same time. */
static void two_sessions(void)
{
	for (int i = 0; i < 2; i++) {
		shared = new_pty();
		start_child(i ? "second" : "first", leader, NULL);
	}
	ready();
	while (next_round())
		;
	join_children();
}

static pid_t *front;

static void to_front(void *arg)
{
	signal(SIGTTOU, SIG_IGN);
	REQUIRE(setpgid(0, 0) == 0 && tcsetpgrp(shared.slave, getpid()) == 0, "foreground");
	*front = getpid();
	member(arg);
}

static void in_background(void *arg)
{
	REQUIRE(setpgid(0, 0) == 0, "group");
	member(arg);
}

static void shell(void *arg)
{
	(void)arg;
	front = map_shared(PAGE);
	take_terminal();
	start_child("front", to_front, front);
	start_child("back", in_background, front);
	ready();
	while (next_round())
		check_session(getpid(), *front);
	join_children();
}

static void foreground(void)
{
	shared = new_pty();
	start_child("shell", shell, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

static void gone_leader(void *arg)
{
	(void)arg;
	take_terminal();
	signal(SIGTTOU, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(shared.slave, getpid());
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	ready();
	while (next_round())
		check_session(getpid(), pid);
}

/* The job in the foreground has ended, and the shell has not noticed yet. */
static void foreground_gone(void)
{
	shared = new_pty();
	start_child("leader", gone_leader, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

static void outcast(void *arg)
{
	(void)arg;
	REQUIRE(ioctl(shared.slave, TIOCNOTTY) == 0, "TIOCNOTTY");
	ready();
	while (next_round())
		CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO, "/dev/tty: %d", errno);
}

static void leader_of_outcast(void *arg)
{
	(void)arg;
	take_terminal();
	start_child("outcast", outcast, NULL);
	ready();
	while (next_round())
		check_session(getpid(), getpid());
	join_children();
}

static void without_terminal(void)
{
	shared = new_pty();
	start_child("leader", leader_of_outcast, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

static void current_leader(void *arg)
{
	take_terminal();
	int fd = open("/dev/tty", O_RDWR);
	struct termios2 t;
	REQUIRE(fd >= 0, "/dev/tty");
	set_lflag(fd, 0, ECHO);
	if (arg) {
		close(shared.slave);
		close(shared.master);
		shared.slave = shared.master = -1;
	}
	t = modes_of(fd);
	ready();
	while (next_round()) {
		check_modes(fd, &t);
		CHECK(tcgetpgrp(fd) == getpid(), "foreground %d", tcgetpgrp(fd));
		put(fd, "by another name");
		CHECK(told == 0, "%d signals came", told);
	}
}

static void take_output(int master)
{
	char bytes[4096];
	while (queued(master) > 0)
		CHECK(read(master, bytes, sizeof(bytes)) > 0, "read: %d", errno);
}

static void current(void)
{
	shared = new_pty();
	/* With an argument, /dev/tty is the only way to the slave. */
	bool only = subject_arg(0) != NULL;
	start_child("leader", current_leader, only ? &shared : NULL);
	if (only)
		close(shared.slave);
	ready();
	while (next_round())
		take_output(shared.master);
	take_output(shared.master);
	join_children();
}


static void orphan(void *arg)
{
	(void)arg;
	signal(SIGHUP, SIG_IGN);
	ready();
	while (next_round()) {
		CHECK(getsid(0) != getpid(), "a leader");
		CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO, "/dev/tty: %d", errno);
	}
}

/* The leader has ended; the others have no terminal any more. */
static void leader_gone(void)
{
	shared = new_pty();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	int done[2];
	REQUIRE(pipe(done) == 0, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		take_terminal();
		start_child("orphan", orphan, NULL);
		_exit(write(done[1], "x", 1) != 1);
	}
	char c;
	REQUIRE(read(done[0], &c, 1) == 1, "orphan");
	waitpid(pid, NULL, 0);
	close(done[0]);
	close(done[1]);
	ready();
	while (next_round()) {
		pid_t sid;
		CHECK(ioctl(shared.master, TIOCGSID, &sid) == -1, "session %d", sid);
	}
	while (wait(NULL) > 0)
		;
}

static void interrupted(void *arg)
{
	(void)arg;
	take_terminal();
	signal(SIGINT, count_signal);
	ready();
	while (next_round())
		CHECK(told == 0, "a SIGINT came");
	for (int i = 0; i < 100 && told == 0; i++)
		nap_ms(20);
	CHECK(told > 0, "no SIGINT came");
}

/* What is typed still becomes a signal for the foreground. */
static void interrupt(void)
{
	shared = new_pty();
	start_child("leader", interrupted, NULL);
	ready();
	while (next_round())
		;
	nap_ms(300); /* the leader has made its last check */
	put(shared.master, "\003");
	join_children();
}

static void hung_leader(void *arg)
{
	(void)arg;
	take_terminal();
	close(shared.master);
	ready();
	while (next_round())
		check_session(getpid(), getpid());
	for (int i = 0; i < 100 && told == 0; i++)
		nap_ms(20);
	CHECK(told > 0, "no SIGHUP came");
}

/* The end of the master is the end of the session's terminal. */
static void hang_up_at_end(void)
{
	shared = new_pty();
	pid_t pid = start_child("leader", hung_leader, NULL);
	ready();
	while (next_round())
		;
	nap_ms(300); /* the leader has made its last check */
	close(shared.slave);
	close(shared.master);
	join_child(pid);
}

static void sleeper(void)
{
	for (;;)
		pause();
}

static void stopped_shell(void *arg)
{
	int status;
	(void)arg;
	take_terminal();
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		char c;
		signal(SIGTTIN, SIG_DFL);
		if (read(shared.slave, &c, 1) >= -1)
			sleeper();
	}
	setpgid(pid, pid);
	REQUIRE(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN,
		"SIGTTIN");
	signal(SIGCHLD, SIG_DFL);
	ready();
	while (next_round()) {
		check_session(getpid(), getpid());
		CHECK(waitpid(pid, &status, WCONTINUED | WNOHANG) == 0, "it goes on");
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* A job in the background that wanted to read. */
static void stopped_job(void)
{
	shared = new_pty();
	start_child("shell", stopped_shell, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

/* ---- other places ---- */

/* A second instance of devpts; both have a number 0. */
static void instances(void)
{
	struct pty p[2];
	char path[300];
	snprintf(path, sizeof(path), "%s/pts", subject_dir());
	REQUIRE(mkdir(path, 0755) == 0 && mount("devpts", path, "devpts", 0, "newinstance,ptmxmode=666") == 0,
		"devpts");
	p[0] = new_pty();
	for (int i = 0; i < 1 + index_of(p[0].master); i++) {
		snprintf(path, sizeof(path), "%s/pts/ptmx", subject_dir());
		p[1].master = open(path, O_RDWR | O_NOCTTY);
		REQUIRE(p[1].master >= 0 && unlockpt(p[1].master) == 0, "ptmx");
	}
	snprintf(path, sizeof(path), "%s/pts/%d", subject_dir(), index_of(p[1].master));
	p[1].slave = open(path, O_RDWR | O_NOCTTY);
	REQUIRE(index_of(p[0].master) == index_of(p[1].master) && p[1].slave >= 0, "slave");
	set_lflag(p[0].slave, 0, ECHO);
	set_lflag(p[1].slave, 0, ECHO);
	ready();
	while (next_round()) {
		talk(&p[0]);
		talk(&p[1]);
	}
}

static void device(void)
{
	int fd = open(subject_arg(0), O_RDWR | O_NOCTTY | O_NONBLOCK);
	NEEDS(fd >= 0, subject_arg(0));
	struct termios2 t = modes_of(fd);
	ready();
	while (next_round())
		check_modes(fd, &t);
}

/* Descriptor 50 is given: a terminal whose master is outside. With an argument, it is ours. */
static void external(void)
{
	bool leads = subject_arg(0) != NULL;
	struct termios2 t = modes_of(50);
	if (leads)
		REQUIRE(ioctl(50, TIOCSCTTY, 0) == 0, "controlling terminal");
	t.c_lflag = ECHO | ISIG;
	set_modes(50, t);
	ready();
	while (next_round()) {
		CHECK((modes_of(50).c_lflag & (ECHO | ISIG | ICANON)) == (ECHO | ISIG), "modes");
		put(50, "tick\n");
		if (leads)
			CHECK(tcgetpgrp(50) == getpid(), "foreground %d", tcgetpgrp(50));
	}
}

/* ---- refused ---- */

static void outside_slave(void)
{
	struct pty p = new_pty();
	if (fork() == 0) {
		if (fork() == 0) {
			close(p.master);
			setsid();
			while (!stop_requested())
				nap_ms(20);
		}
		_exit(0);
	}
	wait(NULL);
	close(p.slave);
	ready();
	while (next_round())
		;
}

static void outside_master(void)
{
	struct pty p = new_pty();
	if (fork() == 0) {
		if (fork() == 0)
			while (!stop_requested())
				nap_ms(20);
		_exit(0);
	}
	wait(NULL);
	close(p.master);
	ready();
	while (next_round())
		;
}

static void outside_session(void)
{
	struct pty p = new_pty();
	if (fork() == 0) {
		if (fork() == 0) {
			setsid();
			ioctl(p.slave, TIOCSCTTY, 0);
			while (!stop_requested())
				nap_ms(20);
		}
		_exit(0);
	}
	wait(NULL);
	nap_ms(100);
	ready();
	while (next_round())
		;
}

static void discipline(void)
{
	struct pty p = new_pty();
	int null = 27;
	NEEDS(ioctl(p.slave, TIOCSETD, &null) == 0, "N_NULL");
	ready();
	while (next_round())
		;
}

SUBJECT({"pair", pair}, {"parent-child", parent_child}, {"shared", shared_by_both},
	{"slave-closed", slave_closed}, {"never-opened", never_opened}, {"locked", locked},
	{"early-input", early_input}, {"master-closed", master_closed}, {"hung-up", hung_up},
	{"raw-input", raw_input}, {"lines", lines}, {"other-ends", other_ends}, {"open-line", open_line},
	{"output", output}, {"last-output", last_output}, {"left-input", left_input},
	{"full-output", full_output}, {"full-input", full_input}, {"many-lines", many_lines},
	{"modes", modes}, {"speeds", speeds}, {"external-processing", external_processing},
	{"locked-modes", locked_modes}, {"window", window}, {"packets", packets},
	{"packet-status", packet_status}, {"exclusive", exclusive}, {"stopped", stopped},
	{"stopped-by-key", stopped_by_key}, {"master-stopped", master_stopped}, {"node", node}, {"gap", gap},
	{"many", many}, {"opened-again", opened_again}, {"master-flags", master_flags},
	{"asynchronous", asynchronous}, {"session", session}, {"two-sessions", two_sessions},
	{"foreground", foreground}, {"foreground-gone", foreground_gone},
	{"without-terminal", without_terminal}, {"current", current}, {"leader-gone", leader_gone},
	{"interrupt", interrupt}, {"hang-up-at-end", hang_up_at_end}, {"stopped-job", stopped_job},
	{"instances", instances}, {"device", device}, {"external", external}, {"outside-slave", outside_slave},
	{"outside-master", outside_master}, {"outside-session", outside_session}, {"discipline", discipline})
