/* Packet sockets: where they are bound, memberships, groups, rings, options. */
#include "socket-state.h"
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

/* For local experiments (IEEE 802): nobody else sends it. */
#define TEST_PROTOCOL 0x88b5
#define LOOPBACK 1

static int open_packet(int type, int protocol)
{
	int fd = socket(AF_PACKET, type, htons(protocol));
	REQUIRE(fd >= 0, "socket: %s", strerror(errno));
	return fd;
}

static int bound(int type, int protocol, int ifindex)
{
	struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = ifindex};
	int fd = open_packet(type, 0);
	REQUIRE(bind(fd, (void *)&name, sizeof(name)) == 0, "bind: %s", strerror(errno));
	return fd;
}

/* A frame of that protocol out of the loopback device, which comes in there again. */
static void send_frame(int protocol, const char *text)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = LOOPBACK, .sll_halen = 6};
	int fd = open_packet(SOCK_DGRAM, 0);
	CHECK(sendto(fd, text, strlen(text), 0, (void *)&to, sizeof(to)) == (int)strlen(text), "sendto: %s", strerror(errno));
	close(fd);
}

/* How many frames come within 100 ms; of the first, what is in it behind `skip` bytes. */
static int receive(int fd, int skip, char *text, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int count = 0;
	while (poll(&p, 1, 100) > 0 && p.revents & POLLIN) {
		char buffer[2000];
		int n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n >= skip && count++ == 0 && text)
			snprintf(text, size, "%.*s", n - skip, buffer + skip);
	}
	return count;
}

static void expect(int fd, int skip, const char *text, int frames)
{
	char got[200] = "";
	int n = receive(fd, skip, got, sizeof(got));
	CHECK(n == frames, "%d frames, not %d", n, frames);
	CHECK(n == 0 || strcmp(got, text) == 0, "frame '%s'", got);
}

static void unbound(void)
{
	int all = open_packet(SOCK_RAW, TEST_PROTOCOL), none = open_packet(SOCK_DGRAM | SOCK_NONBLOCK, 0);
	KEEP_STATES(all, none);
	send_frame(TEST_PROTOCOL, "to all");
	expect(all, 14, "to all", 1);
	expect(none, 0, "", 0);
}

static void devices(void)
{
	int raw = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK), sender = bound(SOCK_RAW, 0, LOOPBACK);
	int cooked = bound(SOCK_DGRAM, TEST_PROTOCOL + 1, LOOPBACK), any = bound(SOCK_RAW, TEST_PROTOCOL + 2, 0);
	KEEP_STATES(raw, sender, cooked, any);
	send_frame(TEST_PROTOCOL, "raw");
	send_frame(TEST_PROTOCOL + 1, "cooked");
	expect(raw, 14, "raw", 1);
	expect(cooked, 0, "cooked", 1);
	expect(sender, 14, "", 0);
	expect(any, 14, "", 0);
}

static void every_protocol(void)
{
	KEEP_STATES(bound(SOCK_RAW, ETH_P_ALL, LOOPBACK), open_packet(SOCK_DGRAM, ETH_P_ALL));
}

static void old_type(void)
{
	struct sockaddr name = {.sa_family = AF_PACKET, .sa_data = "lo"};
	int fd = open_packet(SOCK_PACKET, TEST_PROTOCOL), unbound = open_packet(SOCK_PACKET, TEST_PROTOCOL);
	REQUIRE(bind(fd, &name, sizeof(name)) == 0, "bind: %s", strerror(errno));
	KEEP_STATES(fd, unbound);
	send_frame(TEST_PROTOCOL, "old");
	expect(fd, 14, "old", 1);
}

static void options(void)
{
	int a = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK), b = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	set_int(a, SOL_PACKET, PACKET_AUXDATA, 1);
	set_int(a, SOL_PACKET, PACKET_ORIGDEV, 1);
	set_int(a, SOL_PACKET, PACKET_COPY_THRESH, 1234);
	set_int(a, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	set_int(a, SOL_PACKET, PACKET_TIMESTAMP, 1 << 3);
	set_int(a, SOL_SOCKET, SO_RCVBUF, 100000);
	set_int(b, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
	set_int(b, SOL_PACKET, PACKET_RESERVE, 64);
	set_int(b, SOL_PACKET, PACKET_LOSS, 1);
	set_int(b, SOL_PACKET, PACKET_TX_HAS_OFF, 1);
	set_int(b, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
	set_int(b, SOL_SOCKET, SO_TIMESTAMP, 1);
	set_int(b, SOL_SOCKET, SO_PRIORITY, 5);
	KEEP_STATES(a, b);
}

static void virtio(void)
{
	int a = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK), b = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK), size = 12;
	set_int(a, SOL_PACKET, PACKET_VNET_HDR, 1);
	NEEDS(setsockopt(b, SOL_PACKET, 24 /* PACKET_VNET_HDR_SZ */, &size, sizeof(size)) == 0, "PACKET_VNET_HDR_SZ");
	KEEP_STATES(a, b);
	send_frame(TEST_PROTOCOL, "headed");
	expect(a, sizeof(struct virtio_net_hdr) + 14, "headed", 1);
	expect(b, 12 + 14, "headed", 1);
}

