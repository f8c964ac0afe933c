/*
 * A client by Debian's libcriu: libcriu COMMAND CRIU [ARGUMENT...]. CRIU is the program, or the socket of
 * a service where it is one. Says what each call returned.
 */
#define _GNU_SOURCE
#include <criu/criu.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(const char *what, int result)
{
	printf("%s %d\n", what, result);
	fflush(stdout);
	return result;
}

static int notified(char *action, criu_notify_arg_t argument)
{
	printf("hook %s %s\n", action, criu_notify_pid(argument) > 0 ? "with pid" : "without pid");
	return 0;
}

static int refused(char *action, criu_notify_arg_t argument)
{
	(void)argument;
	return strcmp(action, "post-dump") == 0 ? -1 : 0;
}

static void options(const char *criu, const char *log)
{
	struct stat status;

	criu_init_opts();
	if (stat(criu, &status) == 0 && S_ISSOCK(status.st_mode))
		criu_set_service_address(criu);
	else
		criu_set_service_binary(criu);
	criu_set_images_dir_fd(open("images", O_DIRECTORY | O_CLOEXEC));
	criu_set_log_level(4);
	criu_set_log_file(log);
}

static void ask(const char *criu)
{
	struct criu_feature_check features = { .mem_track = false, .lazy_pages = true };

	options(criu, "ask.log");
	say("version", criu_get_version());
	say("at least 3.15", criu_check_version(31500));
	say("at least 5.0", criu_check_version(50000));
	say("features", criu_feature_check(&features, sizeof(features)));
	say("not asked", features.mem_track);
	say("check", criu_check());
}

static void another(const char *criu, pid_t pid)
{
	int status = 0;

	options(criu, "dump.log");
	criu_set_pid(pid);
	criu_set_leave_running(true);
	say("dump, left running", criu_dump());
	criu_set_notify_cb(refused);
	say("dump, refused", criu_dump());
	say("it is there", kill(pid, 0));
	criu_set_notify_cb(notified);
	criu_set_leave_running(false);
	say("dump", criu_dump());
	waitpid(pid, &status, 0);
	options(criu, "restore.log");
	criu_set_notify_cb(notified);
	say("restore", criu_restore_child() == pid);
	say("it is there", kill(pid, 0));
	kill(pid, SIGTERM);
	say("ours to wait for", waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGTERM);
	criu_set_pid(pid);
	say("dump, gone", criu_dump());
}

/* Two dumps of itself: after the first it goes on, the second ends it. */
static void itself(const char *criu)
{
	options(criu, "dump.log");
	criu_set_leave_running(true);
	say("dump, left running", criu_dump());
	criu_set_leave_running(false);
	say("dump", criu_dump());
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "ask") == 0)
		ask(argv[2]);
	else if (argc > 3 && strcmp(argv[1], "another") == 0)
		another(argv[2], atoi(argv[3]));
	else if (argc > 2 && strcmp(argv[1], "itself") == 0)
		itself(argv[2]);
	else
		return 64;
	return 0;
}
