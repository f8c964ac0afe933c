/* Raw sockets and those for echo requests (SOCK_DGRAM of ICMP). */
#include "socket-state.h"
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <poll.h>

/* For experiments (RFC 3692). */
#define TEST_PROTOCOL 253

static int open_raw(int family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
	REQUIRE(fd >= 0, "socket: %s", strerror(errno));
	return fd;
}

static socklen_t make_name(struct sockaddr_storage *name, const char *address, int port)
{
	struct sockaddr_in *v4 = (void *)name;
	struct sockaddr_in6 *v6 = (void *)name;
	memset(name, 0, sizeof(*name));
	name->ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	v4->sin_port = htons(port);
	REQUIRE(inet_pton(name->ss_family, address, strchr(address, ':') ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) == 1, "address");
	return name->ss_family == AF_INET ? sizeof(*v4) : sizeof(*v6);
}

static void bind_to(int fd, const char *address, int port)
{
	struct sockaddr_storage name;
	socklen_t length = make_name(&name, address, port);
	REQUIRE(bind(fd, (void *)&name, length) == 0, "bind to %s: %s", address, strerror(errno));
}

static void connect_to(int fd, const char *address, int port)
{
	struct sockaddr_storage name;
	socklen_t length = make_name(&name, address, port);
	REQUIRE(connect(fd, (void *)&name, length) == 0, "connect to %s: %s", address, strerror(errno));
}

static void send_to(int fd, const char *address, const void *data, size_t size)
{
	struct sockaddr_storage name;
	socklen_t length = make_name(&name, address, 0);
	CHECK(sendto(fd, data, size, 0, (void *)&name, length) == (ssize_t)size, "send to %s: %s", address, strerror(errno));
}

static void expect(int fd, int header, const char *text)
{
	char buffer[2000] = "";
	struct pollfd p = {.fd = fd, .events = POLLIN};
	poll(&p, 1, 1000);
	int n = recv(fd, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);
	CHECK(n == header + (int)strlen(text) && strcmp(buffer + header, text) == 0, "%d bytes: %s", n, n > header ? buffer + header : "");
}

static void silence(int fd)
{
	char byte;
	nap_ms(20);
	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "a packet that is not for it");
}

static void names(void)
{
	int any = open_raw(AF_INET, TEST_PROTOCOL), bound = open_raw(AF_INET, TEST_PROTOCOL), connected = open_raw(AF_INET, TEST_PROTOCOL);
	int both = open_raw(AF_INET, IPPROTO_UDP);
	bind_to(bound, "127.0.0.3", 0);
	connect_to(connected, "127.0.0.4", 0);
	bind_to(both, "127.0.0.5", 0);
	connect_to(both, "127.0.0.1", 77);
	KEEP_STATES(any, bound, connected, both);
	send_to(any, "127.0.0.3", "raw", 3);
	expect(any, 20, "raw");
	expect(bound, 20, "raw");
	silence(connected);
}

static void names6(void)
{
	int any = open_raw(AF_INET6, TEST_PROTOCOL), bound = open_raw(AF_INET6, TEST_PROTOCOL), connected = open_raw(AF_INET6, TEST_PROTOCOL);
	bind_to(bound, "::1", 0);
	connect_to(connected, "::1", 0);
	KEEP_STATES(any, bound, connected);
	send_to(any, "::1", "six", 3);
	expect(any, 0, "six");
	expect(bound, 0, "six");
	expect(connected, 0, "six");
}

static void options(void)
{
	int a = open_raw(AF_INET, TEST_PROTOCOL), b = open_raw(AF_INET, TEST_PROTOCOL), c = open_raw(AF_INET, IPPROTO_RAW);
	set_int(a, IPPROTO_IP, IP_HDRINCL, 1);
	set_int(b, IPPROTO_IP, 22 /* IP_NODEFRAG */, 1);
	set_int(b, IPPROTO_IP, IP_ROUTER_ALERT, 1);
	set_int(b, IPPROTO_IP, IP_TTL, 3);
	set_int(b, IPPROTO_IP, IP_RECVTTL, 1);
	set_int(c, IPPROTO_IP, IP_HDRINCL, 0);
	set_int(b, SOL_SOCKET, SO_RCVBUF, 20000);
	REQUIRE(setsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0, "SO_BINDTODEVICE");
	KEEP_STATES(a, b, c);
}

