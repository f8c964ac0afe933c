/* Sockets of TCP: listening, connected with full queues, half closed, closing, connecting, ended. */
#include "socket-state.h"
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif

static uint64_t fill_seed;

/* ---- making sockets ---- */

static struct sockaddr_in6 any_name(int family, int port)
{
	struct sockaddr_in6 name = {.sin6_family = family, .sin6_port = htons(port)};
	if (family == AF_INET)
		((struct sockaddr_in *)&name)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		name.sin6_addr = in6addr_loopback;
	return name;
}

static socklen_t name_size(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);
	REQUIRE(fd >= 0, "socket: %s", strerror(errno));
	return fd;
}

static void bind_to(int fd, int family, int port)
{
	struct sockaddr_in6 name = any_name(family, port);
	REQUIRE(bind(fd, (void *)&name, name_size(family)) == 0, "bind: %s", strerror(errno));
}

static int listener(int family, int port, int backlog)
{
	int fd = new_socket(family);
	bind_to(fd, family, port);
	REQUIRE(listen(fd, backlog) == 0, "listen: %s", strerror(errno));
	return fd;
}

static struct sockaddr_in6 name_of(int fd)
{
	struct sockaddr_in6 name;
	socklen_t size = sizeof(name);
	memset(&name, 0, sizeof(name));
	REQUIRE(getsockname(fd, (void *)&name, &size) == 0, "getsockname: %s", strerror(errno));
	return name;
}

static void connect_to(int fd, int listening)
{
	struct sockaddr_in6 name = name_of(listening);
	REQUIRE(connect(fd, (void *)&name, name_size(name.sin6_family)) == 0, "connect: %s", strerror(errno));
}

static int accepted(int listening)
{
	int fd = accept(listening, NULL, NULL);
	REQUIRE(fd >= 0, "accept: %s", strerror(errno));
	return fd;
}

static void pair_by(int listening, int pair[2])
{
	pair[0] = new_socket(name_of(listening).sin6_family);
	connect_to(pair[0], listening);
	pair[1] = accepted(listening);
}

static void make_pair(int family, int pair[2])
{
	int listening = listener(family, 0, 5);
	pair_by(listening, pair);
	close(listening);
}

/* Everything that comes in is dropped before the socket sees it. */
static void deaf(int fd)
{
	struct sock_filter nothing[] = {{BPF_RET | BPF_K, 0, 0, 0}};
	struct sock_fprog program = {1, nothing};
	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0,
		"SO_ATTACH_FILTER: %s", strerror(errno));
}

static void hearing(int fd)
{
	int none = 0;
	CHECK(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) == 0, "SO_DETACH_FILTER: %s",
	      strerror(errno));
}

/* Retransmissions come soon, however long the peer was deaf. */
static void impatient(int fd)
{
	int most = 1000;
	setsockopt(fd, IPPROTO_TCP, TCP_RTO_MAX_MS, &most, sizeof(most));
}

/* ---- looking ---- */

static int state_of(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_state : -errno;
}

static void expect_state(int fd, int state, const char *who)
{
	CHECK(state_of(fd) == state, "%s is in state %d, not %d", who, state_of(fd), state);
}

static void await_state(int fd, int state)
{
	for (int i = 0; i < 500 && state_of(fd) != state; i++)
		nap_ms(2);
	REQUIRE(state_of(fd) == state, "state %d, not %d", state_of(fd), state);
}

static int queued(int fd, unsigned long request)
{
	int count = -1;
	return ioctl(fd, request, &count) < 0 ? -errno : count;
}

/* ---- a stream of bytes that differ by place ---- */

static unsigned char byte_at(uint64_t at)
{
	uint64_t x = (at + fill_seed) * 0x9e3779b97f4a7c15u;
	return x >> 56;
}

static void produce(unsigned char *to, size_t size, uint64_t at)
{
	for (size_t i = 0; i < size; i++)
		to[i] = byte_at(at + i);
}

static bool is_produced(const unsigned char *from, size_t size, uint64_t at)
{
	for (size_t i = 0; i < size; i++)
		if (from[i] != byte_at(at + i))
			return false;
	return true;
}

/* Sends what fits at once; how much that was. */
static uint64_t stuff(int fd, uint64_t at, uint64_t most)
{
	static unsigned char block[65536];
	uint64_t sent = 0;
	while (sent < most) {
		size_t size = most - sent < sizeof(block) ? most - sent : sizeof(block);
		produce(block, size, at + sent);
		ssize_t n = send(fd, block, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			REQUIRE(errno == EAGAIN, "send: %s", strerror(errno));
			break;
		}
		sent += n;
	}
	return sent;
}

/* Reads that many bytes and compares them; waits up to ten seconds for each. */
static bool consume(int fd, uint64_t at, uint64_t size, const char *who)
{
	static unsigned char block[65536];
	for (uint64_t got = 0; got < size;) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		if (poll(&poller, 1, 10000) != 1) {
			subject_bad("%s: nothing came after %lu of %lu bytes", who, got, size);
			return false;
		}
		size_t most = size - got < sizeof(block) ? size - got : sizeof(block);
		ssize_t n = recv(fd, block, most, MSG_DONTWAIT);
		if (n <= 0 || !is_produced(block, n, at + got)) {
			subject_bad("%s: after %lu of %lu bytes: %s", who, got, size,
				    n < 0 ? strerror(errno) : n == 0 ? "end of file" : "others");
			return false;
		}
		got += n;
	}
	return true;
}

static bool carry(int from, int to, uint64_t at, size_t size, const char *who)
{
	uint64_t sent = stuff(from, at, size);
	CHECK(sent == size, "%s: only %lu of %zu bytes could be sent", who, sent, size);
	return sent == size && consume(to, at, size, who);
}

static void expect_end(int fd, const char *who)
{
	char byte;
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	CHECK(poll(&poller, 1, 10000) == 1, "%s: no end of file", who);
	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == 0, "%s: no end of file but %s", who, strerror(errno));
}

/* Both directions go on with each round. */
static void talk(int a, int b)
{
	for (uint64_t at = 0; next_round(); at += 3000) {
		carry(a, b, at, 3000, "there");
		carry(b, a, at, 3000, "back");
	}
}

/* What was agreed on, and every option of TCP that can be read. */
struct agreed {
	unsigned char options, wscales;
	int values[50];
};

static struct agreed agreed_of(int fd)
{
	static const int compared[] = {TCP_NODELAY, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT,
				       TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_CONGESTION,
				       TCP_THIN_LINEAR_TIMEOUTS, TCP_USER_TIMEOUT, TCP_FASTOPEN,
				       TCP_NOTSENT_LOWAT, TCP_SAVE_SYN, TCP_FASTOPEN_CONNECT,
				       TCP_FASTOPEN_NO_COOKIE, TCP_INQ, TCP_TX_DELAY, 44, 45, 46};
	struct agreed found = {0};
	struct tcp_info info;
	socklen_t size = sizeof(info);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	found.options = info.tcpi_options;
	found.wscales = info.tcpi_snd_wscale | info.tcpi_rcv_wscale << 4;
	for (size_t i = 0; i < COUNT_OF(compared); i++)
		found.values[compared[i]] = get_int(fd, IPPROTO_TCP, compared[i]);
	return found;
}

