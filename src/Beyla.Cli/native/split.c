// Makes two processes of one before the .NET runtime starts: the keeper, which the caller started and waits for, holds the capabilities;
// its child, the worker, reads and decodes what others sent, and has no capability from its first instruction on. A process that runs a
// runtime cannot be forked any more. Commands that only print something are not split (see starts_agent).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "split.h"

// Exit code "failed" of the executable (Entry.cs).
#define FAILED 1

static int role = WHOLE, channel = -1, other;

int beyla_role(void) { return role; }
int beyla_channel(void) { return channel; }
int beyla_other(void) { return other; }

// The options that take the next word as their value. A test compares them with the command line's own list (CommandLine.cs,
// CommandLineOption.cs).
static const char *const with_value[] = {
	"--config", "-config", "--set", "--open-port", "--executable", "--pid", "--language", "--trace-printer", "--network-source", "--log-level",
};

static const char *const only_printing[] = { "--help", "-h", "-help", "--version", "-V" };

static int is_one_of(const char *word, size_t length, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == length && strncmp(word, words[i], length) == 0)
			return 1;
	return 0;
}

#define IS_ONE_OF(word, length, words) is_one_of(word, length, words, sizeof(words) / sizeof((words)[0]))

// Whether this command line runs the agent. A word that is no option and no value of one is a command, or a mistake: neither runs it.
static int starts_agent(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		// "--help=no" asks for help too; "--pid=1" has its value.
		if (argv[i][0] != '-' || argv[i][1] == '\0' || IS_ONE_OF(argv[i], strcspn(argv[i], "="), only_printing))
			return 0;
		if (IS_ONE_OF(argv[i], strlen(argv[i]), with_value))
			i++;
	}
	return 1;
}

// Closed standard descriptors would be taken by the first that are opened.
static void open_standard_descriptors(void)
{
	// Standard input cannot be read then: its end would be a sign to stop (StandardDescriptors.cs does the same for a command).
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDWR) != fd)
			return;
}

void fail(const char *what)
{
	dprintf(2, "beyla: cannot start: %s: %s\n", what, strerror(errno));
	_exit(FAILED);
}

__attribute__((constructor)) static void split(int argc, char **argv, char **envp)
{
	// Before 5.18 a caller can leave out even the name. No agent without the split.
	if (argc < 1)
		_exit(FAILED);
	if (!starts_agent(argc, argv))
		return;
	open_standard_descriptors();
	// A caller may have ignored it, and then nobody could wait for the worker.
	signal(SIGCHLD, SIG_DFL);
	// No ptrace and no core dump by the caller: of either, at any moment. The kernel did it at the start already where the file's capabilities
	// are more than the caller's; where they are not (root, a unit's ambient ones), nobody with fewer may trace a process that holds them.
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	struct worker_user user = choose_user();
	int ends[2], life[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		fail("socketpair");
	// Nothing is ever written to it. The end that writes is open as long as the keeper lives, and nowhere else.
	if (pipe2(life, O_CLOEXEC) < 0)
		fail("pipe");
	pid_t keeper = getpid(), child = fork();
	if (child < 0)
		fail("fork");
	close(ends[child == 0]);
	close(life[child == 0]);
	channel = ends[child != 0];
	role = child == 0 ? WORKER : KEEPER;
	other = child == 0 ? keeper : child;
	if (child == 0)
		channel = become_worker(keeper, user, channel, life[0], argc, argv, envp);
}
