/* System V IPC: shared memory, semaphores and their adjustments, message queues. */
#include "subject.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define KEY 0x5eed0001

static struct shmid_ds shm_stat(int id)
{
	struct shmid_ds ds = {0};
	CHECK(shmctl(id, IPC_STAT, &ds) == 0, "shmctl(%d): %d", id, errno);
	return ds;
}

static int new_shm(key_t key, size_t size, int flags)
{
	int id = shmget(key, size, IPC_CREAT | IPC_EXCL | flags);
	REQUIRE(id >= 0, "shmget: %d", errno);
	return id;
}

static char *attach(int id, void *at, int flags)
{
	char *p = shmat(id, at, flags);
	REQUIRE(p != (void *)-1, "shmat: %d", errno);
	return p;
}

/* ---- shared memory ---- */

static void shm(void)
{
	int other = new_shm(IPC_PRIVATE, PAGE, 0600); /* so that the id is not the first */
	int id = new_shm(KEY, 5 * PAGE + 100, 0640);
	char *p = attach(id, NULL, 0);
	REQUIRE(shmctl(other, IPC_RMID, NULL) == 0, "IPC_RMID");
	fill(p, 5 * PAGE + 100, 1);
	ready();
	while (next_round()) {
		struct shmid_ds ds = shm_stat(id);
		CHECK(filled(p, 5 * PAGE + 100, 1), "other bytes");
		CHECK(shmget(KEY, 0, 0) == id, "id %d", shmget(KEY, 0, 0));
		CHECK(ds.shm_nattch == 1, "attached %ld times", (long)ds.shm_nattch);
		CHECK(ds.shm_segsz == 5 * PAGE + 100, "size %zu", ds.shm_segsz);
		CHECK(ds.shm_perm.__key == KEY && ds.shm_perm.mode == 0640, "key %x mode %o",
		      ds.shm_perm.__key, ds.shm_perm.mode);
		CHECK(ds.shm_cpid == getpid() && ds.shm_lpid == getpid(), "cpid %d lpid %d",
		      ds.shm_cpid, ds.shm_lpid);
	}
	CHECK(shmdt(p) == 0 && shm_stat(id).shm_nattch == 0, "shmdt: %d", errno);
}

