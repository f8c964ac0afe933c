/*
 * snapshot PID LOG
 *
 * Prints all that the kernel tells about the tree of processes below PID, one fact a line, so that
 * a plain diff of two snapshots shows what a dump or a restore has changed:
 *
 *   5 map 7f00-7f01 rw-p ...      facts of process 5
 *   5.6 sched ...                 facts of its thread 6
 *
 * What cannot be the same twice is printed as its order of appearance (`pipe:#1`, the inode of a
 * deleted file), or not at all (counters, the position in LOG).
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_TASKS 4096
#define KCMP_FILE 0
#define KCMP_VM 1
#define KCMP_FILES 2
#define KCMP_FS 3
#define KCMP_SIGHAND 4

static int root, tasks[MAX_TASKS], task_count;
static const char *log_path;

/* ---- names for what has no lasting name ---- */

static char *names[65536];
static int name_count;

/* Counted by kind: the part before the colon. */
static int ordinal(const char *name)
{
	size_t kind = strcspn(name, ":");
	int n = 1;
	for (int i = 0; i < name_count; i++)
		if (strcmp(names[i], name) == 0)
			return n;
		else if (strncmp(names[i], name, kind + 1) == 0)
			n++;
	if (name_count < (int)(sizeof(names) / sizeof(names[0])))
		names[name_count++] = strdup(name);
	return n;
}

/* ---- reading /proc ---- */

static char *slurp(const char *path, size_t *size)
{
	size_t room = 1 << 16, used = 0;
	char *text = malloc(room + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	while (fd >= 0 && (n = read(fd, text + used, room - used)) > 0)
		if ((used += n) == room)
			text = realloc(text, (room *= 2) + 1);
	if (fd < 0 || (n < 0 && used == 0)) {
		free(text);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	close(fd);
	text[used] = 0;
	if (size)
		*size = used;
	return text;
}

static void print_escaped(const char *label, const char *who, const char *text, size_t size)
{
	printf("%s %s ", who, label);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = text[i];
		if (isprint(c) && c != '\\')
			putchar(c);
		else
			printf("\\x%02x", c);
	}
	putchar('\n');
}

static void print_file(const char *who, const char *dir, const char *name)
{
	char path[300];
	size_t size;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	char *text = slurp(path, &size);
	if (text)
		print_escaped(name, who, text, size && text[size - 1] == '\n' ? size - 1 : size);
	free(text);
}

static void print_lines(const char *who, const char *dir, const char *name)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	char *text = slurp(path, NULL), *rest = text;
	for (char *line; text && (line = strsep(&rest, "\n"));)
		if (*line)
			printf("%s %s %s\n", who, name, line);
	free(text);
}

static void print_link(const char *who, const char *dir, const char *name)
{
	char path[300], target[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n >= 0)
		printf("%s %s %.*s\n", who, name, (int)n, target);
}

/* ---- the tree ---- */

static void collect(int pid)
{
	char path[64];
	if (task_count == MAX_TASKS)
		return;
	tasks[task_count++] = pid;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char children[300];
		if (!isdigit(e->d_name[0]))
			continue;
		snprintf(children, sizeof(children), "%s/%s/children", path, e->d_name);
		char *text = slurp(children, NULL), *at = text, *end;
		for (long child; text && (child = strtol(at, &end, 10)) > 0; at = end)
			collect(child);
		free(text);
	}
	if (dir)
		closedir(dir);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int list_numbers(const char *path, int *out, int room)
{
	int n = 0;
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && n < room && (e = readdir(dir));)
		if (isdigit(e->d_name[0]))
			out[n++] = atoi(e->d_name);
	if (dir)
		closedir(dir);
	qsort(out, n, sizeof(int), by_number);
	return n;
}

/* ---- memory ---- */

static const char *const volatile_flags[] = {"sd", "ac"};

/* `ac` (accounted) depends on the history of protections; `sd` (soft dirty) on the last reset. */
static void print_flags(const char *who, const char *address, char *flags)
{
	printf("%s vmflags %s", who, address);
	for (char *flag; (flag = strsep(&flags, " "));) {
		int skip = !*flag;
		for (size_t i = 0; i < sizeof(volatile_flags) / sizeof(*volatile_flags); i++)
			skip |= strcmp(flag, volatile_flags[i]) == 0;
		if (!skip)
			printf(" %s", flag);
	}
	putchar('\n');
}

