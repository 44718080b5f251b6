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
#include "frames.h"
#include "payload.h"
#include "selection.h"
#include "verdict.h"
#include "../protocols/http.h"
#include "../protocols/tls.h"
#include <bpf/bpf_core_read.h>

#define HEAD_BUDGET 16384 /* bytes captured in one direction until the direction changes or a message begins */
#define TAIL_SIZE 8 /* bytes at the end of an operation that is not copied whole: the end of the last chunk */
#define FRAMES_TAIL 128 /* the same where frames could not be followed: the last of them shows how things stand */
#define FRAMES_WANTED 0x10000 /* in place of a number of bytes: what the walk over the frames keeps */
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
	if (at->payload.kind == PAYLOAD_USER && !bpf_probe_read_user(at->data + placed(to), bounded(want), (void *)(at->payload.base + skip)))
		return want;
	return 0;
}

/* The same; skb is NULL where the payload says where the bytes are. */
static __always_inline __u32 copy_payload(struct scratch *at, __u32 to, __u32 want, struct bpf_dynptr *skb, __u32 skip)
{
#ifndef WITHOUT_SKB_DYNPTR
	if (skb)
		return bpf_dynptr_read(at->data + placed(to), bounded(want), skb, at->skb_offset + skip, 0) ? 0 : want;
#endif
	return copy_from_memory(at, to, want, skip);
}

/*
 * Puts the last bytes of an operation that is not copied whole behind its first ones, which may become fewer. Returns how many bytes follow the event.
 */
static __always_inline __u32 add_tail(struct scratch *at, struct bpf_dynptr *skb)
{
	__u32 size = at->event.protocol > PROTOCOL_HTTP ? FRAMES_TAIL : TAIL_SIZE;
	__u32 length = at->event.length, got = bounded(at->event.captured), to;
	struct socket_piece piece = { .length = size };

	if (got >= length || length < size)
		return got;
	if (got > length - size)
		got = bounded(length - size);
	to = got + sizeof(piece);
	if (copy_payload(at, to, size, skb, length - size) != size)
		return bounded(at->event.captured);
	piece.gap = length - size - got;
	__builtin_memcpy(at->data + got, &piece, sizeof(piece));
	at->event.captured = got;
	at->event.pieces = 1;
	return to + size;
}