/* One segment three times in one address space, one of them read-only. */
static void shm_thrice(void)
{
	int id = new_shm(IPC_PRIVATE, 8 * PAGE, 0600);
	char *a = attach(id, NULL, 0), *b = attach(id, NULL, 0), *c = attach(id, NULL, SHM_RDONLY);
	fill(a, 8 * PAGE, 2);
	ready();
	for (int n = 0; next_round(); n++) {
		CHECK(filled(b, 8 * PAGE - 4, 2) && filled(c, 8 * PAGE - 4, 2), "other bytes");
		*(int *)(a + 8 * PAGE - 4) = n;
		CHECK(*(int *)(b + 8 * PAGE - 4) == n && *(int *)(c + 8 * PAGE - 4) == n, "not one");
		CHECK(mprotect(c, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
		      "a read-only attachment may be written: %d", errno);
		CHECK(shm_stat(id).shm_nattch == 3, "attached %ld times", (long)shm_stat(id).shm_nattch);
		fill(a, 8 * PAGE - 4, 2);
	}
	CHECK(shmdt(b) == 0 && shmdt(c) == 0 && shm_stat(id).shm_nattch == 1, "shmdt");
}

/* Removed while it is attached: it lives as long as that, and its key is free. */
static void shm_removed(void)
{
	int id = new_shm(KEY, 3 * PAGE, 0600);
	char *p = attach(id, NULL, 0);
	fill(p, 3 * PAGE, 3);
	REQUIRE(shmctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
	ready();
	while (next_round()) {
		struct shmid_ds ds = shm_stat(id);
		CHECK(filled(p, 3 * PAGE, 3), "other bytes");
		CHECK(ds.shm_perm.mode & SHM_DEST, "mode %o", ds.shm_perm.mode);
		CHECK(ds.shm_nattch == 1, "attached %ld times", (long)ds.shm_nattch);
		CHECK(shmget(KEY, 0, 0) == -1 && errno == ENOENT, "the key is in use");
	}
	CHECK(shmdt(p) == 0, "shmdt: %d", errno);
	CHECK(shmat(id, NULL, 0) == (void *)-1, "it outlived its last attachment");
}

/* A removed one, and another that has its key since. */
static void shm_successor(void)
{
	int old = new_shm(KEY, PAGE, 0600);
	char *p = attach(old, NULL, 0);
	REQUIRE(shmctl(old, IPC_RMID, NULL) == 0, "IPC_RMID");
	int id = new_shm(KEY, 2 * PAGE, 0600);
	char *q = attach(id, NULL, 0);
	strcpy(p, "old");
	strcpy(q, "new");
	ready();
	while (next_round()) {
		CHECK(strcmp(p, "old") == 0 && strcmp(q, "new") == 0, "%s %s", p, q);
		CHECK(shmget(KEY, 0, 0) == id, "id %d", shmget(KEY, 0, 0));
	}
}

static int the_id;
static char *the_memory;

static void count_there(void *arg)
{
	int *n = arg;
	ready();
	while (next_round())
		__atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

/* Parent and children write to it: an inherited attachment is counted as well. */
static void shm_tree(void)
{
	the_id = new_shm(IPC_PRIVATE, 4 * PAGE, 0600);
	the_memory = attach(the_id, NULL, 0);
	int *n = (int *)(the_memory + PAGE);
	start_child("one", count_there, n);
	start_child("two", count_there, n + 1);
	ready();
	int before[2] = {0, 0};
	while (next_round()) {
		struct shmid_ds ds = shm_stat(the_id);
		CHECK(ds.shm_nattch == 3 || stop_requested(), "%ld", (long)ds.shm_nattch);
		CHECK(n[0] >= before[0] && n[1] >= before[1], "counters went back");
		before[0] = n[0];
		before[1] = n[1];
	}
	join_children();
	CHECK(shm_stat(the_id).shm_nattch == 1, "%ld", (long)shm_stat(the_id).shm_nattch);
}

static void attach_itself(void *arg)
{
	(void)arg;
	char *p = attach(the_id, NULL, 0);
	int *n = (int *)p;
	ready();
	while (next_round())
		n[1] = n[0];
}

/* Attached by two that are not related by fork: at addresses of their own. */
static void shm_apart(void)
{
	the_id = new_shm(KEY, PAGE, 0600);
	start_child("other", attach_itself, NULL);
	int *n = (int *)attach(the_id, NULL, 0);
	ready();
	while (next_round()) {
		int last = n[0]++;
		nap_ms(60);
		struct shmid_ds ds = shm_stat(the_id);
		if (stop_requested())
			continue;
		CHECK(n[1] >= last, "the other one does not see it: %d %d", n[1], last);
		CHECK(ds.shm_nattch == 2, "%ld", (long)ds.shm_nattch);
	}
	join_children();
}

/* A hole in the middle, and something else in it. */
static void shm_hole(void)
{
	int id = new_shm(IPC_PRIVATE, 8 * PAGE, 0600);
	char *p = attach(id, NULL, 0);
	fill(p, 8 * PAGE, 4);
	REQUIRE(munmap(p + 2 * PAGE, 3 * PAGE) == 0, "munmap");
	char *q = mmap(p + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	REQUIRE(q == p + 3 * PAGE, "mmap");
	strcpy(q, "inside");
	char *all = attach(id, NULL, 0);
	ready();
	while (next_round()) {
		CHECK(filled(all, 8 * PAGE, 4), "other bytes");
		CHECK(memcmp(all, p, 2 * PAGE) == 0, "first part");
		CHECK(memcmp(all + 5 * PAGE, p + 5 * PAGE, 3 * PAGE) == 0, "last part");
		CHECK(strcmp(q, "inside") == 0, "%s", q);
		CHECK(shm_stat(id).shm_nattch == 3, "%ld", (long)shm_stat(id).shm_nattch);
	}
	CHECK(shmdt(p) == 0 && shm_stat(id).shm_nattch == 1, "shmdt of what is left: %d", errno);
}

/* A part of it was moved elsewhere by mremap. */
static void shm_moved(void)
{
	int id = new_shm(IPC_PRIVATE, 6 * PAGE, 0600);
	char *p = attach(id, NULL, 0), *free_place = map_private(2 * PAGE);
	fill(p, 6 * PAGE, 5);
	char *q = mremap(p + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, free_place);
	REQUIRE(q == free_place, "mremap: %d", errno);
	char *all = attach(id, NULL, 0);
	ready();
	while (next_round()) {
		CHECK(filled(all, 6 * PAGE, 5), "other bytes");
		CHECK(memcmp(all + PAGE, q, 2 * PAGE) == 0, "the moved part");
		CHECK(memcmp(all + 3 * PAGE, p + 3 * PAGE, 3 * PAGE) == 0, "the part behind it");
		CHECK(shm_stat(id).shm_nattch == 4, "%ld", (long)shm_stat(id).shm_nattch);
	}
}

/* SHM_REMAP over what was mapped; protections of its parts. */
static void shm_remap(void)
{
	char *place = map_private(6 * PAGE);
	int id = new_shm(IPC_PRIVATE, 4 * PAGE, 0600);
	char *p = attach(id, place + PAGE, SHM_REMAP);
	fill(p, 4 * PAGE, 6);
	place[0] = 'a';
	place[5 * PAGE] = 'z';
	REQUIRE(mprotect(p + PAGE, PAGE, PROT_READ) == 0 && mprotect(p + 2 * PAGE, PAGE, PROT_NONE) == 0,
		"mprotect");
	ready();
	while (next_round()) {
		CHECK(place[0] == 'a' && place[5 * PAGE] == 'z', "what is around it");
		CHECK(filled(p, 2 * PAGE, 6), "other bytes");
		CHECK(shm_stat(id).shm_nattch == 4, "%ld", (long)shm_stat(id).shm_nattch);
	}
	CHECK(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == 0 && filled(p, 4 * PAGE, 6), "hidden page");
}

static void shm_locked(void)
{
	int id = new_shm(IPC_PRIVATE, 4 * PAGE, 0600);
	char *p = attach(id, NULL, 0);
	REQUIRE(shmctl(id, SHM_LOCK, NULL) == 0, "SHM_LOCK: %d", errno);
	fill(p, 4 * PAGE, 7);
	ready();
	while (next_round()) {
		CHECK(shm_stat(id).shm_perm.mode & SHM_LOCKED, "mode %o", shm_stat(id).shm_perm.mode);
		CHECK(filled(p, 4 * PAGE, 7), "other bytes");
	}
	CHECK(shmctl(id, SHM_UNLOCK, NULL) == 0, "SHM_UNLOCK: %d", errno);
}

/* Made by one user, given to another, with a mode of its own. */
static void shm_owners(void)
{
	REQUIRE(setegid(1000) == 0 && seteuid(1001) == 0, "seteuid");
	int id = new_shm(KEY, PAGE, 0604);
	REQUIRE(seteuid(0) == 0 && setegid(0) == 0, "back");
	struct shmid_ds ds = shm_stat(id);
	ds.shm_perm.uid = 2001;
	ds.shm_perm.gid = 2002;
	ds.shm_perm.mode = 0624;
	REQUIRE(shmctl(id, IPC_SET, &ds) == 0, "IPC_SET: %d", errno);
	char *p = attach(id, NULL, 0);
	strcpy(p, "owned");
	ready();
	while (next_round()) {
		ds = shm_stat(id);
		CHECK(ds.shm_perm.uid == 2001 && ds.shm_perm.gid == 2002, "owner %d %d", ds.shm_perm.uid,
		      ds.shm_perm.gid);
		CHECK(ds.shm_perm.cuid == 1001 && ds.shm_perm.cgid == 1000, "creator %d %d",
		      ds.shm_perm.cuid, ds.shm_perm.cgid);
		CHECK(ds.shm_perm.mode == 0624, "mode %o", ds.shm_perm.mode);
		CHECK(strcmp(p, "owned") == 0, "%s", p);
	}
}

/* Made and not attached now: it comes back with its content. */
static void shm_unattached(void)
{
	int id = new_shm(KEY, 3 * PAGE, 0600);
	char *p = attach(id, NULL, 0);
	fill(p, 3 * PAGE, 8);
	REQUIRE(shmdt(p) == 0, "shmdt");
	ready();
	while (next_round())
		CHECK(shmget(KEY, 0, 0) == id && shm_stat(id).shm_nattch == 0, "id %d",
		      shmget(KEY, 0, 0));
	p = attach(id, NULL, 0);
	CHECK(filled(p, 3 * PAGE, 8), "other bytes");
}

/* Most of it was never touched: it stays a hole. */
static void shm_sparse(void)
{
	size_t size = 64 << 20;
	int id = new_shm(IPC_PRIVATE, size, 0600);
	char *p = attach(id, NULL, 0);
	p[0] = 1;
	p[size / 2] = 2;
	p[size - 1] = 3;
	ready();
	while (next_round())
		CHECK(p[0] == 1 && p[size / 2] == 2 && p[size - 1] == 3, "%d %d %d", p[0], p[size / 2],
		      p[size - 1]);
	CHECK(p[PAGE] == 0 && p[size / 2 + PAGE] == 0, "not empty");
	struct shm_info {
		int used_ids;
		unsigned long tot, rss, swp, attempts, successes;
	} info;
	CHECK(shmctl(0, SHM_INFO, (void *)&info) >= 0 && info.rss < 100, "%lu pages", info.rss);
}

static void no_body(void *arg)
{
	char *p = arg;
	ready();
	while (next_round())
		CHECK(strcmp(p, "shared") == 0, "%s", p);
}

/* The creator is gone; the last one who attached it is a child. */
static void shm_pids(void)
{
	int fds[2], status;
	REQUIRE(pipe(fds) == 0, "pipe");
	pid_t maker = fork();
	if (maker == 0) {
		int id = shmget(KEY, PAGE, IPC_CREAT | 0600);
		_exit(write(fds[1], &id, sizeof(id)) == sizeof(id) ? 0 : 1);
	}
	REQUIRE(read(fds[0], &the_id, sizeof(the_id)) == sizeof(the_id), "read");
	REQUIRE(waitpid(maker, &status, 0) == maker && status == 0, "maker");
	close(fds[0]);
	close(fds[1]);
	char *p = attach(the_id, NULL, 0);
	strcpy(p, "shared");
	pid_t child = start_child("child", no_body, p);
	/* attached and detached by us last, then by nobody */
	shmdt(attach(the_id, NULL, 0));
	(void)child;
	ready();
	while (next_round()) {
		struct shmid_ds ds = shm_stat(the_id);
		CHECK(ds.shm_cpid == maker, "cpid %d, not %d", ds.shm_cpid, maker);
		if (stop_requested())
			continue;
		CHECK(ds.shm_lpid == getpid(), "lpid %d", ds.shm_lpid);
		CHECK(ds.shm_nattch == 2, "attached %ld times", (long)ds.shm_nattch);
	}
	join_children();
}

/* Forty segments, each with its own word. */
static void shm_many(void)
{
	int ids[40];
	char *p[40];
	for (int i = 0; i < 40; i++) {
		ids[i] = new_shm(i % 2 ? KEY + i : IPC_PRIVATE, PAGE * (i % 5 + 1), 0600);
		p[i] = attach(ids[i], NULL, 0);
		fill(p[i], PAGE * (i % 5 + 1), i);
	}
	ready();
	while (next_round())
		for (int i = 0; i < 40; i++) {
			CHECK(filled(p[i], PAGE * (i % 5 + 1), i), "segment %d", i);
			CHECK(shm_stat(ids[i]).shm_segsz == PAGE * (i % 5 + 1), "size of %d", i);
		}
}

/* ---- semaphores ---- */

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int new_sem(key_t key, int n, int flags)
{
	int id = semget(key, n, IPC_CREAT | IPC_EXCL | flags);
	REQUIRE(id >= 0, "semget: %d", errno);
	return id;
}

static int value(int id, int num)
{
	return semctl(id, num, GETVAL);
}

static int change(int id, int num, int by, int flags)
{
	struct sembuf op = {num, by, flags};
	return semop(id, &op, 1);
}

static void sem(void)
{
	int other = new_sem(IPC_PRIVATE, 1, 0600);
	int id = new_sem(KEY, 3, 0640);
	REQUIRE(semctl(other, 0, IPC_RMID) == 0, "IPC_RMID");
	REQUIRE(change(id, 0, 7, 0) == 0 && change(id, 2, 32767, 0) == 0, "semop");
	ready();
	while (next_round()) {
		struct semid_ds ds;
		CHECK(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == 0, "IPC_STAT: %d", errno);
		CHECK(value(id, 0) == 7 && value(id, 1) == 0 && value(id, 2) == 32767, "%d %d %d",
		      value(id, 0), value(id, 1), value(id, 2));
		CHECK(semget(KEY, 0, 0) == id, "id %d, not %d", semget(KEY, 0, 0), id);
		CHECK(ds.sem_nsems == 3 && ds.sem_perm.mode == 0640, "mode %o", ds.sem_perm.mode);
		CHECK(semctl(id, 0, GETPID) == getpid() && semctl(id, 1, GETPID) == 0, "pids %d %d",
		      semctl(id, 0, GETPID), semctl(id, 1, GETPID));
	}
	CHECK(semctl(id, 0, IPC_RMID) == 0, "IPC_RMID: %d", errno);
}

static void end_at_once(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

/* Children took and gave with SEM_UNDO: it is undone when each of them ends, not before. */
static void taker(void *arg)
{
	int id = *(int *)arg;
	REQUIRE(change(id, 0, -4, SEM_UNDO) == 0 && change(id, 1, 6, SEM_UNDO) == 0, "semop");
	end_at_once(NULL);
}

static void giver(void *arg)
{
	int id = *(int *)arg;
	REQUIRE(change(id, 0, 3, SEM_UNDO) == 0 && change(id, 2, -1, SEM_UNDO) == 0, "semop");
	REQUIRE(change(id, 3, -30000, SEM_UNDO) == 0, "semop");
	end_at_once(NULL);
}

static void sem_undo(void)
{
	int id = new_sem(IPC_PRIVATE, 4, 0600);
	unsigned short values[4] = {10, 20, 30, 32767};
	REQUIRE(semctl(id, 0, SETALL, (union semun){.array = values}) == 0, "SETALL");
	start_child("taker", taker, &id);
	start_child("giver", giver, &id);
	ready();
	while (next_round()) {
		if (stop_requested())
			continue;
		CHECK(value(id, 0) == 9 && value(id, 1) == 26 && value(id, 2) == 29 &&
			      value(id, 3) == 2767,
		      "%d %d %d %d", value(id, 0), value(id, 1), value(id, 2), value(id, 3));
	}
	join_children();
	CHECK(value(id, 0) == 10 && value(id, 1) == 20 && value(id, 2) == 30 && value(id, 3) == 32767,
	      "after their end: %d %d %d %d", value(id, 0), value(id, 1), value(id, 2), value(id, 3));
}

/* The farthest that adjustments go. */
static void extreme(void *arg)
{
	int id = *(int *)arg;
	REQUIRE(change(id, 0, -32767, SEM_UNDO) == 0, "semop");
	REQUIRE(change(id, 1, 32767, SEM_UNDO) == 0, "semop");
	REQUIRE(change(id, 1, -32767, 0) == 0 && change(id, 1, 1, SEM_UNDO) == 0, "semop");
	end_at_once(NULL);
}

static void sem_extreme(void)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	REQUIRE(semctl(id, 0, SETVAL, (union semun){.val = 32767}) == 0, "SETVAL");
	start_child("extreme", extreme, &id);
	REQUIRE(change(id, 0, 16000, 0) == 0, "semop");
	ready();
	while (next_round())
		CHECK(stop_requested() || (value(id, 0) == 16000 && value(id, 1) == 1), "%d %d",
		      value(id, 0), value(id, 1));
	join_children();
	/* 16000 + 32767 and 1 - 32768 are cut off where values end. */
	CHECK(value(id, 0) == 32767 && value(id, 1) == 0, "after its end: %d %d", value(id, 0),
	      value(id, 1));
}

static void lock_by_thread(void *arg)
{
	int id = *(int *)arg;
	REQUIRE(change(id, 0, -1, SEM_UNDO) == 0, "semop");
	end_at_once(NULL);
}

static void holder(void *arg)
{
	pthread_t thread = start_thread("holding", lock_by_thread, arg);
	end_at_once(NULL);
	join_thread(thread);
}

/* Threads share their adjustments: a thread's lock is held as long as the process lives. */
static void sem_threads(void)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	REQUIRE(semctl(id, 0, SETVAL, (union semun){.val = 1}) == 0, "SETVAL");
	start_child("holder", holder, &id);
	ready();
	while (next_round())
		CHECK(stop_requested() || (change(id, 0, -1, IPC_NOWAIT) == -1 && errno == EAGAIN),
		      "the lock is free");
	join_children();
	CHECK(value(id, 0) == 1, "%d after its end", value(id, 0));
}

static void adopt(void *arg)
{
	int id = *(int *)arg, fds[2], status;
	char c;
	REQUIRE(change(id, 0, -2, SEM_UNDO) == 0 && pipe(fds) == 0, "semop");
	pid_t last = fork();
	if (last == 0)
		_exit(change(id, 0, 1, 0) == 0 && write(fds[1], "x", 1) == 1 ? 0 : 1);
	REQUIRE(read(fds[0], &c, 1) == 1 && waitpid(last, &status, 0) == last && status == 0, "last");
	close(fds[0]);
	close(fds[1]);
	end_at_once(NULL);
}

/* Whoever changed it last is gone: that a task has adjustments there shows that it is the tree's. */
static void sem_adopted(void)
{
	int id = new_sem(KEY, 1, 0600);
	REQUIRE(semctl(id, 0, SETVAL, (union semun){.val = 5}) == 0, "SETVAL");
	start_child("adopt", adopt, &id);
	ready();
	while (next_round())
		CHECK(stop_requested() || value(id, 0) == 4, "%d", value(id, 0));
	join_children();
	CHECK(value(id, 0) == 6, "%d after its end", value(id, 0));
}

static void bump(void *arg)
{
	REQUIRE(change(*(int *)arg, 1, 1, 0) == 0, "semop");
	end_at_once(NULL);
}

/* Who changed each semaphore last: us, a child, one that has ended, nobody. */
static void sem_pids(void)
{
	int id = new_sem(IPC_PRIVATE, 4, 0600), status;
	pid_t gone = fork();
	if (gone == 0)
		_exit(change(id, 2, 5, 0) == 0 ? 0 : 1);
	REQUIRE(waitpid(gone, &status, 0) == gone && status == 0, "waitpid");
	pid_t child = start_child("child", bump, &id);
	REQUIRE(change(id, 0, 1, 0) == 0, "semop");
	ready();
	while (next_round()) {
		pid_t pids[4];
		for (int i = 0; i < 4; i++)
			pids[i] = semctl(id, i, GETPID);
		CHECK(pids[0] == getpid() && pids[1] == child && pids[2] == gone && pids[3] == 0,
		      "%d %d %d %d", pids[0], pids[1], pids[2], pids[3]);
	}
	join_children();
}

static void sem_owners(void)
{
	REQUIRE(setegid(1000) == 0 && seteuid(1001) == 0, "seteuid");
	int id = new_sem(KEY, 2, 0604);
	REQUIRE(seteuid(0) == 0 && setegid(0) == 0, "back");
	struct semid_ds ds;
	REQUIRE(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == 0, "IPC_STAT");
	ds.sem_perm.uid = 2001;
	ds.sem_perm.gid = 2002;
	ds.sem_perm.mode = 0624;
	REQUIRE(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}) == 0, "IPC_SET");
	REQUIRE(change(id, 0, 1, 0) == 0, "semop");
	ready();
	while (next_round()) {
		CHECK(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == 0, "IPC_STAT");
		CHECK(ds.sem_perm.uid == 2001 && ds.sem_perm.gid == 2002 && ds.sem_perm.cuid == 1001 &&
			      ds.sem_perm.cgid == 1000 && ds.sem_perm.mode == 0624,
		      "%d %d %d %d %o", ds.sem_perm.uid, ds.sem_perm.gid, ds.sem_perm.cuid,
		      ds.sem_perm.cgid, ds.sem_perm.mode);
	}
}

static void sem_large(void)
{
	static unsigned short out[2000], in[2000];
	int id = new_sem(IPC_PRIVATE, 2000, 0600);
	for (int i = 0; i < 2000; i++)
		out[i] = i * 7 % 32768;
	REQUIRE(semctl(id, 0, SETALL, (union semun){.array = out}) == 0, "SETALL");
	REQUIRE(change(id, 1999, 1, SEM_UNDO) == 0 && change(id, 3, -2, SEM_UNDO) == 0, "semop");
	out[1999]++;
	out[3] -= 2;
	ready();
	while (next_round()) {
		CHECK(semctl(id, 0, GETALL, (union semun){.array = in}) == 0, "GETALL");
		CHECK(memcmp(in, out, sizeof(in)) == 0, "other values");
	}
}

/* ---- calls that wait ---- */

struct waiter {
	int errors, rounds, last_error;
};
static struct waiter *waiter;

/* A process without a name of its own: it waits, and what it sees is in shared memory. */
static pid_t fork_waiter(void (*body)(void))
{
	waiter = map_shared(PAGE);
	pid_t pid = fork();
	REQUIRE(pid >= 0, "fork");
	if (pid == 0) {
		body();
		_exit(0);
	}
	return pid;
}

static void failed(void)
{
	waiter->errors++;
	waiter->last_error = errno;
}

static void check_waiter(int *seen)
{
	CHECK(waiter->errors == 0, "%d calls failed, the last with %d", waiter->errors,
	      waiter->last_error);
	*seen = waiter->rounds;
}

static void join_waiter(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
}

static void wait_sem(void)
{
	for (;;)
		if (change(the_id, 0, -1, 0) == 0)
			waiter->rounds++;
		else
			failed();
}

/* It waits in semop almost all the time, and must never see EINTR. */
static void sem_wait_long(void)
{
	the_id = new_sem(IPC_PRIVATE, 1, 0600);
	pid_t pid = fork_waiter(wait_sem);
	ready();
	int seen = 0, posted = 0;
	while (next_round()) {
		CHECK(change(the_id, 0, 1, 0) == 0, "semop: %d", errno);
		posted++;
		for (int i = 0; i < 1000 && waiter->rounds < posted; i++)
			nap_ms(1);
		check_waiter(&seen);
		CHECK(seen == posted, "it has taken %d of %d", seen, posted);
	}
	join_waiter(pid);
}

static void wait_zero(void)
{
	for (;;) {
		struct sembuf ops[2] = {{0, 0, 0}, {0, 1, 0}};
		if (syscall(SYS_semtimedop, the_id, ops, 2, NULL) == 0)
			waiter->rounds++;
		else
			failed();
	}
}

/* The same, waiting for zero, by semtimedop without a timeout. */
static void sem_wait_zero(void)
{
	the_id = new_sem(IPC_PRIVATE, 1, 0600);
	pid_t pid = fork_waiter(wait_zero);
	for (int i = 0; i < 1000 && waiter->rounds < 1; i++)
		nap_ms(1);
	ready();
	int seen = 0, taken = 0;
	while (next_round()) {
		CHECK(change(the_id, 0, -1, IPC_NOWAIT) == 0, "semop: %d", errno);
		taken++;
		for (int i = 0; i < 1000 && waiter->rounds < taken + 1; i++)
			nap_ms(1);
		check_waiter(&seen);
		CHECK(seen == taken + 1, "%d times zero of %d", seen, taken + 1);
	}
	join_waiter(pid);
}

static void wait_with_undo(void)
{
	if (change(the_id, 0, -1, SEM_UNDO) != 0)
		failed();
	waiter->rounds = 1;
	pause();
}

/* Waits across all dumps, with SEM_UNDO: it gets it in the end. */
static void sem_wait_once(void)
{
	the_id = new_sem(KEY, 1, 0600);
	pid_t pid = fork_waiter(wait_with_undo);
	ready();
	int seen;
	while (next_round()) {
		check_waiter(&seen);
		CHECK(seen == 0 || stop_requested(), "it did not wait");
	}
	CHECK(change(the_id, 0, 1, 0) == 0, "semop");
	for (int i = 0; i < 1000 && waiter->rounds < 1; i++)
		nap_ms(1);
	check_waiter(&seen);
	CHECK(seen == 1 && value(the_id, 0) == 0, "it waits on");
	join_waiter(pid);
	CHECK(value(the_id, 0) == 1, "not undone: %d", value(the_id, 0));
}

static volatile sig_atomic_t handled;
static void on_signal(int signal)
{
	(void)signal;
	handled++;
}

static void wait_signalled(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &action, NULL);
	waiter->last_error = 1;
	for (;;)
		if (change(the_id, 0, -1, 0) == -1 && errno == EINTR && handled > waiter->rounds)
			waiter->rounds++;
		else
			failed();
}

