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

/* A ring of frames or blocks, mapped, and the reader's own place in it. */
struct reader {
	int fd, version, place;
	uint64_t next, sequence;
	unsigned char *map;
};

static void *map_ring(int fd, int access)
{
	void *map = mmap(NULL, ring.tp_block_size * ring.tp_block_nr, access, MAP_SHARED, fd, 0);
	REQUIRE(map != MAP_FAILED, "mmap: %s", strerror(errno));
	return map;
}

static struct reader open_reader(int version, int retire)
{
	struct reader r = {.version = version, .sequence = 1, .fd = open_packet(SOCK_RAW, 0)};
	struct tpacket_req3 request = ring;
	struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_protocol = htons(TEST_PROTOCOL), .sll_ifindex = LOOPBACK};
	request.tp_retire_blk_tov = retire;
	set_int(r.fd, SOL_PACKET, PACKET_VERSION, version);
	REQUIRE(setsockopt(r.fd, SOL_PACKET, PACKET_RX_RING, &request,
			   version == TPACKET_V3 ? sizeof(request) : sizeof(struct tpacket_req)) == 0, "ring: %s", strerror(errno));
	r.map = map_ring(r.fd, PROT_READ | PROT_WRITE);
	REQUIRE(bind(r.fd, (void *)&name, sizeof(name)) == 0, "bind: %s", strerror(errno));
	return r;
}

/* Long ones, so that blocks are full soon. */
static void send_numbered(uint64_t number)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(TEST_PROTOCOL), .sll_ifindex = LOOPBACK, .sll_halen = 6};
	uint64_t text[150] = {number, ~number, [149] = number * 3};
	int fd = open_packet(SOCK_DGRAM, 0);
	CHECK(sendto(fd, text, sizeof(text), 0, (void *)&to, sizeof(to)) == sizeof(text), "sendto: %s", strerror(errno));
	close(fd);
}

static void check_numbered(struct reader *r, const void *at)
{
	uint64_t text[150];
	memcpy(text, at, sizeof(text));
	CHECK(text[0] == r->next && text[1] == ~r->next && text[149] == r->next * 3, "number %llu, not %llu",
	      (unsigned long long)text[0], (unsigned long long)r->next);
	r->next++;
}

static int ready_to_read(struct reader *r, int ms)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	return poll(&p, 1, ms) == 1;
}

static int read_frame(struct reader *r)
{
	unsigned char *frame = r->map + r->place * ring.tp_frame_size;
	struct tpacket_hdr *v1 = (void *)frame;
	struct tpacket2_hdr *v2 = (void *)frame;
	int status = r->version == TPACKET_V1 ? (int)v1->tp_status : (int)v2->tp_status;
	if (!(status & TP_STATUS_USER))
		return 0;
	check_numbered(r, frame + (r->version == TPACKET_V1 ? v1->tp_net : v2->tp_net));
	if (r->version == TPACKET_V1)
		v1->tp_status = TP_STATUS_KERNEL;
	else
		v2->tp_status = TP_STATUS_KERNEL;
	r->place = (r->place + 1) % ring.tp_frame_nr;
	return 1;
}

static int read_block(struct reader *r)
{
	struct tpacket_block_desc *block = (void *)(r->map + r->place * ring.tp_block_size);
	struct tpacket_hdr_v1 *head = &block->hdr.bh1;
	if (!(head->block_status & TP_STATUS_USER))
		return 0;
	unsigned char *at = (unsigned char *)block + head->offset_to_first_pkt;
	CHECK(head->seq_num == r->sequence, "block %llu, not %llu", (unsigned long long)head->seq_num, (unsigned long long)r->sequence);
	r->sequence = head->seq_num + 1;
	for (unsigned i = 0; i < head->num_pkts; i++) {
		struct tpacket3_hdr *packet = (void *)at;
		CHECK(i + 1 < head->num_pkts || packet->tp_next_offset == 0, "the last packet has one behind it");
		check_numbered(r, at + packet->tp_net);
		at += packet->tp_next_offset;
	}
	head->block_status = TP_STATUS_KERNEL;
	r->place = (r->place + 1) % ring.tp_block_nr;
	return 1;
}

