/* UDP and UDP-Lite: names, options, groups, and datagrams that lie unread. */
#include "socket-state.h"
#include <linux/bpf.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <net/if.h>

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A struct sockaddr of the text of an address. */
static union name name_of(const char *address, int port)
{
	union name n = {0};
	if (strchr(address, ':')) {
		char plain[64];
		const char *device = strchr(address, '%');
		snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(address, "%"), address);
		n.v6.sin6_family = AF_INET6;
		n.v6.sin6_port = htons(port);
		n.v6.sin6_scope_id = device ? if_nametoindex(device + 1) : 0;
		REQUIRE(inet_pton(AF_INET6, plain, &n.v6.sin6_addr) == 1, "address %s", address);
	} else {
		n.v4.sin_family = AF_INET;
		n.v4.sin_port = htons(port);
		REQUIRE(inet_pton(AF_INET, address, &n.v4.sin_addr) == 1, "address %s", address);
	}
	return n;
}

static int open_udp(int family, int protocol)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
	NEEDS(fd >= 0, "this protocol");
	return fd;
}

static void bind_to(int fd, const char *address, int port)
{
	union name n = name_of(address, port);
	REQUIRE(bind(fd, &n.any, sizeof(n)) == 0, "bind to %s, %d: %s", address, port, strerror(errno));
}

static void connect_to(int fd, const char *address, int port)
{
	union name n = name_of(address, port);
	REQUIRE(connect(fd, &n.any, sizeof(n)) == 0, "connect to %s, %d: %s", address, port, strerror(errno));
}

static int bound(const char *address, int port)
{
	int fd = open_udp(strchr(address, ':') ? AF_INET6 : AF_INET, 0);
	bind_to(fd, address, port);
	return fd;
}

static int connected(const char *address, int port)
{
	int fd = open_udp(strchr(address, ':') ? AF_INET6 : AF_INET, 0);
	connect_to(fd, address, port);
	return fd;
}

static void send_to(int fd, const char *address, int port, const void *data, size_t size)
{
	union name n = name_of(address ? address : "127.0.0.1", port);
	ssize_t sent = sendto(fd, data, size, 0, address ? &n.any : NULL, address ? sizeof(n) : 0);
	CHECK(sent == (ssize_t)size, "send to %s, %d: %s", address ? address : "the peer", port, strerror(errno));
}

static void say(int fd, const char *address, int port, const char *text)
{
	send_to(fd, address, port, text, strlen(text));
}

/* The next datagram is this text of that port. */
static void hear(int fd, const char *text, int port)
{
	char buffer[2000] = "";
	union name from = {0};
	socklen_t length = sizeof(from);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	poll(&p, 1, 1000);
	int n = recvfrom(fd, buffer, sizeof(buffer) - 1, MSG_DONTWAIT, &from.any, &length);
	CHECK(n == (int)strlen(text) && strcmp(buffer, text) == 0, "%d bytes, '%s', not '%s'", n, buffer, text);
	CHECK(ntohs(from.v4.sin_port) == port, "of port %d, not %d", ntohs(from.v4.sin_port), port);
}

static void silence(int fd)
{
	char byte;
	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "a datagram that nobody sent");
}

static void wait_for_stop(void)
{
	ready();
	while (next_round())
		;
}

static void unbound(void)
{
	int nonblock = open_udp(AF_INET, 0);
	fcntl(nonblock, F_SETFL, O_NONBLOCK);
	KEEP_STATES(open_udp(AF_INET, 0), open_udp(AF_INET6, 0), nonblock);
}

static void bound_names(void)
{
	int a = bound("127.0.0.1", 5000), b = bound("0.0.0.0", 5001), c = bound("127.0.0.2", 0), d = bound("0.0.0.0", 0);
	KEEP_STATES(a, b, c, d);
	say(b, "127.0.0.1", 5000, "hello");
	hear(a, "hello", 5001);
	say(a, "127.0.0.1", 5001, "hello too");
	hear(b, "hello too", 5000);
}