/* A handler that runs ends the call with EINTR as ever; nothing else does. */
static void sem_wait_handler(void)
{
	the_id = new_sem(IPC_PRIVATE, 1, 0600);
	pid_t pid = fork_waiter(wait_signalled);
	while (waiter->last_error != 1)
		nap_ms(1);
	ready();
	int sent = 0;
	while (next_round()) {
		CHECK(waiter->errors == 0, "%d ends without a signal", waiter->errors);
		kill(pid, SIGUSR1);
		sent++;
		for (int i = 0; i < 1000 && waiter->rounds < sent; i++)
			nap_ms(1);
		CHECK(waiter->rounds == sent, "%d signals of %d", waiter->rounds, sent);
	}
	join_waiter(pid);
}

/* ---- message queues ---- */

struct message {
	long type;
	char text[8192];
};

static int new_msg(key_t key, int flags)
{
	int id = msgget(key, IPC_CREAT | IPC_EXCL | flags);
	REQUIRE(id >= 0, "msgget: %d", errno);
	return id;
}

static struct msqid_ds msg_stat(int id)
{
	struct msqid_ds ds = {0};
	CHECK(msgctl(id, IPC_STAT, &ds) == 0, "msgctl: %d", errno);
	return ds;
}

static void send_message(int id, long type, size_t size, unsigned seed)
{
	struct message m = {.type = type};
	fill(m.text, size, seed);
	REQUIRE(msgsnd(id, &m, size, IPC_NOWAIT) == 0, "msgsnd: %d", errno);
}

