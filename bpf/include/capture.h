/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of an operation an event carries: its first and last bytes, by the policy of its protocol. */
#ifndef BEYLA_CAPTURE_H
#define BEYLA_CAPTURE_H

#include "connection.h"
#include "frames.h"
#include "payload.h"
#include "verdict.h"

#define HEAD_BUDGET 16384 /* bytes captured in one direction until the direction changes or a message begins */
#define SEARCHED_SIZE 512 /* bytes of a request that is not recognised in which a statement is looked for */
#define STATEMENT_SIZE 4096 /* the same where one was found before: the text is shown */
#define TAIL_SIZE 8 /* bytes at the end of an operation that is not copied whole: the end of the last chunk */
#define FRAMES_TAIL 128 /* the same where frames could not be followed: the last of them shows how things stand */
#define FRAMES_WANTED 0x10000 /* in place of a number of bytes: what the walk over the frames keeps */

/* Room for the next operation in a direction, by the current process. Where its bytes are is still to be said. */
static __always_inline struct scratch *begin_operation(struct sock *sk, bool typed, int direction, __u64 pid_tgid)
{
	__u32 slot = direction;
	struct scratch *at = bpf_map_lookup_elem(&scratches, &slot);

	if (!at)
		return NULL;
	at->socket = (__u64)sk;
	at->place = place_of(sk, typed);
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
	if (propagates && at->payload.kind == PAYLOAD_STASH)
		return copy_stash(at->data + placed(to), at->socket, at->position, want, skip);
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
 * Puts the last size bytes of an operation of that length behind the first out bytes of an event, which hold what comes before byte told of the
 * operation. Returns how many bytes are added.
 */
static __always_inline __u32 add_end(struct scratch *at, __u32 out, __u32 told, __u32 size, __u32 length, struct bpf_dynptr *skb)
{
	struct socket_piece piece = { .gap = length - size - told, .length = size };

	out = bounded(out);
	if (copy_payload(at, out + sizeof(piece), size, skb, length - size) != size)
		return 0;
	__builtin_memcpy(at->data + out, &piece, sizeof(piece));
	at->event.pieces++;
	return sizeof(piece) + size;
}

/*
 * Puts the last bytes of an operation that is not copied whole behind its first ones, which may become fewer. Returns how many bytes follow the event.
 */
static __always_inline __u32 add_tail(struct scratch *at, struct bpf_dynptr *skb)
{
	__u32 size = at->event.protocol > PROTOCOL_HTTP ? FRAMES_TAIL : TAIL_SIZE;
	__u32 length = at->event.length, got = bounded(at->event.captured), added;

	if (got >= length || length < size || (!skb && at->payload.kind == PAYLOAD_NONE))
		return got;
	if (got > length - size)
		got = bounded(length - size);
	added = add_end(at, got, got, size, length, skb);
	if (!added)
		return bounded(at->event.captured);
	at->event.captured = got;
	return got + added;
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

/*
 * How much of an operation is captured that is not recognised, where statements are looked for: in what is sent to the side that accepted the
 * connection. Of a response it is enough to know when it came, and not even that before a statement was found.
 */
static __always_inline __u32 searched(const struct scratch *at, const struct connection *c, __u32 direction)
{
	__u32 server = c->flags & SOCKET_ACCEPTED ? SOCKET_RECEIVE : SOCKET_SEND;

	if (c->perhaps && !at->turned)
		return SOCKET_DATA_MAX;
	if (direction == server && (at->turned || c->used[direction] < SEARCHED_SIZE))
		return c->sql ? STATEMENT_SIZE : SEARCHED_SIZE;
	if (at->turned)
		return PREFIX_SIZE;
	return c->sql ? BODY_PREFIX : 0;
}

/* How much of the operation's bytes an event is to carry, by the protocol of its connection. */
static __always_inline __u32 policy(const struct scratch *at, struct connection *c, __u32 direction)
{
	struct frames *f = &c->frames[direction];

	if (c->protocol == PROTOCOL_NONE && detects_sql)
		return searched(at, c, direction);
	if (c->protocol == PROTOCOL_NONE)
		return c->perhaps && !at->turned ? SOCKET_DATA_MAX : PREFIX_SIZE;
	if (c->protocol != PROTOCOL_HTTP) {
		/* Whoever speaks after the other one begins with a frame. */
		if (!f->known && at->turned)
			begin_frames(f);
		if (f->known)
			return FRAMES_WANTED;
	}
	return at->turned || c->used[direction] < HEAD_BUDGET ? SOCKET_DATA_MAX : BODY_PREFIX;
}

#endif
