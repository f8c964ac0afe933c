/* Sockets and terminals. */
#include "thing.h"
#include <netinet/in.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MESSAGE = 3000 };

/* Puts bytes of the thing's own into a socket. */
static void queue_bytes(struct thing *t, int fd)
{
	char bytes[MESSAGE];
	t->size = 1 + pick(MESSAGE);
	fill(bytes, t->size, t->seed);
	REQUIRE(send(fd, bytes, t->size, 0) == t->size, "send");
}

/* They lie in the other one. */
static void hold_queued(struct thing *t, int fd)
{
	char bytes[MESSAGE + 1];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	HOLD(t, n == t->size && is_whole(t, bytes, t->size), "%zd bytes of %zu", n, t->size);
}

/* And after all else it still carries something both ways. */
static void hold_talk(struct thing *t, int from, int to)
{
	char word[100];
	while (recv(to, word, sizeof(word), MSG_DONTWAIT) > 0)
		;
	HOLD(t, send(from, "talk", 4, 0) == 4 && recv(to, word, sizeof(word), 0) == 4, "talk: %d", errno);
}

static void make_pair(struct thing *t, int type)
{
	REQUIRE(socketpair(AF_UNIX, type, 0, t->fd) == 0, "socketpair");
	queue_bytes(t, t->fd[0]);
}

static void make_stream_pair(struct thing *t)
{
	make_pair(t, SOCK_STREAM);
}

static void make_datagram_pair(struct thing *t)
{
	make_pair(t, SOCK_DGRAM);
}

static void make_packet_pair(struct thing *t)
{
	make_pair(t, SOCK_SEQPACKET);
}

static void check_pair(struct thing *t)
{
	hold_queued(t, t->fd[1]);
}

static void finish_pair(struct thing *t)
{
	hold_queued(t, t->fd[1]);
	hold_talk(t, t->fd[0], t->fd[1]);
	hold_talk(t, t->fd[1], t->fd[0]);
}

/* One end has said that it will send no more. */
static void make_half_closed(struct thing *t)
{
	make_pair(t, SOCK_STREAM);
	REQUIRE(shutdown(t->fd[0], SHUT_WR) == 0, "shutdown");
}

static void finish_half_closed(struct thing *t)
{
	char bytes[MESSAGE + 1];
	HOLD(t, recv(t->fd[1], bytes, sizeof(bytes), 0) == t->size, "bytes");
	HOLD(t, recv(t->fd[1], bytes, sizeof(bytes), MSG_DONTWAIT) == 0, "no end of file: %d", errno);
	hold_talk(t, t->fd[1], t->fd[0]);
}

/* A file that only a message in a queue holds. */
static void make_passed(struct thing *t)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec io = {.iov_base = "f", .iov_len = 1};
	struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, t->fd) == 0, "socketpair");
	int file = make_file(name_of(t), 500, t->seed);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &file, sizeof(int));
	REQUIRE(sendmsg(t->fd[0], &message, 0) == 1, "sendmsg");
	close(file);
}

static void check_passed(struct thing *t)
{
	int queued = -1;
	HOLD(t, ioctl(t->fd[1], FIONREAD, &queued) == 0 && queued == 1, "%d bytes", queued);
}

static void finish_passed(struct thing *t)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte, content[600];
	struct iovec io = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int file = -1;
	HOLD(t, recvmsg(t->fd[1], &message, 0) == 1 && byte == 'f', "recvmsg");
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	HOLD(t, head && head->cmsg_type == SCM_RIGHTS, "no descriptor");
	if (head)
		memcpy(&file, CMSG_DATA(head), sizeof(int));
	HOLD(t, pread(file, content, sizeof(content), 0) == 500 && is_whole(t, content, 500), "content");
}

/* A connection that waits to be accepted. What was sent through it would forbid --leave-running. */
static void make_listener(struct thing *t)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "criu-random-%d-%u", getpid(), t->number);
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + n;
	t->fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	t->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	REQUIRE(bind(t->fd[0], (void *)&address, length) == 0 && listen(t->fd[0], 5) == 0, "listen");
	REQUIRE(connect(t->fd[1], (void *)&address, length) == 0, "connect");
}

static void check_listener(struct thing *t)
{
	int listening = 0;
	socklen_t length = sizeof(listening);
	HOLD(t, getsockopt(t->fd[0], SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening, "SO_ACCEPTCONN");
}

static void finish_listener(struct thing *t)
{
	int fd = accept(t->fd[0], NULL, NULL);
	HOLD(t, fd >= 0, "accept");
	hold_talk(t, fd, t->fd[1]);
	hold_talk(t, t->fd[1], fd);
}

static struct sockaddr_in6 loopback(int family)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	if (family == AF_INET)
		*(struct sockaddr_in *)&any = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return any;
}

