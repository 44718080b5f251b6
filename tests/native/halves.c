// The start of the executable (src/Beyla.Cli/native) with another main: the worker does what is asked on standard input, one line at a time, and
// answers on standard output with errno (0 where the call was allowed); the keeper waits for it and ends as it ended. Not split, it says so.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// What the runtime has in the agent (native/memory.c); there is none here.
unsigned long __security_cookie;

#include "../../src/Beyla.Cli/native/split.h"

int beyla_role(void);
int beyla_channel(void);
int beyla_other(void);

static int error(long result) { return result < 0 ? errno : 0; }

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	int failed = error(fd);
	if (fd >= 0)
		close(fd);
	return failed;
}

static int try_abstract(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strncpy(address.sun_path + 1, name, sizeof(address.sun_path) - 2);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int failed = error(connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))));
	close(fd);
	return failed;
}

// A filter of system calls, as hexadecimal digits, for all threads.
static int try_filter(const char *digits)
{
	static struct sock_filter code[BPF_MAXINSNS];
	size_t count = strlen(digits) / (2 * sizeof(code[0]));
	for (size_t i = 0; i < count * sizeof(code[0]); i++) {
		unsigned byte;
		if (i >= sizeof(code) || sscanf(digits + 2 * i, "%2x", &byte) != 1)
			return EINVAL;
		((unsigned char *)code)[i] = (unsigned char)byte;
	}
	struct sock_fprog program = { .len = (unsigned short)count, .filter = code };
	return error(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program));
}

static int try_call(const char *arguments)
{
	long number, a[6] = { 0 };
	sscanf(arguments, "%ld %li %li %li %li %li %li", &number, a, a + 1, a + 2, a + 3, a + 4, a + 5);
	return error(syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

// A thread that is there before the filter comes: it does the call.
static int pipes[2][2];

static void *other_thread(void *unused)
{
	char line[256];
	for (ssize_t length; (length = read(pipes[0][0], line, sizeof(line) - 1)) > 0;) {
		line[length] = 0;
		int failed = try_call(line);
		(void)!write(pipes[1][1], &failed, sizeof(failed));
	}
	return unused;
}

static int try_in_thread(const char *arguments)
{
	int failed = -1;
	(void)!write(pipes[0][1], arguments, strlen(arguments));
	(void)!read(pipes[1][0], &failed, sizeof(failed));
	return failed;
}

static void *nothing(void *unused) { return unused; }

static int try_thread(void)
{
	pthread_t thread;
	int failed = pthread_create(&thread, NULL, nothing, NULL);
	return failed ? failed : pthread_join(thread, NULL);
}

static void show_descriptors(void)
{
	printf("descriptors");
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	printf(" channel %d\n", beyla_channel());
}

static int obey(char *line)
{
	char *verb = strtok(line, " "), *rest = strtok(NULL, "");
	if (strcmp(verb, "read") == 0)
		return try_open(rest, O_RDONLY);
	if (strcmp(verb, "write") == 0)
		return try_open(rest, O_WRONLY);
	if (strcmp(verb, "make") == 0)
		return try_open(rest, O_WRONLY | O_CREAT | O_EXCL);
	if (strcmp(verb, "cut") == 0)
		return error(truncate(rest, 0));
	if (strcmp(verb, "remove") == 0)
		return error(unlink(rest));
	if (strcmp(verb, "directory") == 0)
		return error(mkdir(rest, 0700));
	if (strcmp(verb, "execute") == 0)
		return error(execl(rest, rest, NULL));
	if (strcmp(verb, "link") == 0) {
		char target[4096];
		return error(readlink(rest, target, sizeof(target)));
	}
	if (strcmp(verb, "signal") == 0)
		return error(kill(atoi(rest), 0));
	if (strcmp(verb, "abstract") == 0)
		return try_abstract(rest);
	if (strcmp(verb, "landlock") == 0)
		return beyla_landlock_abi();
	if (strcmp(verb, "filter") == 0)
		return try_filter(rest);
	if (strcmp(verb, "call") == 0)
		return try_call(rest);
	if (strcmp(verb, "elsewhere") == 0)
		return try_in_thread(rest);
	if (strcmp(verb, "thread") == 0)
		return try_thread();
	if (strcmp(verb, "abort") == 0)
		abort();
	return EINVAL;
}

static int work(void)
{
	static char line[8 * BPF_MAXINSNS * 2 + 64];
	pthread_t thread;
	setvbuf(stdout, NULL, _IOLBF, 0);
	show_descriptors();
	if (pipe(pipes[0]) || pipe(pipes[1]) || pthread_create(&thread, NULL, other_thread, NULL))
		return 1;
	printf("worker %d keeper %d\n", getpid(), beyla_other());
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		printf("%d\n", obey(line));
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (beyla_role() == WHOLE)
		return puts("whole") < 0;
	if (beyla_role() == WORKER) {
		for (int i = 1; i < argc; i++)
			printf("argument %s\n", argv[i]);
		return work();
	}
	int status;
	if (waitpid(beyla_other(), &status, 0) < 0)
		return 99;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