static int read_some(struct reader *r)
{
	return r->version == TPACKET_V3 ? read_block(r) : read_frame(r);
}

/* VERSION BEFORE UNREAD: so many are read, and so many always wait. */
static void ring_frames(void)
{
	struct reader r = open_reader(atoi(subject_arg(0)), 0);
	uint64_t sent = 0, before = atoi(subject_arg(1)), unread = atoi(subject_arg(2));
	for (uint64_t i = 0; i < before; i++) {
		send_numbered(sent++);
		CHECK(ready_to_read(&r, 2000) && read_frame(&r), "frame %d", (int)i);
	}
	for (uint64_t i = 0; i < unread; i++)
		send_numbered(sent++);
	ready();
	while (next_round()) {
		CHECK(ready_to_read(&r, 0) == (unread > 0), "%s", unread ? "nothing to read" : "something to read");
		CHECK(!unread || read_frame(&r), "no frame where the next one should be");
		send_numbered(sent++);
		CHECK(unread || (ready_to_read(&r, 2000) && read_frame(&r)), "no frame came");
	}
	while (r.next < sent && ready_to_read(&r, 2000) && read_frame(&r))
		;
	CHECK(r.next == sent, "%d frames are lost", (int)(sent - r.next));
}

/* BEFORE: so many are read. */
static void ring_blocks(void)
{
	struct reader r = open_reader(TPACKET_V3, 5);
	uint64_t sent = 0, before = atoi(subject_arg(0));
	ready();
	while (sent == 0 || next_round()) {
		do {
			send_numbered(sent++);
			while (r.next + 2 < sent && ready_to_read(&r, 1000) && read_block(&r))
				;
		} while (sent < before);
	}
	while (r.next < sent && ready_to_read(&r, 2000) && read_block(&r))
		;
	CHECK(r.next == sent, "%d packets are lost", (int)(sent - r.next));
}

/* Blocks that are full, and one that is being filled: nothing is read until the end. */
static void ring_blocks_unread(void)
{
	struct reader r = open_reader(TPACKET_V3, 60000);
	int before = atoi(subject_arg(0)), unread = atoi(subject_arg(1));
	uint64_t sent = 0;
	for (int i = 0; i < before; i++) {
		send_numbered(sent++);
		while (read_block(&r))
			;
	}
	for (int i = 0; i < unread; i++)
		send_numbered(sent++);
	unsigned char *copy = malloc(ring.tp_block_size * ring.tp_block_nr);
	memcpy(copy, r.map, ring.tp_block_size * ring.tp_block_nr);
	ready();
	while (next_round())
		for (unsigned i = 0; i < ring.tp_block_nr; i++) {
			struct tpacket_block_desc *was = (void *)(copy + i * ring.tp_block_size);
			if (was->hdr.bh1.block_status & TP_STATUS_USER)
				CHECK(memcmp(was, r.map + i * ring.tp_block_size, was->hdr.bh1.blk_len) == 0, "block %d is another", i);
		}
	while (read_block(&r))
		;
	/* What is still being filled is given over as it is full. */
	for (int i = 0; i < 10; i++) {
		send_numbered(sent++);
		while (read_block(&r))
			;
	}
	CHECK(r.next + 6 >= sent, "%d packets did not come", (int)(sent - r.next));
}

static void read_mapped(void *arg)
{
	struct reader *r = arg;
	ready();
	while (next_round()) {
		int there = ready_to_read(r, 100);
		CHECK(there, "nothing to read");
		CHECK(!there || read_some(r), "no frame where the next one should be");
		send_numbered(r->next);
	}
}

