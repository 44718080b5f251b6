// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What TCP connections do, in all network namespaces of the host: made or not, bytes, segments sent again, round trip. The kernel counts
 * all of that for each socket in any case; here is only when to look. Nothing runs for a packet.
 *
 *   on_state   a connection is made, fails, is over
 *   on_file    all sockets that are open now: at start, by the clock, at the end
 */
#include "include/kernel.h"
#include "include/counters.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "statistics.h"

#define RING_SIZE (1 << 20)

COUNTED_RING(tcp_statistics, RING_SIZE)

/* Keeps the type in the object's BTF, where a test compares it with the agent's. */
const struct tcp_statistic *tcp_statistic_layout __attribute__((unused));

enum { EADDRNOTAVAIL = 99 };

struct bpf_spin_lock {
	__u32 val;
};

/*
 * What was told of a connection so far; goes with its socket. No accepted connection inherits it from its listener: it begins with zero, as
 * what the kernel counts for it does.
 *
 * The walk looks at a socket on one CPU while the connection ends on another. Both take the same bytes if each reads what was told before the
 * other has written it, and bytes and segments belong together in one record: so a lock, and not one exchange for each number. It is held
 * for a few loads and stores with interrupts off (bpf_spin_lock does that), so neither can come upon itself on its own CPU.
 */
struct followed {
	struct bpf_spin_lock lock;
	__u32 retransmits;
	__u64 sent;
	__u64 received;
	__u64 walk; /* that told of it last: several processes may hold the socket */
	__u8 role; /* enum tcp_role */
	__u8 over; /* the connection has ended, or is not made yet: the walk passes it over. The socket may be used for another one */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct followed);
} connections SEC(".maps");

static __always_inline void mapped(__u8 *address, __u32 ipv4)
{
	*(__u64 *)address = 0;
	*(__u32 *)(address + 8) = bpf_htonl(0xffff);
	*(__u32 *)(address + 12) = ipv4;
}