static void receive_message(int id, long type, size_t size, unsigned seed)
{
	struct message m;
	ssize_t n = msgrcv(id, &m, sizeof(m.text), 0, IPC_NOWAIT);
	CHECK(n == (ssize_t)size && m.type == type, "%zd bytes of type %ld: %d", n, m.type, errno);
	CHECK(n < 0 || filled(m.text, size, seed), "other bytes");
}

static void msg(void)
{
	int other = new_msg(IPC_PRIVATE, 0600);
	int id = new_msg(KEY, 0620);
	REQUIRE(msgctl(other, IPC_RMID, NULL) == 0, "IPC_RMID");
	send_message(id, 3, 100, 1);
	send_message(id, 1, 0, 2);
	send_message(id, 0x7fffffffffffffffL, 8192, 3);
	send_message(id, 1, 4077, 4);
	ready();
	while (next_round()) {
		struct msqid_ds ds = msg_stat(id);
		CHECK(msgget(KEY, 0) == id, "id %d, not %d", msgget(KEY, 0), id);
		CHECK(ds.msg_qnum == 4 && ds.__msg_cbytes == 100 + 8192 + 4077, "%ld messages",
		      (long)ds.msg_qnum);
		CHECK(ds.msg_perm.mode == 0620 && ds.msg_qbytes == 16384, "mode %o, %ld bytes",
		      ds.msg_perm.mode, (long)ds.msg_qbytes);
		CHECK(ds.msg_lspid == getpid() && ds.msg_lrpid == 0, "pids %d %d", ds.msg_lspid,
		      ds.msg_lrpid);
	}
	receive_message(id, 3, 100, 1);
	receive_message(id, 1, 0, 2);
	receive_message(id, 0x7fffffffffffffffL, 8192, 3);
	receive_message(id, 1, 4077, 4);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
}