static void filter(void)
{
	/* Only frames of 20 bytes. */
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 20, 0, 1),
				     BPF_STMT(BPF_RET | BPF_K, -1), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {COUNT_OF(code), code};
	int fd = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "filter");
	KEEP_STATES(fd);
	send_frame(TEST_PROTOCOL, "too long by far");
	send_frame(TEST_PROTOCOL, "pass it");
	send_frame(TEST_PROTOCOL, "passes");
	expect(fd, 14, "passes", 1);
}

static void add_member(int fd, int type, const char *address)
{
	struct packet_mreq m = {.mr_ifindex = LOOPBACK, .mr_type = type, .mr_alen = address ? 6 : 0};
	memcpy(m.mr_address, address ? address : "", m.mr_alen);
	REQUIRE(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)) == 0, "member: %s", strerror(errno));
}

static void members(void)
{
	int a = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK), b = open_packet(SOCK_RAW, 0);
	add_member(a, PACKET_MR_PROMISC, NULL);
	add_member(a, PACKET_MR_MULTICAST, "\x01\x00\x5e\x01\x02\x03");
	add_member(a, PACKET_MR_MULTICAST, "\x01\x00\x5e\x01\x02\x04");
	add_member(a, PACKET_MR_MULTICAST, "\x01\x00\x5e\x01\x02\x03");
	add_member(b, PACKET_MR_ALLMULTI, NULL);
	add_member(b, PACKET_MR_UNICAST, "\x02\x00\x00\x01\x02\x03");
	KEEP_STATES(a, b);
}

static void fanout(void)
{
	int a = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK), b = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	int c = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	set_int(a, SOL_PACKET, PACKET_FANOUT, 7 | PACKET_FANOUT_LB << 16);
	set_int(b, SOL_PACKET, PACKET_FANOUT, 7 | PACKET_FANOUT_LB << 16);
	set_int(c, SOL_PACKET, PACKET_FANOUT, 0 | (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG | PACKET_FANOUT_FLAG_ROLLOVER) << 16);
	KEEP_STATES(a, b, c);
	send_frame(TEST_PROTOCOL, "one");
	send_frame(TEST_PROTOCOL, "two");
	int of_a = receive(a, 14, NULL, 0), of_b = receive(b, 14, NULL, 0);
	CHECK(of_a == 1 && of_b == 1, "shared out %d to %d", of_a, of_b);
	expect(c, 14, "one", 2);
}

static const struct tpacket_req3 ring = {
	.tp_block_size = 8192, .tp_block_nr = 4, .tp_frame_size = 2048, .tp_frame_nr = 16, .tp_retire_blk_tov = 60};

static void add_ring(int fd, int option, size_t size)
{
	REQUIRE(setsockopt(fd, SOL_PACKET, option, &ring, size) == 0, "ring: %s", strerror(errno));
}

static void rings(void)
{
	int a = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK), b = open_packet(SOCK_RAW, 0), c = open_packet(SOCK_RAW, 0);
	add_ring(a, PACKET_RX_RING, sizeof(struct tpacket_req));
	set_int(b, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
	add_ring(b, PACKET_RX_RING, sizeof(struct tpacket_req));
	add_ring(b, PACKET_TX_RING, sizeof(struct tpacket_req));
	set_int(c, SOL_PACKET, PACKET_VERSION, TPACKET_V3);
	add_ring(c, PACKET_RX_RING, sizeof(ring));
	KEEP_STATES(a, b, c);
}

static void shared(void)
{
	int fd = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	fcntl(fd, F_SETOWN, getpid());
	KEEP_STATES(fd, dup(fd));
}

static void wait_for_stop(void)
{
	ready();
	while (next_round())
		;
}

static void unread(void)
{
	int fd = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	send_frame(TEST_PROTOCOL, "unread");
	wait_for_stop();
	expect(fd, 14, "unread", 1);
}

static void fanout_program(void)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {COUNT_OF(code), code};
	int fd = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	set_int(fd, SOL_PACKET, PACKET_FANOUT, 8 | PACKET_FANOUT_CBPF << 16);
	REQUIRE(setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof(program)) == 0, "PACKET_FANOUT_DATA");
	wait_for_stop();
}

static void device_gone(void)
{
	REQUIRE(system("ip link add gone type veth peer name other && ip link set gone up") == 0, "ip link add");
	int fd = bound(SOCK_RAW, TEST_PROTOCOL, if_nametoindex("gone"));
	REQUIRE(system("ip link del gone") == 0, "ip link del");
	wait_for_stop();
	close(fd);
}

static void mapped_ring(void)
{
	int fd = bound(SOCK_RAW, TEST_PROTOCOL, LOOPBACK);
	add_ring(fd, PACKET_RX_RING, sizeof(struct tpacket_req));
	REQUIRE(mmap(NULL, 4 * 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	wait_for_stop();
}

SUBJECT({"unbound", unbound}, {"devices", devices}, {"every-protocol", every_protocol}, {"old-type", old_type},
	{"options", options}, {"virtio", virtio}, {"filter", filter}, {"members", members}, {"fanout", fanout},
	{"rings", rings}, {"shared", shared}, {"unread", unread}, {"fanout-program", fanout_program},
	{"device-gone", device_gone}, {"mapped-ring", mapped_ring})
