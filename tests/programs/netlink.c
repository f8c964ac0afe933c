/* Netlink sockets: ports, groups, destinations, options; what cannot come back is refused. */
#include "socket-state.h"
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/rtnetlink.h>

static int open_netlink(int type, int protocol)
{
	int fd = socket(AF_NETLINK, type, protocol);
	NEEDS(fd >= 0, "this protocol of AF_NETLINK");
	return fd;
}

static int bound(int protocol, unsigned port, unsigned groups)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
	int fd = open_netlink(SOCK_RAW | SOCK_CLOEXEC, protocol);
	REQUIRE(bind(fd, (void *)&name, sizeof(name)) == 0, "bind: %s", strerror(errno));
	return fd;
}

static void send_to(int fd, unsigned port, const char *text)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_pid = port};
	int n = sendto(fd, text, strlen(text), 0, port ? (void *)&name : NULL, port ? sizeof(name) : 0);
	CHECK(n == (int)strlen(text), "send to %u: %s", port, strerror(errno));
}

static void expect(int fd, unsigned port, const char *text)
{
	char buffer[100] = "";
	struct sockaddr_nl from;
	socklen_t length = sizeof(from);
	int n = recvfrom(fd, buffer, sizeof(buffer) - 1, MSG_DONTWAIT, (void *)&from, &length);
	CHECK(n == (int)strlen(text) && strcmp(buffer, text) == 0, "received %d bytes: %s", n, buffer);
	CHECK(from.nl_pid == port, "from port %u, not %u", from.nl_pid, port);
}

static void request_links(int fd, int flags)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} request = {{sizeof(request), RTM_GETLINK, NLM_F_REQUEST | flags, 7, 0}, {.ifi_index = 1}};
	CHECK(send(fd, &request, sizeof(request), 0) == sizeof(request), "request: %s", strerror(errno));
}

static int answer_type(int fd)
{
	static char buffer[32768];
	int n = recv(fd, buffer, sizeof(buffer), 0);
	return n < (int)sizeof(struct nlmsghdr) ? -1 : ((struct nlmsghdr *)buffer)->nlmsg_type;
}

static void unbound(void)
{
	KEEP_STATES(open_netlink(SOCK_RAW, NETLINK_ROUTE), open_netlink(SOCK_DGRAM, NETLINK_GENERIC),
		    open_netlink(SOCK_RAW | SOCK_NONBLOCK, NETLINK_USERSOCK));
}

static void ports(void)
{
	KEEP_STATES(bound(NETLINK_ROUTE, 0, 0), bound(NETLINK_ROUTE, 0, 0), bound(NETLINK_ROUTE, 77777, 0),
		    bound(NETLINK_USERSOCK, 0xfffffff0, 0), bound(NETLINK_SOCK_DIAG, 5, 0));
}

static void groups(void)
{
	KEEP_STATES(bound(NETLINK_ROUTE, 0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR),
		    bound(NETLINK_KOBJECT_UEVENT, 0, 0), bound(NETLINK_USERSOCK, 9, 0x80000001));
}

static void high_groups(void)
{
	int fd = bound(NETLINK_ROUTE, 0, RTMGRP_NEIGH), unbound = open_netlink(SOCK_RAW, NETLINK_ROUTE);
	set_int(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 32);
	set_int(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 33);
	set_int(unbound, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_NSID);
	KEEP_STATES(fd, unbound);
}

