/* A tree of 64 and 32 bits. */
#include "subject.h"

static void narrow_children(void)
{
	exec_child("plain", "compat32", "plain");
	exec_child("threads", "compat32", "threads");
	ready();
	while (next_round())
		CHECK(sizeof(void *) == 8, "word size");
	join_children();
}

SUBJECT({"narrow-children", narrow_children})
