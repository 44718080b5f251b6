/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes that no event tells of. What sendfile(2) sends has no bytes to show: its event would say nothing but how many there were, and when. So
 * that is put into memory that user space maps, and looks at when it waits for the end of a body. The next event of the connection says it as well.
 */
#ifndef BEYLA_PASSED_H
#define BEYLA_PASSED_H

#include "connections.h"
#include "payload.h"
#include "selection.h"
#include "../sockets.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PASSED);
	__type(key, __u32);
	__type(value, struct passed);
} passed SEC(".maps");

static __always_inline struct passed *passed_of(const struct connection *c)
{
	__u32 slot = (c->id >> 8) & (PASSED - 1);

	return bpf_map_lookup_elem(&passed, &slot);
}

/*
 * The next bytes in the direction of the last event, which came from no buffer. Returns whether they are noted, so that there is no event: not
 * when another connection has the place, nor when the reader sleeps, since nothing would wake it.
 */
static __always_inline bool pass(const struct selection *s, const struct scratch *at, struct connection *c)
{
	struct passed *p = passed_of(c);

	if (s->asleep || !p || (p->connection && p->connection != c->id))
		return false;
	if (!c->passed) {
		p->from = at->position;
		p->connection = c->id;
	}
	c->passed += at->length;
	c->passed_until = c->next[SOCKET_SEND] = at->position + at->length;
	c->passed_time = p->time = bpf_ktime_get_ns();
	/* Last: whoever sees it finds the rest. */
	*(volatile __u32 *)&p->until = c->passed_until;
	return true;
}

/* The event tells of what passed before it. */
static __always_inline void set_passed(struct socket_event *e, struct connection *c)
{
	e->passed = c->passed;
	e->passed_time = c->passed_time;
	e->passed_until = c->passed_until;
	c->passed = 0;
}

/* Another connection may have the place. */
static __always_inline void leave_passed(const struct connection *c)
{
	struct passed *p;

	if (!c->passed_time)
		return;
	p = passed_of(c);
	if (p && p->connection == c->id)
		p->connection = 0;
}

#endif
