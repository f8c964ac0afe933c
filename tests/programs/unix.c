/* Unix sockets: pairs, names, connections, queues and what travels in them. */
#include "subject.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/sockios.h>
#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif

/* ---- small helpers ---- */

static socklen_t address(struct sockaddr_un *at, const char *name)
{
	memset(at, 0, sizeof(*at));
	at->sun_family = AF_UNIX;
	if (name[0] == '@') {
		/* Abstract names are of the whole machine's network: each test has its own. */
		int n = snprintf(at->sun_path + 1, sizeof(at->sun_path) - 1, "%s %s", name, subject_dir());
		return offsetof(struct sockaddr_un, sun_path) + 1 + n;
	}
	snprintf(at->sun_path, sizeof(at->sun_path), "%s", name);
	return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
}

static int make(int type)
{
	int fd = socket(AF_UNIX, type, 0);
	REQUIRE(fd >= 0, "socket");
	return fd;
}

static int bound(int type, const char *name)
{
	struct sockaddr_un at;
	int fd = make(type);
	socklen_t n = address(&at, name);
	REQUIRE(bind(fd, (void *)&at, n) == 0, "bind %s: %s", name, strerror(errno));
	return fd;
}

static int listening(int type, const char *name, int backlog)
{
	int fd = bound(type, name);
	REQUIRE(listen(fd, backlog) == 0, "listen");
	return fd;
}

static int try_connect(int fd, const char *name)
{
	struct sockaddr_un at;
	socklen_t n = address(&at, name);
	return connect(fd, (void *)&at, n);
}

static int connected(int type, const char *name)
{
	int fd = make(type);
	REQUIRE(try_connect(fd, name) == 0, "connect %s: %s", name, strerror(errno));
	return fd;
}

static int accepted(int listener)
{
	int fd = accept(listener, NULL, NULL);
	REQUIRE(fd >= 0, "accept");
	return fd;
}

static void pair(int type, int *p)
{
	REQUIRE(socketpair(AF_UNIX, type, 0, p) == 0, "socketpair");
}

static void put(int fd, const char *text)
{
	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text), "send %s: %s", text,
	      strerror(errno));
}

/* What one receive call gives is this. */
static void get(int fd, const char *text)
{
	char in[256];
	ssize_t n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
	CHECK(n == (ssize_t)strlen(text) && memcmp(in, text, n) == 0, "got %zd %.*s for %s (%s)", n,
	      (int)(n > 0 ? n : 0), in, text, n < 0 ? strerror(errno) : "");
}

static void nothing(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK);
	CHECK(n == -1 && errno == EAGAIN, "recv gives %zd, %s", n, strerror(errno));
}

static void eof(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);
	CHECK(n == 0, "no end of file: %zd, %s", n, n < 0 ? strerror(errno) : "");
}

static int int_option(int fd, int option)
{
	int value = -12345;
	socklen_t size = sizeof(value);
	getsockopt(fd, SOL_SOCKET, option, &value, &size);
	return value;
}

static void set_option(int fd, int option, int value)
{
	REQUIRE(setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)) == 0, "option %d", option);
}

/* Both ends talk. */
static void talk(int a, int b)
{
	put(a, "to b");
	get(b, "to b");
	put(b, "to a");
	get(a, "to a");
}

static void has_name(int fd, const char *name)
{
	struct sockaddr_un want, is;
	socklen_t n = address(&want, name), m = sizeof(is);
	if (name[0] == 0)
		n = offsetof(struct sockaddr_un, sun_path);
	CHECK(getsockname(fd, (void *)&is, &m) == 0 && m == n && memcmp(&is, &want, n) == 0,
	      "name of %d bytes, %s", m, is.sun_path + (is.sun_path[0] == 0));
}

static void has_peer(int fd, const char *name)
{
	struct sockaddr_un want, is;
	socklen_t n = address(&want, name), m = sizeof(is);
	if (name[0] == 0)
		n = offsetof(struct sockaddr_un, sun_path);
	CHECK(getpeername(fd, (void *)&is, &m) == 0 && m == n && memcmp(&is, &want, n) == 0,
	      "peer of %d bytes, %s", m, is.sun_path + (is.sun_path[0] == 0));
}

/* A message with descriptors, and credentials when `creds`. */
static void send_with(int fd, const char *text, const int *fds, int n, const struct ucred *creds)
{
	union {
		struct cmsghdr head;
		char room[512];
	} control = {0};
	struct iovec part = {(void *)text, strlen(text)};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
	struct cmsghdr *c = &control.head;
	msg.msg_controllen = sizeof(control);
	size_t used = 0;
	if (n > 0) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
		used += CMSG_SPACE(n * sizeof(int));
		c = (struct cmsghdr *)(control.room + used);
	}
	if (creds) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_CREDENTIALS;
		c->cmsg_len = CMSG_LEN(sizeof(*creds));
		memcpy(CMSG_DATA(c), creds, sizeof(*creds));
		used += CMSG_SPACE(sizeof(*creds));
	}
	msg.msg_controllen = used;
	REQUIRE(sendmsg(fd, &msg, 0) == (ssize_t)strlen(text), "sendmsg: %s", strerror(errno));
}

/* Receives up to `room` bytes, descriptors into `fds`, credentials into `creds`. */
static int receive_with(int fd, const char *text, int *fds, struct ucred *creds, size_t room)
{
	char in[256], control[512];
	struct iovec part = {in, room};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
	msg.msg_controllen = sizeof(control);
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
	int count = 0;
	CHECK(n == (ssize_t)strlen(text) && memcmp(in, text, n) == 0, "got %zd %.*s for %s", n,
	      (int)(n > 0 ? n : 0), in, text);
	if (n < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), count * sizeof(int));
		}
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS && creds)
			memcpy(creds, CMSG_DATA(c), sizeof(*creds));
	}
	return count;
}

static int in_flight(int fd)
{
	char path[64], line[128];
	int n = -1;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "scm_fds: %d", &n);
	if (f)
		fclose(f);
	return n;
}

/* ---- pairs ---- */