/* Mapped three times, and inherited by a child, which reads. */
static void ring_shared(void)
{
	struct reader r = open_reader(atoi(subject_arg(0)), 5);
	unsigned char *again = map_ring(r.fd, PROT_READ | PROT_WRITE), *reading = map_ring(r.fd, PROT_READ);
	int size = ring.tp_block_size * ring.tp_block_nr;
	for (int i = 0; i < 11; i++) {
		send_numbered(i);
		CHECK(ready_to_read(&r, 2000) && read_some(&r), "frame %d", i);
	}
	send_numbered(11);
	start_child("reader", read_mapped, &r);
	ready();
	while (next_round()) {
		struct timespec moment = {.tv_nsec = 1000};
		int same = 0;
		for (int tries = 0; tries < 1000 && !same; tries++) {
			same = memcmp(again, reading, size) == 0 && memcmp(r.map, again, size) == 0;
			nanosleep(&moment, NULL);
		}
		CHECK(same, "the mappings differ");
	}
	join_children();
}

/* VERSION BEFORE: a ring to send from. */
static void ring_send(void)
{
	int version = atoi(subject_arg(0)), before = atoi(subject_arg(1)), place = 0;
	int to = bound(SOCK_DGRAM, TEST_PROTOCOL, LOOPBACK), fd = open_packet(SOCK_DGRAM, 0);
	struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_protocol = htons(TEST_PROTOCOL), .sll_ifindex = LOOPBACK, .sll_halen = 6};
	struct tpacket_req3 request = ring;
	request.tp_retire_blk_tov = 0;
	set_int(fd, SOL_PACKET, PACKET_VERSION, version);
	REQUIRE(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request,
			   version == TPACKET_V3 ? sizeof(request) : sizeof(struct tpacket_req)) == 0, "ring: %s", strerror(errno));
	unsigned char *map = map_ring(fd, PROT_READ | PROT_WRITE);
	for (int sent = 0; sent == 0 ? (before > 0 || (ready(), next_round())) : next_round(); ) {
		do {
			unsigned char *frame = map + place * ring.tp_frame_size;
			struct tpacket_hdr *v1 = (void *)frame;
			struct tpacket2_hdr *v2 = (void *)frame;
			struct tpacket3_hdr *v3 = (void *)frame;
			int head = (version == TPACKET_V1 ? TPACKET_HDRLEN : version == TPACKET_V2 ? TPACKET2_HDRLEN : TPACKET3_HDRLEN) - sizeof(struct sockaddr_ll);
			char text[30], got[100] = "";
			int length = snprintf(text, sizeof(text), "number %d", sent);
			memcpy(frame + head, text, length);
			if (version == TPACKET_V1)
				v1->tp_len = length, v1->tp_status = TP_STATUS_SEND_REQUEST;
			else if (version == TPACKET_V2)
				v2->tp_len = length, v2->tp_status = TP_STATUS_SEND_REQUEST;
			else
				v3->tp_len = length, v3->tp_status = TP_STATUS_SEND_REQUEST;
			int n = sendto(fd, NULL, 0, 0, (void *)&name, sizeof(name));
			CHECK(n == length, "frame %d: %d sent: %s", place, n, n < 0 ? strerror(errno) : "");
			n = recv(to, got, sizeof(got) - 1, MSG_DONTWAIT);
			CHECK(n == length && strcmp(got, text) == 0, "'%s' came, not '%s'", got, text);
			place = (place + 1) % ring.tp_frame_nr;
		} while (++sent < before);
		if (sent == before)
			ready();
	}
}

static void ring_part(void)
{
	struct reader r = open_reader(TPACKET_V2, 0);
	REQUIRE(munmap(r.map, ring.tp_block_size) == 0, "munmap");
	wait_for_stop();
}

static void ring_closed(void)
{
	struct reader r = open_reader(TPACKET_V2, 0);
	close(r.fd);
	wait_for_stop();
}

SUBJECT({"unbound", unbound}, {"devices", devices}, {"every-protocol", every_protocol}, {"old-type", old_type},
	{"options", options}, {"virtio", virtio}, {"filter", filter}, {"members", members}, {"fanout", fanout},
	{"rings", rings}, {"shared", shared}, {"unread", unread}, {"fanout-program", fanout_program},
	{"device-gone", device_gone}, {"ring-frames", ring_frames}, {"ring-blocks", ring_blocks},
	{"ring-blocks-unread", ring_blocks_unread}, {"ring-shared", ring_shared}, {"ring-send", ring_send},
	{"ring-part", ring_part}, {"ring-closed", ring_closed})
