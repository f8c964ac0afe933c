/* Descriptors of /dev/net/tun; everything in a network namespace of the test. */
#include "subject.h"
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>

static int open_tun(int flags)
{
	int fd = open("/dev/net/tun", flags);
	NEEDS(fd >= 0, "/dev/net/tun");
	return fd;
}

static void name_of(char *name, const char *prefix)
{
	/* Also on a machine's own network it is a name that nobody else has. */
	snprintf(name, IFNAMSIZ, "%s%u", prefix, (unsigned)(now_ms() & 0xffffff));
}

static int attach(const char *name, int flags)
{
	int fd = open_tun(O_RDWR | O_NONBLOCK);
	struct ifreq request = {.ifr_flags = flags};
	strcpy(request.ifr_name, name);
	REQUIRE(ioctl(fd, TUNSETIFF, &request) == 0, "TUNSETIFF: %m");
	return fd;
}

static int flags_of(int fd)
{
	struct ifreq request = {0};
	return ioctl(fd, TUNGETIFF, &request) == 0 ? (unsigned short)request.ifr_flags : -1;
}

static bool is_named(int fd, const char *name)
{
	struct ifreq request = {0};
	return ioctl(fd, TUNGETIFF, &request) == 0 && strcmp(request.ifr_name, name) == 0;
}

static void unattached(void)
{
	int fd = open_tun(O_RDWR | O_NONBLOCK);
	char name[IFNAMSIZ];
	ready();
	while (next_round())
		CHECK((fcntl(fd, F_GETFL) & ~0100000) == (O_RDWR | O_NONBLOCK), "flags %x", fcntl(fd, F_GETFL));
	name_of(name, "cr");
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	strcpy(request.ifr_name, name);
	CHECK(ioctl(fd, TUNSETIFF, &request) == 0, "TUNSETIFF: %m");
}

static void persistent(void)
{
	char name[IFNAMSIZ];
	name_of(name, "cr");
	int fd = attach(name, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR), sndbuf = 12345, size = 12, got;
	REQUIRE(ioctl(fd, TUNSETPERSIST, 1) == 0 && ioctl(fd, TUNSETSNDBUF, &sndbuf) == 0, "TUNSETPERSIST");
	REQUIRE(ioctl(fd, TUNSETVNETHDRSZ, &size) == 0, "TUNSETVNETHDRSZ");
	ready();
	while (next_round()) {
		CHECK(is_named(fd, name) && flags_of(fd) == (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_PERSIST),
		      "flags %x", flags_of(fd));
		CHECK(ioctl(fd, TUNGETSNDBUF, &got) == 0 && got == 12345, "send buffer %d", got);
		CHECK(ioctl(fd, TUNGETVNETHDRSZ, &got) == 0 && got == 12, "header of %d", got);
	}
	ioctl(fd, TUNSETPERSIST, 0);
}

