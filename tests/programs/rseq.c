/* Restartable sequences: the registration, and threads that are inside of a critical section. */
#include "subject.h"
#include <linux/rseq.h>
#include <sys/rseq.h>

#define SIGNATURE 0x53053053

static struct rseq *libc_area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void check_area(struct rseq *area, uint32_t cpus)
{
	/* Registered: the kernel writes the cpu. Not: both are as they were left. */
	CHECK(area->cpu_id < cpus && area->cpu_id_start < cpus, "cpu %d", (int)area->cpu_id);
}

static void registered_thread(void *arg)
{
	struct rseq *area = libc_area();
	(void)arg;
	ready();
	while (next_round()) {
		/* Nobody but the kernel writes a sensible value in place of this one. */
		*(volatile uint32_t *)&area->cpu_id = 0xfffffff0;
		sched_yield();
		nap_ms(1);
		check_area(area, 4096);
	}
}

static void registered(void)
{
	NEEDS(__rseq_size > 0, "rseq in libc");
	pthread_t thread = start_thread("thread", registered_thread, NULL);
	start_child("child", registered_thread, NULL);
	ready();
	while (next_round()) {
		long result = syscall(SYS_rseq, libc_area(), 32, 0, SIGNATURE);
		CHECK(result == -1 && errno == EBUSY, "it could be registered once more: %d", errno);
	}
	join_thread(thread);
	join_children();
}

/* A thread that registered an area of its own, with a signature of its own. */
static struct rseq own_area __attribute__((aligned(64)));

static void own_registration(void *arg)
{
	(void)arg;
	REQUIRE(syscall(SYS_rseq, libc_area(), 32, RSEQ_FLAG_UNREGISTER, SIGNATURE) == 0, "unregister");
	REQUIRE(syscall(SYS_rseq, &own_area, 32, 0, 0x12345678) == 0, "register");
	ready();
	while (next_round()) {
		*(volatile uint32_t *)&own_area.cpu_id = 0xfffffff0;
		nap_ms(1);
		check_area(&own_area, 4096);
	}
	CHECK(syscall(SYS_rseq, &own_area, 32, RSEQ_FLAG_UNREGISTER, 0x12345678) == 0, "the signature is another: %d",
	      errno);
}

static void unregistered(void *arg)
{
	(void)arg;
	REQUIRE(syscall(SYS_rseq, libc_area(), 32, RSEQ_FLAG_UNREGISTER, SIGNATURE) == 0, "unregister");
	ready();
	while (next_round()) {
		*(volatile uint32_t *)&libc_area()->cpu_id = 0xfffffff0;
		nap_ms(1);
		CHECK(libc_area()->cpu_id == 0xfffffff0, "it is registered");
	}
	syscall(SYS_rseq, libc_area(), 32, 0, SIGNATURE);
}

static void own(void)
{
	NEEDS(__rseq_size > 0, "rseq in libc");
	pthread_t one = start_thread("own", own_registration, NULL),
		  two = start_thread("none", unregistered, NULL);
	ready();
	while (next_round())
		;
	join_thread(one);
	join_thread(two);
}

/*
 * A critical section without an end: only an abort leads out of it. An itimer's signal aborts it
 * every few ms; and a dump must too: a thread that is put back into the section, with the kernel
 * not knowing of it, never comes out.
 */
static uint64_t aborts;

static void section(struct rseq *area)
{
	uint64_t spins = 0;
	__asm__ volatile(".pushsection __rseq_section, \"aw\"\n"
			 ".balign 32\n"
			 "3: .long 0, 0\n .quad 1f, 2f-1f, 4f\n"
			 ".popsection\n"
			 "leaq 3b(%%rip), %%rax\n"
			 "movq %%rax, 8(%[area])\n"
			 "1: incq %[spins]\n jmp 1b\n nop\n"
			 "2: nop\n"
			 ".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n"
			 "4: incq %[aborts]\n"
			 : [spins] "+r"(spins), [aborts] "+m"(aborts)
			 : [area] "r"(area)
			 : "rax", "memory", "cc");
	CHECK(area->rseq_cs == 0, "the section is still marked");
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void in_section(void *arg)
{
	(void)arg;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1};
	struct itimerspec often = {{0, 20000000}, {0, 20000000}};
	timer_t timer;
	event._sigev_un._tid = gettid_raw();
	REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	ready();
	REQUIRE(timer_settime(timer, 0, &often, NULL) == 0, "timer_settime");
	while (next_busy_round()) {
		uint64_t before = aborts;
		section(libc_area());
		CHECK(aborts == before + 1, "%ld aborts", (long)(aborts - before));
	}
	timer_delete(timer);
}

static void critical_section(void)
{
	NEEDS(__rseq_size > 0, "rseq in libc");
	struct sigaction a = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	sigaction(SIGRTMIN + 1, &a, NULL);
	pthread_t thread = start_thread("section", in_section, NULL);
	ready();
	while (next_round())
		;
	join_thread(thread);
}

/* Per-CPU counters, as sections are used: no increment is lost. */
static struct {
	uint64_t value;
	char pad[56];
} counters[4096];

/* 0 when committed, 1 when aborted. */
static int increment(struct rseq *area)
{
	int aborted = 0;
	__asm__ volatile(".pushsection __rseq_section, \"aw\"\n"
			 ".balign 32\n"
			 "3: .long 0, 0\n .quad 1f, 2f-1f, 4f\n"
			 ".popsection\n"
			 "leaq 3b(%%rip), %%rax\n"
			 "movq %%rax, 8(%[area])\n"
			 "1: movl 0(%[area]), %%eax\n"
			 "shlq $6, %%rax\n"
			 "addq %[counters], %%rax\n"
			 "movl $300, %%ecx\n"
			 "5: decl %%ecx\n jnz 5b\n"
			 "incq (%%rax)\n"
			 "2: jmp 6f\n"
			 ".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n"
			 "4: movl $1, %[aborted]\n"
			 "6:\n"
			 : [aborted] "+r"(aborted)
			 : [area] "r"(area), [counters] "r"(counters)
			 : "rax", "rcx", "memory", "cc");
	return aborted;
}

static uint64_t increments[4];

static void counting(void *arg)
{
	uint64_t *done = arg;
	ready();
	while (next_busy_round()) {
		int64_t until = now_ms() + 15;
		while (now_ms() < until)
			for (int i = 0; i < 100; i++)
				*done += !increment(libc_area());
		nap_ms(5);
	}
}

static void per_cpu(void)
{
	NEEDS(__rseq_size > 0, "rseq in libc");
	pthread_t threads[3];
	char name[16];
	uint64_t sum = 0, done = 0;
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "counter-%d", i);
		threads[i] = start_thread(name, counting, &increments[i]);
	}
	ready();
	while (next_round())
		;
	for (int i = 0; i < 3; i++) {
		join_thread(threads[i]);
		done += increments[i];
	}
	for (int i = 0; i < 4096; i++)
		sum += counters[i].value;
	CHECK(sum == done && done > 0, "%ld increments, %ld counted", (long)done, (long)sum);
}

SUBJECT({"registered", registered}, {"own", own}, {"critical-section", critical_section},
	{"per-cpu", per_cpu})
