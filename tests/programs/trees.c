/* Trees of processes: who is whose parent, session, group; the dead, the stopped, the adopted. */
#include "subject.h"
#include <sys/prctl.h>

static void keep_place(void)
{
	pid_t parent = getppid(), pid = getpid(), session = getsid(0), group = getpgrp();
	while (next_round()) {
		CHECK(getpid() == pid, "pid %d", getpid());
		CHECK(getppid() == parent, "parent %d", getppid());
		CHECK(getsid(0) == session, "session %d", getsid(0));
		CHECK(getpgrp() == group, "group %d", getpgrp());
	}
}

static void idle(void *arg)
{
	(void)arg;
	ready();
	keep_place();
}

/* Has a parent that dies as soon as this one is ready. */
static void idle_orphan(void *arg)
{
	pid_t mortal = getppid();
	(void)arg;
	ready();
	while (getppid() == mortal)
		nap_ms(1);
	keep_place();
}

static void idle_in_group(void *arg)
{
	/* A stop by SIGTSTP or SIGTTIN needs a group that is not orphaned. */
	REQUIRE(setpgid(0, 0) == 0, "setpgid");
	idle(arg);
}

static int depth;

static void generations_below(void *arg)
{
	int left = *(int *)arg - 1;
	pid_t parent = getppid();
	char name[32];
	snprintf(name, sizeof(name), "generation-%d", left);
	if (left > 0)
		start_child(name, generations_below, &left);
	ready();
	while (next_round())
		CHECK(left == depth - 1 || getppid() == parent, "parent %d, not %d", getppid(), parent);
	join_children();
}

static void generations(void)
{
	depth = atoi(subject_arg(0));
	generations_below(&depth);
}

static void siblings(void)
{
	int count = atoi(subject_arg(0));
	char name[32];
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "child-%d", i);
		start_child(name, idle, NULL);
	}
	ready();
	while (next_round())
		;
	join_children();
}

static void new_session(void *arg)
{
	REQUIRE(setsid() == getpid(), "setsid");
	start_child((char *)arg, idle, NULL);
	idle(NULL);
	join_children();
}

static void new_group(void *arg)
{
	REQUIRE(setpgid(0, 0) == 0, "setpgid");
	start_child((char *)arg, idle, NULL);
	idle(NULL);
	join_children();
}

static void sessions(void)
{
	start_child("session-1", new_session, "in-session-1");
	start_child("session-2", new_session, "in-session-2");
	start_child("group-1", new_group, "in-group-1");
	ready();
	while (next_round())
		CHECK(getsid(0) == getpid() && getpgrp() == getpid(), "own session %d", getsid(0));
	join_children();
}

/* A group whose leader is a younger brother's: joined across branches of the tree. */
static void in_group(void *arg)
{
	REQUIRE(setpgid(0, *(pid_t *)arg) == 0, "setpgid %d", *(pid_t *)arg);
	idle(NULL);
}

static void lead_group(void *arg)
{
	setpgid(0, 0);
	idle(arg);
}

static void joined_group(void)
{
	pid_t leader = start_child("leader", lead_group, NULL);
	pid_t member = start_child("member", in_group, &leader);
	ready();
	while (next_round())
		CHECK(getpgid(member) == leader, "group %d", getpgid(member));
	join_children();
}

static void leader_of_orphan(void *arg)
{
	int how = *(int *)arg;
	if (how == 's')
		REQUIRE(setsid() == getpid(), "setsid");
	else
		REQUIRE(setpgid(0, 0) == 0, "setpgid");
	start_child("member", idle_orphan, NULL);
	_exit(0);
}

/* A leader that never becomes ready, but leaves a member to the subreaper above. */
static void leave_member(int how)
{
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
	fflush(NULL);
	pid_t leader = fork();
	if (leader == 0)
		leader_of_orphan(&how);
	int status;
	REQUIRE(waitpid(leader, &status, 0) == leader && status == 0, "leader: %x", status);
	nap_ms(30);
	ready();
	while (next_round())
		CHECK(kill(-leader, 0) == 0, "no group %d: %d", leader, errno);
	CHECK(waitpid(-1, &status, 0) > 0 && status == 0, "the adopted member ended with %x", status);
}

static void dead_session_leader(void)
{
	leave_member('s');
}

static void dead_group_leader(void)
{
	leave_member('g');
}

