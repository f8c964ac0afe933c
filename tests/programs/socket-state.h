/*
 * All that the kernel tells of a socket, to be compared later: every option of every level that
 * getsockopt gives without changing it, its names, and what sock_diag has of it.
 *
 *   struct socket_state state;
 *   take_state(fd, &state);
 *   ... check_state(fd, &state, "the socket");
 */
#ifndef SOCKET_STATE_H
#define SOCKET_STATE_H
#include "subject.h"
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct socket_option {
	int level, name, length;
	unsigned char value[260];
};

struct socket_state {
	int count, diag_length, local_length, peer_length;
	struct socket_option options[512];
	unsigned char diag[4096];
	unsigned char local[128], peer[128];
};

/* Levels and their highest options: SOL_IP, SOCKET, UDP, IPV6, ICMPV6, UDPLITE, RAW, PACKET, NETLINK. */
static const int option_levels[][2] = {{0, 63},	  {1, 90}, {17, 120}, {41, 90}, {58, 4},
				       {136, 20}, {255, 4}, {263, 24}, {270, 12}};

/* Not lasting, gone once read, or a new descriptor each time. */
static int is_volatile_option(int level, int name)
{
	switch (level) {
	case SOL_SOCKET: /* ERROR, RXQ... MEMINFO, INCOMING_NAPI_ID, COOKIE, NETNS_COOKIE, PEERPIDFD */
		return name == 4 || name == 55 || name == 56 || name == 57 || name == 77;
	case 0: /* IP_MTU depends on the route alone */
		return name == 14;
	case 41: /* IPV6_MTU, IPV6_PATHMTU */
		return name == 24 || name == 61;
	case 263: /* PACKET_STATISTICS, PACKET_ROLLOVER_STATS */
		return name == 6 || name == 21;
	}
	return 0;
}

static inline void take_options(int fd, struct socket_state *state)
{
	for (size_t i = 0; i < COUNT_OF(option_levels); i++)
		for (int name = 0; name <= option_levels[i][1]; name++) {
			struct socket_option *o = &state->options[state->count];
			socklen_t length = sizeof(o->value);
			memset(o, 0, sizeof(*o));
			if (is_volatile_option(option_levels[i][0], name) ||
			    getsockopt(fd, option_levels[i][0], name, o->value, &length) < 0)
				continue;
			o->level = option_levels[i][0];
			o->name = name;
			o->length = length;
			REQUIRE(++state->count < (int)COUNT_OF(state->options), "too many options");
		}
}

static inline int diag_request(int fd, void *request)
{
	int family = 0, protocol = 0;
	socklen_t length = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length);
	if (family == AF_NETLINK) {
		struct netlink_diag_req r = {.sdiag_family = family, .sdiag_protocol = 255};
		r.ndiag_show = NDIAG_SHOW_GROUPS | NDIAG_SHOW_FLAGS;
		memcpy(request, &r, sizeof(r));
		return sizeof(r);
	}
	if (family == AF_PACKET) {
		struct packet_diag_req r = {.sdiag_family = family};
		r.pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MCLIST | PACKET_SHOW_RING_CFG |
			       PACKET_SHOW_FANOUT | PACKET_SHOW_FILTER;
		memcpy(request, &r, sizeof(r));
		return sizeof(r);
	}
	struct inet_diag_req_v2 r = {.sdiag_family = family, .sdiag_protocol = protocol};
	r.idiag_states = -1;
	r.idiag_ext = 1 << (INET_DIAG_SHUTDOWN - 1);
	memcpy(request, &r, sizeof(r));
	return sizeof(r);
}

/* Inode and cookie are new with each restore; receive memory and timers are not of the socket. */
static inline int blank_diag(int family, unsigned char *body, unsigned ino)
{
	unsigned *found;
	if (family == AF_NETLINK) {
		struct netlink_diag_msg *m = (void *)body;
		memset(m->ndiag_cookie, 0, sizeof(m->ndiag_cookie));
		found = &m->ndiag_ino;
	} else if (family == AF_PACKET) {
		struct packet_diag_msg *m = (void *)body;
		memset(m->pdiag_cookie, 0, sizeof(m->pdiag_cookie));
		found = &m->pdiag_ino;
	} else {
		struct inet_diag_msg *m = (void *)body;
		memset(m->id.idiag_cookie, 0, sizeof(m->id.idiag_cookie));
		m->idiag_rqueue = m->idiag_expires = 0;
		m->idiag_timer = m->idiag_retrans = 0;
		found = &m->idiag_inode;
	}
	if (*found != ino)
		return 0;
	*found = 0;
	return 1;
}