static void bound_names6(void)
{
	int a = bound("::1", 5000), b = bound("::", 5001), only = open_udp(AF_INET6, 0), c = bound("::", 0);
	set_int(only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	bind_to(only, "::", 5002);
	KEEP_STATES(a, b, only, c);
	say(b, "::1", 5000, "hello");
	hear(a, "hello", 5001);
	say(a, "::1", 5002, "only");
	hear(only, "only", 5000);
}

static void peers(void)
{
	int a = bound("127.0.0.1", 5100), b = connected("127.0.0.1", 5100), c = bound("127.0.0.3", 5101);
	int e = bound("0.0.0.0", 5102), six = connected("::1", 5100), zero = connected("127.0.0.1", 0);
	connect_to(c, "127.0.0.1", 5100);
	connect_to(e, "127.0.0.1", 5100);
	KEEP_STATES(a, b, c, e, six, zero);
	say(c, NULL, 0, "from c");
	hear(a, "from c", 5101);
	say(a, "127.0.0.1", 5102, "to e");
	hear(e, "to e", 5100);
}

/* What connect chose is forgotten by a disconnect; what the program chose is not. */
static void disconnects(void)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int chosen = connected("127.0.0.1", 5200), port = bound("0.0.0.0", 5201), address = bound("127.0.0.5", 5202);
	struct sockaddr_in n;
	socklen_t length = sizeof(n);
	connect_to(port, "127.0.0.1", 5200);
	connect_to(address, "127.0.0.1", 5200);
	KEEP_STATES(chosen, port, address);
	connect(chosen, &nowhere, sizeof(nowhere));
	connect(port, &nowhere, sizeof(nowhere));
	connect(address, &nowhere, sizeof(nowhere));
	getsockname(chosen, (void *)&n, &length);
	CHECK(n.sin_port == 0 && n.sin_addr.s_addr == 0, "chosen by the kernel, but kept: port %d", ntohs(n.sin_port));
	getsockname(port, (void *)&n, &length);
	CHECK(n.sin_port == htons(5201) && n.sin_addr.s_addr == 0, "port 5201 is %x:%d", n.sin_addr.s_addr, ntohs(n.sin_port));
	getsockname(address, (void *)&n, &length);
	CHECK(n.sin_port == htons(5202) && n.sin_addr.s_addr == htonl(0x7f000005), "127.0.0.5:5202 is %x:%d", n.sin_addr.s_addr, ntohs(n.sin_port));
}

static void mapped(void)
{
	int six = bound("::", 5300), four = bound("127.0.0.1", 5301), to_four = connected("::ffff:127.0.0.1", 5301);
	KEEP_STATES(six, four, to_four);
	say(four, "127.0.0.1", 5300, "mapped");
	hear(six, "mapped", 5301);
}

static void link_local(void)
{
	REQUIRE(system("ip link add left type veth peer name right && ip link set left up && ip link set right up && "
		       "ip addr add fe80::1/64 dev left nodad && ip addr add fe80::2/64 dev right nodad") == 0, "veth");
	int a = bound("fe80::1%left", 5350), b = bound("fe80::2%right", 5351);
	connect_to(b, "fe80::2%right", 5352);
	KEEP_STATES(a, b);
}

static void shut(int fd, int how)
{
	shutdown(fd, how); /* ENOTCONN without a peer, and done all the same */
}

static void half_closed(void)
{
	int a = connected("127.0.0.1", 5400), b = connected("127.0.0.1", 5401), c = connected("127.0.0.1", 5402);
	int d = bound("127.0.0.1", 5403), e = open_udp(AF_INET, 0);
	shut(a, SHUT_RD);
	shut(b, SHUT_WR);
	shut(c, SHUT_RDWR);
	shut(d, SHUT_WR);
	shut(e, SHUT_RD);
	KEEP_STATES(a, b, c, d, e);
	char byte;
	CHECK(recv(a, &byte, 1, 0) == 0, "no end of file");
	signal(SIGPIPE, SIG_IGN);
	CHECK(send(b, "x", 1, 0) == -1 && errno == EPIPE, "it sends");
	CHECK(recv(e, &byte, 1, 0) == 0, "no end of file without a name");
}

