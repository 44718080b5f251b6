/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The connections that are followed, the ring that tells of them, and the events that carry no bytes. */
#ifndef BEYLA_CONNECTION_H
#define BEYLA_CONNECTION_H

#include "counters.h"
#include "kernel.h"
#include "payload.h"
#include "selection.h"
#include "../sockets.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

COUNTED_RING(socket_events, 8 << 20)

enum owed {
	OWED_NOTHING,
	OWED_BYTES, /* the socket took bytes of a long send that no event reported */
	OWED_RETURN, /* and the return of the function tells of the rest */
};

/* Where the frames of one direction stand, for protocols that have some. */
struct frames {
	__u32 left; /* bytes of the frame that is under way */
	__u32 keep; /* bytes of them that are captured */
	__u8 known; /* whether left is meaningful: the next byte after it begins a frame */
	__u8 parted; /* bytes of a header that the last operation has cut */
	__u8 part[FRAME_PART]; /* they, at its end */
};

/* What is remembered of a connection of a traced process, whatever it speaks: what is none of ours costs one look at this. */
struct connection {
	__u64 id;
	__u32 netns; /* inode of the network namespace, which a socket never changes */
	__u32 next[2]; /* per direction, the sequence number after the last seen byte */
	__u32 used[2]; /* bytes captured since the last message began */
	__u8 protocol; /* enum protocol */
	__u8 flags; /* SOCKET_ACCEPTED, SOCKET_FRESH */
	__u8 told; /* some event told of it: so one has to tell of its end */
	__u8 perhaps; /* what was sent last may become a message that is recognised: it is told */
	__u8 last; /* direction of the last operation */
	__u8 turns; /* changes of it, modulo 256 */
	__u8 strikes; /* those of them after which nothing was recognised */
	__u8 known[2]; /* next is meaningful */
	__u8 owed; /* enum owed */
	__u8 pieces; /* the send that is under way has chunks in its iovecs: all of it is told */
	__u8 sql; /* statements were found on it, although it is not recognised: all of it is told */
	struct frames frames[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* address of the struct sock: unique while the connection is there */
	__type(value, struct connection);
} connections SEC(".maps");

/*
 * Waking the reader costs more than everything else here, so it happens only when the producer crosses a boundary of an eighth of the
 * ring, or when the reader said that it sleeps. Otherwise it looks by itself every few milliseconds.
 */
static __always_inline __u64 wake(struct selection *s, __u32 size)
{
	__u64 position, eighth;

	if (s->asleep) {
		s->asleep = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	position = bpf_ringbuf_query(&socket_events, BPF_RB_PROD_POS);
	eighth = bpf_ringbuf_query(&socket_events, BPF_RB_RING_SIZE) >> 3;
	size = (size + 8 + 7) & ~7; /* a record has a header, and begins at a multiple of eight */
	return (position ^ (position + size)) & ~(eighth - 1) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void emit(struct selection *s, struct ring_counters *counters, void *event, __u32 size)
{
	counters->produced++;
	if (bpf_ringbuf_output(&socket_events, event, size, wake(s, size)))
		counters->lost++;
	else
		counters->emitted++;
}

/* A raw or a netlink socket can have the protocol number of TCP, and is no tcp_sock. */
static __always_inline bool is_tcp(const struct sock *sk, bool typed)
{
	unsigned short family = READ(typed, sk, __sk_common.skc_family);

	return READ(typed, sk, sk_protocol) == IPPROTO_TCP && READ(typed, sk, sk_type) == SOCK_STREAM && (family == AF_INET || family == AF_INET6);
}

/* A closed socket has given up its port, but still knows it. */
static __always_inline __u16 local_port_of(struct sock *sk, bool typed)
{
	__u16 port = READ(typed, sk, __sk_common.skc_num);

	return port ? port : __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

/* The two ends, as the socket has them now. */
static __always_inline void describe(struct socket_event *e, struct sock *sk, bool typed)
{
	__u32 local, remote;

	e->local_port = local_port_of(sk, typed);
	e->remote_port = __builtin_bswap16(READ(typed, sk, __sk_common.skc_dport));
	if (READ(typed, sk, __sk_common.skc_family) == AF_INET6) {
		bpf_probe_read_kernel(e->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_probe_read_kernel(e->remote, 16, &sk->__sk_common.skc_v6_daddr);
		return;
	}
	local = READ(typed, sk, __sk_common.skc_rcv_saddr);
	remote = READ(typed, sk, __sk_common.skc_daddr);
	__builtin_memset(e->local, 0, 10);
	__builtin_memset(e->remote, 0, 10);
	*(__u16 *)(e->local + 10) = 0xffff;
	*(__u16 *)(e->remote + 10) = 0xffff;
	*(__u32 *)(e->local + 12) = local;
	*(__u32 *)(e->remote + 12) = remote;
}

/* Sequence number of the next byte that a direction takes. */
static __always_inline __u32 position_of(struct sock *sk, int direction)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	return direction == SOCKET_SEND ? BPF_CORE_READ(tcp, write_seq) : BPF_CORE_READ(tcp, copied_seq);
}

/* The peer's FIN takes a sequence number of its own: 1 when it came. */
static __always_inline int has_fin(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_flags) >> SOCK_DONE & 1;
}

/* Whether nothing was sent or received before the operation at position: its bytes are the first ones. */
static __always_inline bool is_first(struct sock *sk, int direction, __u32 position)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__u64 sent = BPF_CORE_READ(tcp, bytes_sent), received = BPF_CORE_READ(tcp, bytes_received);
	__u32 read = direction == SOCKET_RECEIVE ? position : BPF_CORE_READ(tcp, copied_seq);
	__u32 written = direction == SOCKET_SEND ? position : BPF_CORE_READ(tcp, write_seq);

	return (__u32)(BPF_CORE_READ(tcp, snd_nxt) - written) == (__u32)sent && (__u32)(BPF_CORE_READ(tcp, rcv_nxt) - read) == (__u32)received;
}

/* What a connection is filled in from: the stack has no room for one. */
static const struct connection nothing;

static __always_inline struct connection *remember(struct sock *sk, struct ring_counters *counters, int direction, __u32 position)
{
	__u64 key = (__u64)sk;
	struct connection *c;

	if (bpf_map_update_elem(&connections, &key, &nothing, BPF_ANY)) {
		counters->untracked++;
		return NULL;
	}
	c = bpf_map_lookup_elem(&connections, &key);
	if (!c)
		return NULL;
	c->id = bpf_ktime_get_ns() << 8 | (bpf_get_smp_processor_id() & 0xff);
	c->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	c->last = 0xff;
	/* A socket that came from a listening one has that one's backlog. */
	if (BPF_CORE_READ(sk, sk_max_ack_backlog))
		c->flags |= SOCKET_ACCEPTED;
	if (is_first(sk, direction, position))
		c->flags |= SOCKET_FRESH;
	return c;
}

/* Sends whose return is awaited, so that the return of all others costs one look at this. */
static __u32 awaited;

static __always_inline void await_return(struct connection *c)
{
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

static __always_inline void forget(struct sock *sk, struct connection *c)
{
	__u64 key = (__u64)sk;

	settle_return(c);
	bpf_map_delete_elem(&connections, &key);
}

#define TOLD_BY_PROCESS 0x10000 /* beside a kind of event and its direction << 8: the current process is the one that did it */

/*
 * An event about a connection that carries no bytes: length of them from sequence on, in one direction. A function of its own, and with few
 * arguments, since nothing here is frequent.
 */
static __attribute__((noinline)) int tell(struct sock *sk, const struct connection *c, __u32 what, __u32 sequence, __u32 length)
{
	__u64 pid_tgid = what & TOLD_BY_PROCESS ? bpf_get_current_pid_tgid() : 0;
	struct ring_counters *counters = socket_events_count();
	struct selection *s = the_selection();
	struct socket_event e = {};

	if (!s || !counters || !c || !c->told)
		return 0;
	e.time = bpf_ktime_get_ns();
	e.connection = c->id;
	e.protocol = c->protocol;
	e.flags = c->flags;
	e.netns = c->netns;
	e.pid = pid_tgid >> 32;
	e.tid = (__u32)pid_tgid;
	e.kind = what;
	e.direction = what >> 8 & 1;
	e.sequence = sequence;
	e.length = length;
	e.opposite = position_of(sk, !e.direction);
	describe(&e, sk, false);
	emit(s, counters, &e, sizeof(e));
	return 0;
}

static __always_inline void end(struct sock *sk, const struct connection *c, __u8 kind, int direction)
{
	tell(sk, c, kind | direction << 8, position_of(sk, direction), 0);
}

/* Reports the bytes that a socket took in the course of a long send and that no event reported, up to sequence number position. */
static __always_inline void catch_up(struct sock *sk, struct connection *c, __u32 position, __u32 by)
{
	__s32 taken = position - c->next[SOCKET_SEND];

	if (!c->known[SOCKET_SEND] || taken <= 0)
		return;
	tell(sk, c, SOCKET_DATA | SOCKET_SEND << 8 | by, c->next[SOCKET_SEND], taken);
	c->next[SOCKET_SEND] = position;
}

/* A byte that does not count: it has a number in the stream and is no part of it. */
static __always_inline void set_apart(struct sock *sk, struct connection *c, int direction, __u32 sequence)
{
	tell(sk, c, SOCKET_URGENT | direction << 8, sequence, 1);
	c->next[direction] = sequence + 1;
	c->known[direction] = 1;
}

#endif