static pid_t make_zombie(int how)
{
	pid_t pid = fork();
	if (pid == 0) {
		signal(how < 0 ? -how : SIGUSR1, SIG_DFL);
		if (how < 0)
			raise(-how);
		_exit(how);
	}
	siginfo_t info;
	REQUIRE(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0, "waitid");
	return pid;
}

static void zombies(void)
{
	static const int ways[] = {0, 1, 77, 255, -SIGKILL, -SIGUSR1, -SIGTERM};
	pid_t pids[COUNT_OF(ways)];
	siginfo_t info;
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		pids[i] = make_zombie(ways[i]);
	ready();
	while (next_round())
		for (size_t i = 0; i < COUNT_OF(ways); i++) {
			memset(&info, 0, sizeof(info));
			int got = waitid(P_PID, pids[i], &info, WEXITED | WNOWAIT | WNOHANG);
			CHECK(got == 0 && info.si_pid == pids[i], "zombie %zu is gone: %d", i, errno);
			CHECK(info.si_code == (ways[i] < 0 ? CLD_KILLED : CLD_EXITED) &&
				      info.si_status == abs(ways[i]),
			      "zombie %zu: code %d, status %d", i, info.si_code, info.si_status);
		}
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		CHECK(waitpid(pids[i], NULL, 0) == pids[i], "zombie %zu", i);
}

/* A dead child that leads a session and a group which others still belong to. */
static void zombie_leader_body(void)
{
	setsid();
	pid_t member = fork();
	if (member == 0) {
		nap_ms(100000);
		_exit(1);
	}
	_exit(5);
}

static void zombie_leader(void)
{
	siginfo_t info;
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
	pid_t leader = fork();
	if (leader == 0)
		zombie_leader_body();
	REQUIRE(waitid(P_PID, leader, &info, WEXITED | WNOWAIT) == 0, "waitid");
	ready();
	while (next_round()) {
		memset(&info, 0, sizeof(info));
		waitid(P_PID, leader, &info, WEXITED | WNOWAIT | WNOHANG);
		CHECK(info.si_pid == leader && info.si_status == 5, "zombie: status %d", info.si_status);
		CHECK(getsid(leader) == leader, "session %d", getsid(leader));
	}
	CHECK(kill(-leader, SIGKILL) == 0, "the group %d has no member", leader);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static char state_of(pid_t pid)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && strrchr(text, ')') ? strrchr(text, ')')[2] : 0;
}

/* A stopped child cannot check anything, so its parent does. */
static void stopped(void)
{
	int signal_number = atoi(subject_arg(0)), status = 0;
	pid_t pid = start_child("child", idle_in_group, NULL);
	REQUIRE(kill(pid, signal_number) == 0, "kill");
	REQUIRE(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "waitpid");
	ready();
	while (next_round()) {
		/* On its way back into the stop it may be seen running for a moment. */
		char state = state_of(pid);
		for (int i = 0; i < 20 && state != 'T'; i++) {
			nap_ms(5);
			state = state_of(pid);
		}
		CHECK(state == 'T', "state %c", state);
	}
	kill(pid, SIGCONT);
	join_children();
}

/* Stopped, and its parent has not yet asked: it still learns of it, and of which signal. */
static void stop_unreported(void)
{
	siginfo_t info;
	pid_t pid = start_child("child", idle_in_group, NULL);
	REQUIRE(kill(pid, SIGTSTP) == 0, "kill");
	REQUIRE(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT) == 0, "waitid");
	ready();
	while (next_round()) {
		memset(&info, 0, sizeof(info));
		CHECK(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT | WNOHANG) == 0 &&
			      info.si_code == CLD_STOPPED && info.si_status == SIGTSTP,
		      "code %d, status %d", info.si_code, info.si_status);
	}
	kill(pid, SIGCONT);
	waitpid(pid, &(int){0}, WCONTINUED);
	join_children();
}

static void stopped_threads_body(void *arg)
{
	pthread_t threads[3];
	threads[0] = start_thread("t1", idle, arg);
	threads[1] = start_thread("t2", idle, arg);
	idle(arg);
	join_thread(threads[0]);
	join_thread(threads[1]);
}

static void stopped_threads(void)
{
	int status;
	pid_t pid = start_child("child", stopped_threads_body, NULL);
	REQUIRE(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid, "stop");
	ready();
	while (next_round())
		CHECK(waitpid(pid, &status, WCONTINUED | WNOHANG) == 0, "it runs: %x", status);
	kill(pid, SIGCONT);
	join_children();
}

