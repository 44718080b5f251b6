/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From an operation on a socket to the events that tell of it.
 *
 * Every attach point fills in an operation and calls report(). The steps of it are functions of their own that find everything in memory: the
 * verifier looks at each once, and not at each way from the beginning of a program to its end. That is most of the time that a start takes.
 */
#ifndef BEYLA_REPORT_H
#define BEYLA_REPORT_H

#include "capture.h"
#include "connection.h"
#include "frames.h"
#include "goroutines.h"
#include "message.h"
#include "payload.h"
#include "recognise.h"
#include "selection.h"
#include "verdict.h"
#include <bpf/bpf_core_read.h>

#define MAX_PIECES 352 /* events of one operation: a chunk takes three of the 1,024 iovecs that the kernel allows (UIO_MAXIOV) */

/* First step: what of the operation is not told yet, and how many of its bytes an event is to carry. c may be NULL. Returns 0 when there is no event. */
__attribute__((noinline)) int bytes_wanted(struct scratch *at, struct connection *c)
{
	__u32 direction, want;
	struct sock *sk;
	__s32 reported;

	if (!at)
		return 0;
	direction = at->event.direction & 1;
	sk = (struct sock *)at->socket;
	if (c && c->owed) {
		/* In the course of a long send, and beyond what is wanted of it: the event that tells of its end, or of a wait, tells of this as well. */
		if (at->extent == MIDDLE && at->length && !c->pieces && c->protocol == PROTOCOL_HTTP && c->last == direction &&
		    c->used[direction] >= HEAD_BUDGET)
			return 0;
		catch_up(sk, c, direction == SOCKET_SEND ? at->position : at->event.opposite, TOLD_BY_PROCESS);
		if (direction == SOCKET_SEND && at->extent == WHOLE && c->owed == OWED_BYTES)
			c->owed = OWED_NOTHING;
	}
	if (!at->length)
		return 0;
	if (c && c->known[direction]) {
		reported = c->next[direction] - at->position;
		/* A large difference is another connection's number, not this one's. */
		if (reported > 0 && reported < 1 << 30) {
			if ((__u32)reported >= at->length)
				return 0;
			step_over(at, reported);
		} else if (direction == SOCKET_RECEIVE && reported == -1 && BPF_CORE_READ((struct tcp_sock *)sk, urg_seq) == at->position - 1) {
			set_apart(sk, c, direction, at->position - 1);
		} else if (reported) {
			c->frames[direction].known = 0;
		}
	}
	if (!c) {
		if (is_repaired((struct tcp_sock *)sk, false))
			return 0;
		want = detects_sql ? SEARCHED_SIZE : PREFIX_SIZE;
		return at->length < want ? at->length : want;
	}
	if (c->protocol == PROTOCOL_FOREIGN) {
		/* User space said so, and need not keep it any longer. */
		end(sk, c, SOCKET_FORGOTTEN, direction);
		c->told = 0;
		return 0;
	}
	want = policy(at, c, direction);
	return want < at->length || want == FRAMES_WANTED ? want : at->length;
}

/*
 * Last step: enters the operation, of which got bytes were copied, into what is remembered of its connection, begins that if c is NULL, and fills in the
 * event. Returns whether there is one.
 */
__attribute__((noinline)) int enter(struct scratch *at, struct connection *c, __u32 got, __u32 judged)
{
	struct ring_counters *counters = socket_events_count();
	bool framed = false, told;
	__u32 direction;
	struct sock *sk;

	if (!at || !counters)
		return 0;
	direction = at->event.direction & 1;
	sk = (struct sock *)at->socket;
	if (!c) {
		c = remember(sk, at->place, counters, direction, at->position);
		if (!c)
			return 0;
		c->next[!direction] = at->event.opposite;
		c->known[!direction] = 1;
	}
	told = settle(sk, c, at, judged, direction);
	at->event.flags = c->flags;
	c->flags &= ~SOCKET_FRESH;
	if (at->turned || judged & JUDGED_MESSAGE)
		c->used[direction] = 0;
	c->used[direction] += got;
	c->last = direction;
	c->next[direction] = at->position + at->length;
	c->known[direction] = 1;
	if (!told)
		return 0;
	if (at->extent != WHOLE && c->owed == OWED_NOTHING)
		c->owed = OWED_BYTES;

	at->event.time = bpf_ktime_get_ns();
	at->event.connection = c->id;
	at->event.netns = c->netns;
	at->event.sequence = at->position;
	at->event.captured = got;
	at->event.kind = SOCKET_DATA;
	at->event.protocol = c->protocol;
	at->event.pieces = 0;
	at->event.unwalked = 0;
	enter_goroutine(at);
	at->left = 0;
	if (c->protocol == PROTOCOL_HTTP) {
		if (got && at->payload.kind == PAYLOAD_VECTOR && (got < at->length || at->extent == BEGINNING))
			framed = continues(at, &at->payload.vector);
		if (at->extent != MIDDLE)
			c->pieces = framed;
		if (framed && at->length - got > at->cut) {
			leave_behind(&at->payload.vector, at->segment + (at->cut != 0));
			at->left = at->length - got - at->cut;
		}
	}
	at->event.length = at->length - at->left;
	return 1;
}