static void make_tcp(struct thing *t)
{
	int family = pick(2) ? AF_INET : AF_INET6, one = 1;
	struct sockaddr_in6 address = loopback(family);
	socklen_t length = sizeof(address);
	t->fd[2] = socket(family, SOCK_STREAM, 0);
	t->fd[0] = socket(family, SOCK_STREAM, 0);
	REQUIRE(bind(t->fd[2], (void *)&address, length) == 0 && listen(t->fd[2], 5) == 0, "listen");
	REQUIRE(getsockname(t->fd[2], (void *)&address, &length) == 0, "getsockname");
	REQUIRE(connect(t->fd[0], (void *)&address, length) == 0, "connect");
	t->fd[1] = accept(t->fd[2], NULL, NULL);
	REQUIRE(t->fd[1] >= 0, "accept");
	REQUIRE(setsockopt(t->fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0, "TCP_NODELAY");
	queue_bytes(t, t->fd[0]);
	nap_ms(5); /* by now it is there */
}

static void make_tcp_half_closed(struct thing *t)
{
	make_tcp(t);
	REQUIRE(shutdown(t->fd[0], SHUT_WR) == 0, "shutdown");
	nap_ms(5);
}

static void check_tcp_listener(struct thing *t)
{
	int listening = 0;
	socklen_t length = sizeof(listening);
	HOLD(t, getsockopt(t->fd[0], SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening, "SO_ACCEPTCONN");
}

static void make_tcp_listener(struct thing *t)
{
	struct sockaddr_in6 address = loopback(AF_INET6);
	t->fd[0] = socket(AF_INET6, SOCK_STREAM, 0);
	REQUIRE(bind(t->fd[0], (void *)&address, sizeof(address)) == 0 && listen(t->fd[0], 5) == 0, "listen");
}

static void finish_tcp_listener(struct thing *t)
{
	struct sockaddr_in6 address;
	socklen_t length = sizeof(address);
	t->fd[1] = socket(AF_INET6, SOCK_STREAM, 0);
	HOLD(t, getsockname(t->fd[0], (void *)&address, &length) == 0, "getsockname");
	HOLD(t, connect(t->fd[1], (void *)&address, length) == 0, "connect: %d", errno);
	t->fd[2] = accept(t->fd[0], NULL, NULL);
	hold_talk(t, t->fd[1], t->fd[2]);
}

static void make_netlink(struct thing *t)
{
	t->fd[0] = socket(AF_NETLINK, SOCK_RAW, 0);
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = pick(2)};
	REQUIRE(bind(t->fd[0], (void *)&address, sizeof(address)) == 0, "bind");
	socklen_t length = sizeof(address);
	REQUIRE(getsockname(t->fd[0], (void *)&address, &length) == 0, "getsockname");
	t->value[0] = address.nl_pid;
	t->value[1] = address.nl_groups;
}

static void check_netlink(struct thing *t)
{
	struct sockaddr_nl address;
	socklen_t length = sizeof(address);
	HOLD(t, getsockname(t->fd[0], (void *)&address, &length) == 0, "getsockname");
	HOLD(t, address.nl_pid == t->value[0] && address.nl_groups == t->value[1], "port %u", address.nl_pid);
}

static void make_udp(struct thing *t)
{
	int family = pick(2) ? AF_INET : AF_INET6;
	struct sockaddr_in6 address = loopback(family);
	socklen_t length = sizeof(address);
	t->fd[0] = socket(family, SOCK_DGRAM, 0);
	t->fd[1] = socket(family, SOCK_DGRAM, 0);
	REQUIRE(bind(t->fd[1], (void *)&address, length) == 0, "bind");
	REQUIRE(getsockname(t->fd[1], (void *)&address, &length) == 0, "getsockname");
	REQUIRE(connect(t->fd[0], (void *)&address, length) == 0, "connect");
	t->value[0] = ((struct sockaddr_in *)&address)->sin_port;
}

static void check_udp(struct thing *t)
{
	struct sockaddr_in6 address;
	socklen_t length = sizeof(address);
	HOLD(t, getsockname(t->fd[1], (void *)&address, &length) == 0, "getsockname");
	HOLD(t, address.sin6_port == t->value[0], "port");
	HOLD(t, getpeername(t->fd[0], (void *)&address, &length) == 0 && address.sin6_port == t->value[0], "peer");
}

static void finish_udp(struct thing *t)
{
	hold_talk(t, t->fd[0], t->fd[1]);
}

static void make_pty(struct thing *t)
{
	struct winsize size = {.ws_row = 10 + pick(50), .ws_col = 20 + pick(100)};
	REQUIRE(openpty(&t->fd[0], &t->fd[1], NULL, NULL, &size) == 0, "openpty");
	t->value[0] = size.ws_row;
	t->value[1] = size.ws_col;
}

static void check_pty(struct thing *t)
{
	struct winsize size;
	HOLD(t, ioctl(t->fd[1], TIOCGWINSZ, &size) == 0 && size.ws_row == t->value[0] && size.ws_col == t->value[1], "size");
}

static void finish_pty(struct thing *t)
{
	char line[20];
	HOLD(t, write(t->fd[0], "line\n", 5) == 5, "write");
	HOLD(t, read(t->fd[1], line, sizeof(line)) == 5 && memcmp(line, "line\n", 5) == 0, "read");
}

#define SOCKET_THINGS                                                                              \
	{"unix stream", make_stream_pair, check_pair, finish_pair, false},                         \
	{"unix datagram", make_datagram_pair, check_pair, finish_pair, false},                     \
	{"unix seqpacket", make_packet_pair, check_pair, finish_pair, false},                      \
	{"half closed", make_half_closed, check_pair, finish_half_closed, false},                  \
	{"passed file", make_passed, check_passed, finish_passed, false},                          \
	{"unix listener", make_listener, check_listener, finish_listener, false},                  \
	{"tcp", make_tcp, check_pair, finish_pair, false},                                         \
	{"tcp half closed", make_tcp_half_closed, check_pair, finish_half_closed, false},        \
	{"tcp listener", make_tcp_listener, check_tcp_listener, finish_tcp_listener, false},     \
	{"netlink", make_netlink, check_netlink, NULL, false},                                   \
	{"udp", make_udp, check_udp, finish_udp, false},                                           \
	{"pty", make_pty, check_pty, finish_pty, false}