static void expect_agreed(int fd, const struct agreed *before, const char *who)
{
	struct agreed now = agreed_of(fd);
	CHECK(now.options == before->options, "%s: options %x, were %x", who, now.options, before->options);
	CHECK(now.wscales == before->wscales, "%s: window scales %x, were %x", who, now.wscales, before->wscales);
	for (size_t i = 0; i < COUNT_OF(now.values); i++)
		CHECK(now.values[i] == before->values[i], "%s: option %zu is %d, was %d", who, i, now.values[i],
		      before->values[i]);
}

/* ---- listening ---- */

static void serve(int listening, int family, const char *who)
{
	struct sockaddr_in6 name = any_name(family, ntohs(name_of(listening).sin6_port));
	int client = socket(family, SOCK_STREAM, 0);
	CHECK(connect(client, (void *)&name, name_size(family)) == 0, "%s: connect: %s", who, strerror(errno));
	struct pollfd poller = {.fd = listening, .events = POLLIN};
	CHECK(poll(&poller, 1, 5000) == 1, "%s: nobody to accept", who);
	int server = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	CHECK(server >= 0, "%s: accept: %s", who, strerror(errno));
	carry(client, server, 7, 100, who);
	close(server);
	close(client);
}

/*
 * Serves those who knock from outside (the test's check command): once a round, so that there is no
 * connection, and no descriptor of one, while nobody does.
 */
static void answer(int listening)
{
	char text[6];
	struct pollfd poller = {.fd = listening, .events = POLLIN};
	if (poll(&poller, 1, 0) != 1)
		return;
	int fd = accept(listening, NULL, NULL);
	CHECK(fd >= 0, "accept: %s", strerror(errno));
	if (recv(fd, text, sizeof(text), MSG_WAITALL) == sizeof(text))
		CHECK(send(fd, text, sizeof(text), MSG_NOSIGNAL) == sizeof(text), "send: %s", strerror(errno));
	close(fd);
}

static void expect_backlog(int listening, int backlog)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);
	getsockopt(listening, IPPROTO_TCP, TCP_INFO, &info, &size);
	CHECK(info.tcpi_state == TCP_LISTEN, "state %d", info.tcpi_state);
	CHECK(info.tcpi_sacked == backlog, "backlog %u, not %d", info.tcpi_sacked, backlog);
}

/* Options of all levels but TCP, and both names. */
struct look {
	struct socket_state state;
	struct agreed agreed;
};

static struct look *look_at(int fd)
{
	struct look *look = calloc(1, sizeof(*look));
	socklen_t local = sizeof(look->state.local), peer = sizeof(look->state.peer);
	look->state.local_length = getsockname(fd, (void *)look->state.local, &local) < 0 ? -errno : local;
	look->state.peer_length = getpeername(fd, (void *)look->state.peer, &peer) < 0 ? -errno : peer;
	take_options(fd, &look->state);
	/*
	 * Of a stream these tell of the packet that it began with: IP_MULTICAST_TTL, IPV6_MULTICAST_IF and
	 * _HOPS; and SO_INCOMING_CPU of the last one.
	 */
	for (int i = 0; i < look->state.count; i++) {
		struct socket_option *o = &look->state.options[i];
		if ((o->level == 0 && o->name == 33) || (o->level == SOL_SOCKET && o->name == SO_INCOMING_CPU) ||
		    (o->level == 41 && (o->name == 17 || o->name == 18)))
			memset(o->value, 0, sizeof(o->value));
	}
	look->agreed = agreed_of(fd);
	return look;
}

static void expect_look(int fd, const struct look *before, const char *who)
{
	struct look *now = look_at(fd);
	expect_agreed(fd, &before->agreed, who);
	CHECK(now->state.count == before->state.count, "%s has %d options, not %d", who, now->state.count,
	      before->state.count);
	for (int i = 0; i < now->state.count && i < before->state.count; i++) {
		const struct socket_option *a = &before->state.options[i], *b = &now->state.options[i];
		CHECK(memcmp(a, b, sizeof(*a)) == 0, "%s: level %d option %d is %02x%02x%02x%02x, was %02x%02x%02x%02x", who,
		      b->level, b->name, b->value[0], b->value[1], b->value[2], b->value[3], a->value[0],
		      a->value[1], a->value[2], a->value[3]);
	}
	CHECK(now->state.local_length == before->state.local_length &&
		      !memcmp(now->state.local, before->state.local, sizeof(now->state.local)),
	      "%s has another name", who);
	CHECK(now->state.peer_length == before->state.peer_length &&
		      !memcmp(now->state.peer, before->state.peer, sizeof(now->state.peer)),
	      "%s has another peer", who);
	free(now);
}

static void keep_looks(const int *fds, int count)
{
	struct look **looks = calloc(count, sizeof(*looks));
	for (int i = 0; i < count; i++)
		looks[i] = look_at(fds[i]);
	ready();
	while (next_round())
		for (int i = 0; i < count; i++) {
			char who[32];
			snprintf(who, sizeof(who), "socket %d", i);
			expect_look(fds[i], looks[i], who);
		}
}
#define KEEP_LOOKS(...)                                                                            \
	do {                                                                                       \
		const int kept[] = {__VA_ARGS__};                                                  \
		keep_looks(kept, COUNT_OF(kept));                                                  \
	} while (0)

static void keep_listening(int listening, int family, int backlog)
{
	struct look *before = look_at(listening);
	ready();
	while (next_round()) {
		answer(listening);
		expect_backlog(listening, backlog);
		expect_look(listening, before, "listener");
	}
	serve(listening, family, "at the end");
}

/* What the check commands of the tests know. */
#define PORT 7001

static void listen4(void)
{
	keep_listening(listener(AF_INET, PORT, 7), AF_INET, 7);
}

static void listen6(void)
{
	keep_listening(listener(AF_INET6, PORT, 0), AF_INET6, 0);
}

static int listen_everywhere(int only6)
{
	int fd = new_socket(AF_INET6);
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, only6);
	REQUIRE(bind(fd, (void *)&name, sizeof(name)) == 0 && listen(fd, 9) == 0, "listen: %s", strerror(errno));
	return fd;
}

static void listen_dual(void)
{
	keep_listening(listen_everywhere(0), AF_INET, 9);
}

static void listen_v6only(void)
{
	int fd = listen_everywhere(1);
	int other = listener(AF_INET, ntohs(name_of(fd).sin6_port), 3);
	REQUIRE(other >= 0, "listen");
	keep_listening(fd, AF_INET6, 9);
}

