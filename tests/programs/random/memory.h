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

static void make_semaphores(struct thing *t)
{
	t->value[0] = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
	REQUIRE(t->value[0] >= 0, "semget");
	t->value[1] = 5 + pick(100);
	t->value[2] = pick(5);
	REQUIRE(semctl(t->value[0], 1, SETVAL, (int)t->value[1]) == 0, "SETVAL");
	struct sembuf take = {.sem_num = 1, .sem_op = -t->value[2], .sem_flg = SEM_UNDO};
	REQUIRE(t->value[2] == 0 || semop(t->value[0], &take, 1) == 0, "semop");
}

static void check_semaphores(struct thing *t)
{
	int value = semctl(t->value[0], 1, GETVAL);
	HOLD(t, value == t->value[1] - t->value[2], "value %d", value);
}

static void finish_semaphores(struct thing *t)
{
	HOLD(t, semctl(t->value[0], 0, IPC_RMID) == 0, "IPC_RMID");
}

struct letter {
	long type;
	char text[200];
};

static void make_messages(struct thing *t)
{
	t->value[0] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	t->value[1] = pick(5);
	REQUIRE(t->value[0] >= 0, "msgget");
	for (int i = 0; i < t->value[1]; i++) {
		struct letter letter = {.type = 1 + i};
		fill(letter.text, sizeof(letter.text), t->seed + i);
		REQUIRE(msgsnd(t->value[0], &letter, sizeof(letter.text), IPC_NOWAIT) == 0, "msgsnd");
	}
	/* A queue that nobody has sent to belongs to nobody. */
	if (t->value[1] == 0)
		REQUIRE(msgctl(t->value[0], IPC_RMID, NULL) == 0, "IPC_RMID");
}

static void check_messages(struct thing *t)
{
	struct msqid_ds state;
	if (t->value[1] > 0)
		HOLD(t, msgctl(t->value[0], IPC_STAT, &state) == 0 && state.msg_qnum == t->value[1], "messages");
}

static void finish_messages(struct thing *t)
{
	struct letter letter;
	for (int i = 0; i < t->value[1]; i++) {
		HOLD(t, msgrcv(t->value[0], &letter, sizeof(letter.text), 0, IPC_NOWAIT) == sizeof(letter.text), "message %d", i);
		HOLD(t, letter.type == 1 + i && filled(letter.text, sizeof(letter.text), t->seed + i), "content of %d", i);
	}
	if (t->value[1] > 0)
		msgctl(t->value[0], IPC_RMID, NULL);
}

static void make_mqueue(struct thing *t)
{
	struct mq_attr attributes = {.mq_maxmsg = 1 + pick(8), .mq_msgsize = 100};
	char name[80], text[100];
	snprintf(name, sizeof(name), "/criu-%s", name_of(t));
	t->fd[0] = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
	REQUIRE(t->fd[0] >= 0, "mq_open");
	REQUIRE(mq_unlink(name) == 0, "mq_unlink");
	t->value[0] = pick(attributes.mq_maxmsg + 1);
	for (int i = 0; i < t->value[0]; i++) {
		fill(text, sizeof(text), t->seed + i);
		REQUIRE(mq_send(t->fd[0], text, sizeof(text), 7) == 0, "mq_send");
	}
}

static void check_mqueue(struct thing *t)
{
	struct mq_attr attributes;
	HOLD(t, mq_getattr(t->fd[0], &attributes) == 0 && attributes.mq_curmsgs == t->value[0], "messages");
}

static void finish_mqueue(struct thing *t)
{
	char text[100];
	unsigned priority;
	for (int i = 0; i < t->value[0]; i++) {
		HOLD(t, mq_receive(t->fd[0], text, sizeof(text), &priority) == sizeof(text) && priority == 7, "message %d", i);
		HOLD(t, filled(text, sizeof(text), t->seed + i), "content of %d", i);
	}
}

#define MEMORY_THINGS                                                                              \
	{"private memory", make_private, check_memory, NULL, false},                               \
	{"shared memory", make_shared, check_memory, NULL, false},                                 \
	{"mapped file", make_mapped_file, check_memory, NULL, false},                              \
	{"hidden memory", make_hidden, check_hidden, finish_hidden, false},                        \
	{"System V memory", make_sysv_memory, check_memory, NULL, false},                         \
	{"semaphores", make_semaphores, check_semaphores, finish_semaphores, true},              \
	{"System V messages", make_messages, check_messages, finish_messages, true},             \
	{"message queue", make_mqueue, check_mqueue, finish_mqueue, false}