static void queues(void)
{
	char name[IFNAMSIZ];
	name_of(name, "cr");
	int one = attach(name, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE), other = attach(name, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
	struct ifreq detach = {.ifr_flags = IFF_DETACH_QUEUE};
	REQUIRE(ioctl(one, TUNSETPERSIST, 1) == 0 && ioctl(other, TUNSETQUEUE, &detach) == 0, "TUNSETQUEUE");
	ready();
	while (next_round()) {
		CHECK(is_named(one, name) && is_named(other, name), "other names");
		CHECK(!(flags_of(one) & IFF_DETACH_QUEUE) && flags_of(other) & IFF_DETACH_QUEUE, "flags %x and %x",
		      flags_of(one), flags_of(other));
	}
	ioctl(one, TUNSETPERSIST, 0);
}

/* All that the machine tells of a device, but for counters. */
static void describe(char *text, size_t size, const char *name)
{
	char command[512];
	snprintf(command, sizeof(command),
		 "ip -d -o link show dev %s; ip -o addr show dev %s | sed 's/valid_lft.*//'; "
		 "ip route show dev %s table all | sort; ip -6 route show dev %s table all | sort; "
		 "ip neigh show dev %s nud permanent; cat /proc/sys/net/ipv4/conf/%s/rp_filter",
		 name, name, name, name, name, name);
	FILE *pipe = popen(command, "re");
	size_t n = fread(text, 1, size - 1, pipe);
	text[n] = 0;
	pclose(pipe);
}

static void run(const char *format, const char *name)
{
	char command[256];
	snprintf(command, sizeof(command), format, name);
	REQUIRE(system(command) == 0, "%s", command);
}

static char before[16384], after[16384];

static void compare(const char *name)
{
	describe(after, sizeof(after), name);
	size_t same = 0;
	while (before[same] && before[same] == after[same])
		same++;
	same -= same < 60 ? same : 60;
	CHECK(strcmp(before, after) == 0, "it was …%.150s… and is …%.150s…", before + same, after + same);
}

static void fleeting(void)
{
	char name[IFNAMSIZ];
	name_of(name, "cr");
	int fd = attach(name, IFF_TUN | IFF_NO_PI);
	REQUIRE(ioctl(fd, TUNSETOWNER, 1000) == 0 && ioctl(fd, TUNSETGROUP, 1001) == 0, "TUNSETOWNER");
	run("ip link set %s mtu 1400 txqueuelen 77 up", name);
	run("ip addr add 10.77.1.1/24 dev %s", name);
	run("ip addr add 10.77.1.2 peer 10.77.9.9 dev %s", name);
	run("ip -6 addr add fd77::1/64 dev %s nodad", name);
	run("ip route add 10.78.0.0/16 dev %s metric 5", name);
	run("ip route add 10.79.0.0/16 via 10.77.1.3 dev %s", name);
	run("ip -6 route add fd78::/64 via fd77::2 dev %s", name);
	run("sysctl -q -w net.ipv4.conf.%s.rp_filter=2", name);
	nap_ms(200);
	describe(before, sizeof(before), name);
	int index = if_nametoindex(name);
	ready();
	while (next_round())
		CHECK(is_named(fd, name) && if_nametoindex(name) == index, "no device");
	nap_ms(200);
	compare(name);
}

static void tap(void)
{
	char name[IFNAMSIZ];
	name_of(name, "cr");
	int fd = attach(name, IFF_TAP | IFF_MULTI_QUEUE), other = attach(name, IFF_TAP | IFF_MULTI_QUEUE);
	run("ip link set %s address 02:00:00:77:77:77 up", name);
	run("ip addr add 10.77.2.1/24 dev %s", name);
	run("ip neigh add 10.77.2.9 lladdr 02:00:00:01:02:03 nud permanent dev %s", name);
	nap_ms(200);
	describe(before, sizeof(before), name);
	ready();
	while (next_round())
		CHECK(is_named(fd, name) && is_named(other, name), "no device");
	nap_ms(200);
	compare(name);
}

/* A packet that goes out by the device comes to the one that reads it. */
static void traffic(void)
{
	char name[IFNAMSIZ], packet[2048];
	name_of(name, "cr");
	int fd = attach(name, IFF_TUN | IFF_NO_PI);
	run("ip link set %s up", name);
	run("ip addr add 10.77.3.1/24 dev %s", name);
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = htonl(0x0a4d0309)};
	ready();
	while (next_round())
		;
	CHECK(sendto(s, "hello", 5, 0, (void *)&to, sizeof(to)) == 5, "sendto: %m");
	struct pollfd p = {fd, POLLIN, 0};
	for (int i = 0; i < 50; i++) {
		poll(&p, 1, 100);
		ssize_t n = read(fd, packet, sizeof(packet));
		if (n == 33 && memcmp(packet + 28, "hello", 5) == 0)
			return;
	}
	CHECK(false, "no packet");
}

/* FLAGS: packets that nobody has read yet come in their order, also those of several dumps. */
static void queued(void)
{
	char name[IFNAMSIZ], packet[2048];
	int flags = strtol(subject_arg(0), NULL, 0), count = 0, next = 0;
	name_of(name, "cr");
	int fd = attach(name, flags);
	run("ip addr add 10.99.7.1/24 dev %1$s && ip link set %1$s up", name);
	if (flags & IFF_TAP)
		run("ip neigh add 10.99.7.2 lladdr 02:00:00:00:00:02 dev %s", name);
	int sender = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr("10.99.7.2")};
	for (int i = 0; i < 3; i++, count++)
		REQUIRE(sendto(sender, &count, 4, 0, (void *)&to, sizeof(to)) == 4, "sendto");
	ready();
	while (next_round()) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		CHECK(poll(&p, 1, 0) == 1, "the queue is empty");
		if (count >= 100)
			continue;
		CHECK(sendto(sender, &count, 4, 0, (void *)&to, sizeof(to)) == 4, "sendto: %m");
		count++;
	}
	int head = (flags & IFF_NO_PI ? 0 : 4) + (flags & IFF_VNET_HDR ? 10 : 0) + (flags & IFF_TAP ? 14 : 0);
	for (ssize_t n; (n = read(fd, packet, sizeof(packet))) > 0;)
		if (n == head + 32 && packet[head] == 0x45) {
			CHECK(memcmp(packet + head + 28, &next, 4) == 0, "packet %d, not %d", *(int *)(packet + head + 28), next);
			next++;
		}
	CHECK(next == count, "%d packets, not %d", next, count);
}

static void bridged(void)
{
	char name[IFNAMSIZ];
	name_of(name, "cr");
	int fd = attach(name, IFF_TAP | IFF_NO_PI);
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	run("ip link add crbridge type bridge && ip link set %s master crbridge", name);
	ready();
	while (next_round())
		CHECK(is_named(100, name), "no device");
}

SUBJECT({"unattached", unattached}, {"persistent", persistent}, {"queues", queues}, {"fleeting", fleeting},
	{"tap", tap}, {"traffic", traffic}, {"queued", queued}, {"bridged", bridged})