static void listen_options(void)
{
	int fd = new_socket(AF_INET);
	bind_to(fd, AF_INET, PORT);
	set_int(fd, IPPROTO_TCP, TCP_FASTOPEN, 6);
	set_int(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1);
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, IPPROTO_TCP, TCP_MAXSEG, 1000);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 50);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
	set_int(fd, IPPROTO_TCP, TCP_SYNCNT, 4);
	set_int(fd, IPPROTO_TCP, TCP_LINGER2, 30);
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345);
	set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 70000);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 60000);
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	REQUIRE(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0, "TCP_CONGESTION");
	REQUIRE(listen(fd, 4) == 0, "listen");
	keep_listening(fd, AF_INET, 4);
}

static void listen_deferred(void)
{
	int fd = listener(AF_INET, 0, 4);
	set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5);
	int value = get_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT);
	ready();
	while (next_round())
		CHECK(get_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) == value, "TCP_DEFER_ACCEPT is %d, was %d",
		      get_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), value);
}

static void listen_reuseport(void)
{
	int fds[3];
	for (int i = 0; i < 3; i++) {
		fds[i] = new_socket(AF_INET);
		set_int(fds[i], SOL_SOCKET, SO_REUSEPORT, 1);
		bind_to(fds[i], AF_INET, PORT);
		REQUIRE(listen(fds[i], 5) == 0, "listen");
	}
	ready();
	while (next_round())
		for (int i = 0; i < 3; i++) {
			answer(fds[i]);
			CHECK(get_int(fds[i], SOL_SOCKET, SO_REUSEPORT) == 1, "SO_REUSEPORT is gone");
		}
	for (int i = 0; i < 20; i++) {
		int client = new_socket(AF_INET);
		connect_to(client, fds[0]);
		struct pollfd pollers[3] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}, {fds[2], POLLIN, 0}};
		CHECK(poll(pollers, 3, 5000) == 1, "not one of three to accept");
		for (int k = 0; k < 3; k++)
			if (pollers[k].revents)
				close(accepted(fds[k]));
		close(client);
	}
}

/* Remains of a connection (TIME-WAIT) are on the port, and SO_REUSEADDR is not set. */
static void listen_on_remains(void)
{
	int pair[2], fd = listener(AF_INET, PORT, 5);
	pair_by(fd, pair);
	close(pair[1]);
	close(pair[0]);
	keep_listening(fd, AF_INET, 5);
}

/* A thread waits in accept the whole time. */
static void *accept_one(void *arg)
{
	int *listening = arg;
	int fd = accept(*listening, NULL, NULL);
	return (void *)(intptr_t)fd;
}

static void blocked_accept(void)
{
	int fd = listener(AF_INET, 0, 5), client = new_socket(AF_INET);
	pthread_t thread;
	void *result;
	REQUIRE(pthread_create(&thread, NULL, accept_one, &fd) == 0, "thread");
	ready();
	while (next_round())
		;
	connect_to(client, fd);
	pthread_join(thread, &result);
	CHECK((intptr_t)result >= 0, "accept");
	carry(client, (intptr_t)result, 0, 100, "at the end");
}

/* ---- not connected ---- */