static void print_mapping(const char *who, const char *line, char *address)
{
	char perms[8], offset[32], dev[16], inode[32], key[64];
	int path_at = 0;
	sscanf(line, "%63s %7s %31s %15s %31s %n", address, perms, offset, dev, inode, &path_at);
	const char *path = line + path_at;
	size_t n = strlen(path);
	if ((n > 10 && strcmp(path + n - 10, " (deleted)") == 0) ||
	    strncmp(path, "anon_inode:", 11) == 0) {
		snprintf(key, sizeof(key), "inode: %s %s", dev, inode);
		snprintf(inode, sizeof(inode), "#%d", ordinal(key));
	}
	if (strncmp(path, "socket:[", 8) == 0) {
		snprintf(inode, sizeof(inode), "#%d", ordinal(path));
		path = "socket";
	}
	printf("%s map %s %s %s %s %s %s\n", who, address, perms, offset, dev, inode, path);
}

static void print_memory(const char *who, const char *dir)
{
	char path[300], address[64] = "";
	snprintf(path, sizeof(path), "%s/smaps", dir);
	char *text = slurp(path, NULL), *rest = text;
	for (char *line; text && (line = strsep(&rest, "\n"));) {
		unsigned long from, to;
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			print_mapping(who, line, address);
		else if (strncmp(line, "VmFlags:", 8) == 0)
			print_flags(who, address, line + 9);
		else if (strncmp(line, "ProtectionKey:", 14) == 0)
			printf("%s pkey %s %d\n", who, address, atoi(line + 14));
	}
	free(text);
}

/* ---- descriptors ---- */

static struct description {
	int pid, fd;
	char target[512];
} descriptions[16384];
static int description_count;

/* The number of the open file description: the same for all descriptors that share it. */
static int description_of(int pid, int fd, const char *target)
{
	for (int i = 0; i < description_count; i++) {
		struct description *d = &descriptions[i];
		if (strcmp(d->target, target) == 0 &&
		    syscall(SYS_kcmp, d->pid, pid, KCMP_FILE, d->fd, fd) == 0)
			return i + 1;
	}
	if (description_count == (int)(sizeof(descriptions) / sizeof(descriptions[0])))
		return 0;
	struct description *d = &descriptions[description_count++];
	d->pid = pid;
	d->fd = fd;
	snprintf(d->target, sizeof(d->target), "%s", target);
	return description_count;
}

static int is_deleted(const char *target)
{
	size_t n = strlen(target);
	return n > 10 && strcmp(target + n - 10, " (deleted)") == 0;
}

static void print_fdinfo(const char *who, int fd, const char *path, const char *target)
{
	char *text = slurp(path, NULL), *rest = text;
	int lasting = target[0] == '/' && !is_deleted(target) && strncmp(target, "/proc/", 6) != 0;
	int is_log = strcmp(target, log_path) == 0;
	for (char *line; text && (line = strsep(&rest, "\n"));) {
		if (!*line || (strncmp(line, "ino:", 4) == 0 && !lasting) ||
		    (strncmp(line, "pos:", 4) == 0 && is_log))
			continue;
		for (char *c = line; *c; c++)
			if (*c == '\t')
				*c = ' ';
		printf("%s fd %d %s\n", who, fd, line);
	}
	free(text);
}

static void print_descriptor(const char *who, const char *dir, int pid, int fd)
{
	char path[300], target[512], name[600];
	struct stat st = {0};
	snprintf(path, sizeof(path), "%s/fd/%d", dir, fd);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = 0;
	stat(path, &st);
	snprintf(name, sizeof(name), "%s", target);
	char *colon = strstr(name, ":[");
	if (target[0] != '/' && colon)
		snprintf(colon, 32, ":#%d", ordinal(target));
	printf("%s fd %d -> %s mode %o rdev %lx nlink %lu description %d\n", who, fd, name,
	       st.st_mode, (long)st.st_rdev, S_ISDIR(st.st_mode) ? 0L : (long)st.st_nlink,
	       description_of(pid, fd, target));
	snprintf(path, sizeof(path), "%s/fdinfo/%d", dir, fd);
	print_fdinfo(who, fd, path, target);
}

