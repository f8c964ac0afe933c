/* Credentials: of processes and of single threads, by raw system calls. */
#include "subject.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

struct credentials {
	uid_t uids[4];
	gid_t gids[4];
	gid_t groups[64];
	int group_count;
	struct __user_cap_data_struct caps[2];
	uint64_t bounding, ambient;
	long securebits, keepcaps, no_new_privs, dumpable;
};

static void filesystem_ids(struct credentials *c)
{
	/* The only way to ask for these ids is to set impossible ones. */
	c->uids[3] = syscall(SYS_setfsuid, -1);
	c->gids[3] = syscall(SYS_setfsgid, -1);
}

static struct credentials now(void)
{
	struct credentials c;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	memset(&c, 0, sizeof(c));
	syscall(SYS_getresuid, &c.uids[0], &c.uids[1], &c.uids[2]);
	syscall(SYS_getresgid, &c.gids[0], &c.gids[1], &c.gids[2]);
	filesystem_ids(&c);
	c.group_count = syscall(SYS_getgroups, 64, c.groups);
	syscall(SYS_capget, &header, c.caps);
	for (int cap = 0; cap < 64; cap++) {
		c.bounding |= (uint64_t)(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) << cap;
		c.ambient |= (uint64_t)(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) << cap;
	}
	c.securebits = prctl(PR_GET_SECUREBITS);
	c.keepcaps = prctl(PR_GET_KEEPCAPS);
	c.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	c.dumpable = prctl(PR_GET_DUMPABLE);
	return c;
}

static void same(const struct credentials *want)
{
	struct credentials c = now();
	CHECK(memcmp(c.uids, want->uids, sizeof(c.uids)) == 0, "uids %d %d %d %d", c.uids[0], c.uids[1],
	      c.uids[2], c.uids[3]);
	CHECK(memcmp(c.gids, want->gids, sizeof(c.gids)) == 0, "gids %d %d %d %d", c.gids[0], c.gids[1],
	      c.gids[2], c.gids[3]);
	CHECK(c.group_count == want->group_count && memcmp(c.groups, want->groups, sizeof(c.groups)) == 0,
	      "%d groups", c.group_count);
	CHECK(memcmp(c.caps, want->caps, sizeof(c.caps)) == 0, "capabilities e %x%08x p %x%08x i %x%08x",
	      c.caps[1].effective, c.caps[0].effective, c.caps[1].permitted, c.caps[0].permitted,
	      c.caps[1].inheritable, c.caps[0].inheritable);
	CHECK(c.bounding == want->bounding, "bounding %lx, was %lx", (long)c.bounding, (long)want->bounding);
	CHECK(c.ambient == want->ambient, "ambient %lx, was %lx", (long)c.ambient, (long)want->ambient);
	CHECK(c.securebits == want->securebits, "securebits %lx", c.securebits);
	CHECK(c.keepcaps == want->keepcaps, "keep-caps %ld", c.keepcaps);
	CHECK(c.no_new_privs == want->no_new_privs, "no_new_privs %ld", c.no_new_privs);
	CHECK(c.dumpable == want->dumpable, "dumpable %ld", c.dumpable);
}

static void keep(void)
{
	struct credentials c = now();
	ready();
	while (next_round())
		same(&c);
}

static void set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{effective, permitted, inheritable},
		{effective >> 32, permitted >> 32, inheritable >> 32},
	};
	REQUIRE(syscall(SYS_capset, &header, data) == 0, "capset");
}

#define CAP(name) (1ULL << CAP_##name)

static void user(void)
{
	gid_t groups[] = {77, 1000, 65533, 100000};
	REQUIRE(setgroups(4, groups) == 0 && setresgid(1001, 1001, 1001) == 0 &&
			setresuid(1002, 1002, 1002) == 0, "ids");
	keep();
}

static void ids_differ(void)
{
	gid_t groups[] = {5, 4};
	REQUIRE(setgroups(2, groups) == 0 && setresgid(10, 11, 12) == 0 && setresuid(20, 21, 22) == 0, "ids");
	keep();
}

static void fs_ids(void)
{
	syscall(SYS_setfsgid, 31);
	syscall(SYS_setfsuid, 32);
	keep();
}

static void no_groups(void)
{
	REQUIRE(setgroups(0, NULL) == 0, "setgroups");
	keep();
}

static void many_groups(void)
{
	gid_t groups[64];
	for (int i = 0; i < 64; i++)
		groups[i] = 5000 + i * i;
	REQUIRE(setgroups(64, groups) == 0, "setgroups");
	keep();
}

static void capabilities(void)
{
	set_caps(CAP(KILL) | CAP(SYS_ADMIN), CAP(KILL) | CAP(SYS_ADMIN) | CAP(CHOWN) | CAP(SETUID) | CAP(BPF),
		 CAP(KILL) | CAP(NET_RAW) | CAP(CHECKPOINT_RESTORE));
	keep();
}