static void unconnected(void)
{
	int fresh = new_socket(AF_INET), fresh6 = new_socket(AF_INET6), bound = new_socket(AF_INET);
	int reserved = new_socket(AF_INET), v6only = new_socket(AF_INET6);
	bind_to(bound, AF_INET, 0);
	set_int(reserved, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	bind_to(reserved, AF_INET, 0);
	set_int(v6only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	KEEP_LOOKS(fresh, fresh6, bound, reserved, v6only);
}

static void bound_is_taken(void)
{
	int bound = new_socket(AF_INET);
	bind_to(bound, AF_INET, 0);
	struct sockaddr_in6 name = name_of(bound);
	ready();
	while (next_round())
		CHECK(memcmp(&name, &(struct sockaddr_in6[]){name_of(bound)}, sizeof(name)) == 0, "another name");
	int other = new_socket(AF_INET);
	set_int(other, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK(bind(other, (void *)&name, name_size(AF_INET)) < 0 && errno == EADDRINUSE, "the port is free: %s",
	      strerror(errno));
	REQUIRE(listen(bound, 3) == 0, "listen");
	serve(bound, AF_INET, "at the end");
}

static void shut_unconnected(void)
{
	int fd = new_socket(AF_INET);
	CHECK(shutdown(fd, SHUT_RDWR) < 0 && errno == ENOTCONN, "shutdown");
	ready();
	while (next_round()) {
		char byte;
		CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == 0, "no end of file: %s", strerror(errno));
	}
}

/* ---- connected ---- */

static void connected_over(int family)
{
	int pair[2];
	make_pair(family, pair);
	struct agreed a = agreed_of(pair[0]), b = agreed_of(pair[1]);
	ready();
	for (uint64_t at = 0; next_round(); at += 3000) {
		expect_agreed(pair[0], &a, "client");
		expect_agreed(pair[1], &b, "server");
		carry(pair[0], pair[1], at, 3000, "there");
		carry(pair[1], pair[0], at, 3000, "back");
	}
}

static void connected4(void)
{
	connected_over(AF_INET);
}

static void connected6(void)
{
	connected_over(AF_INET6);
}

/* A socket of IPv6 that speaks IPv4. */
static void mapped(void)
{
	int fd = listen_everywhere(0), client = new_socket(AF_INET);
	struct sockaddr_in6 name = any_name(AF_INET, ntohs(name_of(fd).sin6_port));
	REQUIRE(connect(client, (void *)&name, name_size(AF_INET)) == 0, "connect: %s", strerror(errno));
	int server = accepted(fd);
	ready();
	talk(client, server);
}

static void names(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	KEEP_LOOKS(pair[0], pair[1]);
}

static void received(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	stuff(pair[0], 0, 5000);
	nap_ms(50);
	REQUIRE(queued(pair[1], FIONREAD) == 5000, "queue");
	ready();
	while (next_round())
		CHECK(queued(pair[1], FIONREAD) == 5000, "%d bytes to read", queued(pair[1], FIONREAD));
	consume(pair[1], 0, 5000, "at the end");
	carry(pair[0], pair[1], 5000, 1000, "then");
}

/* The receiver does not read: as much as fits waits at both ends. */
static void full(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	uint64_t there = 0, back = 0, at = 0, at_back = 0;
	for (int i = 0; i < 5; i++, nap_ms(20)) {
		there += stuff(pair[0], there, 1 << 30);
		back += stuff(pair[1], back, 1 << 30);
	}
	REQUIRE(queued(pair[0], TIOCOUTQ) > 100000 && queued(pair[1], FIONREAD) > 30000, "queues");
	ready();
	while (next_round()) {
		if (there - at > 200000)
			consume(pair[1], at, 1000, "slowly"), at += 1000;
		else
			there += stuff(pair[0], there, 500);
	}
	consume(pair[1], at, there - at, "there");
	consume(pair[0], at_back, back, "back");
	carry(pair[0], pair[1], there, 1000, "then");
	carry(pair[1], pair[0], back, 1000, "then back");
}

static void full6(void)
{
	int pair[2];
	make_pair(AF_INET6, pair);
	uint64_t there = 0;
	for (int i = 0; i < 5; i++, nap_ms(20))
		there += stuff(pair[0], there, 1 << 30);
	ready();
	while (next_round())
		there += stuff(pair[0], there, 1);
	consume(pair[1], 0, there, "there");
}

/* Sent, and never acknowledged: the peer is deaf. */
static void unacknowledged(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	impatient(pair[0]);
	deaf(pair[1]);
	REQUIRE(stuff(pair[0], 0, 9000) == 9000, "send");
	nap_ms(20);
	ready();
	while (next_round()) {
		CHECK(queued(pair[0], TIOCOUTQ) == 9000, "%d bytes to be sent", queued(pair[0], TIOCOUTQ));
		CHECK(queued(pair[1], FIONREAD) == 0, "%d bytes came", queued(pair[1], FIONREAD));
	}
	hearing(pair[1]);
	consume(pair[1], 0, 9000, "at the end");
	carry(pair[1], pair[0], 0, 1000, "back");
}

static void small_buffers(void)
{
	int pair[2], fd = new_socket(AF_INET);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 4000);
	set_int(fd, SOL_SOCKET, SO_SNDBUF, 5000);
	bind_to(fd, AF_INET, 0);
	REQUIRE(listen(fd, 1) == 0, "listen");
	pair_by(fd, pair);
	int send_size = get_int(pair[1], SOL_SOCKET, SO_SNDBUF), receive_size = get_int(pair[1], SOL_SOCKET, SO_RCVBUF);
	uint64_t there = 0, back = 0;
	for (int i = 0; i < 5; i++, nap_ms(20)) {
		there += stuff(pair[0], there, 100000);
		back += stuff(pair[1], back, 10000000);
	}
	ready();
	while (next_round()) {
		CHECK(get_int(pair[1], SOL_SOCKET, SO_SNDBUF) == send_size, "SO_SNDBUF %d, was %d",
		      get_int(pair[1], SOL_SOCKET, SO_SNDBUF), send_size);
		CHECK(get_int(pair[1], SOL_SOCKET, SO_RCVBUF) == receive_size, "SO_RCVBUF %d, was %d",
		      get_int(pair[1], SOL_SOCKET, SO_RCVBUF), receive_size);
	}
	consume(pair[1], 0, there, "there");
	consume(pair[0], 0, back, "back");
}

static void set_connected_options(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 40);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 6);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
	set_int(fd, IPPROTO_TCP, TCP_LINGER2, 20);
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 54321);
	set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 33333);
	set_int(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, 20000);
	set_int(fd, IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1);
	set_int(fd, IPPROTO_TCP, TCP_INQ, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 50);
	set_int(fd, SOL_SOCKET, SO_PRIORITY, 3);
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	set_int(fd, SOL_SOCKET, SO_TIMESTAMP, 1);
	set_int(fd, IPPROTO_IP, IP_TOS, 0x10);
	set_int(fd, IPPROTO_IP, IP_TTL, 77);
	struct linger linger = {1, 5};
	struct timeval wait = {3, 500000};
	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0, "SO_LINGER");
	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0, "SO_RCVTIMEO");
	REQUIRE(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0, "TCP_CONGESTION");
}

static void options(void)
{
	int pair[2], clamps[2];
	struct look *looks[2];
	make_pair(AF_INET, pair);
	set_connected_options(pair[0]);
	for (int i = 0; i < 2; i++) {
		looks[i] = look_at(pair[i]);
		clamps[i] = get_int(pair[i], IPPROTO_TCP, TCP_WINDOW_CLAMP);
	}
	ready();
	while (next_round())
		for (int i = 0; i < 2; i++) {
			expect_look(pair[i], looks[i], i ? "server" : "client");
			CHECK(get_int(pair[i], IPPROTO_TCP, TCP_WINDOW_CLAMP) == clamps[i], "TCP_WINDOW_CLAMP %d, was %d",
			      get_int(pair[i], IPPROTO_TCP, TCP_WINDOW_CLAMP), clamps[i]);
		}
}

/* Less than a segment is held back until the cork is taken out. */
static void cork(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	ready();
	while (next_round()) {
		set_int(pair[0], IPPROTO_TCP, TCP_CORK, 0);
		nap_ms(2);
	}
	CHECK(get_int(pair[0], IPPROTO_TCP, TCP_CORK) == 0, "corked");
}

static void corked_data(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	set_int(pair[0], IPPROTO_TCP, TCP_CORK, 1);
	stuff(pair[0], 0, 100);
	ready();
	while (next_round())
		CHECK(get_int(pair[0], IPPROTO_TCP, TCP_CORK) == 1, "the cork is out");
	set_int(pair[0], IPPROTO_TCP, TCP_CORK, 0);
	consume(pair[1], 0, 100, "at the end");
}

/* The peer is another process of the tree. */
static void echo(void *arg)
{
	unsigned char block[5000];
	int fd = *(int *)arg;
	ready();
	while (next_busy_round()) {
		ssize_t n = recv(fd, block, sizeof(block), 0);
		if (n <= 0)
			break;
		CHECK(send(fd, block, n, MSG_NOSIGNAL) == n, "send: %s", strerror(errno));
	}
}

static void processes(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	start_child("echo", echo, &pair[1]);
	close(pair[1]);
	ready();
	for (uint64_t at = 0; next_round(); at += 4000) {
		CHECK(stuff(pair[0], at, 4000) == 4000, "send");
		consume(pair[0], at, 4000, "echo");
	}
	shutdown(pair[0], SHUT_WR);
	join_children();
}

static void sharer(void *arg)
{
	int *pair = arg;
	ready();
	while (next_round())
		CHECK(send(pair[0], "c", 1, MSG_NOSIGNAL) == 1, "send: %s", strerror(errno));
}

/* One socket in two processes. */
static void shared(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	start_child("sharer", sharer, pair);
	ready();
	while (next_round()) {
		bool found = false;
		CHECK(send(pair[0], "p", 1, MSG_NOSIGNAL) == 1, "send: %s", strerror(errno));
		for (int64_t start = now_ms(); !found && now_ms() - start < 5000; nap_ms(1)) {
			char block[1000];
			ssize_t n = recv(pair[1], block, sizeof(block), MSG_DONTWAIT);
			CHECK(n > 0 || errno == EAGAIN, "recv: %s", strerror(errno));
			found = n > 0 && memchr(block, 'p', n);
		}
		CHECK(found, "nothing of the parent came");
	}
	join_children();
}