/* The next event of an operation whose iovecs hold chunks: up to the end of an iovec, with its first bytes. Returns whether more follow. */
__attribute__((noinline)) int report_piece(struct scratch *at)
{
	__u32 got, length, passed;
	int more;

	if (!at)
		return 0;
	length = at->left;
	got = gather(at, &at->payload.vector, 0, length < SOCKET_DATA_MAX ? length : SOCKET_DATA_MAX, 0);
	more = got && length - got > at->cut && continues(at, &at->payload.vector);
	passed = at->segment;
	if (more) {
		length = got + at->cut;
		passed += at->cut != 0;
	}
	at->event.sequence += at->event.length;
	at->event.length = length;
	at->event.captured = got;
	at->event.pieces = 0;
	at->event.passed = 0;
	emit_event(at, more ? got : add_tail(at, NULL));
	leave_behind(&at->payload.vector, passed);
	at->left -= length;
	return more;
}

/* All events of an operation after the first. */
__attribute__((noinline)) int report_pieces(struct scratch *at)
{
	int i;

	for (i = 0; i < MAX_PIECES; i++)
		if (!report_piece(at))
			break;
	return 0;
}

/*
 * Puts the frames of the operation that are kept behind the event. Returns how many bytes that are; the tail too where frames could not be
 * followed to the end.
 */
static __always_inline __u32 add_frames(struct scratch *at, struct connection *c, struct bpf_dynptr *skb)
{
	__u32 size, got, wanted;
	int i;

	begin_walk(at, c);
	for (i = 0; i < MAX_WINDOWS; i++) {
		wanted = next_window(at, c);
		if (!wanted)
			break;
		got = copy_payload(at, WINDOW + FRAME_PART, wanted, skb, at->walk.base);
		if (!walk_window(at, c, got))
			break;
	}
	size = bounded(end_walk(at, c));
	if (!at->event.unwalked || size > SOCKET_DATA_MAX - FRAMES_TAIL - sizeof(struct socket_piece) || at->event.pieces == 255 ||
	    at->walk.whole < FRAMES_TAIL || at->walk.told > at->walk.whole - FRAMES_TAIL)
		return size;
	return size + add_end(at, size, at->walk.told, FRAMES_TAIL, at->walk.whole, skb);
}

/* Does what user space said to the protocol of a connection, whose direction has changed. */
__attribute__((noinline)) int heed(struct connection *c)
{
	if (c)
		take_verdict(c);
	return 0;
}

/*
 * Whether an operation is what most are: the next bytes in a direction of a connection that speaks HTTP, all of which are wanted and sure to
 * move, and nothing stands open. It takes the short way: enter_next.
 */
static __always_inline bool is_plain(const struct scratch *at, const struct connection *c, __u32 direction)
{
	return c->protocol == PROTOCOL_HTTP && c->told && c->known[direction] && c->next[direction] == at->position && at->extent == WHOLE &&
	       c->owed == OWED_NOTHING && (at->turned || c->used[direction] < HEAD_BUDGET) && at->length;
}

/* Last step of the short way, after got of the operation's first bytes were copied: what enter() does, where nothing has to be found out. */
static __always_inline void enter_next(struct scratch *at, struct connection *c, __u32 direction, __u32 got)
{
	struct socket_event *e = &at->event;

	c->used[direction] = at->turned ? got : c->used[direction] + got;
	c->last = direction;
	c->next[direction] = at->position + at->length;
	c->pieces = 0;
	at->left = 0;
	e->time = bpf_ktime_get_ns();
	e->connection = c->id;
	e->netns = c->netns;
	e->sequence = at->position;
	e->length = at->length;
	e->captured = got;
	e->kind = SOCKET_DATA;
	e->protocol = PROTOCOL_HTTP;
	e->flags = c->flags;
	e->pieces = 0;
	e->unwalked = 0;
	enter_goroutine(at);
	set_ends(e, c);
	set_passed(e, c);
}