static void goes_on(int type)
{
	int p[2];
	pair(type, p);
	ready();
	while (next_round()) {
		talk(p[0], p[1]);
		has_name(p[0], "");
		has_peer(p[1], "");
		CHECK(int_option(p[0], SO_TYPE) == type, "type %d", int_option(p[0], SO_TYPE));
	}
}
static void stream_pair(void) { goes_on(SOCK_STREAM); }
static void datagram_pair(void) { goes_on(SOCK_DGRAM); }
static void seqpacket_pair(void) { goes_on(SOCK_SEQPACKET); }

/* Bytes lie in both directions; nothing is read before the end. */
static void stream_queue(void)
{
	int p[2], n = 0;
	static char out[100000], in[100001];
	pair(SOCK_STREAM, p);
	fill(out, sizeof(out), 3);
	REQUIRE(send(p[0], out, sizeof(out), 0) == sizeof(out), "send");
	put(p[1], "small");
	ready();
	while (next_round()) {
		ioctl(p[1], FIONREAD, &n);
		CHECK(n == sizeof(out), "%d bytes", n);
		ioctl(p[0], FIONREAD, &n);
		CHECK(n == 5, "%d bytes back", n);
	}
	get(p[0], "small");
	CHECK(recv(p[1], in, sizeof(in), MSG_DONTWAIT) == sizeof(out) && memcmp(in, out, sizeof(out)) == 0,
	      "other bytes");
	nothing(p[1]);
}

static void messages(int type)
{
	int p[2], n = 0;
	static char big[50000], in[60000];
	pair(type, p);
	fill(big, sizeof(big), 5);
	put(p[0], "one");
	put(p[0], "second");
	REQUIRE(send(p[0], big, sizeof(big), 0) == sizeof(big), "send");
	put(p[0], "last");
	put(p[1], "back");
	ready();
	while (next_round()) {
		ioctl(p[0], FIONREAD, &n);
		CHECK(n == 4, "%d bytes back", n);
	}
	get(p[1], "one");
	get(p[1], "second");
	CHECK(recv(p[1], in, sizeof(in), MSG_DONTWAIT) == sizeof(big) && memcmp(in, big, sizeof(big)) == 0,
	      "other bytes");
	get(p[1], "last");
	get(p[0], "back");
	nothing(p[0]);
	nothing(p[1]);
}
static void datagram_queue(void) { messages(SOCK_DGRAM); }
static void seqpacket_queue(void) { messages(SOCK_SEQPACKET); }

/* As many datagrams as the kernel takes; the next one must wait again. */
static void datagram_full(void)
{
	struct sockaddr_un at;
	socklen_t n = address(&at, "full");
	int receiver = bound(SOCK_DGRAM, "full"), sender = make(SOCK_DGRAM), count = 0;
	while (sendto(sender, &count, sizeof(count), MSG_DONTWAIT, (void *)&at, n) == sizeof(count))
		count++;
	REQUIRE(errno == EAGAIN && count > 1, "%d datagrams: %s", count, strerror(errno));
	ready();
	while (next_round())
		CHECK(sendto(sender, &count, 4, MSG_DONTWAIT, (void *)&at, n) == -1 && errno == EAGAIN,
		      "another datagram was taken");
	for (int i = 0, word; i < count; i++)
		CHECK(recv(receiver, &word, 4, MSG_DONTWAIT) == 4 && word == i, "datagram %d", i);
	nothing(receiver);
}

/* A stream that takes no byte more is full again. */
static void stream_full(void)
{
	int p[2];
	static char block[4096];
	ssize_t sent = 0, n, got = 0;
	pair(SOCK_STREAM | SOCK_NONBLOCK, p);
	set_option(p[0], SO_SNDBUF, 20000);
	while ((n = send(p[0], block, sizeof(block), 0)) > 0)
		sent += n;
	REQUIRE(errno == EAGAIN, "send");
	struct pollfd poller = {p[0], POLLOUT, 0};
	ready();
	while (next_round())
		CHECK(poll(&poller, 1, 0) == 0, "it can be written to: %x", poller.revents);
	while ((n = recv(p[1], block, sizeof(block), 0)) > 0)
		got += n;
	CHECK(got == sent, "%zd bytes of %zd", got, sent);
}

/* A child has the other end. */
static void child_end(void *arg)
{
	int *p = arg;
	char c;
	close(p[0]);
	ready();
	while (recv(p[1], &c, 1, 0) == 1) {
		next_busy_round();
		c++;
		CHECK(send(p[1], &c, 1, MSG_NOSIGNAL) == 1, "send: %s", strerror(errno));
	}
}

static void between(void)
{
	int p[2];
	char c = 0, back = 0;
	pair(SOCK_STREAM, p);
	start_child("child", child_end, p);
	close(p[1]);
	ready();
	while (next_round()) {
		CHECK(send(p[0], &c, 1, MSG_NOSIGNAL) == 1 && recv(p[0], &back, 1, 0) == 1, "no answer");
		CHECK(back == (char)(c + 1), "%d came back for %d", back, c);
		c++;
	}
	close(p[0]);
	join_children();
}

static void share_end(void *arg)
{
	int *p = arg, n = 0;
	ready();
	while (next_round()) {
		ioctl(p[1], FIONREAD, &n);
		CHECK(n == 6, "%d bytes", n);
	}
}

/* Parent and child have both ends, and the parent one of them twice. */
static void shared(void)
{
	int p[2], n = 0;
	pair(SOCK_STREAM, p);
	int twice = dup(p[0]);
	put(twice, "common");
	start_child("child", share_end, p);
	ready();
	while (next_round()) {
		ioctl(p[1], FIONREAD, &n);
		CHECK(n == 6, "%d bytes", n);
	}
	join_children();
	get(p[1], "common");
}

/* ---- ends that are closed or shut down ---- */

