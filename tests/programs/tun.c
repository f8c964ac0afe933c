/* Descriptors of /dev/net/tun; everything in a network namespace of the test. */
#include "subject.h"
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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

static void fleeting(void)
{
	char name[IFNAMSIZ];
	name_of(name, "cr");
	int fd = attach(name, IFF_TUN | IFF_NO_PI);
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	ready();
	while (next_round())
		CHECK(is_named(100, name), "no device");
}

SUBJECT({"unattached", unattached}, {"persistent", persistent}, {"queues", queues}, {"fleeting", fleeting})