static inline void take_diag(int fd, struct socket_state *state)
{
	static unsigned char buffer[1 << 16];
	struct {
		struct nlmsghdr header;
		unsigned char body[64];
	} request = {.header = {.nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	struct stat st;
	int family = 0, nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	socklen_t length = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
	fstat(fd, &st);
	request.header.nlmsg_len = NLMSG_LENGTH(diag_request(fd, request.body));
	send(nl, &request, request.header.nlmsg_len, 0);
	state->diag_length = 0;
	for (int done = 0; !done;) {
		int n = recv(nl, buffer, sizeof(buffer), 0);
		if (n <= 0)
			break;
		for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			done |= h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR;
			if (!done && blank_diag(family, NLMSG_DATA(h), st.st_ino) &&
			    NLMSG_PAYLOAD(h, 0) <= sizeof(state->diag)) {
				state->diag_length = NLMSG_PAYLOAD(h, 0);
				memcpy(state->diag, NLMSG_DATA(h), state->diag_length);
			}
		}
	}
	close(nl);
}

static inline void take_names(int fd, struct socket_state *state)
{
	socklen_t local = sizeof(state->local), peer = sizeof(state->peer);
	memset(state, 0, sizeof(*state));
	state->local_length = getsockname(fd, (void *)state->local, &local) < 0 ? -errno : local;
	state->peer_length = getpeername(fd, (void *)state->peer, &peer) < 0 ? -errno : peer;
	take_options(fd, state);
}

static inline void take_state(int fd, struct socket_state *state)
{
	take_names(fd, state);
	take_diag(fd, state);
}

/* Names and options alone: nothing is open in between that a dump could find. */
static inline void check_names(int fd, const struct socket_state *before, const char *who)
{
	static struct socket_state now;
	take_names(fd, &now);
	CHECK(now.count == before->count, "%s has %d options, not %d", who, now.count, before->count);
	for (int i = 0; i < now.count && i < before->count; i++) {
		const struct socket_option *a = &before->options[i], *b = &now.options[i];
		CHECK(memcmp(a, b, sizeof(*a)) == 0, "%s: level %d option %d is %d bytes %02x%02x%02x%02x, level %d option %d was %d bytes %02x%02x%02x%02x",
		      who, b->level, b->name, b->length, b->value[0], b->value[1], b->value[2], b->value[3],
		      a->level, a->name, a->length, a->value[0], a->value[1], a->value[2], a->value[3]);
	}
	CHECK(now.local_length == before->local_length && !memcmp(now.local, before->local, 128),
	      "%s has another local name", who);
	CHECK(now.peer_length == before->peer_length && !memcmp(now.peer, before->peer, 128),
	      "%s has another peer (%d, was %d)", who, now.peer_length, before->peer_length);
}

/* With sock_diag, which takes a socket: once no dump comes any more. */
static inline void check_state(int fd, const struct socket_state *before, const char *who)
{
	static struct socket_state now;
	check_names(fd, before, who);
	take_diag(fd, &now);
	CHECK(now.diag_length == before->diag_length, "%s: sock_diag tells %d bytes, not %d", who,
	      now.diag_length, before->diag_length);
	for (int i = 0; i < now.diag_length && i < before->diag_length; i++)
		CHECK(now.diag[i] == before->diag[i], "%s: byte %d of what sock_diag tells is %x, was %x", who, i,
		      now.diag[i], before->diag[i]);
}

/* Sets an option that is an int; it must be one that this kernel has. */
static inline void set_int(int fd, int level, int name, int value)
{
	REQUIRE(setsockopt(fd, level, name, &value, sizeof(value)) == 0, "option %d of level %d: %s", name,
		level, strerror(errno));
}

static inline int get_int(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);
	return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}

/* The state of each of some sockets stays as it is now, until the stop request. */
static inline void keep_states(const int *fds, int count)
{
	struct socket_state *states = calloc(count, sizeof(*states));
	char who[32];
	for (int i = 0; i < count; i++)
		take_state(fds[i], &states[i]);
	ready();
	while (next_round())
		for (int i = 0; i < count; i++) {
			snprintf(who, sizeof(who), "socket %d", i);
			check_names(fds[i], &states[i], who);
		}
	for (int i = 0; i < count; i++) {
		snprintf(who, sizeof(who), "socket %d", i);
		check_state(fds[i], &states[i], who);
	}
	free(states);
}
#define KEEP_STATES(...)                                                                           \
	do {                                                                                       \
		const int kept[] = {__VA_ARGS__};                                                  \
		keep_states(kept, COUNT_OF(kept));                                                 \
	} while (0)
#endif
