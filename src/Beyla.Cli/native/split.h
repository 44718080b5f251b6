// What the two halves of the start share (split.c, worker.c).
#pragma once
#include <sys/types.h>

// What this process is; Halves.cs has the same numbers.
enum role { WHOLE = 0, KEEPER = 1, WORKER = 2 };

// Takes everything from the calling process that a worker must not have. Returns in the worker.
void become_worker(pid_t keeper, int argc, char **argv, char **envp);
