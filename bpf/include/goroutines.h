/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which goroutine does an operation. The runtime of Go keeps a pointer to the struct g that runs on a thread in thread-local storage, and in it the
 * goroutine's number: two reads of the process's memory, and no probe in it.
 */
#ifndef BEYLA_GOROUTINES_H
#define BEYLA_GOROUTINES_H

#include "go_processes.h"
#include "payload.h"
#include "selection.h"
#include "wire.h"
#include "../sockets.h"

/* A request that another goroutine has handed to the connection. It is said once: with the first bytes of the request. */
static __always_inline bool take_call(struct scratch *at)
{
	/* On the stack: before 6.2 a key may not be in memory that a function was given. */
	__u64 socket = at->socket;
	struct go_call *call = bpf_map_lookup_elem(&go_calls, &socket);
	bool good;

	if (!call)
		return false;
	good = call->pid == at->event.pid && call->ports == ports_of((struct sock *)at->socket);
	if (good) {
		at->event.goroutine = call->goroutine;
		at->event.parent_goroutine = call->parent;
		at->event.flags |= SOCKET_CALLED;
		if (propagates && call->written && call->position == at->position) {
			at->named = call->context;
			at->written = 1;
		}
	}
	bpf_map_delete_elem(&go_calls, &socket);
	return good;
}

static __always_inline void see_goroutine(struct go_offsets *offsets, __u64 id)
{
	if (propagates && id > offsets->newest)
		offsets->newest = id;
}

/* The goroutine of an operation by a Go program. A function of its own: the verifier looks at it once. */
__attribute__((noinline)) int find_goroutine(struct scratch *at)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct go_offsets *offsets;
	struct goroutine found;
	__u64 g = 0;
	__u32 pid;

	if (!at)
		return 0;
	pid = at->event.pid;
	offsets = bpf_map_lookup_elem(&go_processes, &pid);
	if (!offsets)
		return 0;
	if (at->event.direction == SOCKET_SEND && !(at->event.flags & SOCKET_ACCEPTED) && take_call(at)) {
		see_goroutine(offsets, at->event.goroutine);
		return 0;
	}
	if (bpf_probe_read_user(&g, sizeof(g), (void *)(task->thread.fsbase + offsets->slot)) || !read_goroutine(offsets, g, &found))
		return 0;
	at->event.goroutine = found.id;
	at->event.parent_goroutine = found.parent;
	see_goroutine(offsets, found.id);
	return 0;
}

/* Enters it into an event whose flags are set. What is no Go program pays for one look at a bit. */
static __always_inline void enter_goroutine(struct scratch *at)
{
	at->event.goroutine = 0;
	at->event.parent_goroutine = 0;
	at->written = 0;
	if (is_go(the_selection(), at->event.pid))
		find_goroutine(at);
}

#endif
