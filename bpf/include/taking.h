/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much of a send a socket takes before the sender has to wait, or is told to come again: what tcp_sendmsg_locked (net/ipv4/tcp.c) is
 * about to do, so that bytes count as sent when the socket takes them and not when it is asked to.
 */
#ifndef BEYLA_TAKING_H
#define BEYLA_TAKING_H

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define SKB_COST 2304 /* more than an skb without its data adds to sk_wmem_queued */

/* sk_stream_memory_free: may one more skb be queued when more bytes wait already? limit: of the bytes that are not sent yet. */
static __always_inline bool has_room(const struct sock *sk, __u32 unsent, __u32 limit, __s64 more)
{
	return sk->sk_wmem_queued + more < sk->sk_sndbuf && unsent + more < limit;
}

/*
 * Bytes of left that are taken now for sure. goal is how large an skb may grow; before_each: the tracepoint is passed again for each skb, and its
 * tail is the last one that is not sent yet. Then the number is never smaller than what is taken until the next pass. Only a shortage of memory, or a
 * buffer that cannot be read, proves it wrong. position: write_seq.
 */
static __always_inline __u32 taken_now(const struct sock *sk, const struct tcp_sock *tcp, const struct sk_buff *tail, __u32 goal, __u32 left,
				       __u32 position, bool before_each)
{
	__u64 skbs = left <= goal ? 2 : left / goal + 2;
	__u32 limit = tcp->notsent_lowat, unsent = position - tcp->snd_nxt, taken = 0, used;

	if (!limit)
		limit = sk->__sk_common.skc_net.net->ipv4.sysctl_tcp_notsent_lowat;
	if (has_room(sk, unsent, limit, left + skbs * SKB_COST))
		return left;
	if (tail) {
		used = tail->len;
		/* What is appended to an skb needs no room: only its last segment decides whether a send waits. */
		if (used < goal && !BPF_CORE_READ_BITFIELD_PROBED((struct tcp_skb_cb *)tail->cb, eor))
			taken = goal - used;
	}
	/* Where the last skb is not known, a few bytes may be appended to it, and leave no room for another one. */
	if (!taken && has_room(sk, unsent, limit, before_each || !sk->sk_write_queue.qlen ? 0 : goal + 2 * SKB_COST))
		taken = goal;
	return taken < left ? taken : left;
}

#endif
