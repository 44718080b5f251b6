// Starts a program again and again, and tries at every moment to trace it and its children, as a debugger of the same user would (ptrace(2)).
//
//   attach ROUNDS USER PROGRAM [ARGUMENT...]
//
// USER is who tries; 0 for the one who starts the program.
// Prints three numbers: attempts on the program, attempts on its children, and how many succeeded. An attempt counts from the moment at which the
// name of the process is no longer this program's: the kernel lets nobody attach between that and the end of execve.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

struct counts {
	long attempts, on_children, succeeded;
};

static int attach(pid_t pid, struct counts *counts)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return 0;
	counts->succeeded++;
	kill(pid, SIGKILL);
	// Its parent is told of its end when who traces it knows.
	waitpid(pid, NULL, __WALL);
	return 1;
}

static void try_for_ever(pid_t pid, struct counts *counts)
{
	char path[64], children[256];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	for (int tracing = 0;;) {
		if (!is_another_program(pid))
			continue;
		if (!tracing) {
			counts->attempts++;
			tracing = attach(pid, counts);
		}
		if (!read_text(path, children, sizeof(children)))
			continue;
		counts->on_children++;
		attach(atoi(children), counts);
	}
}

int main(int argc, char **argv)
{
	struct counts *counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc < 4 || counts == MAP_FAILED || !read_text("/proc/self/comm", own, sizeof(own)))
		return 2;
	uid_t user = (uid_t)atoi(argv[2]);
	for (int rounds = atoi(argv[1]); rounds > 0; rounds--) {
		int ready[2];
		if (pipe(ready) < 0)
			return 2;
		pid_t pid = fork();
		if (pid == 0) {
			int null = open("/dev/null", O_RDWR);
			dup2(null, 0);
			dup2(null, 1);
			// Not before somebody tries.
			close(ready[1]);
			(void)!read(ready[0], own, 1);
			execv(argv[3], argv + 3);
			_exit(127);
		}
		pid_t attacker = fork();
		if (attacker == 0) {
			if (user != 0 && setresuid(user, user, user) < 0)
				_exit(2);
			close(ready[1]);
			close(ready[0]);
			try_for_ever(pid, counts);
		}
		close(ready[1]);
		close(ready[0]);
		while (waitpid(pid, NULL, 0) < 0)
			;
		kill(attacker, SIGKILL);
		waitpid(attacker, NULL, 0);
	}
	printf("%ld %ld %ld\n", counts->attempts, counts->on_children, counts->succeeded);
	return 0;
}