static void msg_pids(void)
{
	int id = new_msg(IPC_PRIVATE, 0600), status;
	pid_t sender = fork();
	if (sender == 0) {
		send_message(id, 1, 10, 1);
		send_message(id, 2, 20, 2);
		send_message(id, 3, 30, 3);
		_exit(0);
	}
	REQUIRE(waitpid(sender, &status, 0) == sender && status == 0, "sender");
	receive_message(id, 1, 10, 1);
	ready();
	while (next_round()) {
		struct msqid_ds ds = msg_stat(id);
		CHECK(ds.msg_lspid == sender && ds.msg_lrpid == getpid(), "pids %d %d", ds.msg_lspid,
		      ds.msg_lrpid);
		CHECK(ds.msg_qnum == 2, "%ld messages", (long)ds.msg_qnum);
	}
	receive_message(id, 2, 20, 2);
	receive_message(id, 3, 30, 3);
}

static void msg_owners(void)
{
	REQUIRE(setegid(1000) == 0 && seteuid(1001) == 0, "seteuid");
	int id = new_msg(KEY, 0604);
	REQUIRE(seteuid(0) == 0 && setegid(0) == 0, "back");
	struct msqid_ds ds = msg_stat(id);
	ds.msg_perm.uid = 2001;
	ds.msg_perm.gid = 2002;
	ds.msg_perm.mode = 0624;
	ds.msg_qbytes = 500;
	REQUIRE(msgctl(id, IPC_SET, &ds) == 0, "IPC_SET: %d", errno);
	send_message(id, 1, 400, 1);
	ready();
	while (next_round()) {
		ds = msg_stat(id);
		CHECK(ds.msg_perm.uid == 2001 && ds.msg_perm.gid == 2002 && ds.msg_perm.cuid == 1001 &&
			      ds.msg_perm.cgid == 1000 && ds.msg_perm.mode == 0624,
		      "%d %d %d %d %o", ds.msg_perm.uid, ds.msg_perm.gid, ds.msg_perm.cuid,
		      ds.msg_perm.cgid, ds.msg_perm.mode);
		CHECK(ds.msg_qbytes == 500, "%ld bytes", (long)ds.msg_qbytes);
	}
	receive_message(id, 1, 400, 1);
}