static void adopted_by_subreaper(void)
{
	int status, reaper = 0;
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
	pid_t between = fork();
	if (between == 0) {
		start_child("orphan", idle_orphan, NULL);
		_exit(0);
	}
	REQUIRE(waitpid(between, &status, 0) == between && status == 0, "between: %x", status);
	ready();
	while (next_round()) {
		prctl(PR_GET_CHILD_SUBREAPER, &reaper);
		CHECK(reaper == 1, "no subreaper any more");
		siginfo_t ended = {0};
		CHECK(waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0, "the orphan is no child: %d", errno);
		CHECK(ended.si_pid == 0 || stop_requested(), "the orphan has ended");
	}
	CHECK(waitpid(-1, &status, 0) > 0 && status == 0, "the orphan ended with %x", status);
}

static void heir(void *arg)
{
	(void)arg;
	ready();
	while (next_round())
		;
}

/* Who dies only after the restore leaves its child to the subreaper as well. */
static void mortal(void *arg)
{
	(void)arg;
	start_child("heir", heir, NULL);
	ready();
	while (next_round())
		;
}

static void subreaper_later(void)
{
	int status = 0, reaper = 0, adopted = 0;
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
	start_child("mortal", mortal, NULL);
	ready();
	while (next_round()) {
		prctl(PR_GET_CHILD_SUBREAPER, &reaper);
		CHECK(reaper == 1, "no subreaper any more");
	}
	while (waitpid(-1, &status, 0) > 0)
		adopted++;
	CHECK(adopted == 2, "%d children were reaped, not the child and the grandchild", adopted);
}

static void death_signal_child(void *arg)
{
	int wanted = *(int *)arg, got;
	REQUIRE(prctl(PR_SET_PDEATHSIG, wanted) == 0, "pdeathsig");
	ready();
	while (next_round()) {
		got = -1;
		prctl(PR_GET_PDEATHSIG, &got);
		CHECK(got == wanted, "parent-death signal %d, not %d", got, wanted);
	}
}

static void death_signal(void)
{
	int first = SIGUSR2, second = SIGKILL;
	start_child("usr2", death_signal_child, &first);
	start_child("kill", death_signal_child, &second);
	ready();
	while (next_round())
		;
	join_children();
}

/* The signal really comes when the parent dies after the restores. */
static volatile sig_atomic_t told;

static void on_told(int signal)
{
	(void)signal;
	told = 1;
}

static void told_child(void *arg)
{
	(void)arg;
	signal(SIGUSR2, on_told);
	REQUIRE(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0, "pdeathsig");
	ready();
	while (next_round())
		CHECK(!told || stop_requested(), "told of a parent that lives");
	for (int i = 0; i < 300 && !told; i++)
		nap_ms(10);
	CHECK(told, "not told of the parent's death");
}

static void parent_of_told(void *arg)
{
	(void)arg;
	start_child("told", told_child, NULL);
	ready();
	while (next_round())
		;
}

static void death_signal_comes(void)
{
	int status;
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
	pid_t pid = start_child("parent", parent_of_told, NULL);
	ready();
	while (next_round())
		;
	join_child(pid);
	CHECK(waitpid(-1, &status, 0) > 0 && status == 0, "the orphan ended with %x", status);
}

/* Children come and go all the time; a dump falls into any of these moments. */
static void forking(void)
{
	long made = 0;
	ready();
	while (next_busy_round()) {
		int64_t until = now_ms() + 20;
		while (now_ms() < until) {
			int status = -1;
			pid_t pid = fork();
			if (pid == 0)
				_exit(made % 200);
			CHECK(pid > 0, "fork: %d", errno);
			CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == made % 200,
			      "child %d ended with %x", pid, status);
			made++;
		}
	}
}

/* The same, with grandchildren that reparent. */
static void forking_deep_child(void *arg)
{
	(void)arg;
	ready();
	while (next_busy_round()) {
		int status = -1;
		pid_t pid = fork();
		if (pid == 0) {
			pid_t inner = fork();
			if (inner == 0)
				_exit(3);
			waitpid(inner, &status, 0);
			_exit(WEXITSTATUS(status) + 4);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7, "ended with %x", status);
	}
}

