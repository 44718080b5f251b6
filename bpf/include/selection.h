/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes are traced. Memory that user space maps: it sets and clears bits without a system call, so without a
 * capability, and a program answers "is this one traced?" with one look at a bit. Mirrored by src/Beyla.Agent/Kernel/SelectionMap.cs.
 */
#ifndef BEYLA_SELECTION_H
#define BEYLA_SELECTION_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>

#define PID_LIMIT 4194304 /* PID_MAX_LIMIT of 64-bit kernels, include/linux/threads.h */
#define RENEWED_PLACES 8192 /* processes are numbered in order: so many begin before one takes the place of another */

struct selection {
	__u64 pids[PID_LIMIT / 64]; /* traced */
	__u64 excluded[PID_LIMIT / 64]; /* never traced */
	__u64 go[PID_LIMIT / 64]; /* runs Go, and go_processes says where its goroutines have their number */
	__u64 ports[65536 / 64]; /* local ports that select whoever uses them */
	__u64 renewed[RENEWED_PLACES]; /* renewal_of() the last event that selected a process, in the place pid % RENEWED_PLACES */
	__u32 asleep; /* the reader waits without a time limit: the next event must wake it */
	__u32 capture; /* 0 until user space is ready */
	__u32 by_port; /* some bit of ports is set */
	__u32 lost; /* events of processes that were never reported: user space reads /proc when it grows */
};

/* A section of its own is a map of its own, of one element, whose address is part of the programs: no lookup. */
struct selection selection SEC(".bss.selection");

static __always_inline struct selection *the_selection(void)
{
	return &selection;
}

static __always_inline bool has_bit(const __u64 *words, __u32 bit)
{
	return words[bit / 64] >> (bit % 64) & 1;
}

static __always_inline bool is_selected(const struct selection *s, __u32 pid)
{
	return has_bit(s->pids, pid % PID_LIMIT);
}

static __always_inline bool is_excluded(const struct selection *s, __u32 pid)
{
	return has_bit(s->excluded, pid % PID_LIMIT);
}

static __always_inline bool is_go(const struct selection *s, __u32 pid)
{
	return has_bit(s->go, pid % PID_LIMIT);
}

static __always_inline bool is_selected_port(const struct selection *s, __u16 port)
{
	return has_bit(s->ports, port);
}

static __always_inline void select_pid(struct selection *s, __u32 pid)
{
	pid %= PID_LIMIT;
	__sync_fetch_and_or(&s->pids[pid / 64], 1ULL << (pid % 64));
}

/* A process and a moment, in steps of 16384 ns: no two programs of one process begin in the same. */
static __always_inline __u64 renewal_of(__u32 pid, __u64 time)
{
	return time >> 14 << 22 | pid % PID_LIMIT;
}

/*
 * Selects a process of which an event goes to user space. What user space finds out meanwhile is about what was before (the wrapper that
 * ran the program): it leaves the selection alone until it has read the event. So the note comes before the bit; see SelectionMap.Deselect.
 */
static __always_inline void renew_pid(struct selection *s, __u32 pid, __u64 time)
{
	*(volatile __u64 *)&s->renewed[pid % RENEWED_PLACES] = renewal_of(pid, time);
	select_pid(s, pid);
}

/* The process runs another program from now on. */
static __always_inline void forget_program(struct selection *s, __u32 pid)
{
	pid %= PID_LIMIT;
	__sync_fetch_and_and(&s->go[pid / 64], ~(1ULL << (pid % 64)));
}

static __always_inline void forget_pid(struct selection *s, __u32 pid)
{
	forget_program(s, pid);
	pid %= PID_LIMIT;
	__sync_fetch_and_and(&s->pids[pid / 64], ~(1ULL << (pid % 64)));
	__sync_fetch_and_and(&s->excluded[pid / 64], ~(1ULL << (pid % 64)));
}

#endif
