/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The trace context of a message that the socket programs see: settled when it begins, and told before its first bytes. */
#ifndef BEYLA_MESSAGE_H
#define BEYLA_MESSAGE_H

#include "connection.h"
#include "head.h"
#include "payload.h"
#include "work.h"
#include "../protocols/http.h"

/* The key is on the stack: before 6.2 it may not be in memory that a function was given. */
static __always_inline struct wire *wire_of(const struct scratch *at)
{
	__u64 socket = at->socket;

	return bpf_map_lookup_elem(&wires, &socket);
}

/* Tells the context of the message that begins at a sequence number. */
static __always_inline void tell_of(struct scratch *at, __u32 sequence, const struct context *context)
{
	struct ring_counters *counters = socket_events_count();
	struct socket_event *e = &at->telling.event;

	if (!counters)
		return;
	*e = at->event;
	e->kind = SOCKET_CONTEXT;
	e->sequence = sequence;
	e->length = 0;
	e->captured = sizeof(at->telling.context);
	e->pieces = 0;
	e->unwalked = e->passed = 0;
	at->telling.context = *context;
	emit(the_selection(), counters, e, sizeof(at->telling));
}

static __always_inline void tell_context(struct scratch *at, struct way *way)
{
	tell_of(at, way->sequence, &way->context);
	way->state = WAY_TOLD;
}

/* Who does the operation: of a Go program the goroutine, or the one that asked for the request. */
static __always_inline struct worker worker_of(const struct scratch *at)
{
	struct worker worker = { .id = at->event.goroutine, .pid = at->event.pid, .is_goroutine = 1 };

	if (!worker.id) {
		worker.id = at->event.tid;
		worker.is_goroutine = 0;
	}
	return worker;
}

/* "HTTP/1.1 1": more is to come, unless it is 101, after which nothing does. */
static __always_inline bool is_interim(const __u8 *p, __u32 got)
{
	return got > 11 && p[0] == 'H' && p[5] == '1' && p[9] == '1' && (p[10] != '0' || p[11] != '1');
}

#define MAX_HEAD_PIECES 32 /* operations that one head comes in */

/* The head of a request was read: its context is in it, else in the option of the segment that it began in, else it begins a trace. */
static __always_inline void settle_request(struct scratch *at, struct wire *w)
{
	struct way *way = &w->ways[SOCKET_RECEIVE];
	struct worker worker = worker_of(at);

	if (way->context.source != CONTEXT_HEADER && way->context.source != CONTEXT_OPTION) {
		make_id(way->context.trace, 4);
		__builtin_memset(way->context.parent, 0, sizeof(way->context.parent));
		way->context.flags = 1;
	}
	make_id(way->context.span, 2);
	way->context.inserted = 0;
	begin_work(w, &worker, &way->context);
	tell_context(at, way);
}

/* The next bytes of the head of a request. */
static __always_inline void read_request(struct scratch *at, struct connection *c, struct wire *w, __u32 got)
{
	struct way *way = &w->ways[SOCKET_RECEIVE];
	bool whole = read_on(&w->head, (struct text *)at->data, got);

	if (w->head.value && read_traceparent(&w->head, (struct text *)at->data, &at->named)) {
		way->context = at->named;
		way->context.source = CONTEXT_HEADER;
	} else if (w->head.values > 1 && way->context.source == CONTEXT_HEADER) {
		/* Several are none. */
		way->context.source = CONTEXT_FRESH;
	}
	if (whole)
		settle_request(at, w);
	/* Of one that is too long, or not seen as a whole, this side says nothing: user space finds what is in it. */
	c->heading = !whole && got && got == at->length && c->heading < MAX_HEAD_PIECES ? c->heading + 1 : 0;
}

/* A request begins. */
static __always_inline void take_request(struct scratch *at, struct connection *c, __u32 got)
{
	struct wire *w = wire_of(at);
	__u64 socket = at->socket;
	struct way *way;

	if (!w) {
		bpf_map_update_elem(&wires, &socket, &no_wire, BPF_NOEXIST);
		w = wire_of(at);
	} else {
		end_work(w, socket);
	}
	count_in(w, socket, at->event.pid);
	if (!w)
		return;
	way = &w->ways[SOCKET_RECEIVE];
	way->context.source = way->state == WAY_ARRIVED && way->sequence == at->position ? CONTEXT_OPTION : CONTEXT_FRESH;
	way->context.flags = 1;
	way->sequence = at->position;
	way->state = WAY_SETTLED;
	__builtin_memset(&w->head, 0, sizeof(w->head));
	read_request(at, c, w, got);
}