static void options6(void)
{
	int a = open_raw(AF_INET6, TEST_PROTOCOL), b = open_raw(AF_INET6, TEST_PROTOCOL), c = open_raw(AF_INET6, IPPROTO_RAW), d = open_raw(AF_INET6, IPPROTO_ICMPV6);
	set_int(a, IPPROTO_IPV6, IPV6_CHECKSUM, 2);
	set_int(b, IPPROTO_IPV6, 36 /* IPV6_HDRINCL */, 1);
	set_int(b, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set_int(d, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255);
	set_int(d, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	KEEP_STATES(a, b, c, d);
}

static void filters(void)
{
	struct icmp_filter only = {~(1u << ICMP_ECHO)};
	struct icmp6_filter only6;
	struct icmphdr echo = {.type = ICMP_ECHO}, other = {.type = ICMP_TIMESTAMPREPLY};
	int a = open_raw(AF_INET, IPPROTO_ICMP), b = open_raw(AF_INET6, IPPROTO_ICMPV6), sender = open_raw(AF_INET, IPPROTO_ICMP);
	struct icmp_filter nothing = {-1};
	ICMP6_FILTER_SETBLOCKALL(&only6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only6);
	REQUIRE(setsockopt(a, SOL_RAW, ICMP_FILTER, &only, sizeof(only)) == 0, "ICMP_FILTER");
	REQUIRE(setsockopt(sender, SOL_RAW, ICMP_FILTER, &nothing, sizeof(nothing)) == 0, "ICMP_FILTER");
	REQUIRE(setsockopt(b, IPPROTO_ICMPV6, ICMP6_FILTER, &only6, sizeof(only6)) == 0, "ICMP6_FILTER");
	KEEP_STATES(a, b, sender);
	send_to(sender, "127.0.0.1", &other, sizeof(other));
	silence(a);
	send_to(sender, "127.0.0.1", &echo, sizeof(echo));
	char packet[100];
	nap_ms(20);
	CHECK(recv(a, packet, sizeof(packet), MSG_DONTWAIT) == 28, "the echo request: %s", strerror(errno));
}

static void groups(void)
{
	struct ip_mreqn m = {.imr_ifindex = 1};
	struct ipv6_mreq m6 = {.ipv6mr_interface = 1};
	int a = open_raw(AF_INET, TEST_PROTOCOL), b = open_raw(AF_INET6, TEST_PROTOCOL);
	inet_pton(AF_INET, "239.7.7.7", &m.imr_multiaddr);
	inet_pton(AF_INET6, "ff02::77", &m6.ipv6mr_multiaddr);
	REQUIRE(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) == 0, "join: %s", strerror(errno));
	REQUIRE(setsockopt(b, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6)) == 0, "join: %s", strerror(errno));
	KEEP_STATES(a, b);
	CHECK(setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)) == 0, "leave: %s", strerror(errno));
	CHECK(setsockopt(b, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &m6, sizeof(m6)) == 0, "leave: %s", strerror(errno));
}

static int open_ping(int family)
{
	int range = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
	NEEDS(range >= 0 && write(range, "0 1000", 6) == 6, "ping_group_range");
	close(range);
	int fd = socket(family, SOCK_DGRAM, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	REQUIRE(fd >= 0, "socket: %s", strerror(errno));
	return fd;
}

static void ping(void)
{
	int a = open_ping(AF_INET), b = open_ping(AF_INET), c = open_ping(AF_INET), six = open_ping(AF_INET6);
	bind_to(b, "127.0.0.1", 4321);
	connect_to(c, "127.0.0.1", 0);
	bind_to(six, "::1", 1234);
	set_int(b, IPPROTO_IP, IP_TTL, 7);
	KEEP_STATES(a, b, c, six);
	struct icmphdr echo = {.type = ICMP_ECHO};
	send_to(b, "127.0.0.1", &echo, sizeof(echo));
	struct pollfd p = {.fd = b, .events = POLLIN};
	poll(&p, 1, 1000);
	CHECK(recv(b, &echo, sizeof(echo), MSG_DONTWAIT) == 8 && echo.type == ICMP_ECHOREPLY && ntohs(echo.un.echo.id) == 4321,
	      "no reply: %s", strerror(errno));
}

static void unread(void)
{
	int fd = open_raw(AF_INET, TEST_PROTOCOL);
	send_to(fd, "127.0.0.1", "unread", 6);
	ready();
	while (next_round())
		;
	expect(fd, 20, "unread");
}

SUBJECT({"names", names}, {"names6", names6}, {"options", options}, {"options6", options6}, {"filters", filters},
	{"groups", groups}, {"ping", ping}, {"unread", unread})