static void print_descriptors(const char *who, const char *dir, int pid)
{
	static int fds[20000];
	char path[300];
	snprintf(path, sizeof(path), "%s/fd", dir);
	int n = list_numbers(path, fds, sizeof(fds) / sizeof(fds[0]));
	for (int i = 0; i < n; i++)
		print_descriptor(who, dir, pid, fds[i]);
}

/* ---- tasks ---- */

static const char *const status_fields[] = {
	"Name",       "Umask",	"Tgid",	  "Pid",	     "TracerPid", "Uid",
	"Gid",	      "Groups", "NStgid", "NSpid",	     "NSpgid",	  "NSsid",
	"Threads",    "SigPnd", "ShdPnd", "SigBlk",	     "SigIgn",	  "SigCgt",
	"CapInh",     "CapPrm", "CapEff", "CapBnd",	     "CapAmb",	  "NoNewPrivs",
	"Seccomp",    "Seccomp_filters",  "THP_enabled",     "Cpus_allowed", "Mems_allowed",
	"Kthread",    NULL,
};

static int is_wanted(const char *field)
{
	for (const char *const *f = status_fields; *f; f++)
		if (strcmp(*f, field) == 0)
			return 1;
	return 0;
}

static void print_status_line(const char *who, int pid, char *line)
{
	char *value = strchr(line, ':');
	if (!value)
		return;
	*value++ = 0;
	for (char *c = value; *c; c++)
		if (*c == '\t')
			*c = ' ';
	/* Running and sleeping change all the time; stopped and dead do not. */
	int lasting_state = strcmp(line, "State") == 0 && strchr("TtZX", value[1]);
	/* The tree's root has another parent after each restore. */
	int parent = strcmp(line, "PPid") == 0 && pid != root;
	if (is_wanted(line) || lasting_state || parent)
		printf("%s status %s%s\n", who, line, value);
}

static void print_status(const char *who, const char *dir, int pid)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/status", dir);
	char *text = slurp(path, NULL), *rest = text;
	for (char *line; text && (line = strsep(&rest, "\n"));)
		print_status_line(who, pid, line);
	free(text);
}

/* Numbers as in proc(5), /proc/PID/stat. */
static const struct {
	int number;
	const char *name;
} stat_fields[] = {
	{5, "pgrp"},	    {6, "session"},	{7, "tty_nr"},	     {18, "priority"},
	{19, "nice"},	    {26, "startcode"},	{27, "endcode"},     {28, "startstack"},
	{38, "exit_signal"}, {40, "rt_priority"}, {41, "policy"},    {45, "start_data"},
	{46, "end_data"},   {47, "start_brk"},	{48, "arg_start"},   {49, "arg_end"},
	{50, "env_start"},  {51, "env_end"},	{52, "exit_code"},
};

static void print_stat(const char *who, const char *dir)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/stat", dir);
	char *text = slurp(path, NULL);
	char *rest = text ? strrchr(text, ')') : NULL;
	if (!rest)
		return free(text);
	rest += 2;
	int number = 3;
	for (char *word; (word = strsep(&rest, " \n")); number++)
		for (size_t i = 0; i < sizeof(stat_fields) / sizeof(stat_fields[0]); i++)
			if (stat_fields[i].number == number)
				printf("%s stat %s %s\n", who, stat_fields[i].name, word);
	free(text);
}

static void print_sched(const char *who, int tid)
{
	struct sched_attr a = {0};
	if (syscall(SYS_sched_getattr, tid, &a, sizeof(a), 0) == 0)
		printf("%s sched policy %u flags %lx nice %d priority %u runtime %lu deadline %lu "
		       "period %lu clamp %u %u\n",
		       who, a.sched_policy, (long)a.sched_flags, a.sched_nice, a.sched_priority,
		       (long)a.sched_runtime, (long)a.sched_deadline, (long)a.sched_period,
		       a.sched_util_min, a.sched_util_max);
	printf("%s ioprio %lx\n", who, syscall(SYS_ioprio_get, 1, tid));
}