static void forking_deep(void)
{
	start_child("forker-1", forking_deep_child, NULL);
	start_child("forker-2", forking_deep_child, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

static void *short_thread(void *arg)
{
	return arg;
}

static void threading(void)
{
	ready();
	while (next_busy_round()) {
		int64_t until = now_ms() + 20;
		for (long n = 1; now_ms() < until; n++) {
			pthread_t thread;
			void *back = NULL;
			CHECK(pthread_create(&thread, NULL, short_thread, (void *)n) == 0, "create");
			CHECK(pthread_join(thread, &back) == 0 && back == (void *)n, "join: %p", back);
		}
	}
}

/* Clones whose exit signal is not SIGCHLD. */
static volatile sig_atomic_t farewells;

static void on_farewell(int signal)
{
	(void)signal;
	farewells++;
}

static void exit_signal(void)
{
	int status;
	signal(SIGUSR1, on_farewell);
	pid_t loud = clone_child("loud", SIGUSR1, idle, NULL), mute = clone_child("mute", 0, idle, NULL);
	ready();
	while (next_round()) {
		CHECK(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD, "a plain child");
		CHECK(stop_requested() || kill(loud, 0) == 0, "no child");
		CHECK(stop_requested() || farewells == 0, "farewell before the end");
	}
	join_child(loud);
	join_child(mute);
	CHECK(farewells == 1, "%d exit signals", (int)farewells);
}

/* A child of the grandparent's. */
static void cloner(void *arg)
{
	(void)arg;
	clone_child("brother", CLONE_PARENT, idle, NULL);
	ready();
	while (next_round())
		;
}

static void clone_parent(void)
{
	int count = 0, status;
	clone_child("cloner", SIGCHLD, cloner, NULL);
	ready();
	while (next_round())
		;
	while (waitpid(-1, &status, __WALL) > 0) {
		CHECK(status == 0, "ended with %x", status);
		count++;
	}
	CHECK(count == 2, "%d children", count);
}

/* A parent that sits in wait4 all the while, and gets the true status. */
static void waiter(void *arg)
{
	int status = -1;
	pid_t pid = start_child("waited-for", idle, arg);
	ready();
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "waitpid: status %x, %d", status, errno);
}

static void waiting(void)
{
	start_child("waiter", waiter, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

/* Children of a thread that is not the leader. */
static void parent_thread(void *arg)
{
	(void)arg;
	pid_t pid = start_child("child-of-thread", idle, NULL);
	ready();
	while (next_round())
		;
	join_child(pid);
}

static void child_of_thread(void)
{
	pthread_t thread = start_thread("thread", parent_thread, NULL);
	ready();
	while (next_round())
		;
	join_thread(thread);
}

/* Pids that are not in the order of creation, as after a wrap-around. */
static void late_parent(void *arg)
{
	pid_t wanted = *(pid_t *)arg;
	REQUIRE(getpid() > wanted, "pid");
	idle(NULL);
}

static void pids_out_of_order(void)
{
	char text[16];
	pid_t first = start_child("high", late_parent, &(pid_t){getpid()});
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
	snprintf(text, sizeof(text), "%d", first + 500);
	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) > 0, "ns_last_pid");
	start_child("higher", idle, NULL);
	snprintf(text, sizeof(text), "%d", first + 100);
	REQUIRE(pwrite(fd, text, strlen(text), 0) > 0 && close(fd) == 0, "ns_last_pid");
	start_child("lower", idle, NULL);
	ready();
	while (next_round())
		;
	join_children();
}

SUBJECT({"generations", generations}, {"siblings", siblings}, {"sessions", sessions},
	{"joined-group", joined_group}, {"dead-session-leader", dead_session_leader},
	{"dead-group-leader", dead_group_leader}, {"zombies", zombies},
	{"zombie-leader", zombie_leader}, {"stopped", stopped}, {"stop-unreported", stop_unreported},
	{"stopped-threads", stopped_threads}, {"adopted", adopted_by_subreaper},
	{"subreaper-later", subreaper_later}, {"death-signal", death_signal},
	{"death-signal-comes", death_signal_comes}, {"forking", forking},
	{"forking-deep", forking_deep}, {"threading", threading}, {"exit-signal", exit_signal},
	{"clone-parent", clone_parent}, {"waiting", waiting}, {"child-of-thread", child_of_thread},
	{"pids-out-of-order", pids_out_of_order})
