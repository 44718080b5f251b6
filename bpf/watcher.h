/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the watcher programs write to the ring "process_events". Mirrored by src/Beyla.Agent/Kernel/ProcessEvent.cs, checked against BTF by a test. */
#ifndef BEYLA_WATCHER_H
#define BEYLA_WATCHER_H

enum process_event_kind {
	PROCESS_FORK = 1, /* a selected process has a new child, which the kernel side has selected as well */
	PROCESS_EXEC = 2, /* a process runs another program; name is its path as given to execve */
	PROCESS_EXIT = 3, /* the last thread of a selected process is gone */
	PROCESS_LISTEN = 4, /* a socket of the process began to listen on port */
	PROCESS_LISTENING = 5, /* found by the iterator: the process holds a socket that listens on port */
};

enum process_selection {
	PROCESS_UNSELECTED = 0,
	PROCESS_SELECTED = 1, /* the kernel side traces the process, and has before this event */
	PROCESS_TENTATIVE = 2, /* from this event on, until user space has judged it: what it does first is not missed */
};

struct process_event {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u32 pid; /* thread group in the initial pid namespace */
	__u32 parent; /* FORK: the parent; else 0 */
	__u32 netns; /* LISTEN, LISTENING: inode of the socket's network namespace */
	__u16 port; /* LISTEN, LISTENING */
	__u8 kind;
	__u8 selected; /* enum process_selection */
	__u8 command[16]; /* task name (comm) */
	__u8 name[256]; /* EXEC: path, zero terminated, cut at 255 */
};

#endif