/* A server with its listener and several connections of one port. */
static void server(void)
{
	int pairs[10][2], fd = listener(AF_INET, PORT, 20);
	for (int i = 0; i < 10; i++)
		pair_by(fd, pairs[i]);
	ready();
	for (uint64_t at = 0; next_round(); at += 100) {
		for (int i = 0; i < 10; i++)
			carry(pairs[i][i & 1], pairs[i][1 - (i & 1)], at, 100, "one of ten");
		answer(fd);
	}
	serve(fd, AF_INET, "an eleventh");
}

static void many(void)
{
	static int pairs[200][2];
	int fd = listener(AF_INET, 0, 20);
	for (int i = 0; i < 200; i++) {
		pair_by(fd, pairs[i]);
		fill_seed = i;
		REQUIRE(stuff(pairs[i][0], 0, 20000) == 20000, "send");
	}
	ready();
	while (next_round())
		for (int i = 0; i < 200; i += 17)
			expect_state(pairs[i][0], TCP_ESTABLISHED, "one of many");
	for (int i = 0; i < 200; i++) {
		fill_seed = i;
		consume(pairs[i][1], 0, 20000, "one of many");
	}
}

/* A connection of a socket with itself. */
static void with_itself(void)
{
	int fd = new_socket(AF_INET);
	bind_to(fd, AF_INET, 0);
	connect_to(fd, fd);
	ready();
	for (uint64_t at = 0; next_round(); at += 500)
		carry(fd, fd, at, 500, "to itself");
}

static void on_device(void)
{
	int pair[2], fd = new_socket(AF_INET);
	set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 1);
	bind_to(fd, AF_INET, 0);
	REQUIRE(listen(fd, 5) == 0, "listen");
	pair_by(fd, pair);
	shutdown(pair[0], SHUT_WR);
	await_state(pair[1], TCP_CLOSE_WAIT);
	ready();
	for (uint64_t at = 0; next_round(); at += 500) {
		expect_state(pair[1], TCP_CLOSE_WAIT, "server");
		carry(pair[1], pair[0], at, 500, "back");
	}
}

static void readiness(void)
{
	int pair[2], ep = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u32 = 5};
	make_pair(AF_INET, pair);
	REQUIRE(epoll_ctl(ep, EPOLL_CTL_ADD, pair[1], &event) == 0, "epoll_ctl");
	ready();
	for (uint64_t at = 0; next_round(); at += 10) {
		CHECK(epoll_wait(ep, &event, 1, 0) == 0, "ready for nothing");
		stuff(pair[0], at, 10);
		CHECK(epoll_wait(ep, &event, 1, 5000) == 1 && event.events == EPOLLIN, "not ready");
		consume(pair[1], at, 10, "there");
	}
}

/* ---- processes that wait ---- */

static void reader(void *arg)
{
	unsigned char byte;
	int fd = *(int *)arg;
	ready();
	for (uint64_t at = 0; next_busy_round(); at++) {
		ssize_t n = recv(fd, &byte, 1, 0);
		if (n == 0)
			break;
		CHECK(n == 1 && byte == byte_at(at), "received %zd: %s", n, strerror(errno));
	}
}

static void blocked_receive(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	start_child("reader", reader, &pair[1]);
	close(pair[1]);
	ready();
	for (uint64_t at = 0; next_round(); at++)
		CHECK(stuff(pair[0], at, 1) == 1, "send");
	shutdown(pair[0], SHUT_WR);
	join_children();
}

static void writer(void *arg)
{
	unsigned char block[10000];
	int fd = *(int *)arg;
	ready();
	for (uint64_t at = 0; next_busy_round();) {
		produce(block, sizeof(block), at);
		/* Being stopped it may return with a part of it. */
		ssize_t n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
		CHECK(n > 0, "sent %zd: %s", n, strerror(errno));
		at += n > 0 ? n : 0;
	}
	close(fd);
}

/* A child waits in send for most of the time, since its peer reads slowly. */
static void blocked_send(void)
{
	int pair[2];
	uint64_t at = 0;
	make_pair(AF_INET, pair);
	start_child("writer", writer, &pair[1]);
	close(pair[1]);
	ready();
	for (; next_round(); at += 20000)
		consume(pair[0], at, 20000, "slowly");
	for (unsigned char block[4096];;) {
		ssize_t n = recv(pair[0], block, sizeof(block), 0);
		if (n <= 0)
			break;
		CHECK(is_produced(block, n, at), "others");
		at += n;
	}
	join_children();
}

/* ---- half closed ---- */

static void half_closed(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	shutdown(pair[0], SHUT_WR);
	await_state(pair[0], TCP_FIN_WAIT2);
	await_state(pair[1], TCP_CLOSE_WAIT);
	ready();
	for (uint64_t at = 0; next_round(); at += 700) {
		expect_state(pair[0], TCP_FIN_WAIT2, "the one that shut down");
		expect_state(pair[1], TCP_CLOSE_WAIT, "the other");
		expect_end(pair[1], "the other");
		carry(pair[1], pair[0], at, 700, "back");
	}
	close(pair[1]);
	expect_end(pair[0], "at the end");
}

static void half_closed6(void)
{
	int pair[2];
	make_pair(AF_INET6, pair);
	shutdown(pair[0], SHUT_WR);
	await_state(pair[0], TCP_FIN_WAIT2);
	ready();
	for (uint64_t at = 0; next_round(); at += 700) {
		expect_state(pair[0], TCP_FIN_WAIT2, "the one that shut down");
		expect_state(pair[1], TCP_CLOSE_WAIT, "the other");
		carry(pair[1], pair[0], at, 700, "back");
	}
}

/* A link-local address, of a device that is made here. */
static void link_local(void)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6};
	int pair[2], fd = new_socket(AF_INET6);
	unsigned index = 0;
	NEEDS(system("ip link add criu-v0 type veth peer name criu-v1 && "
		     "echo 0 >/proc/sys/net/ipv6/conf/criu-v0/accept_dad && "
		     "ip link set criu-v0 up && ip link set criu-v1 up") == 0,
	      "virtual ethernet");
	nap_ms(100);
	FILE *list = fopen("/proc/net/if_inet6", "r");
	for (char line[200]; fgets(line, sizeof(line), list);)
		if (strstr(line, "criu-v0")) {
			for (int i = 0; i < 16; i++)
				sscanf(line + 2 * i, "%2hhx", &name.sin6_addr.s6_addr[i]);
			sscanf(line + 33, "%x", &index);
		}
	fclose(list);
	REQUIRE(index > 0, "no link-local address");
	name.sin6_scope_id = index;
	REQUIRE(bind(fd, (void *)&name, sizeof(name)) == 0 && listen(fd, 3) == 0, "listen: %s", strerror(errno));
	pair[0] = new_socket(AF_INET6);
	socklen_t size = sizeof(name);
	getsockname(fd, (void *)&name, &size);
	REQUIRE(connect(pair[0], (void *)&name, sizeof(name)) == 0, "connect: %s", strerror(errno));
	pair[1] = accepted(fd);
	shutdown(pair[0], SHUT_WR);
	await_state(pair[1], TCP_CLOSE_WAIT);
	/* The client's IPV6_V6ONLY is another one then: bind sets it, and connect does not. */
	struct look *looks[] = {look_at(pair[1]), look_at(fd)};
	ready();
	for (uint64_t at = 0; next_round(); at += 300) {
		expect_state(pair[1], TCP_CLOSE_WAIT, "server");
		expect_look(pair[1], looks[0], "server");
		expect_look(fd, looks[1], "listener");
		carry(pair[1], pair[0], at, 300, "back");
	}
}

