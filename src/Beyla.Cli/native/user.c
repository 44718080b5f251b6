// Who the worker becomes where root started the agent: nobody, or the user whom BEYLA_WORKER_USER names.
#define _GNU_SOURCE
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "split.h"

// Exit code "bad usage" of the executable (Entry.cs).
#define BAD_USAGE 2

static void refuse(const char *name, const char *why)
{
	// Whoever wrote it reads it, but no byte of it steers the terminal.
	char shown[64];
	size_t length = 0;
	for (; name[length] && length < sizeof(shown) - 1; length++)
		shown[length] = name[length] >= ' ' && name[length] <= '~' ? name[length] : '?';
	shown[length] = 0;
	dprintf(STDERR_FILENO, "beyla: cannot start: BEYLA_WORKER_USER=%s: %s\n", shown, why);
	_exit(BAD_USAGE);
}

// An entry of /etc/passwd itself: the name service would load libraries into a process that holds all capabilities.
static int find(const char *name, int by_number, struct worker_user *user)
{
	FILE *file = fopen("/etc/passwd", "re");
	int found = 0;
	if (!file)
		return 0;
	for (struct passwd *entry; !found && (entry = fgetpwent(file));)
		if (by_number ? entry->pw_uid == user->uid : strcmp(entry->pw_name, name) == 0) {
			*user = (struct worker_user){ entry->pw_uid, entry->pw_gid, 1 };
			found = 1;
		}
	fclose(file);
	return found;
}

struct worker_user choose_user(void)
{
	struct worker_user user = { NOBODY, NOBODY, 0 };
	uid_t real, effective, saved;
	const char *name = getenv("BEYLA_WORKER_USER");
	// Only root can give the worker another user; of anybody else the agent says that it does not count (RunCommand.cs).
	if (!name || !*name || getresuid(&real, &effective, &saved) < 0 || effective != 0)
		return user;
	errno = 0;
	unsigned long number = strtoul(name, NULL, 10);
	// A number that has no entry is its own group, as with DynamicUser= of systemd.
	int is_number = strspn(name, "0123456789") == strlen(name);
	if (is_number) {
		if (errno || number >= (uid_t)-1)
			refuse(name, "user ids are below 4294967295");
		user = (struct worker_user){ (uid_t)number, (gid_t)number, 1 };
	}
	if (!find(name, is_number, &user) && !is_number)
		refuse(name, "no such user in /etc/passwd; a user that only the name service knows is given by its number");
	if (user.uid == 0 || user.gid == 0)
		refuse(name, "user 0 and group 0 own the files of the system; name another user, or leave it out for nobody");
	return user;
}
