/* Threads: ids, names, thread-local storage, what the kernel does for them at their end. */
#include "subject.h"
#include <linux/futex.h>
#include <sys/prctl.h>

static __thread unsigned long local = 17;
static __thread char local_bytes[3000];

static void tls_thread(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	pid_t tid = gettid_raw();
	pthread_t self = pthread_self();
	local = seed;
	fill(local_bytes, sizeof(local_bytes), seed);
	ready();
	while (next_round()) {
		CHECK(local == seed && filled(local_bytes, sizeof(local_bytes), seed), "thread-local data");
		CHECK(gettid_raw() == tid && pthread_self() == self, "thread id %d", gettid_raw());
		CHECK(errno != -1, "errno");
	}
}

static void several(void)
{
	int count = atoi(subject_arg(0));
	pthread_t threads[200];
	char name[32];
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "thread-%d", i);
		threads[i] = start_thread(name, tls_thread, (void *)(uintptr_t)(i + 100));
	}
	ready();
	while (next_round())
		CHECK(local == 17, "the leader's thread-local data");
	for (int i = 0; i < count; i++)
		join_thread(threads[i]);
}

static void threaded_child(void *arg)
{
	(void)arg;
	several();
}

static void in_several_processes(void)
{
	start_child("child-1", threaded_child, NULL);
	start_child("child-2", threaded_child, NULL);
	several();
	join_children();
}

static void named_thread(void *arg)
{
	char name[20];
	prctl(PR_SET_NAME, arg);
	ready();
	while (next_round()) {
		prctl(PR_GET_NAME, name);
		CHECK(strcmp(name, (char *)arg) == 0, "name %s", name);
	}
}

static void names(void)
{
	pthread_t one = start_thread("one", named_thread, "fifteen letters"),
		  two = start_thread("two", named_thread, "), (x\n\xff"),
		  three = start_thread("three", named_thread, "");
	ready();
	while (next_round())
		;
	join_thread(one);
	join_thread(two);
	join_thread(three);
}

/* CLONE_CHILD_CLEARTID: the word is cleared and woken when the thread ends. */
static void clear_tid(void *arg)
{
	int *address = NULL;
	(void)arg;
	REQUIRE(prctl(PR_GET_TID_ADDRESS, &address) == 0 && address, "PR_GET_TID_ADDRESS");
	ready();
	while (next_round()) {
		int *now = NULL;
		CHECK(prctl(PR_GET_TID_ADDRESS, &now) == 0 && now == address, "tid address %p", (void *)now);
		CHECK(*address == gettid_raw(), "the word there is %d", *address);
	}
}

static void tid_address(void)
{
	pthread_t thread = start_thread("thread", clear_tid, NULL);
	int *address = NULL, *now = NULL;
	static int elsewhere;
	syscall(SYS_set_tid_address, &elsewhere);
	prctl(PR_GET_TID_ADDRESS, &address);
	ready();
	while (next_round())
		CHECK(prctl(PR_GET_TID_ADDRESS, &now) == 0 && now == &elsewhere && address == now, "tid address %p",
		      (void *)now);
	join_thread(thread);
}

/* The owner of a robust mutex dies after the restore: the next one is told. */
static pthread_mutex_t robust_mutex;

static void dies_with_lock(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&robust_mutex);
	ready();
	while (next_round())
		;
}

static void robust(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust_mutex, &attributes);
	pthread_t thread = start_thread("owner", dies_with_lock, NULL);
	int error = EBUSY;
	ready();
	while (next_round()) {
		if (error == EBUSY)
			error = pthread_mutex_trylock(&robust_mutex);
		CHECK(error == EBUSY || stop_requested(), "it is not locked: %d", error);
	}
	join_thread(thread);
	if (error == EBUSY)
		error = pthread_mutex_lock(&robust_mutex);
	CHECK(error == EOWNERDEAD, "lock: %d", error);
}

/* The same between processes. */
static void process_with_lock(void *arg)
{
	pthread_mutex_lock(arg);
	ready();
	while (next_round())
		;
}

