// What the worker gives up before its runtime starts: the capabilities, user 0, the name of the keeper.
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "split.h"

// The kernel's overflow user, which owns nothing (Documentation/admin-guide/sysctl/fs.rst, overflowuid): nobody.
#define NOBODY 65534

// Whoever looks at the list of processes sees which of the two it is (setproctitle(3bsd)): arguments and environment move elsewhere, and the name is
// written where the kernel shows them.
static void show_name(int argc, char **argv, char **envp)
{
	static const char name[] = "beyla: worker";
	char *start = argv[0], *end = argv[0];
	for (int i = 0; i < argc; i++)
		if (argv[i] == end)
			end = argv[i] + strlen(argv[i]) + 1;
	char *arguments_end = end;
	for (char **variable = envp; *variable; variable++)
		if (*variable == end)
			end = *variable + strlen(*variable) + 1;
	for (int i = 0; i < argc; i++)
		if (!(argv[i] = strdup(argv[i])))
			_exit(1);
	for (char **variable = envp; *variable; variable++)
		if (!(*variable = strdup(*variable)))
			_exit(1);
	memset(start, 0, (size_t)(end - start));
	if ((size_t)(end - start) >= sizeof(name)) {
		memcpy(start, name, sizeof(name));
		// Without a zero at its end the kernel takes the arguments for such a name, and shows it alone.
		if (arguments_end - start > (long)sizeof(name))
			memset(start + sizeof(name) - 1, ' ', (size_t)(arguments_end - start) - sizeof(name) + 1);
	}
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

// Root without capabilities still owns root's files. A container may have no CAP_SETUID: then it stays.
static void leave_root(void)
{
	if (geteuid() != 0 && getuid() != 0)
		return;
	if (syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) == 0)
		(void)!syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long number = 0; prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0; number++)
		;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(1);
	leave_root();
	if (syscall(SYS_capset, &header, none) < 0)
		_exit(1);
}

void become_worker(pid_t keeper, int argc, char **argv, char **envp)
{
	drop_capabilities();
	// Changed credentials reset both.
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != keeper)
		_exit(1);
	show_name(argc, argv, envp);
}
