/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From an operation on a socket to the events that tell of it.
 *
 * Every attach point fills in an operation and calls report(). The steps of it are functions of their own that find everything in memory: the
 * verifier looks at each once, and not at each way from the beginning of a program to its end. That is most of the time that a start takes.
 */
#ifndef BEYLA_REPORT_H
#define BEYLA_REPORT_H

#include "connection.h"
#include "http.h"
#include "payload.h"
#include "selection.h"
#include <bpf/bpf_core_read.h>

#define HEAD_BUDGET 16384 /* bytes captured in one direction until the direction changes or a message begins */
#define TAIL_SIZE 8
#define MAX_STRIKES 32 /* direction changes without an HTTP message until a connection is forgotten */
#define MAX_PIECES 352 /* events of one operation: a chunk takes three of the 1,024 iovecs that the kernel allows (UIO_MAXIOV) */

/* Room for the next operation in a direction, by the current process. Where its bytes are is still to be said. */
static __always_inline struct scratch *begin_operation(struct sock *sk, int direction, __u64 pid_tgid)
{
	__u32 slot = direction;
	struct scratch *at = bpf_map_lookup_elem(&scratches, &slot);

	if (!at)
		return NULL;
	at->socket = (__u64)sk;
	at->event.pid = pid_tgid >> 32;
	at->event.tid = (__u32)pid_tgid;
	at->event.direction = direction;
	at->payload.kind = PAYLOAD_NONE;
	at->payload.vector.offset = 0;
	at->payload.vector.in_kernel = false;
	at->payload.vector.brief = false;
	at->skb_offset = 0;
	at->extent = WHOLE;
	return at;
}

/* Copies bytes [skip, skip + want) of the operation to at->data[to]. Returns how many there were to read. */
__attribute__((noinline)) int copy_from_memory(struct scratch *at, __u32 to, __u32 want, __u32 skip)
{
	if (!at)
		return 0;
	if (at->payload.kind == PAYLOAD_VECTOR)
		return gather(at, &at->payload.vector, to, want, skip);
	if (at->payload.kind == PAYLOAD_USER && !bpf_probe_read_user(at->data + bounded(to), bounded(want), (void *)(at->payload.base + skip)))
		return want;
	return 0;
}

/* The same; skb is NULL where the payload says where the bytes are. */
static __always_inline __u32 copy_payload(struct scratch *at, __u32 to, __u32 want, struct bpf_dynptr *skb, __u32 skip)
{
#ifndef WITHOUT_SKB_DYNPTR
	if (skb)
		return bpf_dynptr_read(at->data + to, bounded(want), skb, at->skb_offset + skip, 0) ? 0 : want;
#endif
	return copy_from_memory(at, to, want, skip);
}

/*
 * Puts the last bytes of an operation that is not copied whole behind its first ones, which may become fewer. Returns how many bytes follow the event.
 */
static __always_inline __u32 add_tail(struct scratch *at, struct bpf_dynptr *skb)
{
	__u32 length = at->event.length, got = bounded(at->event.captured), to;
	struct socket_piece piece = { .length = TAIL_SIZE };

	if (got >= length || length < TAIL_SIZE)
		return got;
	if (got > length - TAIL_SIZE)
		got = bounded(length - TAIL_SIZE);
	to = got + sizeof(piece);
	if (copy_payload(at, to, TAIL_SIZE, skb, length - TAIL_SIZE) != TAIL_SIZE)
		return bounded(at->event.captured);
	piece.gap = length - TAIL_SIZE - got;
	__builtin_memcpy(at->data + got, &piece, sizeof(piece));
	at->event.captured = got;
	at->event.pieces = 1;
	return to + TAIL_SIZE;
}

/* Forward over bytes that were reported before. */
static __always_inline void step_over(struct scratch *at, __u32 bytes)
{
	at->position += bytes;
	at->length -= bytes;
	at->skb_offset += bytes;
	if (at->payload.kind == PAYLOAD_VECTOR)
		pass_segments(&at->payload.vector, bytes);
	else
		at->payload.base += bytes;
}

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
		if (at->extent == MIDDLE && at->length && !c->pieces && c->last == direction && c->used[direction] >= HEAD_BUDGET)
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
		}
	}
	at->turned = !c || c->last != direction;
	want = !c ? PREFIX_SIZE : at->turned || c->used[direction] < HEAD_BUDGET ? SOCKET_DATA_MAX : BODY_PREFIX;
	return want < at->length ? want : at->length;
}

/* A message that begins says how the connection goes on. RFC 9110 sections 9.3.6 and 15.2.2. */
static __always_inline void note_message(struct connection *c, const __u8 *data, __u32 got, int direction, int begins)
{
	c->strikes = begins == BEGINS_MESSAGE ? 0 : MAX_STRIKES; /* after a preface the first answer has to be HTTP */
	c->spoke |= 1 << direction;
	if (data[0] == 'H' && data[1] == 'T') {
		if (got > 12 && data[9] == '1' && data[10] == '0' && data[11] == '1')
			c->tunnel = SWITCHED;
	} else if (c->tunnel != SWITCHED) {
		c->tunnel = data[0] == 'C' && data[1] == 'O' && data[2] == 'N' && data[3] == 'N' ? CONNECT_ASKED : NO_TUNNEL;
	}
}

/*
 * Last step: enters the operation, of which got bytes were copied, into what is remembered of its connection, begins that if c is NULL, and fills in the
 * event. Returns whether there is one.
 */