static void robust_process(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex = map_shared(PAGE);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attributes);
	start_child("owner", process_with_lock, mutex);
	int error = EBUSY;
	ready();
	while (next_round()) {
		if (error == EBUSY)
			error = pthread_mutex_trylock(mutex);
		CHECK(error == EBUSY || stop_requested(), "it is not locked: %d", error);
	}
	join_children();
	if (error == EBUSY)
		error = pthread_mutex_lock(mutex);
	CHECK(error == EOWNERDEAD, "lock: %d", error);
}

/* Mutexes, conditions and barriers in use all the time. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn, closing;

static void takes_turns(void *arg)
{
	int own = (int)(uintptr_t)arg;
	ready();
	for (;;) {
		pthread_mutex_lock(&mutex);
		while (turn != own && !closing)
			pthread_cond_wait(&turned, &mutex);
		turn = (own + 1) % 4;
		bool end = closing;
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&mutex);
		if (end)
			return;
		next_busy_round();
		nap_ms(1);
	}
}

static void turns(void)
{
	pthread_t threads[3];
	char name[16];
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "player-%d", i);
		threads[i] = start_thread(name, takes_turns, (void *)(uintptr_t)(i + 1));
	}
	ready();
	while (next_busy_round()) {
		pthread_mutex_lock(&mutex);
		while (turn != 0)
			pthread_cond_wait(&turned, &mutex);
		turn = 1;
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&mutex);
		nap_ms(1);
	}
	pthread_mutex_lock(&mutex);
	closing = 1;
	pthread_cond_broadcast(&turned);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 3; i++)
		join_thread(threads[i]);
}

/* Owned by priority inheritance, with a waiter in the kernel. */
static pthread_mutex_t heirloom;

static void waits_for_heirloom(void *arg)
{
	(void)arg;
	ready();
	int error = pthread_mutex_lock(&heirloom);
	CHECK(error == 0 && stop_requested(), "lock: %d", error);
	pthread_mutex_unlock(&heirloom);
}

static void inheritance(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&heirloom, &attributes);
	pthread_mutex_lock(&heirloom);
	pthread_t thread = start_thread("waiter", waits_for_heirloom, NULL);
	ready();
	while (next_round())
		;
	pthread_mutex_unlock(&heirloom);
	join_thread(thread);
}

/* Made after the restore as well; joined, detached, with values. */
static void *gives_back(void *arg)
{
	local += (unsigned long)arg;
	return (void *)local;
}

static void new_threads(void)
{
	ready();
	while (next_round()) {
		pthread_t thread;
		void *back = NULL;
		int error = pthread_create(&thread, NULL, gives_back, (void *)25);
		CHECK(error == 0, "pthread_create: %d", error);
		if (error == 0)
			CHECK(pthread_join(thread, &back) == 0 && back == (void *)42, "it gave back %p", back);
	}
}

/* Ended already, and not yet joined. */
static void unjoined(void)
{
	pthread_t thread;
	void *back = NULL;
	REQUIRE(pthread_create(&thread, NULL, gives_back, (void *)25) == 0, "pthread_create");
	nap_ms(20);
	ready();
	while (next_round())
		CHECK(kill(getpid(), 0) == 0, "kill");
	CHECK(pthread_join(thread, &back) == 0 && back == (void *)42, "it gave back %p", back);
}

/* exec after the restore: other threads and all are gone, the program starts anew. */
static void forks_and_execs(void)
{
	pthread_t thread = start_thread("thread", tls_thread, (void *)5);
	ready();
	while (next_round()) {
		int status = -1;
		pid_t pid = fork();
		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child ended with %x", status);
	}
	join_thread(thread);
}

SUBJECT({"several", several}, {"in-several-processes", in_several_processes}, {"names", names},
	{"tid-address", tid_address}, {"robust", robust}, {"robust-process", robust_process},
	{"turns", turns}, {"inheritance", inheritance}, {"new-threads", new_threads},
	{"unjoined", unjoined}, {"forks-and-execs", forks_and_execs})
