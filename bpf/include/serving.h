/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many requests a process has begun to read and not answered, and which one it is where that is one only.
 *
 * Nothing has to be found for that: the exclusive or of the addresses of the sockets with such a request is the address of the only one. A socket is
 * counted in and out by a word of its own (struct wire), which only one of those who see the request end can take, and a socket always ends: so the
 * count does not drift. Were it wrong nevertheless, there is no such socket, or it is another process's, and nothing is told.
 */
#ifndef BEYLA_SERVING_H
#define BEYLA_SERVING_H

#include "wire.h"

#define SERVING 65536 /* a process is at its pid modulo this; those that share a place tell less, and nothing wrong */

struct serving {
	__u64 sockets; /* exclusive or of their addresses */
	__u32 open;
	__u32 missed; /* requests that could not be counted: from then on nothing is told */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SERVING);
	__type(key, __u32);
	__type(value, struct serving);
} serving SEC(".maps");

static __always_inline struct serving *serving_of(__u32 pid)
{
	__u32 place = pid % SERVING;

	return bpf_map_lookup_elem(&serving, &place);
}

/* The request is answered, or never will be. */
static __always_inline void count_out(struct wire *w, __u64 socket)
{
	__u32 pid = w->server ? __sync_lock_test_and_set(&w->server, 0) : 0;
	struct serving *s = pid ? serving_of(pid) : NULL;

	if (!s)
		return;
	__sync_fetch_and_add(&s->open, -1);
	__sync_fetch_and_xor(&s->sockets, socket);
}

/* A process begins to read a request. w: NULL where there was no room for it. */
static __always_inline void count_in(struct wire *w, __u64 socket, __u32 pid)
{
	struct serving *s = serving_of(pid);

	if (!s)
		return;
	if (!w) {
		s->missed = 1;
		return;
	}
	/* First the address: between the two there is no such socket, and so no only one. */
	__sync_fetch_and_xor(&s->sockets, socket);
	__sync_fetch_and_add(&s->open, 1);
	w->server = pid;
}

/*
 * Makes a context below the request of a process, if it has only one. Returns whether it has. The count is looked at again at the end, since other
 * processors may change it meanwhile.
 */
static __always_inline bool follow_only(struct context *context, __u32 pid)
{
	struct serving *s = serving_of(pid);
	const volatile struct way *way;
	struct wire *w;
	__u64 socket;

	if (!s || s->open != 1 || s->missed)
		return false;
	socket = s->sockets;
	w = bpf_map_lookup_elem(&wires, &socket);
	if (!w || w->server != pid)
		return false;
	/* While its head is read there is none, and the one of the next request may have arrived. */
	way = &w->ways[SOCKET_RECEIVE];
	if (way->state != WAY_TOLD)
		return false;
	__builtin_memcpy(context->trace, (const void *)way->context.trace, sizeof(context->trace));
	__builtin_memcpy(context->parent, (const void *)way->context.span, sizeof(context->parent));
	context->flags = way->context.flags;
	asm volatile("" ::: "memory");
	return *(volatile __u32 *)&s->open == 1 && *(volatile __u64 *)&s->sockets == socket && way->state == WAY_TOLD;
}

#endif
