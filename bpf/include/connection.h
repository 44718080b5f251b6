/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring that tells of connections, what a socket says of them, and the events that carry no bytes. */
#ifndef BEYLA_CONNECTION_H
#define BEYLA_CONNECTION_H

#include "connections.h"
#include "counters.h"
#include "kernel.h"
#include "passed.h"
#include "payload.h"
#include "selection.h"
#include "work.h"
#include "../sockets.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

COUNTED_RING(socket_events, 8 << 20)

/*
 * Waking the reader costs more than everything else here, so it happens only when the producer crosses a boundary of an eighth of the
 * ring, or when the reader said that it sleeps. Otherwise it looks by itself every few milliseconds.
 */
static __u64 eighth; /* of the ring: asked once */

static __always_inline __u64 wake(struct selection *s, __u32 size)
{
	__u64 position;

	if (s->asleep) {
		s->asleep = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	if (!eighth)
		eighth = bpf_ringbuf_query(&socket_events, BPF_RB_RING_SIZE) >> 3;
	position = bpf_ringbuf_query(&socket_events, BPF_RB_PROD_POS);
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

/* An event and so many bytes behind it. A function of its own: the verifier looks at it once. */
__attribute__((noinline)) int emit_event(struct scratch *at, __u32 size)
{
	struct ring_counters *counters = socket_events_count();

	if (at && counters)
		emit(the_selection(), counters, at, sizeof(at->event) + bounded(size));
	return 0;
}

/* A closed socket has given up its port, but still knows it. */
static __always_inline __u16 local_port_of(struct sock *sk, bool typed)
{
	__u16 port = READ(typed, sk, __sk_common.skc_num);

	return port ? port : __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

/* Both ends of a connection, which stay the same: the socket is asked once, and not for each event. */
static __always_inline void describe(struct connection *c, struct sock *sk, bool typed)
{
	struct ends *e = &c->ends;
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

static __always_inline void set_ends(struct socket_event *e, const struct connection *c)
{
	e->local_port = c->ends.local_port;
	e->remote_port = c->ends.remote_port;
	__builtin_memcpy(e->local, c->ends.local, sizeof(e->local));
	__builtin_memcpy(e->remote, c->ends.remote, sizeof(e->remote));
}

/*
 * Whether a socket is being made from what another one was (TCP_REPAIR, as CRIU does): what is written to its queues was sent, or has arrived, on that
 * one, and whoever looks at them does not serve. Nothing moves.
 */
static __always_inline bool is_repaired(const struct tcp_sock *tcp, bool typed)
{
	return typed ? BPF_CORE_READ_BITFIELD(tcp, repair) : BPF_CORE_READ_BITFIELD_PROBED(tcp, repair);
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

static __always_inline struct connection *remember(struct sock *sk, __u32 place, struct ring_counters *counters, int direction,
							__u32 position)
{
	struct connection *c = enter_connection(place, (__u64)sk);

	if (!c) {
		counters->untracked++;
		return NULL;
	}
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

static __always_inline void forget(struct sock *sk, struct connection *c)
{
	settle_return(c);
	leave_passed(c);
	if (propagates)
		leave_wire((__u64)sk);
	leave_connection(sk, c);
}

#define TOLD_BY_PROCESS 0x10000 /* beside a kind of event and its direction << 8: the current process is the one that did it */

/*
 * An event about a connection that carries no bytes: length of them from sequence on, in one direction. A function of its own, and with few
 * arguments, since nothing here is frequent.
 */
static __attribute__((noinline)) int tell(struct sock *sk, struct connection *c, __u32 what, __u32 sequence, __u32 length)
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
	set_ends(&e, c);
	set_passed(&e, c);
	emit(s, counters, &e, sizeof(e));
	return 0;
}

static __always_inline void end(struct sock *sk, struct connection *c, __u8 kind, int direction)
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