static void options(void)
{
	int a = bound(NETLINK_ROUTE, 0, 0), b = bound(NETLINK_GENERIC, 0, 0);
	for (int name = NETLINK_PKTINFO; name <= NETLINK_NO_ENOBUFS; name++)
		set_int(a, SOL_NETLINK, name, 1);
	set_int(b, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1);
	set_int(b, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	set_int(b, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	set_int(b, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
	set_int(a, SOL_SOCKET, SO_RCVBUF, 30000);
	set_int(b, SOL_SOCKET, SO_SNDBUF, 40000);
	set_int(b, SOL_SOCKET, SO_PASSCRED, 1);
	KEEP_STATES(a, b);
}

static void filter(void)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {COUNT_OF(code), code};
	int a = bound(NETLINK_USERSOCK, 1000, 0), b = bound(NETLINK_USERSOCK, 1001, 0);
	char byte;
	REQUIRE(setsockopt(b, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "filter");
	KEEP_STATES(a, b);
	send_to(a, 1001, "dropped");
	CHECK(recv(b, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "the filter lets it pass");
}

static void connected(void)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = 2001}, kernel = {.nl_family = AF_NETLINK};
	int a = bound(NETLINK_USERSOCK, 2000, 0), b = bound(NETLINK_USERSOCK, 2001, 0);
	int route = open_netlink(SOCK_RAW, NETLINK_ROUTE), group = bound(NETLINK_USERSOCK, 2002, 0);
	struct sockaddr_nl many = {.nl_family = AF_NETLINK, .nl_groups = 8};
	REQUIRE(connect(a, (void *)&to, sizeof(to)) == 0, "connect");
	REQUIRE(connect(route, (void *)&kernel, sizeof(kernel)) == 0, "connect to the kernel");
	REQUIRE(connect(group, (void *)&many, sizeof(many)) == 0, "connect to a group");
	KEEP_STATES(a, b, route, group);
	send_to(a, 0, "to the peer");
	expect(b, 2000, "to the peer");
}

static void talk(void)
{
	int fd = bound(NETLINK_ROUTE, 0, 0);
	request_links(fd, 0);
	REQUIRE(answer_type(fd) == RTM_NEWLINK, "no answer");
	KEEP_STATES(fd);
	request_links(fd, 0);
	CHECK(answer_type(fd) == RTM_NEWLINK, "no answer");
}

static void notified(void)
{
	int fd = bound(NETLINK_USERSOCK, 3000, 1 << 4), sender = bound(NETLINK_USERSOCK, 3001, 0);
	KEEP_STATES(fd, sender);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1 << 4};
	/* It goes to port 0 as well, the kernel, which does not listen. */
	CHECK(sendto(sender, "all", 3, 0, (void *)&to, sizeof(to)) == -1 && errno == ECONNREFUSED, "sendto");
	expect(fd, 3001, "all");
}

static void wait_for_stop(void)
{
	ready();
	while (next_round())
		;
}

static void unread(void)
{
	int fd = bound(NETLINK_ROUTE, 0, 0);
	request_links(fd, 0);
	wait_for_stop();
	CHECK(answer_type(fd) == RTM_NEWLINK, "the answer is gone");
}

static void overrun(void)
{
	int a = bound(NETLINK_USERSOCK, 4000, 0), b = bound(NETLINK_USERSOCK, 4001, 1);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1};
	static char big[4000];
	set_int(b, SOL_SOCKET, SO_RCVBUF, 4096);
	for (int i = 0; i < 50; i++)
		sendto(a, big, sizeof(big), 0, (void *)&to, sizeof(to));
	for (int n = 1; n > 0;)
		n = recv(b, big, sizeof(big), MSG_DONTWAIT);
	for (int i = 0; i < 50; i++)
		sendto(a, big, sizeof(big), 0, (void *)&to, sizeof(to));
	wait_for_stop();
}

static void process_events(void)
{
	bound(NETLINK_CONNECTOR, 0, 1);
	wait_for_stop();
}

static void queue(void)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg generic;
		struct nlattr attribute;
		struct nfqnl_msg_config_cmd command;
	} request = {
		{sizeof(request), NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{AF_UNSPEC, NFNETLINK_V0, htons(12)},
		{sizeof(struct nlattr) + sizeof(struct nfqnl_msg_config_cmd), NFQA_CFG_CMD},
		{.command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET)},
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = {.error = {.error = -1}};
	int fd = bound(NETLINK_NETFILTER, 0, 0);
	REQUIRE(send(fd, &request, sizeof(request), 0) > 0, "request");
	REQUIRE(recv(fd, &answer, sizeof(answer), 0) > 0, "answer");
	NEEDS(answer.error.error == 0, "NFQUEUE");
	wait_for_stop();
}

static void shared(void)
{
	int fd = bound(NETLINK_USERSOCK, 5000, 2);
	start_child("child", (void (*)(void *))wait_for_stop, NULL);
	KEEP_STATES(fd);
	join_children();
}

SUBJECT({"unbound", unbound}, {"ports", ports}, {"groups", groups}, {"high-groups", high_groups},
	{"options", options}, {"filter", filter}, {"connected", connected}, {"talk", talk},
	{"notified", notified}, {"unread", unread}, {"overrun", overrun},
	{"process-events", process_events}, {"queue", queue}, {"shared", shared})