__attribute__((noinline)) int enter(struct scratch *at, struct connection *c, __u32 got, __u32 begins)
{
	struct ring_counters *counters = socket_events_count();
	bool framed = false;
	__u32 direction;
	struct sock *sk;

	if (!at || !counters)
		return 0;
	direction = at->event.direction & 1;
	sk = (struct sock *)at->socket;
	if (!c) {
		c = begins ? remember(sk, counters) : NULL;
		if (!c)
			return 0;
		c->next[!direction] = at->event.opposite;
		c->known[!direction] = 1;
	} else if (at->turned && !begins && (c->tunnel || c->spoke != 3) && ++c->strikes > MAX_STRIKES) {
		end(sk, c, SOCKET_FORGOTTEN, direction);
		forget(sk, c);
		return 0;
	}
	if (begins)
		note_message(c, at->data, got, direction, begins);
	if (at->turned || begins)
		c->used[direction] = 0;
	c->used[direction] += got;
	c->last = direction;
	c->next[direction] = at->position + at->length;
	c->known[direction] = 1;
	if (at->extent != WHOLE && c->owed == OWED_NOTHING)
		c->owed = OWED_BYTES;

	at->event.time = bpf_ktime_get_ns();
	at->event.connection = c->id;
	at->event.netns = c->netns;
	at->event.sequence = at->position;
	at->event.captured = got;
	at->event.kind = SOCKET_DATA;
	at->event.pieces = 0;
	at->left = 0;
	if (got && at->payload.kind == PAYLOAD_VECTOR && (got < at->length || at->extent == BEGINNING))
		framed = continues(at, &at->payload.vector);
	if (at->extent != MIDDLE)
		c->pieces = framed;
	if (framed && at->length - got > at->cut) {
		leave_behind(&at->payload.vector, at->segment + (at->cut != 0));
		at->left = at->length - got - at->cut;
	}
	at->event.length = at->length - at->left;
	return 1;
}

/* The next event of an operation whose iovecs hold chunks: up to the end of an iovec, with its first bytes. Returns whether more follow. */
__attribute__((noinline)) int report_piece(struct scratch *at)
{
	struct ring_counters *counters = socket_events_count();
	struct selection *s = the_selection();
	__u32 got, length, passed;
	int more;

	if (!at || !s || !counters)
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
	emit(s, counters, at, sizeof(at->event) + (more ? bounded(got) : add_tail(at, NULL)));
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
 * One operation: length bytes from sequence number position on; opposite is the position of the other direction.
 * typed: sk is a pointer whose type the verifier knows. skb: where the bytes are, when the operation does not say it.
 */
static __always_inline int report(struct selection *s, struct scratch *at, struct sock *sk, bool typed, __u32 position, __u32 length, __u32 opposite,
				  struct bpf_dynptr *skb)
{
	struct ring_counters *counters = socket_events_count();
	__u64 key = (__u64)sk;
	struct connection *c = bpf_map_lookup_elem(&connections, &key);
	__u32 want, got, begins = BEGINS_NOTHING;

	if (!counters)
		return 0;
	at->position = position;
	at->length = length;
	at->event.opposite = opposite;
	want = bytes_wanted(at, c);
	if (!want)
		return 0;
	got = copy_payload(at, 0, want, skb, 0);
	if (at->turned || want == BODY_PREFIX) {
		begins = looks_like_http((struct prefix *)at->data, got, !c);
		if (begins && want < SOCKET_DATA_MAX && want < at->length)
			got = copy_payload(at, 0, at->length < SOCKET_DATA_MAX ? at->length : SOCKET_DATA_MAX, skb, 0);
	}
	if (!enter(at, c, got, begins))
		return 0;
	describe(&at->event, sk, typed);
	emit(s, counters, at, sizeof(at->event) + (at->left ? bounded(got) : add_tail(at, skb)));
	return at->left && !skb ? report_pieces(at) : 0;
}

/* Of a send with MSG_OOB the last byte is urgent: what reads the stream does not get it. */
static __always_inline int report_urgent(struct selection *s, struct scratch *at, struct sock *sk, bool typed, __u32 position, __u32 length,
					 __u32 opposite, bool urgent)
{
	__u32 direction = at->event.direction & 1;
	__u64 key = (__u64)sk;

	if (at->extent != WHOLE || !length)
		urgent = false;
	length -= urgent;
	report(s, at, sk, typed, position, length, opposite, NULL);
	if (urgent) {
		struct connection *c = bpf_map_lookup_elem(&connections, &key);

		if (c && (!c->known[direction] || c->next[direction] == position + length))
			set_apart(sk, c, direction, position + length);
	}
	return 0;
}

/* A send of which more is to be told when it returns. The connection may be a new one, of which nothing was told yet. */
static __always_inline int await_send(struct scratch *at, __u32 left)
{
	struct ring_counters *counters = socket_events_count();
	struct connection *c = bpf_map_lookup_elem(&connections, &at->socket);
	__u32 got;

	if (!c && counters) {
		got = copy_from_memory(at, 0, left < PREFIX_SIZE ? left : PREFIX_SIZE, 0);
		if (looks_like_http((struct prefix *)at->data, got, true))
			c = remember((struct sock *)at->socket, counters);
	}
	if (c)
		await_return(c);
	return 0;
}

#endif