/* Data, and then the end, wait to be read; and some for the other. */
static void half_closed_full(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	stuff(pair[0], 0, 20000);
	shutdown(pair[0], SHUT_WR);
	await_state(pair[1], TCP_CLOSE_WAIT);
	stuff(pair[1], 0, 10000);
	nap_ms(30);
	ready();
	while (next_round()) {
		expect_state(pair[0], TCP_FIN_WAIT2, "the one that shut down");
		expect_state(pair[1], TCP_CLOSE_WAIT, "the other");
		CHECK(queued(pair[1], FIONREAD) == 20000, "%d to read", queued(pair[1], FIONREAD));
	}
	consume(pair[1], 0, 20000, "there");
	expect_end(pair[1], "there");
	consume(pair[0], 0, 10000, "back");
	carry(pair[1], pair[0], 10000, 1000, "back");
}

/* FIN-WAIT-1: the FIN was sent, and the peer is deaf. */
static void fin_wait1(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	impatient(pair[0]);
	deaf(pair[1]);
	stuff(pair[0], 0, 3000);
	shutdown(pair[0], SHUT_WR);
	ready();
	while (next_round())
		expect_state(pair[0], TCP_FIN_WAIT1, "the one that shut down");
	hearing(pair[1]);
	consume(pair[1], 0, 3000, "at the end");
	expect_end(pair[1], "at the end");
	carry(pair[1], pair[0], 0, 1000, "back");
}

/* FIN-WAIT-1: the FIN waits behind data for which the peer has no room. */
static void fin_unsent(void)
{
	int pair[2];
	uint64_t there = 0;
	make_pair(AF_INET, pair);
	for (int i = 0; i < 5; i++, nap_ms(20))
		there += stuff(pair[0], there, 1 << 30);
	shutdown(pair[0], SHUT_WR);
	ready();
	while (next_round())
		expect_state(pair[0], TCP_FIN_WAIT1, "the one that shut down");
	consume(pair[1], 0, there, "there");
	expect_end(pair[1], "there");
}

/* CLOSING: the peer's FIN came, and it has not got ours. */
static void closing(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	impatient(pair[0]);
	impatient(pair[1]);
	stuff(pair[1], 0, 500);
	nap_ms(20);
	deaf(pair[1]);
	shutdown(pair[0], SHUT_WR);
	shutdown(pair[1], SHUT_WR);
	await_state(pair[0], TCP_CLOSING);
	await_state(pair[1], TCP_FIN_WAIT1);
	ready();
	while (next_round()) {
		expect_state(pair[0], TCP_CLOSING, "the one");
		expect_state(pair[1], TCP_FIN_WAIT1, "the deaf one");
	}
	hearing(pair[1]);
	expect_end(pair[1], "at the end");
	consume(pair[0], 0, 500, "at the end");
	expect_end(pair[0], "at the end");
}

/* LAST-ACK: both have shut down, and the peer has not got our FIN. */
static void last_ack(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	impatient(pair[1]);
	stuff(pair[0], 0, 600);
	shutdown(pair[0], SHUT_WR);
	await_state(pair[1], TCP_CLOSE_WAIT);
	await_state(pair[0], TCP_FIN_WAIT2);
	deaf(pair[0]);
	stuff(pair[1], 0, 400);
	shutdown(pair[1], SHUT_WR);
	ready();
	while (next_round()) {
		expect_state(pair[0], TCP_FIN_WAIT2, "the deaf one");
		expect_state(pair[1], TCP_LAST_ACK, "the last one");
	}
	hearing(pair[0]);
	consume(pair[1], 0, 600, "there");
	consume(pair[0], 0, 400, "back");
	expect_end(pair[0], "back");
	await_state(pair[1], TCP_CLOSE);
}

static void last_ack_unsent(void)
{
	int pair[2];
	uint64_t back = 0;
	make_pair(AF_INET, pair);
	shutdown(pair[0], SHUT_WR);
	await_state(pair[1], TCP_CLOSE_WAIT);
	for (int i = 0; i < 5; i++, nap_ms(20))
		back += stuff(pair[1], back, 1 << 30);
	shutdown(pair[1], SHUT_WR);
	ready();
	while (next_round())
		expect_state(pair[1], TCP_LAST_ACK, "the last one");
	consume(pair[0], 0, back, "back");
	expect_end(pair[0], "back");
}

static void shut_reading(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	shutdown(pair[0], SHUT_RD);
	ready();
	while (next_round()) {
		char byte;
		struct pollfd poller = {.fd = pair[0], .events = POLLRDHUP};
		CHECK(recv(pair[0], &byte, 1, MSG_DONTWAIT) == 0, "not shut for reading");
		CHECK(poll(&poller, 1, 0) == 1 && poller.revents == POLLRDHUP, "events %x", poller.revents);
		CHECK(send(pair[0], "x", 1, MSG_NOSIGNAL) == 1, "send: %s", strerror(errno));
		nap_ms(2);
		CHECK(recv(pair[1], &byte, 1, MSG_DONTWAIT) == 1, "recv: %s", strerror(errno));
	}
}

/* ---- ended ---- */

static void expect_ended(int fd, int port)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN | POLLRDHUP};
	expect_state(fd, TCP_CLOSE, "the ended one");
	CHECK(poll(&poller, 1, 0) == 1 && poller.revents == (POLLIN | POLLRDHUP | POLLHUP), "events %x", poller.revents);
	CHECK(ntohs(name_of(fd).sin6_port) == port, "port %d, was %d", ntohs(name_of(fd).sin6_port), port);
	CHECK(send(fd, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE, "send: %s", strerror(errno));
}

