// What the worker gives up before its runtime starts: the capabilities, user 0, what its caller left open, files, the name of the keeper.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "split.h"

// Whoever looks at the list of processes sees which of the two it is (setproctitle(3bsd)): arguments and environment move elsewhere, and
// the name is written where the kernel shows them: it lays out the arguments, the environment, and then the path of the executable
// (fs/exec.c).
static void show_name(int argc, char **argv, char **envp)
{
	static const char name[] = "beyla: worker";
	char *start = argv[0], *arguments_end = argv[0], *end = (char *)getauxval(AT_EXECFN);
	for (int i = 0; i < argc; i++)
		if (argv[i] == arguments_end)
			arguments_end = argv[i] + strlen(argv[i]) + 1;
	if (end < arguments_end)
		end = arguments_end;
	for (int i = 0; i < argc; i++)
		if (!(argv[i] = strdup(argv[i])))
			fail("copy the arguments");
	for (char **variable = envp; *variable; variable++)
		if (!(*variable = strdup(*variable)))
			fail("copy the environment");
	memset(start, 0, (size_t)(end - start));
	if ((size_t)(end - start) >= sizeof(name)) {
		memcpy(start, name, sizeof(name));
		// Without a zero at its end the kernel takes the arguments for such a name, and shows it alone.
		if (arguments_end - start > (long)sizeof(name))
			memset(start + sizeof(name) - 1, ' ', (size_t)(arguments_end - start) - sizeof(name) + 1);
	}
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

// Root without capabilities still owns root's files. A container may have no CAP_SETUID, a user namespace no user nobody: then it stays, as
// nobody can give it another user. What can be left is left, each for itself: a namespace may refuse the groups, a container have no
// CAP_SETGID. But what somebody asked for is done or is an error.
static void leave_root(struct worker_user user)
{
	uid_t real, effective, saved;
	if (getresuid(&real, &effective, &saved) < 0 || (real != 0 && effective != 0 && saved != 0))
		return;
	if (syscall(SYS_setgroups, 0, NULL) < 0 && user.chosen)
		fail("leave root's groups for those of BEYLA_WORKER_USER (CAP_SETGID)");
	if (syscall(SYS_setresgid, user.gid, user.gid, user.gid) < 0 && user.chosen)
		fail("take the group of BEYLA_WORKER_USER (CAP_SETGID)");
	if (syscall(SYS_setresuid, user.uid, user.uid, user.uid) < 0 && user.chosen)
		fail("become BEYLA_WORKER_USER (CAP_SETUID)");
}

// With another user the kernel makes a process as dumpable as fs.suid_dumpable says. Until that is taken back, the permitted capabilities
// stay: another process of its user has not got them, and so may not trace this one at any moment.
static void drop_privileges(struct worker_user user)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long number = 0; prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0; number++)
		;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail("set no_new_privs");
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	leave_root(user);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		fail("be not dumpable");
	if (syscall(SYS_capset, &header, none) < 0)
		fail("drop the capabilities");
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

// A caller may have left anything open, such as files of its own user for an agent of another one. The keeper has them too, and reads none.
static int close_others(int channel, int life)
{
	int kept = STDERR_FILENO + 1;
	// Neither is in the place of the other then.
	if ((channel = fcntl(channel, F_DUPFD_CLOEXEC, kept + 2)) < 0 || (life = fcntl(life, F_DUPFD_CLOEXEC, kept + 2)) < 0
	    || dup3(channel, kept, O_CLOEXEC) < 0 || dup3(life, kept + 1, O_CLOEXEC) < 0)
		fail("keep the channel");
	closefrom(kept + 2);
	return kept;
}

// The signal for the death of the parent is sent with the rights of that: a keeper that is root, whose capabilities are not effective, has none over
// user nobody (kernel/signal.c, kill_ok_by_cred). A pipe has its signal sent with the rights of who asked for it, which is this process itself
// (fcntl(2), F_SETSIG), and its other end is closed however the keeper ends.
static void end_with_keeper(int life)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || fcntl(life, F_SETOWN, getpid()) < 0 || fcntl(life, F_SETSIG, SIGKILL) < 0
	    || fcntl(life, F_SETFL, O_ASYNC) < 0)
		fail("end with the keeper");
}

int become_worker(pid_t keeper, struct worker_user user, int channel, int life, int argc, char **argv, char **envp)
{
	drop_privileges(user);
	// After all that changes credentials, which resets it; and before the look at the parent, which may be gone already.
	end_with_keeper(life);
	if (getppid() != keeper)
		_exit(1);
	channel = close_others(channel, life);
	confine_files();
	show_name(argc, argv, envp);
	return channel;
}