static void print_robust_list(const char *who, int tid)
{
	void *head = NULL;
	size_t length = 0;
	if (syscall(SYS_get_robust_list, tid, &head, &length) == 0)
		printf("%s robust_list %p %zu\n", who, head, length);
}

static void print_auxv(const char *who, const char *dir)
{
	char path[300];
	size_t size;
	snprintf(path, sizeof(path), "%s/auxv", dir);
	char *bytes = slurp(path, &size);
	if (!bytes)
		return;
	printf("%s auxv ", who);
	for (size_t i = 0; i < size; i++)
		printf("%02x", (unsigned char)bytes[i]);
	putchar('\n');
	free(bytes);
}

/* Of the dead only what their parent and their group can learn. */
static int is_zombie(const char *who, const char *dir)
{
	char path[96], state = 0;
	int parent, group, session;
	long exit_code = 0;
	snprintf(path, sizeof(path), "%s/stat", dir);
	char *text = slurp(path, NULL), *rest = text ? strrchr(text, ')') : NULL;
	if (rest && sscanf(rest + 2, "%c %d %d %d", &state, &parent, &group, &session) == 4 && state == 'Z') {
		char *last = strrchr(rest, ' ');
		exit_code = last ? atol(last + 1) : 0;
		printf("%s zombie of %d group %d session %d exit code %lx\n", who, parent, group, session,
		       exit_code);
		print_file(who, dir, "comm");
	}
	free(text);
	return state == 'Z';
}

static void print_thread(int pid, int tid)
{
	char who[32], dir[64];
	snprintf(who, sizeof(who), "%d.%d", pid, tid);
	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", pid, tid);
	if (is_zombie(who, dir))
		return;
	print_status(who, dir, pid);
	print_stat(who, dir);
	print_sched(who, tid);
	print_robust_list(who, tid);
	print_file(who, dir, "comm");
	print_file(who, dir, "personality");
	snprintf(dir, sizeof(dir), "/proc/%d", tid);
	print_file(who, dir, "timerslack_ns");
}

/* Which tasks share one table, memory, … with which: the first task that shares it. */
static void print_sharing(const char *who, int index)
{
	static const struct {
		int type;
		const char *name;
	} kinds[] = {
		{KCMP_VM, "vm"}, {KCMP_FILES, "files"}, {KCMP_FS, "fs"}, {KCMP_SIGHAND, "sighand"},
	};
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (int i = 0; i < index; i++)
			if (syscall(SYS_kcmp, tasks[i], tasks[index], kinds[k].type, 0, 0) == 0) {
				printf("%s shares %s with %d\n", who, kinds[k].name, tasks[i]);
				break;
			}
}

static void print_process(int index)
{
	static int tids[MAX_TASKS];
	int pid = tasks[index];
	char who[16], dir[64], path[96];
	struct stat st;
	snprintf(who, sizeof(who), "%d", pid);
	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	if (stat(dir, &st) == 0)
		printf("%s owner %d %d\n", who, st.st_uid, st.st_gid);
	print_memory(who, dir);
	print_descriptors(who, dir, pid);
	static const char *const links[] = {"exe", "cwd", "root", "ns/mnt", "ns/net", "ns/ipc",
					    "ns/uts", "ns/pid", "ns/user", "ns/cgroup", "ns/time"};
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		print_link(who, dir, links[i]);
	static const char *const files[] = {"cmdline", "environ", "oom_score_adj", "coredump_filter"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		print_file(who, dir, files[i]);
	print_auxv(who, dir);
	print_lines(who, dir, "limits");
	print_lines(who, dir, "timers");
	print_sharing(who, index);
	snprintf(path, sizeof(path), "%s/task", dir);
	int n = list_numbers(path, tids, MAX_TASKS);
	for (int i = 0; i < n; i++)
		print_thread(pid, tids[i]);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return fprintf(stderr, "usage: snapshot PID LOG\n"), 64;
	root = atoi(argv[1]);
	log_path = argv[2];
	if (kill(root, 0) < 0 && errno == ESRCH)
		return fprintf(stderr, "snapshot: no process %d\n", root), 1;
	collect(root);
	qsort(tasks, task_count, sizeof(int), by_number);
	for (int i = 0; i < task_count; i++)
		print_process(i);
	return 0;
}