/* The same behind pieces of which the first out bytes are full, where the bytes of the tail are not among them. Returns how many bytes are added. */
static __always_inline __u32 add_end(struct scratch *at, __u32 out, struct bpf_dynptr *skb)
{
	struct socket_piece piece = { .length = FRAMES_TAIL };
	__u32 length = at->walk.whole;

	if (length < FRAMES_TAIL || at->walk.told > length - FRAMES_TAIL)
		return 0;
	out = bounded(out);
	if (copy_payload(at, out + sizeof(piece), FRAMES_TAIL, skb, length - FRAMES_TAIL) != FRAMES_TAIL)
		return 0;
	piece.gap = length - FRAMES_TAIL - at->walk.told;
	__builtin_memcpy(at->data + out, &piece, sizeof(piece));
	at->event.pieces++;
	return sizeof(piece) + FRAMES_TAIL;
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

/* How much of the operation's bytes an event is to carry, by the protocol of its connection. */
static __always_inline __u32 policy(const struct scratch *at, struct connection *c, __u32 direction)
{
	struct frames *f = &c->frames[direction];

	switch (c->protocol) {
	case PROTOCOL_NONE:
		return c->perhaps && !at->turned ? SOCKET_DATA_MAX : PREFIX_SIZE;
	case PROTOCOL_HTTP:
		return at->turned || c->used[direction] < HEAD_BUDGET ? SOCKET_DATA_MAX : BODY_PREFIX;
	}
	/* Whoever speaks after the other one begins with a frame. */
	if (!f->known && at->turned) {
		f->known = 1;
		f->left = f->keep = f->parted = 0;
	}
	if (f->known)
		return FRAMES_WANTED;
	return at->turned || c->used[direction] < HEAD_BUDGET ? SOCKET_DATA_MAX : BODY_PREFIX;
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
	at->turned = !c || c->last != direction;
	if (!c)
		return at->length < PREFIX_SIZE ? at->length : PREFIX_SIZE;
	if (at->turned && (c->protocol == PROTOCOL_NONE || !(c->turns++ & 3)))
		take_verdict(c);
	if (c->protocol == PROTOCOL_FOREIGN) {
		/* User space said so, and need not keep it any longer. */
		end(sk, c, SOCKET_FORGOTTEN, direction);
		c->told = 0;
		return 0;
	}
	want = policy(at, c, direction);
	return want < at->length || want == FRAMES_WANTED ? want : at->length;
}

/* What the first got bytes of an operation say. */
enum judgement {
	JUDGED_NOTHING = 0,
	JUDGED_MESSAGE = 1, /* of HTTP */
	JUDGED_PERHAPS = 2, /* may become a message of some protocol */
	JUDGED_JOINED = 4, /* with the bytes of the operation before it */
	JUDGED_PROTOCOL = 8, /* from this bit on: the protocol that the connection is recognised as */
};

/* Which protocol do these bytes begin, the first n of an operation of that length? first: nothing was remembered of the connection before. */
__attribute__((noinline)) int recognise(const struct prefix *prefix, __u32 n, __u32 length, __u32 first)
{
	__u32 begins, postgres, redis;
	const __u8 *p;

	if (!prefix || !n)
		return JUDGED_NOTHING;
	p = prefix->bytes;
	if (n > PREFIX_SIZE)
		n = PREFIX_SIZE;
	if (recognise_tls(p, n))
		return PROTOCOL_FOREIGN << JUDGED_PROTOCOL;
	begins = looks_like_http(prefix, n, first);
	if (begins == BEGINS_MESSAGE || (begins == BEGINS_PREFACE && (p[0] == 'P' || (n > 4 && !p[4]))))
		return PROTOCOL_HTTP << JUDGED_PROTOCOL | JUDGED_MESSAGE;
	postgres = recognise_postgres(p, n, length);
	if (postgres == RECOGNISED)
		return PROTOCOL_POSTGRES << JUDGED_PROTOCOL;
	redis = recognise_redis(p, n);
	if (redis == RECOGNISED)
		return PROTOCOL_REDIS << JUDGED_PROTOCOL;
	return begins || postgres || redis ? JUDGED_PERHAPS : JUDGED_NOTHING;
}

/*
 * Second step: which protocol is it, where that is not known; does a message of HTTP begin? The first got bytes of the operation decide. Where that is
 * too short, they are kept for the next operation of the same direction. c may be NULL.
 */
__attribute__((noinline)) int judge(struct scratch *at, struct connection *c, __u32 got)
{
	__u32 begins, judged, parted = 0;
	struct frames *f;

	if (!at)
		return JUDGED_NOTHING;
	if (!c)
		return recognise((struct prefix *)at->data, got, at->length, true);
	if (c->protocol == PROTOCOL_HTTP) {
		begins = looks_like_http((struct prefix *)at->data, got, false);
		return begins == BEGINS_MESSAGE || begins == BEGINS_PERHAPS ? JUDGED_MESSAGE : JUDGED_NOTHING;
	}
	if (c->protocol != PROTOCOL_NONE)
		return JUDGED_NOTHING;
	f = &c->frames[at->event.direction & 1];
	if (at->turned)
		f->parted = 0;
	parted = f->parted;
	if (!at->turned && !parted)
		return c->perhaps ? JUDGED_PERHAPS : JUDGED_NOTHING;
	__builtin_memcpy(at->data + WINDOW, f->part, FRAME_PART);
	__builtin_memcpy(at->data + WINDOW + FRAME_PART, at->data, PREFIX_SIZE);
	got += parted;
	judged = recognise((struct prefix *)in_window(at, FRAME_PART - parted), got, at->length + parted, false);
	if (judged != JUDGED_PERHAPS || got >= FRAME_PART)
		f->parted = judged >> JUDGED_PROTOCOL ? parted : 0;
	return parted ? judged | JUDGED_JOINED : judged;
}

/* Keeps the first bytes of an operation that is too short to be judged, behind the ones of the operation before it. */
static __always_inline void keep_part(struct frames *f, const struct scratch *at)
{
	__u32 n = f->parted + at->length;

	if (n >= FRAME_PART) {
		f->parted = 0;
		return;
	}
	__builtin_memcpy((void *)in_window(at, 0), f->part, FRAME_PART);
	__builtin_memcpy((void *)in_window(at, FRAME_PART), at->data, FRAME_PART);
	__builtin_memcpy(f->part, in_window(at, at->length & (FRAME_PART - 1)), FRAME_PART);
	f->parted = n;
}

/* Enters what was judged into what is remembered. Returns whether the operation is told. */
static __always_inline bool settle(struct sock *sk, struct connection *c, const struct scratch *at, __u32 judged, __u32 direction)
{
	__u32 protocol = judged >> JUDGED_PROTOCOL;
	struct frames *f = &c->frames[direction];

	if (c->protocol != PROTOCOL_NONE)
		return true;
	if (protocol) {
		become(c, protocol);
		if (protocol != PROTOCOL_FOREIGN)
			c->strikes = 0;
		/* What was joined is the part of a header. */
		f->known = judged & JUDGED_JOINED;
		f->left = f->keep = 0;
		if (!f->known)
			f->parted = 0;
	} else if (judged & JUDGED_PERHAPS) {
		c->perhaps = 1;
		/* Right-aligned, so that the next bytes follow. */
		if (at->turned || f->parted)
			keep_part(f, at);
	} else if (at->turned) {
		strike(c);
	}
	if (c->protocol == PROTOCOL_FOREIGN) {
		end(sk, c, SOCKET_FORGOTTEN, direction);
		c->told = 0;
		return false;
	}
	return c->protocol != PROTOCOL_NONE || c->perhaps;
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
		c = remember(sk, counters, direction, at->position);
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
	c->told = 1;
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
	if (!at->event.unwalked || size > SOCKET_DATA_MAX - FRAMES_TAIL - sizeof(struct socket_piece) || at->event.pieces == 255)
		return size;
	return size + add_end(at, size, skb);
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
	__u32 want, got = 0, judged = JUDGED_NOTHING;

	if (!counters || (c && c->protocol == PROTOCOL_FOREIGN))
		return 0;
	at->position = position;
	at->length = length;
	at->event.opposite = opposite;
	want = bytes_wanted(at, c);
	if (!want)
		return 0;
	if (want != FRAMES_WANTED) {
		got = copy_payload(at, 0, want, skb, 0);
		if (!c || c->protocol == PROTOCOL_NONE || (c->protocol == PROTOCOL_HTTP && (at->turned || want == BODY_PREFIX))) {
			judged = judge(at, c, got);
			if (judged >> JUDGED_PROTOCOL > PROTOCOL_HTTP && judged >> JUDGED_PROTOCOL != PROTOCOL_FOREIGN)
				want = FRAMES_WANTED;
			else if (judged && want < SOCKET_DATA_MAX && want < at->length)
				got = copy_payload(at, 0, at->length < SOCKET_DATA_MAX ? at->length : SOCKET_DATA_MAX, skb, 0);
		}
	}
	if (!enter(at, c, want == FRAMES_WANTED ? 0 : got, judged))
		return 0;
	describe(&at->event, sk, typed);
	if (want == FRAMES_WANTED) {
		c = bpf_map_lookup_elem(&connections, &key);
		if (!c)
			return 0;
		emit(s, counters, at, sizeof(at->event) + bounded(add_frames(at, c, skb)));
		return 0;
	}
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
static __always_inline int await_send(struct scratch *at)
{
	struct ring_counters *counters = socket_events_count();
	struct connection *c = bpf_map_lookup_elem(&connections, &at->socket);

	/* What it speaks is judged when its bytes are told. */
	if (!c && counters)
		c = remember((struct sock *)at->socket, counters, SOCKET_SEND, at->position);
	if (c && c->protocol != PROTOCOL_FOREIGN)
		await_return(c);
	return 0;
}

#endif