/* A record with everything but what is measured; NULL where the ring has no room, which is counted. */
static __always_inline struct tcp_statistic *begin(struct sock *sk, const struct tcp_sock *tcp, __u8 kind)
{
	struct tcp_statistic *r = bpf_ringbuf_reserve(&tcp_statistics, sizeof(*r), 0);
	if (!r) {
		struct ring_counters *counters = tcp_statistics_count();
		if (counters) {
			__sync_fetch_and_add(&counters->produced, 1);
			__sync_fetch_and_add(&counters->lost, 1);
		}
		return NULL;
	}
	__builtin_memset(r, 0, sizeof(*r));
	if (sk->__sk_common.skc_family == AF_INET) {
		mapped(r->local, sk->__sk_common.skc_rcv_saddr);
		mapped(r->remote, sk->__sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO(&r->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&r->remote, sk, __sk_common.skc_v6_daddr);
	}
	/* skc_num is 0 again when a socket is closed; inet_sport stays. */
	r->local_port = bpf_ntohs(((const struct inet_sock *)tcp)->inet_sport);
	r->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	r->kind = kind;
	return r;
}

/* The reader looks each second, so that no connection pays for a wake-up; it is woken where it would be late. */
static __always_inline void send(struct tcp_statistic *r)
{
	struct ring_counters *counters = tcp_statistics_count();
	bool late = bpf_ringbuf_query(&tcp_statistics, BPF_RB_AVAIL_DATA) > RING_SIZE / 4;

	bpf_ringbuf_submit(r, late ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	if (counters) {
		/* An interrupt may come between the walk's load and its store. */
		__sync_fetch_and_add(&counters->produced, 1);
		__sync_fetch_and_add(&counters->emitted, 1);
	}
}

/*
 * bytes_sent counts what was sent again each time, bytes_retrans only that, and earlier (__tcp_retransmit_skb): who reads it later, without
 * the socket's lock, takes nothing that was sent again for new.
 */
static __always_inline __u64 sent_by(const struct tcp_sock *tcp)
{
	__u64 sent = *(const volatile __u64 *)&tcp->bytes_sent;
	__u64 again = *(const volatile __u64 *)&tcp->bytes_retrans;

	return sent > again ? sent - again : 0;
}

/* How far the sequence number of the other end came since the handshake. A FIN counts as a byte; it is the last one. */
static __always_inline __u64 came(const struct tcp_sock *tcp)
{
	return *(const volatile __u64 *)&tcp->bytes_received;
}

/*
 * The same without the FIN, as of an earlier look. The kernel notes that a FIN came some nanoseconds after it counts it (tcp_queue_rcv, tcp_fin),
 * and the walk holds no lock of the socket: what it saw before it took room for the record is told, by what is noted now.
 */
static __always_inline __u64 received_by(const struct tcp_sock *tcp, __u64 earlier)
{
	__u64 now = came(tcp);
	bool fin = ((const struct sock *)tcp)->__sk_common.skc_flags & (1UL << SOCK_DONE);

	now = fin && now > 0 ? now - 1 : now;
	return earlier < now ? earlier : now;
}

static __always_inline __u64 more(__u64 now, __u64 before)
{
	/* Less where the walk saw one of two numbers that belong together and not yet the other. */
	return now > before ? now - before : 0;
}

/* What is new since it was told last, and notes that it is told. With the lock: no helper may be called. */
static __always_inline bool take(struct tcp_statistic *r, struct followed *f, const struct tcp_sock *tcp, __u64 earlier)
{
	__u64 sent = more(sent_by(tcp), f->sent);
	__u64 received = more(received_by(tcp, earlier), f->received);
	__u32 retransmits = more(tcp->total_retrans, f->retransmits);

	r->sent = sent;
	r->received = received;
	r->retransmits = retransmits;
	r->role = f->role;
	f->sent += sent;
	f->received += received;
	f->retransmits += retransmits;
	return sent || received || retransmits;
}

static __always_inline bool has_news(const struct followed *f, const struct tcp_sock *tcp, __u64 earlier)
{
	return sent_by(tcp) > f->sent || received_by(tcp, earlier) > f->received || tcp->total_retrans > f->retransmits;
}

static __always_inline void made(struct sock *sk, const struct tcp_sock *tcp, bool client)
{
	struct followed *f = bpf_sk_storage_get(&connections, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u8 role = client ? TCP_ROLE_CLIENT : TCP_ROLE_SERVER;

	if (f) {
		if (f->role == TCP_ROLE_CLIENT)
			role = TCP_ROLE_CLIENT;
		/* It is all zero, unless the socket had another connection before. */
		bpf_spin_lock(&f->lock);
		f->sent = 0;
		f->received = 0;
		f->retransmits = 0;
		f->role = role;
		f->over = 0;
		bpf_spin_unlock(&f->lock);
	}
	struct tcp_statistic *r = begin(sk, tcp, TCP_STATISTIC_ESTABLISHED);
	if (r) {
		r->role = role;
		send(r);
	}
}

/* Both ends asked at the same time (RFC 9293, 3.5): whose SYN was answered last looks like a server otherwise. */
static __always_inline void crossed(struct sock *sk)
{
	struct followed *f = bpf_sk_storage_get(&connections, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (f) {
		f->over = 1;
		f->role = TCP_ROLE_CLIENT;
	}
}

static __always_inline void failed(struct sock *sk, const struct tcp_sock *tcp)
{
	struct tcp_statistic *r = begin(sk, tcp, TCP_STATISTIC_FAILED);

	if (!r)
		return;
	/* No port was free, which the kernel says to the caller alone; nothing was sent. */
	r->error = r->local_port ? sk->sk_err : EADDRNOTAVAIL;
	r->retransmits = tcp->total_retrans;
	r->role = TCP_ROLE_CLIENT;
	send(r);
}

static __always_inline void closed(struct sock *sk, const struct tcp_sock *tcp)
{
	struct followed *f = bpf_sk_storage_get(&connections, sk, 0, 0);
	struct tcp_statistic *r = begin(sk, tcp, TCP_STATISTIC_CLOSED);

	if (!r) {
		if (f)
			f->over = 1;
		return;
	}
	/* What is not known to have happened since the agent began is not told: only how far away the other end is. */
	r->round_trip = tcp->srtt_us >> 3;
	if (f) {
		bpf_spin_lock(&f->lock);
		take(r, f, tcp, came(tcp));
		f->over = 1;
		bpf_spin_unlock(&f->lock);
	}
	send(r);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int before, int after)
{
	if (after != TCP_ESTABLISHED && after != TCP_CLOSE && !(before == TCP_SYN_SENT && after == TCP_SYN_RECV))
		return 0;
	/* A raw socket has their number in place of its protocol, and is no stream. */
	if (sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM)
		return 0;
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	struct followed *f;
	if (after == TCP_ESTABLISHED) {
		if (before == TCP_SYN_SENT || before == TCP_SYN_RECV)
			made(sk, tcp, before == TCP_SYN_SENT);
	} else if (after == TCP_SYN_RECV) {
		crossed(sk);
	} else {
		switch (before) {
		case TCP_SYN_SENT:
			failed(sk, tcp);
			break;
		case TCP_SYN_RECV:
			/* Of a listener: nobody of this host asked for it, and it was never there for the one who listens. */
			f = bpf_sk_storage_get(&connections, sk, 0, 0);
			if (f && f->role == TCP_ROLE_CLIENT)
				failed(sk, tcp);
			break;
		case TCP_CLOSE:
		case TCP_LISTEN:
			break;
		default:
			closed(sk, tcp);
		}
	}
	return 0;
}

/* A connection that is found open: what it did before is not told. */
static __always_inline void follow(struct sock *sk, const struct tcp_sock *tcp)
{
	struct followed f = {};

	f.sent = sent_by(tcp);
	f.received = received_by(tcp, came(tcp));
	f.retransmits = tcp->total_retrans;
	bpf_sk_storage_get(&connections, sk, &f, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

SEC("iter/task_file")
int on_file(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	if (!file || !ctx->task)
		return 0;
	struct socket *socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	struct sock *sk = socket->sk;
	if (!sk)
		return 0;
	__u16 family = sk->__sk_common.skc_family;
	if ((family != AF_INET && family != AF_INET6) || sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM)
		return 0;
	switch (sk->__sk_common.skc_state) {
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		break;
	default:
		return 0;
	}
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	struct followed *f = bpf_sk_storage_get(&connections, sk, 0, 0);
	if (!f) {
		follow(sk, tcp);
		return 0;
	}
	__u64 walk = ctx->meta->session_id;
	__u64 earlier = came(tcp);
	if (f->over || f->walk == walk || !has_news(f, tcp, earlier))
		return 0;
	/* Before anything is noted: what finds no room now is told by the next walk. */
	struct tcp_statistic *r = begin(sk, tcp, TCP_STATISTIC_OPEN);
	if (!r)
		return 0;
	r->round_trip = tcp->srtt_us >> 3;
	bool told = false;
	bpf_spin_lock(&f->lock);
	if (!f->over) {
		told = take(r, f, tcp, earlier);
		f->walk = walk;
	}
	bpf_spin_unlock(&f->lock);
	if (told)
		send(r);
	else
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