static void closed(int type)
{
	int p[2];
	pair(type, p);
	put(p[0], "rest");
	close(p[0]);
	ready();
	while (next_round()) {
		int n = 0;
		ioctl(p[1], FIONREAD, &n);
		CHECK(n == 4, "%d bytes", n);
		CHECK(send(p[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE, "send: %s", strerror(errno));
	}
	get(p[1], "rest");
	eof(p[1]);
}
static void peer_closed(void) { closed(SOCK_STREAM); }
static void seqpacket_peer_closed(void) { closed(SOCK_SEQPACKET); }

/* A datagram socket learns only when it sends that its peer is gone. */
static void datagram_peer_closed(void)
{
	int p[2];
	pair(SOCK_DGRAM, p);
	put(p[0], "rest");
	close(p[0]);
	ready();
	while (next_round()) {
		int n = 0;
		ioctl(p[1], FIONREAD, &n);
		CHECK(n == 4, "%d bytes", n);
	}
	get(p[1], "rest");
	CHECK(send(p[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == ECONNREFUSED, "send: %s",
	      strerror(errno));
}

static void datagram_server_gone(void)
{
	int a = bound(SOCK_DGRAM, "server"), b = bound(SOCK_DGRAM, "@server");
	int first = make(SOCK_DGRAM), second = make(SOCK_DGRAM);
	REQUIRE(try_connect(first, "server") == 0 && try_connect(second, "@server") == 0, "connect");
	close(a);
	close(b);
	ready();
	while (next_round()) {
		has_peer(first, "server");
		has_peer(second, "@server");
	}
	CHECK(send(first, "x", 1, MSG_NOSIGNAL) == -1 && errno == ECONNREFUSED, "%s", strerror(errno));
	REQUIRE(bound(SOCK_DGRAM, "@server") >= 0, "the name is free");
}

/* The peer was closed with bytes unread: that is told once. */
static void reset(void)
{
	int p[2], error = 0;
	pair(SOCK_STREAM, p);
	put(p[1], "unread");
	put(p[0], "rest");
	close(p[0]);
	struct pollfd poller = {p[1], 0, 0};
	ready();
	while (next_round())
		CHECK(poll(&poller, 1, 0) == 1 && poller.revents & POLLERR, "events %x", poller.revents);
	error = int_option(p[1], SO_ERROR);
	CHECK(error == ECONNRESET, "error %d", error);
	get(p[1], "rest");
	eof(p[1]);
}

static void half_shut(void)
{
	int p[2];
	pair(SOCK_STREAM, p);
	put(p[0], "before");
	REQUIRE(shutdown(p[0], SHUT_WR) == 0, "shutdown");
	ready();
	while (next_round()) {
		CHECK(send(p[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE, "send: %s", strerror(errno));
		put(p[1], "still");
		get(p[0], "still");
	}
	get(p[1], "before");
	eof(p[1]);
}

static void read_shut(void)
{
	int p[2];
	pair(SOCK_STREAM, p);
	REQUIRE(shutdown(p[0], SHUT_RD) == 0, "shutdown");
	ready();
	while (next_round()) {
		eof(p[0]);
		CHECK(send(p[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE, "send: %s", strerror(errno));
		put(p[0], "on");
		get(p[1], "on");
	}
}

static void both_shut(void)
{
	int p[2];
	pair(SOCK_SEQPACKET, p);
	put(p[0], "before");
	REQUIRE(shutdown(p[0], SHUT_RDWR) == 0, "shutdown");
	struct pollfd poller = {p[1], POLLIN | POLLRDHUP, 0};
	ready();
	while (next_round()) {
		eof(p[0]);
		CHECK(poll(&poller, 1, 0) == 1 && poller.revents & POLLHUP, "events %x", poller.revents);
	}
	get(p[1], "before");
	eof(p[1]);
}

/* A datagram socket that reads no more; its peer may not send. */
static void datagram_shut(void)
{
	int p[2];
	pair(SOCK_DGRAM, p);
	REQUIRE(shutdown(p[0], SHUT_RD) == 0 && shutdown(p[1], SHUT_RD) == 0, "shutdown");
	ready();
	while (next_round())
		CHECK(send(p[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE, "send: %s", strerror(errno));
}

/* ---- names ---- */

static void plain(void)
{
	int s = make(SOCK_STREAM), d = make(SOCK_DGRAM | SOCK_NONBLOCK), q = make(SOCK_SEQPACKET);
	ready();
	while (next_round()) {
		has_name(s, "");
		CHECK(int_option(q, SO_TYPE) == SOCK_SEQPACKET, "type %d", int_option(q, SO_TYPE));
		CHECK(fcntl(d, F_GETFL) & O_NONBLOCK, "flags %x", fcntl(d, F_GETFL));
		CHECK(send(s, "x", 1, MSG_NOSIGNAL) == -1 && errno == ENOTCONN, "send: %s", strerror(errno));
	}
}

static void serve(const char *name)
{
	int type = SOCK_STREAM, listener = listening(type, name, 7);
	ready();
	while (next_round()) {
		has_name(listener, name);
		CHECK(int_option(listener, SO_ACCEPTCONN) == 1, "it does not listen");
		int client = connected(type, name), server = accepted(listener);
		talk(client, server);
		has_peer(client, name);
		close(client);
		close(server);
	}
}
static void listen_abstract(void) { serve("@listen"); }
static void listen_relative(void) { serve("listen"); }
static void listen_absolute(void)
{
	char name[108];
	snprintf(name, sizeof(name), "%s/absolute", subject_dir());
	serve(name);
}

/* Bound from another current directory than the one now. */
static void elsewhere(void)
{
	REQUIRE(mkdir("sub", 0755) == 0 && mkdir("sub/deep", 0755) == 0 && chdir("sub") == 0, "mkdir");
	int up = listening(SOCK_STREAM, "../up", 3), deep = listening(SOCK_STREAM, "deep/name", 3);
	REQUIRE(chdir("..") == 0, "chdir");
	ready();
	while (next_round()) {
		has_name(up, "../up");
		has_name(deep, "deep/name");
		int a = connected(SOCK_STREAM, "up"), b = connected(SOCK_STREAM, "sub/deep/name");
		int c = accepted(up), d = accepted(deep);
		talk(a, c);
		talk(b, d);
		close(a), close(b), close(c), close(d);
	}
}

static void autobind(void)
{
	struct sockaddr_un first = {AF_UNIX, ""}, now;
	socklen_t n = sizeof(first), m;
	int fd = make(SOCK_STREAM);
	REQUIRE(bind(fd, (void *)&first, sizeof(sa_family_t)) == 0, "bind");
	REQUIRE(getsockname(fd, (void *)&first, &n) == 0 && n == 8, "getsockname %d", n);
	ready();
	while (next_round()) {
		m = sizeof(now);
		CHECK(getsockname(fd, (void *)&now, &m) == 0 && m == n && memcmp(&first, &now, n) == 0,
		      "another name");
	}
}

/* An abstract name of many zeroes is not one of fewer. */
static void zeroes(void)
{
	struct sockaddr_un at = {AF_UNIX, ""}, now;
	socklen_t n, m;
	memcpy(at.sun_path + 1, subject_dir(), strlen(subject_dir()));
	n = offsetof(struct sockaddr_un, sun_path) + strlen(subject_dir()) + 9;
	int a = make(SOCK_DGRAM), b = make(SOCK_DGRAM);
	REQUIRE(bind(a, (void *)&at, n) == 0 && bind(b, (void *)&at, n - 3) == 0, "bind");
	ready();
	while (next_round()) {
		m = sizeof(now);
		CHECK(getsockname(a, (void *)&now, &m) == 0 && m == n, "name of %d bytes", m);
		m = sizeof(now);
		CHECK(getsockname(b, (void *)&now, &m) == 0 && m == n - 3, "name of %d bytes", m);
	}
}

static void permissions(void)
{
	struct stat st;
	int fd = listening(SOCK_STREAM, "mine", 2);
	REQUIRE(chmod("mine", 0610) == 0 && chown("mine", 1234, 4321) == 0, "chown");
	ready();
	while (next_round()) {
		CHECK(stat("mine", &st) == 0 && (st.st_mode & 07777) == 0610, "mode %o", st.st_mode);
		CHECK(st.st_uid == 1234 && st.st_gid == 4321, "owner %d %d", st.st_uid, st.st_gid);
		int client = connected(SOCK_STREAM, "mine");
		close(accepted(fd));
		close(client);
	}
}

static void unlinked(void)
{
	int listener = listening(SOCK_STREAM, "gone", 5);
	int client = connected(SOCK_STREAM, "gone"), server = accepted(listener);
	REQUIRE(unlink("gone") == 0, "unlink");
	ready();
	while (next_round()) {
		has_name(listener, "gone");
		has_peer(client, "gone");
		talk(client, server);
		CHECK(access("gone", F_OK) == -1, "the name is back");
		int other = make(SOCK_STREAM);
		CHECK(try_connect(other, "gone") == -1 && errno == ENOENT, "connect: %s", strerror(errno));
		close(other);
	}
}

/* The name of the first was removed and given to the second. */
static void taken_over(void)
{
	int first = listening(SOCK_STREAM, "name", 5);
	int old_client = connected(SOCK_STREAM, "name"), old_server = accepted(first);
	REQUIRE(unlink("name") == 0, "unlink");
	int second = listening(SOCK_STREAM, "name", 5);
	ready();
	while (next_round()) {
		has_name(first, "name");
		has_name(second, "name");
		talk(old_client, old_server);
		int client = connected(SOCK_STREAM, "name"), server = accepted(second);
		talk(client, server);
		close(client);
		close(server);
		struct pollfd poller = {first, POLLIN, 0};
		CHECK(poll(&poller, 1, 0) == 0, "the first one has a connection");
	}
}

/* The file stays when the listener goes; an accepted connection keeps its name. */
static void listener_gone(void)
{
	int listener = listening(SOCK_STREAM, "left", 5), hidden = listening(SOCK_SEQPACKET, "@hidden", 5);
	int a = connected(SOCK_STREAM, "left"), b = accepted(listener);
	int c = connected(SOCK_SEQPACKET, "@hidden"), d = accepted(hidden);
	close(listener);
	close(hidden);
	ready();
	while (next_round()) {
		talk(a, b);
		talk(c, d);
		has_name(b, "left");
		has_peer(a, "left");
		has_name(d, "@hidden");
		has_peer(c, "@hidden");
		int other = make(SOCK_STREAM);
		CHECK(try_connect(other, "left") == -1 && errno == ECONNREFUSED, "%s", strerror(errno));
		close(other);
	}
	REQUIRE(listen(bound(SOCK_SEQPACKET, "@hidden"), 1) == 0, "the name is free");
}

/* Ten connections through one listener, each with a word of its own in the queue. */
static void connections(int type)
{
	int listener = listening(type, "many", 20), client[10], server[10];
	char word[16];
	for (int i = 0; i < 10; i++) {
		client[i] = connected(type, "many");
		server[i] = accepted(listener);
		snprintf(word, sizeof(word), "word %d", i);
		put(client[i], word);
	}
	ready();
	while (next_round())
		for (int i = 0; i < 10; i++) {
			has_name(server[i], "many");
			has_peer(client[i], "many");
			has_peer(server[i], "");
			put(server[i], "answer");
			get(client[i], "answer");
		}
	for (int i = 0; i < 10; i++) {
		snprintf(word, sizeof(word), "word %d", i);
		get(server[i], word);
	}
}
static void stream_connections(void) { connections(SOCK_STREAM); }
static void seqpacket_connections(void) { connections(SOCK_SEQPACKET); }

static void named_client(void)
{
	int listener = listening(SOCK_STREAM, "server", 3), client = bound(SOCK_STREAM, "client");
	REQUIRE(try_connect(client, "server") == 0, "connect");
	int server = accepted(listener);
	ready();
	while (next_round()) {
		talk(client, server);
		has_name(client, "client");
		has_peer(server, "client");
		has_name(server, "server");
		has_peer(client, "server");
	}
}

/* The server's end is closed: the client still knows who it was. */
static void server_closed(void)
{
	int listener = listening(SOCK_STREAM, "server", 3), client = connected(SOCK_STREAM, "server");
	int server = accepted(listener);
	put(server, "bye");
	close(server);
	int second = connected(SOCK_STREAM, "server"), left = accepted(listener);
	close(second);
	ready();
	while (next_round()) {
		has_peer(client, "server");
		has_name(left, "server");
		eof(left);
	}
	get(client, "bye");
	eof(client);
}

/* ---- connections that nobody has accepted yet ---- */

static void waiting(int type)
{
	int listener = listening(type, "wait", 8), client[3];
	for (int i = 0; i < 3; i++)
		client[i] = connected(type, "wait");
	ready();
	while (next_round()) {
		has_peer(client[0], "wait");
		struct pollfd poller = {listener, POLLIN, 0};
		CHECK(poll(&poller, 1, 0) == 1, "no connection waits");
	}
	for (int i = 0; i < 3; i++) {
		int server = accepted(listener);
		talk(client[i], server);
		has_name(server, "wait");
	}
	CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0 && accept(listener, NULL, NULL) == -1,
	      "a fourth connection");
}
static void stream_waiting(void) { waiting(SOCK_STREAM); }
static void seqpacket_waiting(void) { waiting(SOCK_SEQPACKET); }

/* A queue that is as long as the backlog allows takes no more. */
static void backlog(void)
{
	int listener = listening(SOCK_STREAM, "@backlog", 2), client[3];
	for (int i = 0; i < 3; i++)
		client[i] = connected(SOCK_STREAM, "@backlog");
	int more = make(SOCK_STREAM | SOCK_NONBLOCK);
	ready();
	while (next_round())
		CHECK(try_connect(more, "@backlog") == -1 && errno == EAGAIN, "%s", strerror(errno));
	for (int i = 0; i < 3; i++)
		talk(client[i], accepted(listener));
}

/* Bytes were sent through connections that nobody has accepted; one client is closed again. */
static void waiting_queue(void)
{
	char in[8];
	struct ucred is;
	int got[2], listener = listening(SOCK_STREAM, "wait", 8), first = connected(SOCK_STREAM, "wait");
	int second = connected(SOCK_STREAM, "wait"), third = connected(SOCK_STREAM, "wait");
	int fourth = connected(SOCK_STREAM, "wait");
	put(first, "early");
	put(third, "bye");
	close(third);
	put(fourth, "half");
	REQUIRE(shutdown(fourth, SHUT_WR) == 0, "shutdown");
	ready();
	while (next_round())
		nothing(first);
	int server = accepted(listener);
	set_option(server, SO_PASSCRED, 1);
	receive_with(server, "early", got, &is, 100);
	CHECK(is.pid == getpid() && is.uid == 0, "early is of %d %d", is.pid, is.uid);
	talk(first, server);
	talk(second, accepted(listener));
	server = accepted(listener);
	get(server, "bye");
	eof(server);
	server = accepted(listener);
	get(server, "half");
	eof(server);
	CHECK(send(server, "on", 2, 0) == 2 && recv(fourth, in, 2, 0) == 2, "the other way");
}

/* An empty message is one, too. */
static void empty_messages(void)
{
	int p[2];
	pair(SOCK_DGRAM, p);
	put(p[0], "first");
	put(p[0], "");
	put(p[0], "last");
	ready();
	while (next_round())
		nothing(p[0]);
	get(p[1], "first");
	eof(p[1]);
	get(p[1], "last");
}

/* ---- datagram sockets with names ---- */

static void senders(void)
{
	struct sockaddr_un from;
	socklen_t n;
	char in[64];
	int receiver = bound(SOCK_DGRAM, "inbox"), first = bound(SOCK_DGRAM, "first");
	int second = bound(SOCK_DGRAM, "@second"), nobody = make(SOCK_DGRAM), gone = bound(SOCK_DGRAM, "@gone");
	int all[] = {first, second, nobody, gone};
	const char *const names[] = {"first", "@second", "", "@gone"};
	const char *const texts[] = {"of first", "of second", "of nobody", "of one that is gone"};
	for (int i = 0; i < 4; i++) {
		REQUIRE(try_connect(all[i], "inbox") == 0, "connect");
		put(all[i], texts[i]);
	}
	close(gone);
	ready();
	while (next_round()) {
		has_peer(first, "inbox");
		has_peer(nobody, "inbox");
	}
	for (int i = 0; i < 4; i++) {
		struct sockaddr_un want;
		socklen_t m = address(&want, names[i]);
		n = sizeof(from);
		ssize_t got = recvfrom(receiver, in, sizeof(in), MSG_DONTWAIT, (void *)&from, &n);
		CHECK(got == (ssize_t)strlen(texts[i]) && memcmp(in, texts[i], got) == 0, "message %d", i);
		if (names[i][0])
			CHECK(n == m && memcmp(&from, &want, n) == 0, "message %d from another address", i);
		else
			CHECK(n == 0, "message %d from an address of %d bytes", i, n);
	}
	put(nobody, "on");
	get(receiver, "on");
}

/* A has B for its peer, B has C. */
static void chain(void)
{
	int a = bound(SOCK_DGRAM, "@a"), b = bound(SOCK_DGRAM, "b"), c = bound(SOCK_DGRAM, "c");
	REQUIRE(try_connect(b, "c") == 0, "connect");
	REQUIRE(try_connect(c, "@a") == 0, "connect");
	ready();
	while (next_round()) {
		has_peer(b, "c");
		has_peer(c, "@a");
		put(c, "to a");
		get(a, "to a");
		CHECK(send(b, "x", 1, MSG_DONTWAIT) == -1 && errno == EPERM, "send: %s", strerror(errno));
	}
}

/* Two that were bound and then connected to each other, with a third one's message before that. */
static void mutual(void)
{
	int a = bound(SOCK_DGRAM, "one"), b = bound(SOCK_DGRAM, "two"), third = make(SOCK_DGRAM);
	struct sockaddr_un at;
	socklen_t n = address(&at, "one");
	REQUIRE(sendto(third, "early", 5, 0, (void *)&at, n) == 5, "sendto");
	REQUIRE(try_connect(a, "two") == 0 && try_connect(b, "one") == 0, "connect");
	put(b, "late");
	ready();
	while (next_round()) {
		has_peer(a, "two");
		has_peer(b, "one");
		CHECK(sendto(third, "x", 1, MSG_DONTWAIT, (void *)&at, n) == -1 && errno == EPERM, "%s",
		      strerror(errno));
	}
	get(a, "early");
	get(a, "late");
}

/* One end of a pair was given another peer: the other one still sends to it, in vain. */
static void untied(void)
{
	int p[2], c = bound(SOCK_DGRAM, "third");
	pair(SOCK_DGRAM, p);
	REQUIRE(try_connect(p[1], "third") == 0, "connect");
	put(p[1], "queued");
	int_option(p[0], SO_ERROR);
	ready();
	while (next_round()) {
		has_peer(p[1], "third");
		has_peer(p[0], "");
		CHECK(send(p[0], "x", 1, MSG_DONTWAIT) == -1 && errno == EPERM, "send: %s", strerror(errno));
	}
	get(c, "queued");
}

static void to_itself(void)
{
	int fd = bound(SOCK_DGRAM, "self");
	REQUIRE(try_connect(fd, "self") == 0, "connect");
	put(fd, "kept");
	ready();
	while (next_round())
		has_peer(fd, "self");
	get(fd, "kept");
	put(fd, "again");
	get(fd, "again");
}

/* ---- what travels in a queue ---- */

static void rights(void)
{
	int p[2], got[8], out[3], twice;
	pair(SOCK_STREAM, p);
	twice = out[0] = make_file("passed", 100, 9);
	REQUIRE(lseek(out[0], 42, SEEK_SET) == 42, "lseek");
	out[1] = out[0];
	REQUIRE((out[2] = open("/dev/null", O_RDWR)) >= 0, "open");
	put(p[0], "before");
	send_with(p[0], "with", out, 3, NULL);
	put(p[0], "after");
	close(out[2]);
	ready();
	while (next_round())
		CHECK(in_flight(p[1]) == 3, "%d descriptors wait", in_flight(p[1]));
	CHECK(receive_with(p[1], "before", got, NULL, 6) == 0, "descriptors too early");
	CHECK(receive_with(p[1], "with", got, NULL, 100) == 3, "descriptors are missing");
	get(p[1], "after");
	CHECK(lseek(got[0], 0, SEEK_CUR) == 42 && lseek(got[1], 10, SEEK_SET) == 10, "position");
	CHECK(lseek(twice, 0, SEEK_CUR) == 10, "it is another description");
}

/* Pipe, eventfd-like objects that exist nowhere but in the queue. */
static void only_in_flight(int type)
{
	int p[2], q[2], got[8];
	char in[8] = "";
	pair(type, p);
	REQUIRE(pipe(q) == 0 && write(q[1], "inside", 6) == 6, "pipe");
	send_with(p[0], "pipe", q, 2, NULL);
	close(q[0]);
	close(q[1]);
	ready();
	while (next_round())
		CHECK(in_flight(p[1]) == 2, "%d descriptors wait", in_flight(p[1]));
	CHECK(receive_with(p[1], "pipe", got, NULL, 100) == 2, "descriptors are missing");
	CHECK(read(got[0], in, 6) == 6 && memcmp(in, "inside", 6) == 0, "other bytes");
	CHECK(write(got[1], "more", 4) == 4 && read(got[0], in, 4) == 4, "no pipe");
}
static void stream_flight(void) { only_in_flight(SOCK_STREAM); }
static void datagram_flight(void) { only_in_flight(SOCK_DGRAM); }

/* A socket with a queue of its own travels, and one over itself. */
static void nested(void)
{
	int p[2], q[2], got[8], inner[8];
	pair(SOCK_SEQPACKET, p);
	pair(SOCK_SEQPACKET, q);
	put(q[1], "deep inside");
	send_with(q[1], "its peer", q + 1, 1, NULL);
	send_with(p[0], "nested", q, 1, NULL);
	send_with(p[0], "itself", p + 1, 1, NULL);
	close(q[0]);
	close(q[1]);
	ready();
	while (next_round())
		CHECK(in_flight(p[1]) == 2, "%d descriptors wait", in_flight(p[1]));
	CHECK(receive_with(p[1], "nested", got, NULL, 100) == 1, "no socket");
	get(got[0], "deep inside");
	CHECK(receive_with(got[0], "its peer", inner, NULL, 100) == 1, "no peer");
	talk(got[0], inner[0]);
	CHECK(receive_with(p[1], "itself", inner, NULL, 100) == 1, "no socket");
	talk(inner[0], p[0]);
}

/* Two pairs, each with an end in the queue of the other, and nothing else that leads there. */
static void cycle(void)
{
	int p[2], q[2], got[2], other[2];
	pair(SOCK_STREAM, p);
	pair(SOCK_STREAM, q);
	send_with(p[0], "q", q, 2, NULL);
	send_with(q[0], "p", p + 1, 1, NULL);
	close(q[0]);
	close(q[1]);
	ready();
	while (next_round())
		CHECK(in_flight(p[1]) == 2, "%d descriptors wait", in_flight(p[1]));
	CHECK(receive_with(p[1], "q", got, NULL, 100) == 2, "no sockets");
	CHECK(receive_with(got[1], "p", other, NULL, 100) == 1, "no socket");
	talk(p[0], other[0]);
}

static void credentials(int type)
{
	int p[2], got[2];
	struct ucred mine = {getpid(), 0, 0}, other = {getpid(), 1234, 4321}, is;
	pair(type, p);
	put(p[0], "plain");
	set_option(p[1], SO_PASSCRED, 1);
	put(p[0], "noted");
	send_with(p[0], "told", NULL, 0, &other);
	ready();
	while (next_round())
		CHECK(int_option(p[1], SO_PASSCRED) == 1, "SO_PASSCRED is off");
	receive_with(p[1], "plain", got, &is, 100);
	CHECK(is.pid == 0 && is.uid == 65534, "plain is of %d %d", is.pid, is.uid);
	receive_with(p[1], "noted", got, &is, 100);
	CHECK(memcmp(&is, &mine, sizeof(is)) == 0, "noted is of %d %d", is.pid, is.uid);
	receive_with(p[1], "told", got, &is, 100);
	CHECK(memcmp(&is, &other, sizeof(is)) == 0, "told is of %d %d %d", is.pid, is.uid, is.gid);
}
static void stream_credentials(void) { credentials(SOCK_STREAM); }
static void datagram_credentials(void) { credentials(SOCK_DGRAM); }


/* The sender is gone, and its pid is free. */
static void dead_sender(void)
{
	int p[2], got[2], status;
	struct ucred is = {0};
	pair(SOCK_DGRAM, p);
	set_option(p[1], SO_PASSCRED, 1);
	pid_t pid = fork();
	if (pid == 0)
		_exit(send(p[0], "of the dead", 11, 0) == 11 ? 0 : 1);
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid");
	ready();
	while (next_round())
		CHECK(int_option(p[1], SO_PASSCRED) == 1, "SO_PASSCRED is off");
	receive_with(p[1], "of the dead", got, &is, 100);
	CHECK(is.pid == pid && is.uid == 0, "it is of %d %d", is.pid, is.uid);
}

static void urgent(void)
{
	int p[2], mark = -1;
	char c = 0;
	pair(SOCK_STREAM, p);
	put(p[0], "before");
	NEEDS(send(p[0], "!", 1, MSG_OOB) == 1, "urgent data of unix sockets");
	put(p[0], "after");
	struct pollfd poller = {p[1], POLLPRI, 0};
	ready();
	while (next_round())
		CHECK(poll(&poller, 1, 0) == 1 && poller.revents == POLLPRI, "events %x", poller.revents);
	get(p[1], "before");
	CHECK(ioctl(p[1], SIOCATMARK, &mark) == 0 && mark == 1, "no mark");
	CHECK(recv(p[1], &c, 1, MSG_OOB) == 1 && c == '!', "urgent byte %c", c);
	get(p[1], "after");
}

static void urgent_first(void)
{
	int p[2];
	char c = 0;
	pair(SOCK_STREAM, p);
	NEEDS(send(p[0], "!", 1, MSG_OOB) == 1, "urgent data of unix sockets");
	put(p[0], "after");
	set_option(p[1], SO_OOBINLINE, 1);
	ready();
	while (next_round())
		CHECK(int_option(p[1], SO_OOBINLINE) == 1, "SO_OOBINLINE is off");
	set_option(p[1], SO_OOBINLINE, 0);
	CHECK(recv(p[1], &c, 1, MSG_OOB) == 1 && c == '!', "urgent byte %c", c);
	get(p[1], "after");
}

static void urgent_taken(void)
{
	int p[2];
	char c = 0;
	pair(SOCK_STREAM, p);
	put(p[0], "before");
	NEEDS(send(p[0], "!", 1, MSG_OOB) == 1, "urgent data of unix sockets");
	put(p[0], "after");
	REQUIRE(recv(p[1], &c, 1, MSG_OOB) == 1, "recv");
	ready();
	while (next_round())
		CHECK(recv(p[1], &c, 1, MSG_OOB | MSG_DONTWAIT) == -1 && errno == EINVAL, "another byte");
	get(p[1], "before");
	get(p[1], "after");
}

/* ---- options and owners ---- */

static void options(void)
{
	int p[2], l = listening(SOCK_STREAM, "@options", 5);
	struct timeval t = {3, 250000}, is;
	struct linger linger = {1, 17}, lingers;
	socklen_t n;
	pair(SOCK_STREAM, p);
	set_option(p[0], SO_SNDBUF, 30000);
	set_option(p[0], SO_RCVBUF, 40000);
	set_option(p[0], SO_PASSCRED, 1);
	set_option(p[0], SO_RCVLOWAT, 3);
	set_option(p[0], SO_MARK, 77);
	set_option(p[0], SO_PRIORITY, 4);
	set_option(p[0], SO_PEEK_OFF, 5);
	setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(p[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	set_option(l, SO_PASSCRED, 1);
	put(p[1], "0123456789");
	ready();
	while (next_round()) {
		CHECK(int_option(p[0], SO_SNDBUF) == 60000, "SO_SNDBUF %d", int_option(p[0], SO_SNDBUF));
		CHECK(int_option(p[0], SO_RCVBUF) == 80000, "SO_RCVBUF %d", int_option(p[0], SO_RCVBUF));
		CHECK(int_option(p[0], SO_RCVLOWAT) == 3, "SO_RCVLOWAT %d", int_option(p[0], SO_RCVLOWAT));
		CHECK(int_option(p[0], SO_MARK) == 77, "SO_MARK %d", int_option(p[0], SO_MARK));
		CHECK(int_option(p[0], SO_PRIORITY) == 4, "SO_PRIORITY %d", int_option(p[0], SO_PRIORITY));
		CHECK(int_option(p[0], SO_PEEK_OFF) == 5, "SO_PEEK_OFF %d", int_option(p[0], SO_PEEK_OFF));
		CHECK(int_option(p[0], SO_PASSCRED) == 1 && int_option(p[1], SO_PASSCRED) == 0, "SO_PASSCRED");
		CHECK(int_option(l, SO_PASSCRED) == 1, "SO_PASSCRED of the listener");
		n = sizeof(is);
		getsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &is, &n);
		CHECK(is.tv_sec == 3 && is.tv_usec / 10000 == 25, "SO_RCVTIMEO %ld", (long)is.tv_usec);
		n = sizeof(lingers);
		getsockopt(p[0], SOL_SOCKET, SO_LINGER, &lingers, &n);
		CHECK(lingers.l_onoff == 1 && lingers.l_linger == 17, "SO_LINGER %d", lingers.l_linger);
	}
	char in[8];
	CHECK(recv(p[0], in, 3, MSG_PEEK) == 3 && memcmp(in, "567", 3) == 0, "looked at %.3s", in);
}

static struct ucred peer_of(int fd)
{
	struct ucred is = {0};
	socklen_t n = sizeof(is);
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &is, &n);
	return is;
}

static void is_of(int fd, struct ucred want, const char *what)
{
	struct ucred is = peer_of(fd);
	CHECK(memcmp(&is, &want, sizeof(is)) == 0, "%s is of %d %d %d", what, is.pid, is.uid, is.gid);
}

static void connect_once(void *arg)
{
	int *client = arg;
	REQUIRE(setresgid(55, 55, 55) == 0 && setresuid(44, 44, 44) == 0, "setresuid");
	*client = connected(SOCK_STREAM, "@peers");
	put(*client, "hello");
	ready();
	while (next_round())
		CHECK(peer_of(*client).pid == getppid(), "the server is %d", peer_of(*client).pid);
}

/* Who made the pair, who listens, who connected. */
static void peers(void)
{
	int p[2], client = -1, listener = listening(SOCK_STREAM, "@peers", 3);
	struct ucred me = {getpid(), 0, 0};
	pair(SOCK_STREAM, p);
	pid_t pid = start_child("child", connect_once, &client);
	int server = accepted(listener);
	struct ucred child = {pid, 44, 55};
	ready();
	while (next_round()) {
		is_of(p[0], me, "the pair");
		is_of(p[1], me, "the pair");
		is_of(server, child, "the client");
		int now = connected(SOCK_STREAM, "@peers");
		is_of(now, me, "the listener");
		close(now);
		close(accepted(listener));
	}
	join_children();
}

static volatile sig_atomic_t io_signals;
static void on_io(int signal)
{
	(void)signal;
	io_signals++;
}

static void async(void)
{
	int p[2], told;
	signal(SIGIO, on_io);
	pair(SOCK_STREAM, p);
	REQUIRE(fcntl(p[0], F_SETOWN, getpid()) == 0, "F_SETOWN");
	REQUIRE(fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0, "O_ASYNC");
	ready();
	while (next_round()) {
		told = io_signals;
		put(p[1], "x");
		CHECK(io_signals > told, "no signal");
		CHECK(fcntl(p[0], F_GETOWN) == getpid(), "owner %d", fcntl(p[0], F_GETOWN));
		get(p[0], "x");
	}
}

/* A socket whose name counts from a root directory of its own. */
static void in_jail(void *arg)
{
	int fd;
	(void)arg;
	REQUIRE(mkdir("jail", 0755) == 0 && chroot("jail") == 0 && chdir("/") == 0, "chroot");
	fd = listening(SOCK_STREAM, "/socket", 3);
	ready();
	while (next_round()) {
		has_name(fd, "/socket");
		int client = connected(SOCK_STREAM, "/socket");
		close(accepted(fd));
		close(client);
	}
}

static void jail(void)
{
	start_child("child", in_jail, NULL);
	ready();
	while (next_round())
		CHECK(access("jail/socket", F_OK) == 0, "no jail/socket");
	join_children();
}

/* ---- a peer outside of the tree, which answers (tests/e2e/unix-sockets.test.ts) ---- */

static void note(const char *state)
{
	int fd = open("state.new", O_CREAT | O_WRONLY | O_TRUNC, 0644);
	CHECK(fd >= 0 && write(fd, state, strlen(state)) > 0 && rename("state.new", "state") == 0,
	      "state: %s", strerror(errno));
	close(fd);
}

/* Asks until there is no answer any more, and notes which it is. */
static void ask(int fd)
{
	char in[16];
	bool open = true;
	ready();
	while (next_round()) {
		if (open)
			open = send(fd, "ask", 3, MSG_NOSIGNAL) == 3 && recv(fd, in, sizeof(in), 0) == 3;
		note(open ? "open" : "closed");
	}
}

static void outside_stream(void) { ask(connected(SOCK_STREAM, "outside")); }
static void outside_datagram(void)
{
	int fd = bound(SOCK_DGRAM, "inside");
	REQUIRE(try_connect(fd, "outside-datagram") == 0, "connect");
	ask(fd);
}

/* Listens; a connection from outside is not accepted. */
static void outside_client(void)
{
	int fd = listening(SOCK_STREAM, "inside", 5);
	ready();
	while (next_round())
		has_name(fd, "inside");
}

static void many(void)
{
	static int p[500][2];
	for (int i = 0; i < 500; i++) {
		pair(i % 3 == 0 ? SOCK_STREAM : i % 3 == 1 ? SOCK_DGRAM : SOCK_SEQPACKET, p[i]);
		REQUIRE(send(p[i][0], &i, 4, 0) == 4, "send");
	}
	ready();
	while (next_round())
		for (int i = 0; i < 500; i++) {
			int n = 0;
			ioctl(p[i][1], FIONREAD, &n);
			CHECK(n == 4, "pair %d: %d bytes", i, n);
		}
	for (int i = 0, word; i < 500; i++)
		CHECK(recv(p[i][1], &word, 4, MSG_DONTWAIT) == 4 && word == i, "pair %d", i);
}

SUBJECT({"stream", stream_pair}, {"datagram", datagram_pair}, {"seqpacket", seqpacket_pair},
	{"stream-queue", stream_queue}, {"datagram-queue", datagram_queue},
	{"seqpacket-queue", seqpacket_queue}, {"datagram-full", datagram_full},
	{"stream-full", stream_full}, {"between", between}, {"shared", shared},
	{"peer-closed", peer_closed}, {"seqpacket-peer-closed", seqpacket_peer_closed},
	{"datagram-peer-closed", datagram_peer_closed}, {"reset", reset}, {"half-shut", half_shut},
	{"read-shut", read_shut}, {"both-shut", both_shut}, {"datagram-shut", datagram_shut},
	{"plain", plain}, {"abstract", listen_abstract}, {"relative", listen_relative},
	{"absolute", listen_absolute}, {"elsewhere", elsewhere}, {"autobind", autobind},
	{"zeroes", zeroes}, {"permissions", permissions}, {"unlinked", unlinked},
	{"taken-over", taken_over}, {"listener-gone", listener_gone},
	{"connections", stream_connections}, {"seqpacket-connections", seqpacket_connections},
	{"named-client", named_client}, {"server-closed", server_closed}, {"waiting", stream_waiting},
	{"seqpacket-waiting", seqpacket_waiting}, {"backlog", backlog}, {"senders", senders},
	{"chain", chain}, {"mutual", mutual}, {"untied", untied}, {"to-itself", to_itself},
	{"rights", rights}, {"stream-flight", stream_flight}, {"datagram-flight", datagram_flight},
	{"nested", nested}, {"cycle", cycle}, {"credentials", stream_credentials},
	{"datagram-credentials", datagram_credentials}, {"dead-sender", dead_sender},
	{"urgent", urgent}, {"urgent-first", urgent_first}, {"urgent-taken", urgent_taken},
	{"options", options}, {"peers", peers}, {"async", async}, {"jail", jail}, {"many", many},
	{"outside-stream", outside_stream}, {"outside-datagram", outside_datagram},
	{"outside-client", outside_client}, {"waiting-queue", waiting_queue},
	{"empty-messages", empty_messages},
	{"datagram-server-gone", datagram_server_gone})