static void wait_msg(void)
{
	for (;;) {
		struct message m;
		if (msgrcv(the_id, &m, sizeof(m.text), 5, 0) == 8 && strcmp(m.text, "for you") == 0)
			waiter->rounds++;
		else
			failed();
	}
}

/* It waits for messages of one type; others lie there. */
static void msg_wait(void)
{
	the_id = new_msg(KEY, 0600);
	send_message(the_id, 4, 40, 4);
	pid_t pid = fork_waiter(wait_msg);
	ready();
	int seen = 0, sent = 0;
	while (next_round()) {
		struct message m = {5, "for you"};
		CHECK(msgsnd(the_id, &m, 8, 0) == 0, "msgsnd: %d", errno);
		sent++;
		for (int i = 0; i < 1000 && waiter->rounds < sent; i++)
			nap_ms(1);
		check_waiter(&seen);
		CHECK(seen == sent, "it has had %d of %d", seen, sent);
	}
	join_waiter(pid);
	receive_message(the_id, 4, 40, 4);
}

static void send_blocked(void)
{
	for (;;) {
		struct message m = {7, "more"};
		if (msgsnd(the_id, &m, 8000, 0) == 0)
			waiter->rounds++;
		else
			failed();
	}
}

/* A full queue, and a sender that waits. */
static void msg_full(void)
{
	the_id = new_msg(IPC_PRIVATE, 0600);
	send_message(the_id, 1, 8192, 1);
	send_message(the_id, 2, 8192, 2);
	pid_t pid = fork_waiter(send_blocked);
	ready();
	int seen = 0;
	while (next_round()) {
		check_waiter(&seen);
		CHECK(seen == 0 && msg_stat(the_id).msg_qnum == 2, "it is not full");
	}
	receive_message(the_id, 1, 8192, 1);
	for (int i = 0; i < 1000 && waiter->rounds < 1; i++)
		nap_ms(1);
	check_waiter(&seen);
	CHECK(seen == 1, "it has sent %d", seen);
	receive_message(the_id, 2, 8192, 2);
	join_waiter(pid);
}