static void ended(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	stuff(pair[0], 0, 1234);
	close(pair[0]);
	await_state(pair[1], TCP_CLOSE_WAIT);
	shutdown(pair[1], SHUT_WR);
	await_state(pair[1], TCP_CLOSE);
	int port = ntohs(name_of(pair[1]).sin6_port);
	ready();
	while (next_round()) {
		expect_ended(pair[1], port);
		CHECK(queued(pair[1], FIONREAD) == 1234, "%d bytes", queued(pair[1], FIONREAD));
	}
	consume(pair[1], 0, 1234, "at the end");
	expect_end(pair[1], "at the end");
}

static void ended6(void)
{
	int pair[2];
	make_pair(AF_INET6, pair);
	close(pair[0]);
	await_state(pair[1], TCP_CLOSE_WAIT);
	shutdown(pair[1], SHUT_WR);
	await_state(pair[1], TCP_CLOSE);
	int port = ntohs(name_of(pair[1]).sin6_port);
	ready();
	while (next_round()) {
		expect_ended(pair[1], port);
		expect_end(pair[1], "still");
	}
}

static void reset_by_peer(int fd)
{
	struct linger linger = {1, 0};
	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0, "SO_LINGER");
	close(fd);
}

static void reset_and_told(void)
{
	int pair[2];
	char byte;
	make_pair(AF_INET, pair);
	reset_by_peer(pair[0]);
	await_state(pair[1], TCP_CLOSE);
	REQUIRE(recv(pair[1], &byte, 1, 0) < 0 && errno == ECONNRESET, "no reset");
	int port = ntohs(name_of(pair[1]).sin6_port);
	ready();
	while (next_round())
		expect_ended(pair[1], port);
}

static void reset_pending(void)
{
	int pair[2];
	char byte;
	make_pair(AF_INET, pair);
	reset_by_peer(pair[0]);
	await_state(pair[1], TCP_CLOSE);
	ready();
	while (next_round())
		;
	CHECK(recv(pair[1], &byte, 1, 0) < 0 && errno == ECONNRESET, "the reset is gone: %s", strerror(errno));
}

/* ---- connecting ---- */

static void connecting(void)
{
	int fd = listener(AF_INET, 0, 5), client = new_socket(AF_INET);
	struct sockaddr_in6 name = name_of(fd);
	deaf(fd);
	fcntl(client, F_SETFL, O_NONBLOCK);
	set_int(client, IPPROTO_TCP, TCP_SYNCNT, 60);
	impatient(client);
	REQUIRE(connect(client, (void *)&name, name_size(AF_INET)) < 0 && errno == EINPROGRESS, "connect");
	int port = ntohs(name_of(client).sin6_port);
	ready();
	while (next_round()) {
		struct pollfd poller = {.fd = client, .events = POLLOUT};
		expect_state(client, TCP_SYN_SENT, "client");
		CHECK(ntohs(name_of(client).sin6_port) == port, "port %d", ntohs(name_of(client).sin6_port));
		CHECK(poll(&poller, 1, 0) == 0, "events %x", poller.revents);
		CHECK(fcntl(client, F_GETFL) == (O_RDWR | O_NONBLOCK), "flags %x", fcntl(client, F_GETFL));
	}
	hearing(fd);
	struct pollfd poller = {.fd = client, .events = POLLOUT};
	CHECK(poll(&poller, 1, 9000) == 1 && poller.revents == POLLOUT, "events %x", poller.revents);
	CHECK(get_int(client, SOL_SOCKET, SO_ERROR) == 0, "SO_ERROR");
	carry(client, accepted(fd), 0, 1000, "at the end");
}

static void blocked_connect(void)
{
	int fd = listener(AF_INET, 0, 5);
	char text[6] = "";
	deaf(fd);
	pid_t child = fork();
	REQUIRE(child >= 0, "fork");
	if (child == 0) {
		int client = new_socket(AF_INET);
		struct sockaddr_in6 name = name_of(fd);
		set_int(client, IPPROTO_TCP, TCP_SYNCNT, 60);
		impatient(client);
		int result = connect(client, (void *)&name, name_size(AF_INET));
		send(client, result == 0 ? "right" : "wrong", 5, MSG_NOSIGNAL);
		_exit(0);
	}
	nap_ms(50);
	ready();
	while (next_round())
		;
	hearing(fd);
	int server = accepted(fd);
	CHECK(recv(server, text, 5, MSG_WAITALL) == 5 && strcmp(text, "right") == 0, "received %s", text);
	waitpid(child, NULL, 0);
}

/* ---- urgent data ---- */

static void send_urgent(int fd, uint64_t before, uint64_t after)
{
	unsigned char urgent = byte_at(before);
	stuff(fd, 0, before);
	nap_ms(20);
	REQUIRE(send(fd, &urgent, 1, MSG_OOB) == 1, "MSG_OOB: %s", strerror(errno));
	nap_ms(20);
	stuff(fd, before + 1, after);
	nap_ms(20);
}

static void urgent_pending_at(int before, int after, bool is_inline)
{
	int pair[2];
	unsigned char byte = 0;
	make_pair(AF_INET, pair);
	set_int(pair[1], SOL_SOCKET, SO_OOBINLINE, is_inline);
	send_urgent(pair[0], before, after);
	ready();
	while (next_round()) {
		struct pollfd poller = {.fd = pair[1], .events = POLLPRI};
		CHECK(poll(&poller, 1, 0) == 1 && poller.revents == POLLPRI, "events %x", poller.revents);
		if (!is_inline)
			CHECK(recv(pair[1], &byte, 1, MSG_OOB | MSG_PEEK) == 1 && byte == byte_at(before),
			      "urgent %x: %s", byte, strerror(errno));
		CHECK(queued(pair[1], SIOCATMARK) == (before == 0), "at the mark: %d", queued(pair[1], SIOCATMARK));
	}
	if (before > 0)
		consume(pair[1], 0, before, "before");
	CHECK(queued(pair[1], SIOCATMARK) == 1, "not at the mark");
	if (is_inline)
		consume(pair[1], before, 1, "urgent");
	consume(pair[1], before + 1, after, "after");
	carry(pair[0], pair[1], 0, 100, "then");
}

static void urgent(void)
{
	urgent_pending_at(3000, 2000, false);
}

static void urgent_first(void)
{
	urgent_pending_at(0, 2000, false);
}

static void urgent_inline(void)
{
	urgent_pending_at(3000, 2000, true);
}

static void urgent_taken(void)
{
	int pair[2];
	unsigned char byte = 0;
	make_pair(AF_INET, pair);
	send_urgent(pair[0], 100, 200);
	REQUIRE(recv(pair[1], &byte, 1, MSG_OOB) == 1, "MSG_OOB: %s", strerror(errno));
	ready();
	while (next_round()) {
		struct pollfd poller = {.fd = pair[1], .events = POLLPRI};
		CHECK(poll(&poller, 1, 0) == 0, "events %x", poller.revents);
		CHECK(recv(pair[1], &byte, 1, MSG_OOB) < 0 && errno == EINVAL, "urgent once more");
	}
	consume(pair[1], 0, 100, "before");
	consume(pair[1], 101, 200, "after");
}

