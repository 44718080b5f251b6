/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is remembered of the connections that are followed, and how it is found: by the address of the socket, unique while the connection is
 * there.
 */
#ifndef BEYLA_CONNECTIONS_H
#define BEYLA_CONNECTIONS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "../protocols/protocols.h"

enum owed {
	OWED_NOTHING,
	OWED_BYTES, /* the socket took bytes of a long send that no event reported */
	OWED_RETURN, /* and the return of that send tells of the rest */
};

/* Where the frames of one direction stand, for protocols that have some. */
struct frames {
	__u32 left; /* bytes of the frame that is under way */
	__u32 keep; /* bytes of them that are captured */
	__u8 known; /* whether left is meaningful: the next byte after it begins a frame */
	__u8 parted; /* bytes of a header that the last operation has cut */
	__u8 part[FRAME_PART]; /* they, at its end */
};

/* Both ends of a connection, as events have them. */
struct ends {
	__u16 local_port, remote_port;
	__u8 local[16] __attribute__((aligned(8))), remote[16];
};

/* What is remembered of a connection of a traced process, whatever it speaks: what is none of ours costs one look at this. */
struct connection {
	__u64 id;
	__u32 netns; /* inode of the network namespace, which a socket never changes */
	__u32 next[2]; /* per direction, the sequence number after the last seen byte */
	__u32 used[2]; /* bytes captured since the last message began */
	__u8 protocol; /* enum protocol */
	__u8 flags; /* SOCKET_ACCEPTED, SOCKET_FRESH */
	__u8 told; /* some event told of it, so one has to tell of its end; ends are known */
	__u8 perhaps; /* what was sent last may become a message that is recognised: it is told */
	__u8 last; /* direction of the last operation */
	__u8 turns; /* changes of it, modulo 256 */
	__u8 strikes; /* those of them after which nothing was recognised */
	__u8 known[2]; /* next is meaningful */
	__u8 owed; /* enum owed */
	__u8 pieces; /* the send that is under way has chunks in its iovecs: all of it is told */
	__u8 heading; /* operations in which the head of a request goes on, where contexts are propagated */
	__u8 sql; /* statements were found on it, although it is not recognised: all of it is told */
	__u32 sender; /* OWED_RETURN: thread whose send it is */
	__u32 passed; /* bytes sent since the last event, of which none told */
	__u32 passed_until; /* sequence number behind them */
	__u64 passed_time; /* when; 0: there never were any */
	__u64 message; /* and the address of its struct msghdr, there until it returns */
	struct frames frames[2];
	struct ends ends;
};

/* The first connection that comes to a place here has it. It is found without a call, which costs a tenth of a lookup in the table below. */
#define NEAR_CONNECTIONS 16384

static struct {
	__u64 socket; /* address of the struct sock, 0: free, and all of the connection is 0 */
	struct connection connection;
} near[NEAR_CONNECTIONS];

/* All others. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct connection);
} connections SEC(".maps");

/*
 * Where a connection may stand nearby. A pointer of known type becomes a number by its distance from another one: no other arithmetic is
 * allowed. What is no such pointer has no place, and its connection is in the table. Sockets are many bytes apart; the golden ratio spreads
 * what is left.
 */
static __always_inline __u32 place_of(const struct sock *sk, bool typed)
{
	__u64 distance = (__u64)sk;

	if (!typed)
		return NEAR_CONNECTIONS;
	asm volatile("%0 -= %1" : "+r"(distance) : "r"(near));
	return (__u32)(distance >> 6) * 0x9e3779b1u >> 18;
}

static __always_inline struct connection *connection_at(__u32 place, __u64 socket)
{
	if (place < NEAR_CONNECTIONS && near[place].socket == socket)
		return &near[place].connection;
	return bpf_map_lookup_elem(&connections, &socket);
}

static __always_inline struct connection *connection_of(const struct sock *sk, bool typed)
{
	return connection_at(place_of(sk, typed), (__u64)sk);
}

/* What a connection in the table is filled in from: the stack has no room for one. */
static const struct connection nothing;

/* Makes room for a connection, which is all 0. NULL: there is none. */
static __always_inline struct connection *enter_connection(__u32 place, __u64 socket)
{
	if (place < NEAR_CONNECTIONS && !near[place].socket && !__sync_val_compare_and_swap(&near[place].socket, 0, socket)) {
		/* Another processor may have written to the one before after it was left. */
		__builtin_memset(&near[place].connection, 0, sizeof(struct connection));
		return &near[place].connection;
	}
	return bpf_map_update_elem(&connections, &socket, &nothing, BPF_ANY) ? NULL : bpf_map_lookup_elem(&connections, &socket);
}

static __always_inline void leave_connection(const struct sock *sk, struct connection *c)
{
	__u32 place = place_of(sk, true);
	__u64 socket = (__u64)sk;

	if (near[place].socket != socket) {
		bpf_map_delete_elem(&connections, &socket);
		return;
	}
	__builtin_memset(c, 0, sizeof(*c));
	/* Only then may another one have the place. */
	asm volatile("" ::: "memory");
	near[place].socket = 0;
}

/* Sends whose return is awaited, so that the return of all others costs one look at this. */
static __u32 awaited;

static __always_inline void await_return(struct connection *c, __u32 sender, const struct msghdr *message)
{
	c->sender = sender;
	c->message = (__u64)message;
	if (c->owed != OWED_RETURN)
		__sync_fetch_and_add(&awaited, 1);
	c->owed = OWED_RETURN;
}

static __always_inline void settle_return(struct connection *c)
{
	if (c->owed == OWED_RETURN)
		__sync_fetch_and_add(&awaited, -1);
	c->owed = OWED_NOTHING;
}

#endif
