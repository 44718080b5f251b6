// Starts a program again and again, and tries at every moment to trace it and its children, as a debugger of the same user would (ptrace(2)).
//
//   attach ROUNDS PROGRAM [ARGUMENT...]
//
// Prints three numbers: attempts on the program, attempts on its children, and how many succeeded. An attempt counts from the moment at which the
// name of the process is no longer this program's: the kernel lets nobody attach between that and the end of execve.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static char own[64];

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = 0;
	return length > 0;
}

static int is_another_program(pid_t pid)
{
	char path[64], name[64];
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	return read_text(path, name, sizeof(name)) && strcmp(name, own) != 0;
}

static int attach(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return 0;
	kill(pid, SIGKILL);
	return 1;
}

int main(int argc, char **argv)
{
	long attempts = 0, on_children = 0, succeeded = 0;
	if (argc < 3 || !read_text("/proc/self/comm", own, sizeof(own)))
		return 2;
	for (int rounds = atoi(argv[1]); rounds > 0; rounds--) {
		pid_t pid = fork(), ended;
		if (pid == 0) {
			int null = open("/dev/null", O_RDWR);
			dup2(null, 0);
			dup2(null, 1);
			execv(argv[2], argv + 2);
			_exit(127);
		}
		char path[64], children[256];
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
		int status, tracing = 0;
		while ((ended = waitpid(pid, &status, WNOHANG)) == 0 || (ended == pid && WIFSTOPPED(status))) {
			if (tracing || !is_another_program(pid))
				continue;
			attempts++;
			succeeded += tracing = attach(pid);
			if (!read_text(path, children, sizeof(children)))
				continue;
			on_children++;
			succeeded += attach(atoi(children));
		}
	}
	printf("%ld %ld %ld\n", attempts, on_children, succeeded);
	return 0;
}