static void ip_options(void)
{
	static const int flags[] = {IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVERR, IP_RECVOPTS, IP_FREEBIND, IP_TRANSPARENT,
				    IP_RECVORIGDSTADDR, IP_BIND_ADDRESS_NO_PORT, IP_CHECKSUM, IP_RECVFRAGSIZE};
	int a = open_udp(AF_INET, 0), b = bound("127.0.0.1", 5500);
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		set_int(a, IPPROTO_IP, flags[i], 1);
	bind_to(a, "10.1.2.3", 5500); /* no address of ours: IP_FREEBIND */
	set_int(b, IPPROTO_IP, IP_TOS, 0x48);
	set_int(b, IPPROTO_IP, IP_TTL, 12);
	set_int(b, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	set_int(b, IPPROTO_IP, IP_MULTICAST_TTL, 9);
	set_int(b, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	set_int(b, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	set_int(b, IPPROTO_IP, IP_MULTICAST_IF, htonl(INADDR_LOOPBACK));
	KEEP_STATES(a, b);
}

static void ipv6_options(void)
{
	static const int flags[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVERR, IPV6_DONTFRAG,
				    IPV6_RECVRTHDR, IPV6_RECVDSTOPTS, IPV6_FREEBIND, IPV6_RECVORIGDSTADDR};
	int a = open_udp(AF_INET6, 0), b = bound("::1", 5510);
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		set_int(a, IPPROTO_IPV6, flags[i], 1);
	bind_to(a, "2001:db8::1", 5510);
	set_int(b, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
	set_int(b, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5);
	set_int(b, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 6);
	set_int(b, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	set_int(b, IPPROTO_IPV6, IPV6_MULTICAST_IF, 1);
	set_int(b, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	KEEP_STATES(a, b);
}

static void socket_options(void)
{
	int a = open_udp(AF_INET, 0), b = bound("127.0.0.1", 5520);
	set_int(a, SOL_SOCKET, SO_BROADCAST, 1);
	set_int(a, SOL_SOCKET, SO_RCVBUF, 50000);
	set_int(a, SOL_SOCKET, SO_MARK, 77);
	set_int(a, SOL_SOCKET, SO_NO_CHECK, 1);
	set_int(a, SOL_SOCKET, SO_DONTROUTE, 1);
	REQUIRE(setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0, "SO_BINDTODEVICE");
	bind_to(a, "0.0.0.0", 5521);
	set_int(b, SOL_SOCKET, SO_TIMESTAMP, 1);
	set_int(b, SOL_SOCKET, SO_RXQ_OVFL, 1);
	set_int(b, SOL_SOCKET, SO_PRIORITY, 4);
	set_int(b, SOL_SOCKET, SO_SNDBUF, 60000);
	KEEP_STATES(a, b);
}

static void udp_options(void)
{
	int a = bound("127.0.0.1", 5530), b = bound("::1", 5530), c = connected("127.0.0.1", 5531);
	set_int(a, SOL_UDP, UDP_SEGMENT, 1200);
	set_int(a, SOL_UDP, UDP_GRO, 1);
	set_int(b, SOL_UDP, UDP_NO_CHECK6_TX, 1);
	set_int(b, SOL_UDP, UDP_NO_CHECK6_RX, 1);
	set_int(c, SOL_UDP, UDP_CORK, 1);
	KEEP_STATES(a, b, c);
	char big[3000];
	int to = bound("127.0.0.1", 5532);
	send_to(a, "127.0.0.1", 5532, big, sizeof(big));
	CHECK(recv(to, big, sizeof(big), 0) == 1200, "not cut into segments");
}

static void lite(void)
{
	int a = open_udp(AF_INET, IPPROTO_UDPLITE), b = open_udp(AF_INET6, IPPROTO_UDPLITE), c = open_udp(AF_INET, IPPROTO_UDPLITE);
	set_int(a, IPPROTO_UDPLITE, 10, 20); /* UDPLITE_SEND_CSCOV */
	set_int(c, IPPROTO_UDPLITE, 11, 16); /* UDPLITE_RECV_CSCOV */
	bind_to(a, "127.0.0.1", 5540);
	bind_to(b, "::1", 5540);
	bind_to(c, "127.0.0.1", 5541);
	connect_to(b, "::1", 5541);
	KEEP_STATES(a, b, c);
	say(a, "127.0.0.1", 5541, "a longer datagram of UDP-Lite");
	hear(c, "a longer datagram of UDP-Lite", 5540);
}

static void filter(void)
{
	/* Only datagrams of 8 + 4 bytes. */
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 12, 0, 1),
				     BPF_STMT(BPF_RET | BPF_K, -1), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {COUNT_OF(code), code};
	int a = bound("127.0.0.1", 5550), b = bound("127.0.0.1", 5551);
	say(b, "127.0.0.1", 5550, "before the filter");
	REQUIRE(setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "filter");
	KEEP_STATES(a, b);
	hear(a, "before the filter", 5551);
	say(b, "127.0.0.1", 5550, "dropped");
	say(b, "127.0.0.1", 5550, "pass");
	hear(a, "pass", 5551);
}

static void reuse(void)
{
	int fds[6];
	for (int i = 0; i < 6; i++) {
		fds[i] = open_udp(AF_INET, 0);
		set_int(fds[i], SOL_SOCKET, i < 3 ? SO_REUSEPORT : SO_REUSEADDR, 1);
		bind_to(fds[i], "127.0.0.1", i < 3 ? 5560 : 5561);
	}
	set_int(fds[4], SOL_SOCKET, SO_REUSEADDR, 0);
	keep_states(fds, 6);
	int sender = bound("127.0.0.1", 5562), total = 0;
	for (int i = 0; i < 10; i++)
		say(sender, "127.0.0.1", 5560, "shared out");
	for (int i = 0; i < 3; i++) {
		char byte;
		while (recv(fds[i], &byte, 1, MSG_DONTWAIT) > 0)
			total++;
	}
	CHECK(total == 10, "%d datagrams of 10", total);
}

static void two_processes(void)
{
	int a = bound("127.0.0.1", 5570), b = bound("127.0.0.1", 5571);
	start_child("child", (void (*)(void *))wait_for_stop, NULL);
	KEEP_STATES(a, b);
	join_children();
	say(a, "127.0.0.1", 5571, "still");
	hear(b, "still", 5570);
}

/* ---- multicast ---- */

static void join(int fd, const char *group, const char *address, int ifindex)
{
	struct ip_mreqn m = {.imr_ifindex = ifindex};
	inet_pton(AF_INET, group, &m.imr_multiaddr);
	inet_pton(AF_INET, address, &m.imr_address);
	REQUIRE(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) == 0, "join %s: %s", group, strerror(errno));
}

static int leave(int fd, const char *group, const char *address, int ifindex)
{
	struct ip_mreqn m = {.imr_ifindex = ifindex};
	inet_pton(AF_INET, group, &m.imr_multiaddr);
	inet_pton(AF_INET, address, &m.imr_address);
	return setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m));
}

static void multicast_device(void)
{
	REQUIRE(system("ip link add left type veth peer name right && ip addr add 10.9.0.1/24 dev left && "
		       "ip link set left up && ip link set right up && ip route add 224.0.0.0/4 dev lo") == 0, "veth");
}

static void groups(void)
{
	multicast_device();
	int left = if_nametoindex("left"), a = bound("0.0.0.0", 5600), b = bound("0.0.0.0", 5601), none = bound("0.0.0.0", 5602);
	join(a, "239.1.2.3", "0.0.0.0", left);
	join(a, "239.1.2.4", "10.9.0.1", 0);
	join(b, "239.1.2.3", "127.0.0.1", 0);
	set_int(none, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	set_int(b, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	KEEP_STATES(a, b, none);
	say(none, "239.1.2.3", 5601, "to the group");
	hear(b, "to the group", 5602);
	CHECK(leave(none, "239.1.2.3", "0.0.0.0", 1) == -1, "it never joined");
	CHECK(leave(a, "239.1.2.3", "0.0.0.0", left) == 0, "left by index: %s", strerror(errno));
	CHECK(leave(a, "239.1.2.4", "10.9.0.1", 0) == 0, "left by address: %s", strerror(errno));
	CHECK(leave(a, "239.1.2.4", "10.9.0.1", 0) == -1, "left twice");
	CHECK(leave(b, "239.1.2.3", "0.0.0.0", 0) == 0, "left: %s", strerror(errno));
}

static void sources(void)
{
	multicast_device();
	int a = bound("0.0.0.0", 5610), from = bound("127.0.0.1", 5611), other = bound("127.0.0.2", 5612), b = bound("0.0.0.0", 5613);
	struct ip_mreq_source include = {.imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
	inet_pton(AF_INET, "232.1.1.1", &include.imr_multiaddr);
	inet_pton(AF_INET, "127.0.0.1", &include.imr_sourceaddr);
	REQUIRE(setsockopt(a, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &include, sizeof(include)) == 0, "source: %s", strerror(errno));
	join(b, "232.1.1.1", "127.0.0.1", 0);
	REQUIRE(setsockopt(b, IPPROTO_IP, IP_BLOCK_SOURCE, &include, sizeof(include)) == 0, "block: %s", strerror(errno));
	KEEP_STATES(a, b, from, other);
	for (int port = 5610; port <= 5613; port += 3) {
		set_int(from, IPPROTO_IP, IP_MULTICAST_IF, htonl(INADDR_LOOPBACK));
		say(from, "232.1.1.1", port, "of 1");
		say(other, "232.1.1.1", port, "of 2");
	}
	hear(a, "of 1", 5611);
	silence(a);
	hear(b, "of 2", 5612);
	silence(b);
}

static void groups6(void)
{
	multicast_device();
	REQUIRE(system("ip addr add fe80::1/64 dev left nodad") == 0, "address");
	int left = if_nametoindex("left"), a = bound("::", 5620), b = bound("::", 5621), both = bound("::", 5622);
	struct ipv6_mreq m = {.ipv6mr_interface = left};
	inet_pton(AF_INET6, "ff02::77", &m.ipv6mr_multiaddr);
	REQUIRE(setsockopt(a, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)) == 0, "join: %s", strerror(errno));
	struct group_source_req s = {.gsr_interface = 1};
	union name group = name_of("ff31::8000:1", 0), source = name_of("::1", 0);
	memcpy(&s.gsr_group, &group, sizeof(group));
	memcpy(&s.gsr_source, &source, sizeof(source));
	REQUIRE(setsockopt(b, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &s, sizeof(s)) == 0, "source: %s", strerror(errno));
	set_int(b, IPPROTO_IPV6, IPV6_MULTICAST_IF, left);
	join(both, "239.9.9.9", "127.0.0.1", 0);
	KEEP_STATES(a, b, both);
	say(b, "ff02::77%left", 5620, "six");
	hear(a, "six", 5621);
	CHECK(setsockopt(a, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &m, sizeof(m)) == 0, "leave: %s", strerror(errno));
	CHECK(setsockopt(b, IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, &s, sizeof(s)) == 0, "leave: %s", strerror(errno));
	CHECK(leave(both, "239.9.9.9", "127.0.0.1", 0) == 0, "leave: %s", strerror(errno));
}

/* ---- datagrams that lie unread ---- */

static void unread(void)
{
	int a = bound("127.0.0.1", 5700), b = bound("127.0.0.1", 5701), c = bound("127.0.0.9", 5702), d = connected("127.0.0.1", 5701);
	struct sockaddr_in n;
	socklen_t length = sizeof(n);
	getsockname(d, (void *)&n, &length);
	say(b, "127.0.0.1", 5700, "first");
	say(c, "127.0.0.1", 5700, "second");
	say(c, "127.0.0.1", 5700, "last");
	say(b, "127.0.0.1", ntohs(n.sin_port), "to the connected");
	KEEP_STATES(a, d);
	hear(a, "first", 5701);
	hear(a, "second", 5702);
	hear(a, "last", 5702);
	silence(a);
	hear(d, "to the connected", 5701);
	silence(d);
}

static void unread_empty(void)
{
	int a = bound("127.0.0.1", 5705), b = bound("127.0.0.1", 5706);
	char byte;
	say(b, "127.0.0.1", 5705, "");
	say(b, "127.0.0.1", 5705, "x");
	KEEP_STATES(a);
	CHECK(recv(a, &byte, 1, MSG_DONTWAIT) == 0, "the empty one");
	hear(a, "x", 5706);
	silence(a);
}

static void unread6(void)
{
	int a = bound("::1", 5710), b = bound("::1", 5711), any = bound("::", 5712), four = bound("127.0.0.1", 5713);
	say(b, "::1", 5710, "six");
	say(four, "127.0.0.1", 5712, "four");
	say(b, "::1", 5712, "six too");
	KEEP_STATES(a, any);
	hear(a, "six", 5711);
	hear(any, "four", 5713);
	hear(any, "six too", 5711);
	silence(any);
}

static void unread_big(void)
{
	static char out[65507], in[70000];
	int a = bound("127.0.0.1", 5720), b = bound("127.0.0.1", 5721), full = bound("127.0.0.1", 5722), n = 0;
	fill(out, sizeof(out), 7);
	send_to(b, "127.0.0.1", 5720, out, sizeof(out));
	send_to(b, "127.0.0.1", 5720, out + 1, 1001);
	set_int(full, SOL_SOCKET, SO_RCVBUF, 10000);
	for (int i = 0; i < 100; i++)
		send_to(b, "127.0.0.1", 5722, out + i, 100);
	KEEP_STATES(a, full);
	CHECK(recv(a, in, sizeof(in), MSG_DONTWAIT) == sizeof(out) && filled(in, sizeof(out), 7), "the big one");
	CHECK(recv(a, in, sizeof(in), MSG_DONTWAIT) == 1001 && memcmp(in, out + 1, 1001) == 0, "the odd one");
	for (; recv(full, in, sizeof(in), MSG_DONTWAIT) == 100; n++)
		CHECK(memcmp(in, out + n, 100) == 0, "datagram %d of a full queue", n);
	CHECK(n > 10 && n < 100, "%d datagrams in the full queue", n);
}

/* Where it went to, TTL and TOS, as the program asks for them. */
static void unread_headers(void)
{
	REQUIRE(system("ip link add left type veth peer name right && ip addr add 10.9.0.1/24 dev left && ip link set left up && ip link set right up") == 0, "veth");
	int a = open_udp(AF_INET, 0), b = bound("10.9.0.1", 5731), left = if_nametoindex("left");
	set_int(a, IPPROTO_IP, IP_PKTINFO, 1);
	set_int(a, IPPROTO_IP, IP_RECVTTL, 1);
	set_int(a, IPPROTO_IP, IP_RECVTOS, 1);
	bind_to(a, "0.0.0.0", 5730);
	set_int(b, IPPROTO_IP, IP_TTL, 33);
	set_int(b, IPPROTO_IP, IP_TOS, 0x10);
	say(b, "10.9.0.1", 5730, "with headers");
	KEEP_STATES(a);
	char text[100] = "", control[300];
	struct iovec v = {text, sizeof(text)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int seen = 0;
	CHECK(recvmsg(a, &m, MSG_DONTWAIT) == 12, "recvmsg: %s", strerror(errno));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct in_pktinfo *info = (void *)CMSG_DATA(c);
		seen++;
		if (c->cmsg_type == IP_PKTINFO)
			CHECK(info->ipi_addr.s_addr == htonl(0x0a090001) && info->ipi_ifindex == left, "to %x on %d", info->ipi_addr.s_addr, info->ipi_ifindex);
		if (c->cmsg_type == IP_TTL)
			CHECK(*(int *)CMSG_DATA(c) == 33, "TTL %d", *(int *)CMSG_DATA(c));
		if (c->cmsg_type == IP_TOS)
			CHECK(*CMSG_DATA(c) == 0x10, "TOS %x", *CMSG_DATA(c));
	}
	CHECK(seen == 3, "%d headers", seen);
}

static void unread_link_local(void)
{
	REQUIRE(system("ip link add left type veth peer name right && ip link set left up && ip link set right up && "
		       "ip addr add fe80::1/64 dev left nodad") == 0, "veth");
	int a = bound("::", 5735), b = bound("fe80::1%left", 5736), left = if_nametoindex("left");
	say(b, "fe80::1%left", 5735, "near");
	/* Until it has arrived it counts as not yet sent. */
	for (int i = 0, left_over = 1; i < 1000 && left_over > 0; i++) {
		REQUIRE(ioctl(b, SIOCOUTQ, &left_over) == 0, "SIOCOUTQ");
		nap_ms(1);
	}
	KEEP_STATES(a, b);
	char text[10];
	struct sockaddr_in6 from;
	socklen_t length = sizeof(from);
	CHECK(recvfrom(a, text, sizeof(text), MSG_DONTWAIT, (void *)&from, &length) == 4, "nothing: %s", strerror(errno));
	CHECK(from.sin6_scope_id == left && ntohs(from.sin6_port) == 5736, "of device %d", from.sin6_scope_id);
}

static void unread_lite(void)
{
	int a = open_udp(AF_INET, IPPROTO_UDPLITE), b = open_udp(AF_INET, IPPROTO_UDPLITE);
	bind_to(a, "127.0.0.1", 5740);
	bind_to(b, "127.0.0.1", 5741);
	say(b, "127.0.0.1", 5740, "lite");
	KEEP_STATES(a);
	hear(a, "lite", 5741);
}

static void unread_device(void)
{
	REQUIRE(system("ip link add left type veth peer name right && ip addr add 10.9.0.1/24 dev left && ip link set left up && ip link set right up") == 0, "veth");
	int a = open_udp(AF_INET, 0), b = bound("10.9.0.1", 5751);
	REQUIRE(setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "left", 5) == 0, "SO_BINDTODEVICE");
	bind_to(a, "0.0.0.0", 5750);
	set_int(b, SOL_SOCKET, SO_BINDTODEVICE, 0);
	say(b, "10.9.0.1", 5750, "by device");
	KEEP_STATES(a);
	char text[100];
	recv(a, text, sizeof(text), MSG_DONTWAIT);
}

/* A look with MSG_PEEK at an offset of its own goes on where it was. */
static void peek_offset(void)
{
	int a = bound("127.0.0.1", 5760), b = bound("127.0.0.1", 5761);
	char text[10] = "";
	say(b, "127.0.0.1", 5760, "abcdef");
	set_int(a, SOL_SOCKET, SO_PEEK_OFF, 0);
	REQUIRE(recv(a, text, 2, MSG_PEEK) == 2, "peek");
	KEEP_STATES(a);
	CHECK(recv(a, text, 2, MSG_PEEK) == 2 && memcmp(text, "cd", 2) == 0, "'%.2s' at the offset", text);
	set_int(a, SOL_SOCKET, SO_PEEK_OFF, -1);
	hear(a, "abcdef", 5761);
}

static void watched(void)
{
	int a = bound("127.0.0.1", 5770), b = bound("127.0.0.1", 5771), c = bound("127.0.0.1", 5772);
	int level = epoll_create1(0), edge = epoll_create1(0);
	struct epoll_event events[4], event = {.events = EPOLLIN, .data.fd = a};
	REQUIRE(epoll_ctl(level, EPOLL_CTL_ADD, a, &event) == 0, "epoll");
	event = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.fd = b};
	REQUIRE(epoll_ctl(edge, EPOLL_CTL_ADD, b, &event) == 0, "epoll");
	event.data.fd = c;
	REQUIRE(epoll_ctl(edge, EPOLL_CTL_ADD, c, &event) == 0, "epoll");
	say(a, "127.0.0.1", 5771, "taken");
	say(c, "127.0.0.1", 5770, "ready");
	REQUIRE(epoll_wait(edge, events, 4, 0) == 1 && epoll_wait(level, events, 4, 0) == 1, "both are ready");
	ready();
	while (next_round()) {
		CHECK(epoll_wait(level, events, 4, 0) == 1, "the datagram is not told of");
		CHECK(epoll_wait(edge, events, 4, 0) == 0, "an event of %d that was taken", events[0].data.fd);
	}
	hear(a, "ready", 5772);
	hear(b, "taken", 5770);
	say(a, "127.0.0.1", 5772, "new");
	CHECK(epoll_wait(edge, events, 4, 0) == 1 && events[0].data.fd == c, "no event for a new datagram");
}

static volatile sig_atomic_t told;
static void tell(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	told = info->si_fd;
}

static void async(void)
{
	int a = bound("127.0.0.1", 5780), b = bound("127.0.0.1", 5781);
	struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO};
	sigaction(SIGRTMIN + 3, &action, NULL);
	fcntl(a, F_SETOWN, getpid());
	fcntl(a, F_SETSIG, SIGRTMIN + 3);
	fcntl(a, F_SETFL, O_ASYNC | O_NONBLOCK);
	KEEP_STATES(a, b);
	CHECK(fcntl(a, F_GETFL) == (O_RDWR | O_ASYNC | O_NONBLOCK), "flags %x", fcntl(a, F_GETFL));
	told = 0;
	say(b, "127.0.0.1", 5780, "signal");
	CHECK(told == a, "told of %d", told);
}

static void many(void)
{
	int fds[200];
	for (int i = 0; i < 200; i++)
		fds[i] = bound("127.0.0.1", 6000 + i);
	for (int i = 0; i < 200; i++)
		say(fds[i], "127.0.0.1", 6000 + (i + 1) % 200, "to the next");
	wait_for_stop();
	for (int i = 0; i < 200; i++)
		hear(fds[(i + 1) % 200], "to the next", 6000 + i);
}

/* ---- refused ---- */

static void corked(void)
{
	int a = connected("127.0.0.1", 5800), b = connected("127.0.0.1", 5801);
	set_int(a, SOL_UDP, UDP_CORK, 1);
	say(a, NULL, 0, "held back");
	send(b, "more", 4, MSG_MORE);
	wait_for_stop();
}

static void errors(void)
{
	int a = connected("127.0.0.1", 5810), b = connected("127.0.0.1", 5811);
	set_int(b, IPPROTO_IP, IP_RECVERR, 1);
	say(a, NULL, 0, "nobody there");
	say(b, NULL, 0, "nobody there");
	nap_ms(50);
	wait_for_stop();
	char byte;
	CHECK(send(a, &byte, 1, 0) == -1 && errno == ECONNREFUSED, "the error is gone");
	CHECK(recv(b, &byte, 1, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0, "the error queue is empty");
}

static void tunnel(void)
{
	int a = bound("127.0.0.1", 5820);
	int kind = UDP_ENCAP_ESPINUDP;
	NEEDS(setsockopt(a, SOL_UDP, UDP_ENCAP, &kind, sizeof(kind)) == 0, "UDP_ENCAP");
	wait_for_stop();
}

static void group_datagram(void)
{
	REQUIRE(system("ip route add 224.0.0.0/4 dev lo") == 0, "route");
	int a = open_udp(AF_INET, 0), b = bound("127.0.0.1", 5831);
	set_int(a, IPPROTO_IP, IP_PKTINFO, 1);
	bind_to(a, "0.0.0.0", 5830);
	join(a, "239.1.1.1", "127.0.0.1", 0);
	say(b, "239.1.1.1", 5830, "to all");
	wait_for_stop();
	hear(a, "to all", 5831);
}

/* A program chooses which socket of a port gets a datagram. */
static void chosen(void)
{
	union bpf_attr create = {.map_type = BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, .key_size = 4, .value_size = 8, .max_entries = 4};
	int map = syscall(SYS_bpf, BPF_MAP_CREATE, &create, sizeof(create)), key = 2;
	NEEDS(map >= 0, "BPF_MAP_TYPE_REUSEPORT_SOCKARRAY");
	struct bpf_insn code[] = {{.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map}, {0},
				  {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SK_REUSEPORT, .insns = (uintptr_t)code, .insn_cnt = 4, .license = (uintptr_t)"GPL"};
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), program = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	NEEDS(program >= 0, "BPF_PROG_TYPE_SK_REUSEPORT");
	set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	REQUIRE(bind(fd, (void *)&name, sizeof(name)) == 0, "bind: %s", strerror(errno));
	set_int(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, program);
	uint64_t value = fd;
	union bpf_attr put = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&value};
	REQUIRE(syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &put, sizeof(put)) == 0, "update: %s", strerror(errno));
	close(program);
	close(map);
	ready();
	while (next_round())
		;
}

SUBJECT({"unbound", unbound}, {"bound", bound_names}, {"bound6", bound_names6}, {"peers", peers},
	{"disconnects", disconnects}, {"mapped", mapped}, {"link-local", link_local}, {"half-closed", half_closed},
	{"ip-options", ip_options}, {"ipv6-options", ipv6_options}, {"socket-options", socket_options},
	{"udp-options", udp_options}, {"lite", lite}, {"filter", filter}, {"reuse", reuse},
	{"two-processes", two_processes}, {"groups", groups}, {"sources", sources}, {"groups6", groups6},
	{"unread", unread}, {"unread-empty", unread_empty}, {"unread6", unread6}, {"unread-big", unread_big}, {"unread-headers", unread_headers},
	{"unread-link-local", unread_link_local}, {"unread-lite", unread_lite}, {"unread-device", unread_device}, {"peek-offset", peek_offset}, {"watched", watched}, {"async", async}, {"many", many},
	{"corked", corked}, {"errors", errors}, {"tunnel", tunnel}, {"group-datagram", group_datagram}, {"chosen", chosen})
