/*
 * A call chain in three threads, which tests/e2e/show.test.ts wants to see again in gdb, with the
 * arguments and variables of each function. Its data is in every kind of memory that a core file has.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct note {
  int depth;
  const char *who;
  double ratio;
};

char in_data[64] = "from the program's file";
int in_bss[1000];
char *in_heap, *in_shared;
volatile int never;

__attribute__((noinline)) void innermost(struct note *note) {
  note->ratio = note->depth * 1.5;
  while (!never) pause();
}

__attribute__((noinline)) void middle(struct note *note) {
  note->depth++;
  innermost(note);
  note->depth--;
}

__attribute__((noinline)) void outermost(struct note *note) {
  note->depth++;
  middle(note);
  note->depth--;
}

static void *worker(void *who) {
  struct note mine = {.depth = 10, .who = who};
  outermost(&mine);
  return mine.who == who ? NULL : who;
}

__attribute__((noinline)) void waits_for(pthread_t thread) { pthread_join(thread, NULL); }

int main(int argc, char **argv) {
  pthread_t first, second;
  sigset_t blocked;
  FILE *ready;

  strcat(in_data, ", changed");
  in_bss[500] = 4711;
  in_heap = strdup("on the heap");
  in_shared = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  strcpy(in_shared + 8192, "in shared memory");
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  pthread_create(&first, NULL, worker, "first");
  pthread_create(&second, NULL, worker, "second");
  pthread_kill(pthread_self(), SIGUSR1);
  sleep(1);
  ready = fopen(argv[1], "w");
  fprintf(ready, "%d", getpid());
  fclose(ready);
  waits_for(first);
  return argc > 5;
}