static void peek_offset(void)
{
	int pair[2];
	unsigned char block[10];
	make_pair(AF_INET, pair);
	NEEDS(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &(int){5}, sizeof(int)) == 0, "SO_PEEK_OFF of TCP");
	stuff(pair[0], 0, 1000);
	nap_ms(30);
	ready();
	while (next_round()) {
		CHECK(get_int(pair[1], SOL_SOCKET, SO_PEEK_OFF) == 5, "SO_PEEK_OFF %d",
		      get_int(pair[1], SOL_SOCKET, SO_PEEK_OFF));
		CHECK(recv(pair[1], block, 10, MSG_PEEK) == 10 && is_produced(block, 10, 5), "others");
		set_int(pair[1], SOL_SOCKET, SO_PEEK_OFF, 5);
	}
}

/* ---- others ---- */

/* The client lives outside of the tree, and checks what comes back; it ends with the connection. */
static void outside_client(struct sockaddr_in6 *name)
{
	unsigned char block[2000], back[2000];
	int fd = new_socket(name->sin6_family);
	const char *wrong = NULL;
	uint64_t at = 0;
	if (connect(fd, (void *)name, name_size(name->sin6_family)) < 0)
		wrong = "connect";
	while (!wrong) {
		produce(block, sizeof(block), at);
		ssize_t n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
		if (n < 0 && errno != EPIPE && errno != ECONNRESET)
			wrong = "send";
		size_t got = 0;
		while (n > 0 && got < (size_t)n) {
			ssize_t m = recv(fd, back + got, n - got, 0);
			if (m < 0 && errno != ECONNRESET)
				wrong = "recv";
			if (m <= 0)
				_exit(0);
			got += m;
		}
		if (n <= 0)
			_exit(0);
		if (memcmp(block, back, n) != 0)
			wrong = "what came back";
		at += n;
		nap_ms(1);
	}
	dprintf(subject_log(), "BAD outside 1: %s: %s\n", wrong, strerror(errno));
	_exit(1);
}

static void outside_of(int family)
{
	int fd = listener(family, 0, 5);
	struct sockaddr_in6 name = name_of(fd);
	if (fork() == 0) {
		close(fd);
		setsid();
		if (fork() == 0)
			outside_client(&name);
		_exit(0);
	}
	wait(NULL);
	int server = accepted(fd);
	uint64_t total = 0, before = 0;
	fcntl(server, F_SETFL, O_NONBLOCK);
	ready();
	int64_t since = now_ms();
	while (next_round()) {
		unsigned char block[10000];
		ssize_t n;
		while ((n = recv(server, block, sizeof(block), 0)) > 0) {
			CHECK(is_produced(block, n, total), "others after %lu bytes", total);
			CHECK(send(server, block, n, MSG_NOSIGNAL) == n, "send: %s", strerror(errno));
			total += n;
		}
		CHECK(n < 0 && errno == EAGAIN, "recv: %s", n == 0 ? "end of file" : strerror(errno));
		if (total != before)
			since = now_ms();
		before = total;
		CHECK(now_ms() - since < 8000, "nothing came for 8 seconds");
	}
}

static void outside(void)
{
	outside_of(AF_INET);
}

static void outside6(void)
{
	outside_of(AF_INET6);
}

/* Connected to, and accepted by nobody. */
static void in_flight(void)
{
	int fd = listener(AF_INET, 0, 5);
	struct sockaddr_in6 name = name_of(fd);
	if (fork() == 0) {
		setsid();
		close(fd);
		if (fork() == 0) {
			int client = new_socket(AF_INET);
			connect(client, (void *)&name, name_size(AF_INET));
			for (int i = 0; i < 100; i++)
				nap_ms(200);
			_exit(0);
		}
		_exit(0);
	}
	wait(NULL);
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	REQUIRE(poll(&poller, 1, 5000) == 1, "nobody connects");
	ready();
	while (next_round())
		expect_state(fd, TCP_LISTEN, "listener");
}

/* For --tcp-close: from the restore on the connection is at its end. */
static void closes(void)
{
	int pair[2];
	make_pair(AF_INET, pair);
	bool closed = false;
	ready();
	while (next_round()) {
		char byte;
		if (!closed && send(pair[0], "x", 1, MSG_NOSIGNAL) == 1) {
			nap_ms(2);
			CHECK(recv(pair[1], &byte, 1, MSG_DONTWAIT) == 1, "recv: %s", strerror(errno));
			continue;
		}
		closed = true;
		for (int i = 0; i < 2; i++) {
			expect_state(pair[i], TCP_CLOSE, "a closed one");
			CHECK(recv(pair[i], &byte, 1, MSG_DONTWAIT) == 0, "no end of file: %s", strerror(errno));
			CHECK(send(pair[i], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE, "send: %s", strerror(errno));
		}
	}
}

static void signed_segments(void)
{
	int fd = new_socket(AF_INET);
	struct tcp_md5sig key = {.tcpm_keylen = 3, .tcpm_key = "key"};
	struct sockaddr_in *address = (void *)&key.tcpm_addr;
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	NEEDS(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)) == 0, "TCP_MD5SIG");
	bind_to(fd, AF_INET, 0);
	REQUIRE(listen(fd, 3) == 0, "listen");
	ready();
	while (next_round())
		expect_state(fd, TCP_LISTEN, "listener");
}

#define MODE(name) {#name, name}
SUBJECT(MODE(listen4), MODE(listen6), MODE(listen_dual), MODE(listen_v6only), MODE(listen_options),
	MODE(listen_deferred), MODE(listen_reuseport), MODE(listen_on_remains), MODE(blocked_accept),
	MODE(unconnected), MODE(bound_is_taken), MODE(shut_unconnected), MODE(connected4), MODE(connected6),
	MODE(mapped), MODE(names), MODE(received), MODE(full), MODE(full6), MODE(unacknowledged),
	MODE(small_buffers), MODE(options), MODE(cork), MODE(corked_data), MODE(processes), MODE(shared),
	MODE(server), MODE(many), MODE(with_itself), MODE(on_device), MODE(readiness), MODE(blocked_receive),
	MODE(blocked_send), MODE(half_closed), MODE(half_closed6), MODE(half_closed_full), MODE(fin_wait1),
	MODE(fin_unsent), MODE(closing), MODE(last_ack), MODE(last_ack_unsent), MODE(shut_reading), MODE(ended),
	MODE(ended6), MODE(reset_and_told), MODE(reset_pending), MODE(connecting), MODE(blocked_connect),
	MODE(urgent), MODE(urgent_first), MODE(urgent_inline), MODE(urgent_taken), MODE(peek_offset),
	MODE(outside), MODE(outside6), MODE(in_flight), MODE(closes), MODE(link_local), MODE(signed_segments))