static void no_capabilities(void)
{
	set_caps(0, 0, 0);
	keep();
}

static void bounding(void)
{
	REQUIRE(prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE) == 0 && prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT) == 0 &&
			prctl(PR_CAPBSET_DROP, CAP_MKNOD) == 0, "bounding set");
	keep();
}

static void ambient(void)
{
	uint64_t all = CAP(NET_BIND_SERVICE) | CAP(NET_RAW) | CAP(SETUID) | CAP(SETPCAP) | CAP(SETGID);
	set_caps(all, all, CAP(NET_BIND_SERVICE) | CAP(NET_RAW));
	REQUIRE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0 &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) == 0, "ambient");
	keep();
}

/* A plain user that holds a capability, in the manner of a file capability. */
static void user_with_capability(void)
{
	REQUIRE(prctl(PR_SET_KEEPCAPS, 1) == 0 && setresgid(1001, 1001, 1001) == 0 &&
			setresuid(1001, 1001, 1001) == 0, "ids");
	set_caps(CAP(NET_BIND_SERVICE), CAP(NET_BIND_SERVICE) | CAP(CHOWN), CAP(NET_BIND_SERVICE));
	REQUIRE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0, "ambient");
	keep();
}

static void securebits(void)
{
	REQUIRE(prctl(PR_SET_SECUREBITS, atoi(subject_arg(0))) == 0, "securebits");
	keep();
}

static void keep_caps(void)
{
	REQUIRE(prctl(PR_SET_KEEPCAPS, 1) == 0, "keep-caps");
	keep();
}

static void no_new_privs(void)
{
	REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	keep();
}

static void dumpable(void)
{
	REQUIRE(prctl(PR_SET_DUMPABLE, atoi(subject_arg(0))) == 0, "dumpable");
	keep();
}

/* Not dumpable since its ids changed by the system's own rule. */
static void user_undumpable(void)
{
	REQUIRE(setresuid(1234, 1234, 0) == 0, "ids");
	keep();
}

/* Raw calls change the calling thread alone. */
static void own_ids(void *arg)
{
	gid_t groups[3] = {(uintptr_t)arg, 2, 1};
	uid_t id = (uintptr_t)arg;
	REQUIRE(syscall(SYS_setgroups, 3, groups) == 0 && syscall(SYS_setresgid, id, id + 1, id + 2) == 0 &&
			syscall(SYS_setresuid, id, id + 1, id + 2) == 0, "ids of the thread");
	struct credentials c = now();
	ready();
	while (next_round())
		same(&c);
}

static void own_caps(void *arg)
{
	(void)arg;
	set_caps(CAP(CHOWN), CAP(CHOWN) | CAP(KILL) | CAP(SETPCAP), CAP(CHOWN));
	REQUIRE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0, "ambient");
	struct credentials c = now();
	ready();
	while (next_round())
		same(&c);
}

static void own_bits(void *arg)
{
	(void)arg;
	REQUIRE(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) == 0, "bounding set");
	REQUIRE(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT) == 0, "securebits");
	REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	struct credentials c = now();
	ready();
	while (next_round())
		same(&c);
}

static void per_thread(void)
{
	struct credentials c = now();
	pthread_t threads[4] = {
		start_thread("ids-1", own_ids, (void *)1000),
		start_thread("ids-2", own_ids, (void *)2000),
		start_thread("caps", own_caps, NULL),
		start_thread("bits", own_bits, NULL),
	};
	/* Ids that change make the whole process undumpable. */
	c.dumpable = prctl(PR_GET_DUMPABLE);
	ready();
	while (next_round())
		same(&c);
	for (int i = 0; i < 4; i++)
		join_thread(threads[i]);
}

static void unprivileged_child(void *arg)
{
	(void)arg;
	REQUIRE(setgroups(0, NULL) == 0 && setresgid(3001, 3001, 3001) == 0 && setresuid(3000, 3000, 3000) == 0,
		"ids");
	struct credentials c = now();
	ready();
	while (next_round()) {
		same(&c);
		CHECK(setuid(0) == -1 && errno == EPERM, "it can be root again");
	}
}

static void child_of_root(void)
{
	start_child("child", unprivileged_child, NULL);
	struct credentials c = now();
	ready();
	while (next_round())
		same(&c);
	join_children();
}

SUBJECT({"user", user}, {"ids-differ", ids_differ}, {"fs-ids", fs_ids}, {"no-groups", no_groups},
	{"many-groups", many_groups}, {"capabilities", capabilities},
	{"no-capabilities", no_capabilities}, {"bounding", bounding}, {"ambient", ambient},
	{"user-with-capability", user_with_capability}, {"securebits", securebits},
	{"keep-caps", keep_caps}, {"no-new-privs", no_new_privs}, {"dumpable", dumpable},
	{"user-undumpable", user_undumpable}, {"per-thread", per_thread},
	{"child-of-root", child_of_root})
