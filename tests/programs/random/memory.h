/* Memory, and System V IPC. */
#include "thing.h"
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static void check_memory(struct thing *t)
{
	HOLD(t, is_whole(t, t->at, t->size), "content");
}

static void make_private(struct thing *t)
{
	t->size = (1 + pick(40)) * PAGE;
	t->at = map_private(t->size);
	fill(t->at, t->size, t->seed);
}

static void make_shared(struct thing *t)
{
	t->size = (1 + pick(40)) * PAGE;
	t->at = map_shared(t->size);
	fill(t->at, t->size, t->seed);
}

static void make_mapped_file(struct thing *t)
{
	t->size = (1 + pick(10)) * PAGE;
	int fd = make_file(name_of(t), t->size, t->seed);
	t->at = mmap(NULL, t->size, PROT_READ | PROT_WRITE, pick(2) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	REQUIRE(t->at != MAP_FAILED, "mmap");
	close(fd);
}

/* Pages that may not be read, with content. */
static void make_hidden(struct thing *t)
{
	make_private(t);
	REQUIRE(mprotect(t->at, t->size, PROT_NONE) == 0, "mprotect");
}

static void check_hidden(struct thing *t)
{
	(void)t;
}

static void finish_hidden(struct thing *t)
{
	HOLD(t, mprotect(t->at, t->size, PROT_READ) == 0, "mprotect");
	check_memory(t);
}

static void make_sysv_memory(struct thing *t)
{
	t->size = (1 + pick(10)) * PAGE;
	int id = shmget(IPC_PRIVATE, t->size, IPC_CREAT | 0600);
	t->at = shmat(id, NULL, 0);
	REQUIRE(id >= 0 && t->at != (void *)-1, "shmat");
	REQUIRE(shmctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
	fill(t->at, t->size, t->seed);
}

#define MEMORY_THINGS                                                                              \
	{"private memory", make_private, check_memory, NULL, false},                               \
	{"shared memory", make_shared, check_memory, NULL, false},                                 \
	{"mapped file", make_mapped_file, check_memory, NULL, false},                              \
	{"hidden memory", make_hidden, check_hidden, finish_hidden, false},                        \
	{"System V memory", make_sysv_memory, check_memory, NULL, false}