static void msg_many(void)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	for (int i = 0; i < 1000; i++)
		send_message(id, i % 9 + 1, i % 16, i);
	ready();
	while (next_round())
		CHECK(msg_stat(id).msg_qnum == 1000, "%ld messages", (long)msg_stat(id).msg_qnum);
	for (int i = 0; i < 1000; i++)
		receive_message(id, i % 9 + 1, i % 16, i);
}

/* ---- what is refused: objects that somebody outside of the tree uses as well ---- */

/* A process outside: its parent has ended, and it ends with the test. */
static void outside(void (*use)(void))
{
	int fds[2];
	char c;
	REQUIRE(pipe(fds) == 0, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			setsid();
			close(subject_log());
			use();
			if (write(fds[1], "x", 1) == 1)
				pause();
			_exit(0);
		}
		_exit(0);
	}
	REQUIRE(read(fds[0], &c, 1) == 1, "read");
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
}

static void attach_outside(void)
{
	shmat(the_id, NULL, 0);
}

static void shm_outside(void)
{
	the_id = new_shm(KEY, PAGE, 0600);
	char *p = attach(the_id, NULL, 0);
	outside(attach_outside);
	strcpy(p, "kept");
	ready();
	while (next_round())
		CHECK(strcmp(p, "kept") == 0 && shm_stat(the_id).shm_nattch == 3, "content");
}

