// What the two halves of the start share (split.c, worker.c, landlock.c).
#pragma once
#include <sys/types.h>

// What this process is; Halves.cs has the same numbers.
enum role { WHOLE = 0, KEEPER = 1, WORKER = 2 };

// Says what cannot be done, with errno, and ends the process.
void fail(const char *what) __attribute__((noreturn));

// The kernel's overflow user, which owns nothing (Documentation/admin-guide/sysctl/fs.rst, overflowuid): nobody.
#define NOBODY 65534

// Who the worker becomes where root started it; "chosen" if somebody asked for that user.
struct worker_user {
	uid_t uid;
	gid_t gid;
	int chosen;
};

// Reads BEYLA_WORKER_USER; says what is wrong with it and ends the process (user.c).
struct worker_user choose_user(void);

// Takes everything from the calling process that a worker must not have, and closes all descriptors but the standard ones, the channel and
// life: the end to read of a pipe whose other end the keeper alone has.
// Returns in the worker, with the number that the channel has from then on; life has the next one.
int become_worker(pid_t keeper, struct worker_user user, int channel, int life, int argc, char **argv, char **envp);

// Takes the files from the calling process, where the kernel can (landlock.c).
void confine_files(void);

// The version of Landlock's interface that confines this process; 0 where none does.
int beyla_landlock_abi(void);