/*
 * One operation: length bytes from sequence number position on; opposite is the position of the other direction.
 * typed: sk is a pointer whose type the verifier knows. skb: where the bytes are, when the operation does not say it.
 */
static __always_inline int report(struct selection *s, struct scratch *at, struct sock *sk, bool typed, int direction, __u32 position, __u32 length,
				  __u32 opposite, struct bpf_dynptr *skb)
{
	struct ring_counters *counters = socket_events_count();
	struct connection *c = connection_at(at->place, (__u64)sk);
	__u32 want, got = 0, judged = JUDGED_NOTHING;

	if (!counters || (c && c->protocol == PROTOCOL_FOREIGN))
		return 0;
	at->position = position;
	at->length = length;
	at->event.opposite = opposite;
	at->turned = !c || c->last != direction;
	if (c && at->turned && (c->protocol == PROTOCOL_NONE || !(c->turns++ & 3)))
		heed(c);
	if (c && is_plain(at, c, direction)) {
		if (!skb && at->payload.kind == PAYLOAD_NONE && direction == SOCKET_SEND && !at->turned && pass(s, at, c))
			return 0;
		if (skb || at->payload.kind != PAYLOAD_NONE)
			got = copy_payload(at, 0, length < SOCKET_DATA_MAX ? length : SOCKET_DATA_MAX, skb, 0);
		/* Chunks may lie in the iovecs behind. */
		if (got == length || at->payload.kind != PAYLOAD_VECTOR) {
			enter_next(at, c, direction, got);
			goto entered;
		}
	}
	want = bytes_wanted(at, c);
	if (!want)
		return 0;
	if (want != FRAMES_WANTED) {
		got = copy_payload(at, 0, want, skb, 0);
		/* A message of HTTP that turns the connection begins at its first byte, and is wanted as it is. */
		if (!c || c->protocol == PROTOCOL_NONE || (c->protocol == PROTOCOL_HTTP && want == BODY_PREFIX)) {
			judged = judge(at, c, got);
			if (judged >> JUDGED_PROTOCOL > PROTOCOL_HTTP && judged >> JUDGED_PROTOCOL != PROTOCOL_FOREIGN)
				want = FRAMES_WANTED;
			else if (judged && want < SOCKET_DATA_MAX && want < at->length)
				got = copy_payload(at, 0, at->length < SOCKET_DATA_MAX ? at->length : SOCKET_DATA_MAX, skb, 0);
		}
	}
	if (!enter(at, c, want == FRAMES_WANTED ? 0 : got, judged))
		return 0;
	if (!c)
		c = connection_at(at->place, (__u64)sk);
	if (!c)
		return 0;
	if (!c->told) {
		describe(c, sk, typed);
		c->told = 1;
	}
	set_ends(&at->event, c);
	set_passed(&at->event, c);
	if (want == FRAMES_WANTED) {
		emit_event(at, add_frames(at, c, skb));
		return 0;
	}
entered:
	if (propagates && c && c->protocol == PROTOCOL_HTTP && (at->turned || c->heading))
		begin_message(at, c, got);
	emit(s, counters, at, sizeof(at->event) + (at->left ? bounded(got) : add_tail(at, skb)));
	return at->left && !skb ? report_pieces(at) : 0;
}

/* Of a send with MSG_OOB the last byte is urgent: what reads the stream does not get it. */
static __always_inline int report_urgent(struct selection *s, struct scratch *at, struct sock *sk, bool typed, int direction, __u32 position,
					 __u32 length, __u32 opposite, bool urgent)
{
	if (at->extent != WHOLE || !length)
		urgent = false;
	length -= urgent;
	report(s, at, sk, typed, direction, position, length, opposite, NULL);
	if (urgent) {
		struct connection *c = connection_at(at->place, (__u64)sk);

		if (c && (!c->known[direction] || c->next[direction] == position + length))
			set_apart(sk, c, direction, position + length);
	}
	return 0;
}

/* A send of which more is to be told when it returns. The connection may be a new one, of which nothing was told yet. */
static __always_inline int await_send(struct scratch *at, const struct msghdr *message)
{
	struct ring_counters *counters = socket_events_count();
	struct connection *c = connection_at(at->place, at->socket);

	/* What it speaks is judged when its bytes are told. */
	if (!c && counters)
		c = remember((struct sock *)at->socket, at->place, counters, SOCKET_SEND, at->position);
	if (c && c->protocol != PROTOCOL_FOREIGN)
		await_return(c, at->event.tid, message);
	return 0;
}

#endif