static void give_outside(void)
{
	change(the_id, 1, 1, 0);
}

static void sem_outside(void)
{
	the_id = new_sem(KEY, 2, 0600);
	REQUIRE(change(the_id, 0, 1, 0) == 0, "semop");
	outside(give_outside);
	ready();
	while (next_round())
		CHECK(value(the_id, 0) == 1 && value(the_id, 1) == 1, "values");
}

static void send_outside(void)
{
	send_message(the_id, 1, 10, 1);
}

static void msg_outside(void)
{
	the_id = new_msg(KEY, 0600);
	outside(send_outside);
	receive_message(the_id, 1, 10, 1);
	ready();
	while (next_round())
		CHECK(msg_stat(the_id).msg_qnum == 0, "messages");
}

static void with_parent(void *arg)
{
	end_at_once(arg);
}

/* Two processes with one list of adjustments. */
static void undo_shared(void)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	REQUIRE(change(id, 0, 1, SEM_UNDO) == 0, "semop");
	clone_child("sharing", CLONE_SYSVSEM, with_parent, NULL);
	ready();
	while (next_round())
		CHECK(value(id, 0) == 1, "value %d", value(id, 0));
	join_children();
}

static void without_right(void *arg)
{
	int id = *(int *)arg;
	REQUIRE(change(id, 0, 1, SEM_UNDO) == 0, "semop");
	REQUIRE(setresuid(65534, 65534, 65534) == 0, "setresuid");
	end_at_once(NULL);
}

/* A process with something to undo in a set that it may no longer change. */
static void undo_denied(void)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	start_child("unprivileged", without_right, &id);
	ready();
	while (next_round())
		CHECK(stop_requested() || value(id, 0) == 1, "value %d", value(id, 0));
	join_children();
}

SUBJECT({"shm", shm}, {"shm-thrice", shm_thrice}, {"shm-removed", shm_removed},
	{"shm-successor", shm_successor}, {"shm-tree", shm_tree}, {"shm-apart", shm_apart},
	{"shm-hole", shm_hole}, {"shm-moved", shm_moved}, {"shm-remap", shm_remap},
	{"shm-locked", shm_locked}, {"shm-owners", shm_owners}, {"shm-unattached", shm_unattached},
	{"shm-sparse", shm_sparse}, {"shm-pids", shm_pids}, {"shm-many", shm_many}, {"sem", sem},
	{"sem-undo", sem_undo}, {"sem-extreme", sem_extreme}, {"sem-threads", sem_threads},
	{"sem-adopted", sem_adopted}, {"sem-pids", sem_pids}, {"sem-owners", sem_owners},
	{"sem-large", sem_large}, {"sem-wait-long", sem_wait_long}, {"sem-wait-zero", sem_wait_zero},
	{"sem-wait-once", sem_wait_once}, {"sem-wait-handler", sem_wait_handler}, {"msg", msg},
	{"msg-pids", msg_pids}, {"msg-owners", msg_owners}, {"msg-wait", msg_wait},
	{"msg-full", msg_full}, {"msg-many", msg_many},
	{"shm-outside", shm_outside}, {"sem-outside", sem_outside}, {"msg-outside", msg_outside},
	{"undo-shared", undo_shared}, {"undo-denied", undo_denied})
