/* Objects that a plugin alone can keep. */
#include "subject.h"
#include <linux/perf_event.h>
#include <sys/socket.h>
#include <sys/un.h>

static int32_t latency_now(int fd)
{
	int32_t value = -1;
	REQUIRE(pread(fd, &value, sizeof(value), 0) == sizeof(value), "pread");
	return value;
}

/* A wish that holds while the device is open. */
static void latency(void)
{
	int32_t value = 42;
	int fd = open("/dev/cpu_dma_latency", O_RDWR | O_CLOEXEC);
	REQUIRE(fd >= 0, "open");
	REQUIRE(write(fd, &value, sizeof(value)) == sizeof(value), "write");
	int copy = dup(fd);
	ready();
	while (next_round()) {
		CHECK(latency_now(fd) == 42, "a latency of %d", latency_now(fd));
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC, "close-on-exec is gone");
		CHECK(syscall(SYS_kcmp, getpid(), getpid(), 0, fd, copy) == 0, "two descriptions");
	}
}

static int software_clock(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK, .exclude_kernel = 1};
	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* The kernel's memory, mapped (VM_PFNMAP), of an event whose descriptor is closed. */
static void device_memory(void)
{
	int fd = software_clock();
	REQUIRE(fd >= 0, "perf_event_open");
	const volatile struct perf_event_mmap_page *page =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(page != MAP_FAILED, "mmap");
	close(fd);
	ready();
	while (next_round())
		CHECK(page->data_offset == 4096 && page->data_size == 2 * 4096, "ring of %llu at %llu",
			(unsigned long long)page->data_size, (unsigned long long)page->data_offset);
}

/* A connection to a server outside of the tree, at DIR/server. */
static void client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "server");
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "F_SETFL");
	ready();
	while (next_round()) {
		struct sockaddr_un peer;
		socklen_t size = sizeof(peer);
		CHECK(getpeername(fd, (struct sockaddr *)&peer, &size) == 0, "not connected");
		CHECK(strcmp(peer.sun_path, "server") == 0, "connected to %s", peer.sun_path);
		CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK, "O_NONBLOCK is gone");
	}
}

SUBJECT({"latency", latency}, {"device-memory", device_memory}, {"client", client})
