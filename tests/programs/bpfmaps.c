/* BPF maps: what they are made of, and what is in them. */
#include "subject.h"
#include <linux/bpf.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int map(int type, int key, int value, int entries, int flags, const char *name)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = type, attr.key_size = key, attr.value_size = value;
	attr.max_entries = entries, attr.map_flags = flags;
	strncpy(attr.map_name, name, sizeof(attr.map_name) - 1);
	int fd = bpf(BPF_MAP_CREATE, &attr);
	REQUIRE(fd >= 0, "BPF_MAP_CREATE: %m");
	return fd;
}

static int update(int fd, const void *key, const void *value)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd, attr.key = (uintptr_t)key, attr.value = (uintptr_t)value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

static int lookup(int fd, const void *key, void *value)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd, attr.key = (uintptr_t)key, attr.value = (uintptr_t)value;
	return bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

static int elements(int fd, size_t key_size)
{
	char key[64], next[64];
	int n = 0;
	for (void *from = NULL;; from = key) {
		union bpf_attr attr;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fd, attr.key = (uintptr_t)from, attr.next_key = (uintptr_t)next;
		if (bpf(BPF_MAP_GET_NEXT_KEY, &attr) != 0)
			return n;
		n++;
		memcpy(key, next, key_size);
	}
}

static int by_id(int fd, unsigned flags)
{
	struct bpf_map_info info = {0};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = fd, attr.info.info_len = sizeof(info), attr.info.info = (uintptr_t)&info;
	REQUIRE(bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0, "info");
	memset(&attr, 0, sizeof(attr));
	attr.map_id = info.id, attr.open_flags = flags;
	int opened = bpf(BPF_MAP_GET_FD_BY_ID, &attr);
	REQUIRE(opened >= 0, "BPF_MAP_GET_FD_BY_ID");
	return opened;
}

static void hash(void)
{
	int fd = map(BPF_MAP_TYPE_HASH, 4, 24, 1000, 0, "table"), empty = map(BPF_MAP_TYPE_HASH, 7, 3, 10, 1, "");
	char value[24];
	for (int key = 0; key < 700; key++) {
		fill(value, sizeof(value), key);
		REQUIRE(update(fd, &key, value) == 0, "update");
	}
	ready();
	while (next_round()) {
		for (int key = 0; key < 700; key += 53)
			CHECK(lookup(fd, &key, value) == 0 && filled(value, sizeof(value), key), "key %d", key);
		CHECK(elements(fd, 4) == 700 && elements(empty, 7) == 0, "%d elements", elements(fd, 4));
	}
}

static void array(void)
{
	int fd = map(BPF_MAP_TYPE_ARRAY, 4, 16, 5000, 0, "numbers");
	char value[16];
	for (int key = 0; key < 5000; key += 7) {
		fill(value, sizeof(value), key);
		REQUIRE(update(fd, &key, value) == 0, "update");
	}
	ready();
	while (next_round())
		for (int key = 0; key < 5000; key += 91) {
			memset(value, 1, sizeof(value));
			CHECK(lookup(fd, &key, value) == 0, "key %d", key);
			CHECK(key % 7 ? value[0] == 0 : filled(value, sizeof(value), key), "value of key %d", key);
		}
}

static void per_cpu(void)
{
	int fd = map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 3, 0, "counters");
	char value[16 * 1024], got[16 * 1024];
	int key = 1;
	fill(value, sizeof(value), 5);
	REQUIRE(update(fd, &key, value) == 0 && lookup(fd, &key, value) == 0, "update");
	ready();
	while (next_round()) {
		memcpy(got, value, sizeof(got));
		memset(got, 0, 12);
		CHECK(lookup(fd, &key, got) == 0 && memcmp(got, value, 16) == 0, "value");
	}
}

static void trie(void)
{
	struct {
		uint32_t bits;
		uint8_t address[4];
	} net = {8, {10, 0, 0, 0}}, host = {32, {10, 1, 2, 3}};
	int fd = map(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 10, BPF_F_NO_PREALLOC, "routes"), value = 99;
	REQUIRE(update(fd, &net, &value) == 0, "update");
	ready();
	while (next_round())
		CHECK(lookup(fd, &host, &value) == 0 && value == 99, "the longest prefix");
}

static void frozen(void)
{
	int fd = map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_RDONLY_PROG, "constants"), key = 0, value = 42;
	union bpf_attr attr;
	REQUIRE(update(fd, &key, &value) == 0, "update");
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	REQUIRE(bpf(BPF_MAP_FREEZE, &attr) == 0, "freeze");
	ready();
	while (next_round()) {
		CHECK(lookup(fd, &key, &value) == 0 && value == 42, "value %d", value);
		CHECK(update(fd, &key, &value) < 0 && errno == EPERM, "it can be changed");
	}
}

/* Three descriptors of one map, with rights of their own. */
static void access_modes(void)
{
	int fd = map(BPF_MAP_TYPE_HASH, 4, 4, 10, 0, "shared"), key = 3, value = 30;
	int reading = by_id(fd, BPF_F_RDONLY), writing = by_id(fd, BPF_F_WRONLY);
	REQUIRE(update(fd, &key, &value) == 0, "update");
	ready();
	for (int i = 0; next_round(); i++) {
		CHECK(update(reading, &key, &i) < 0, "written to");
		CHECK(lookup(writing, &key, &value) < 0, "read from");
		CHECK(update(writing, &key, &i) == 0 && lookup(reading, &key, &value) == 0 && value == i, "two maps");
		CHECK(lookup(fd, &key, &value) == 0 && value == i, "two maps");
	}
}

static void child_body(void *arg)
{
	int fd = *(int *)arg, key = 0;
	ready();
	for (int i = 0; next_round(); i++)
		CHECK(update(fd, &key, &i) == 0, "update");
}

static void shared(void)
{
	int fd = map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0, "talk"), key = 0, before = -1, now;
	start_child("child", child_body, &fd);
	ready();
	while (next_round()) {
		nap_ms(50);
		CHECK((lookup(fd, &key, &now) == 0 && now != before) || stop_requested(), "the child's value is %d", now);
		before = now;
	}
	join_children();
}

/* To be refused. */
static void queue(void)
{
	int fd = map(BPF_MAP_TYPE_QUEUE, 0, 4, 4, 0, "jobs");
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	ready();
	while (next_round())
		;
}

static void program(void)
{
	int fd = map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0, "used");
	REQUIRE(dup2(fd, 100) == 100 && close(fd) == 0, "dup2");
	struct bpf_insn code[] = {
		{BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, 100},
		{0, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, attr.insns = (uintptr_t)code, attr.insn_cnt = 4;
	attr.license = (uintptr_t) "GPL";
	int prog = bpf(BPF_PROG_LOAD, &attr);
	REQUIRE(prog >= 0 && dup2(prog, 101) == 101 && close(prog) == 0, "BPF_PROG_LOAD: %m");
	ready();
	while (next_round())
		;
}

SUBJECT({"hash", hash}, {"array", array}, {"per-cpu", per_cpu}, {"trie", trie}, {"frozen", frozen},
	{"access", access_modes}, {"shared", shared}, {"queue", queue}, {"program", program})