/*
 * A request is about to be sent. Where its socket propagates, it has a context: that of its own head, which is user space's to tell, or one that is
 * made now, unless that was done when it was put into the head.
 */
static __always_inline void make_request(struct scratch *at, struct wire *w, __u32 got)
{
	struct way *way = &w->ways[SOCKET_SEND];
	struct worker worker = worker_of(at);

	if (way->state == WAY_SETTLED && way->sequence == at->position) {
		tell_context(at, way);
		return;
	}
	if (!w->writes)
		return;
	read_head(&at->head, (struct text *)at->data, got);
	way->sequence = at->position;
	if (at->head.values) {
		way->state = WAY_NONE;
		if (read_traceparent(&at->head, (struct text *)at->data, &way->context)) {
			__builtin_memcpy(way->context.span, way->context.parent, sizeof(way->context.span));
			way->state = WAY_TOLD;
		}
		return;
	}
	/* Of one that sends for itself, who started it was the first to use the connection, and says nothing. */
	make_call(&way->context, &worker, at->event.flags & SOCKET_CALLED ? at->event.parent_goroutine : 0);
	tell_context(at, way);
}

/* The request that is about to be sent has its context in its head, where go_write.bpf.c has put it. An option says the same. */
static __always_inline void tell_written(struct scratch *at, struct wire *w)
{
	struct way *way;

	if (!w || !w->calls) {
		tell_of(at, at->position, &at->named);
		return;
	}
	way = &w->ways[SOCKET_SEND];
	way->context = at->named;
	way->sequence = at->position;
	tell_context(at, way);
}

/*
 * A send whose bytes are in kernel memory: what a sk_msg program has left of them is told as one operation, although the kernel sends it piece by
 * piece. Returns how many bytes are told now, of which taken are sure to move.
 */
static __always_inline __u32 take_stash(struct scratch *at, __u32 position, __u32 taken)
{
	__u64 socket = at->socket;
	struct stash *stash = bpf_map_lookup_elem(&stashes, &socket);

	if (!stash || stash->position != position || !stash->length)
		return taken;
	at->payload.kind = PAYLOAD_STASH;
	at->extent = WHOLE;
	return stash->length > taken ? stash->length : taken;
}

/* A message of HTTP may begin here, or the head of a request go on, of which got bytes were copied. A function of its own, as the others of report.h. */
__attribute__((noinline)) int begin_message(struct scratch *at, struct connection *c, __u32 got)
{
	bool serves, receives;
	struct wire *w;
	__u32 begins;

	if (!at || !c || (propagates == PROPAGATES_GO && !at->event.goroutine))
		return 0;
	if (!at->turned) {
		w = wire_of(at);
		if (w)
			read_request(at, c, w, got);
		return 0;
	}
	c->heading = 0;
	serves = c->flags & SOCKET_ACCEPTED;
	receives = (at->event.direction & 1) == SOCKET_RECEIVE;
	if (serves != receives) {
		w = serves ? wire_of(at) : NULL;
		if (w && !is_interim(at->data, got))
			end_work(w, at->socket);
		return 0;
	}
	/* Whoever asks on a connection that it accepted is not followed. */
	if (got > 3 && *(__u32 *)at->data == WORD('H', 'T', 'T', 'P'))
		return 0;
	begins = looks_like_http((struct prefix *)at->data, got, false);
	w = wire_of(at);
	if (serves) {
		/*
		 * The server of Go often reads the first byte of a request alone: it waits for that in the background until it has responded. A body
		 * whose head was read is none.
		 */
		if (begins == BEGINS_MESSAGE || (begins == BEGINS_PERHAPS && got == at->length && !(w && w->reader.pid)))
			take_request(at, c, got);
		return 0;
	}
	if (begins != BEGINS_MESSAGE)
		return 0;
	if (at->written)
		tell_written(at, w);
	else if (w && w->calls)
		make_request(at, w, got);
	return 0;
}

#endif
