// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first bytes of what traced processes send and receive on TCP sockets.
 *
 * One event format and one body, report(), under a ladder of attach points; user space loads one rung:
 *   tracepoints  on_send_tracepoint, on_receive_tracepoint     (about 6.16 and later)
 *   fentry       on_send_function (+ on_sendpage before 6.5), on_receive_tracepoint, before 6.11 on_receive_function
 *   syscalls     on_syscall_exit
 * and on_state and on_destroy with each of them.
 *
 * TCP sequence numbers are the one clock of a connection. They tell what was reported already, so that MSG_PEEK, a sendmsg that goes out in
 * several segments, and a retry after a short write need no case of their own, and they let user space see any gap.
 */
#include "include/kernel.h"
#include <stddef.h>
#include "include/counters.h"
#include "include/http.h"
#include "include/payload.h"
#include "include/selection.h"
#include "include/system_calls.h"
#include "sockets.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

COUNTED_RING(socket_events, 8 << 20)

#define HEAD_BUDGET 16384 /* bytes captured in one direction until the direction changes or a message begins */
#define BODY_PREFIX 32 /* then of each operation: enough for a chunk-size line */
#define TAIL_SIZE 8
#define MAX_STRIKES 32 /* direction changes without an HTTP message until a connection is forgotten */

/* What is remembered of a connection that speaks HTTP. Others are not remembered at all. */
struct connection {
	__u64 id;
	__u32 next[2]; /* per direction, the sequence number after the last reported byte */
	__u32 used[2]; /* bytes captured since the last message began */
	__u8 last; /* direction of the last operation */
	__u8 strikes;
	__u8 known[2]; /* next is meaningful */
	__u8 closed; /* in state TCP_CLOSE with bytes that may still be read: the end is reported when the process lets go of the socket */
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

/* A closed socket has given up its port, but still knows it. */
static __always_inline __u16 local_port_of(struct sock *sk, bool typed)
{
	__u16 port = READ(typed, sk, __sk_common.skc_num);

	return port ? port : __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

static __always_inline void describe(struct socket_event *e, struct sock *sk, bool typed)
{
	__u32 local, remote;

	e->local_port = local_port_of(sk, typed);
	e->remote_port = __builtin_bswap16(READ(typed, sk, __sk_common.skc_dport));
	e->netns = typed ? sk->__sk_common.skc_net.net->ns.inum : BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
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

static __always_inline struct connection *remember(struct sock *sk, struct ring_counters *counters)
{
	struct connection fresh = {
		.id = bpf_ktime_get_ns() << 8 | (bpf_get_smp_processor_id() & 0xff),
		.last = 0xff,
		.closed = BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE,
	};
	__u64 key = (__u64)sk;

	if (bpf_map_update_elem(&connections, &key, &fresh, BPF_ANY)) {
		counters->untracked++;
		return NULL;
	}
	return bpf_map_lookup_elem(&connections, &key);
}

/* An event about a connection and no bytes of it. */
static __always_inline void end(struct selection *s, struct ring_counters *counters, struct sock *sk, bool typed, const struct connection *c,
				__u8 kind, __u8 direction)
{
	struct socket_event e = {};

	e.time = bpf_ktime_get_ns();
	e.connection = c->id;
	e.kind = kind;
	e.direction = direction;
	e.sequence = position_of(sk, direction);
	e.opposite = position_of(sk, !direction);
	describe(&e, sk, typed);
	emit(s, counters, &e, sizeof(e));
}

/*
 * One operation: length bytes from sequence number position on, in one direction.
 * typed: sk is a pointer whose type the verifier knows.
 */
static __always_inline int report(struct selection *s, __u64 pid_tgid, struct sock *sk, bool typed, int direction, __u32 position,
				  __u32 length, const struct payload *payload)
{
	struct ring_counters *counters = socket_events_count();
	__u32 slot = direction, skip = 0, want, got;
	int begins = BEGINS_NOTHING;
	bool turned;
	__u64 key = (__u64)sk;
	struct connection *c;
	struct scratch *at;

	if (!counters || !length)
		return 0;
	at = bpf_map_lookup_elem(&scratches, &slot);
	if (!at)
		return 0;
	c = bpf_map_lookup_elem(&connections, &key);
	if (c && c->known[direction]) {
		__s32 reported = c->next[direction] - position;

		/* A large difference is another connection's number, not this one's. */
		if (reported > 0 && reported < 1 << 30) {
			if ((__u32)reported >= length)
				return 0;
			skip = reported;
			length -= skip;
		}
	}
	turned = !c || c->last != direction;
	want = !c ? PREFIX_SIZE : turned || c->used[direction] < HEAD_BUDGET ? SOCKET_DATA_MAX : BODY_PREFIX;
	if (want > length)
		want = length;
	got = copy_payload(at, 0, want, payload, skip);
	if (turned || want == BODY_PREFIX) {
		begins = looks_like_http((struct prefix *)at->data, got, !c);
		if (begins && want < SOCKET_DATA_MAX && want < length) {
			want = length < SOCKET_DATA_MAX ? length : SOCKET_DATA_MAX;
			got = copy_payload(at, 0, want, payload, skip);
		}
	}
	if (!c) {
		c = begins ? remember(sk, counters) : NULL;
		if (!c)
			return 0;
	} else if (turned && !begins && ++c->strikes > MAX_STRIKES) {
		end(s, counters, sk, typed, c, SOCKET_FORGOTTEN, direction);
		bpf_map_delete_elem(&connections, &key);
		return 0;
	}
	if (begins)
		c->strikes = begins == BEGINS_MESSAGE ? 0 : MAX_STRIKES; /* after a preface the first answer has to be HTTP */
	if (turned || begins)
		c->used[direction] = 0;
	c->used[direction] += got;
	c->last = direction;
	c->next[direction] = position + skip + length;
	c->known[direction] = 1;

	at->event.time = bpf_ktime_get_ns();
	at->event.connection = c->id;
	at->event.pid = pid_tgid >> 32;
	at->event.tid = (__u32)pid_tgid;
	at->event.sequence = position + skip;
	at->event.length = length;
	at->event.opposite = position_of(sk, !direction);
	at->event.captured = got;
	at->event.kind = SOCKET_DATA;
	at->event.direction = direction;
	at->event.tail = 0;
	if (got < length && length >= TAIL_SIZE &&
	    copy_payload(at, SOCKET_DATA_MAX, TAIL_SIZE, payload, skip + length - TAIL_SIZE) == TAIL_SIZE)
		__builtin_memcpy(&at->event.tail, at->data + SOCKET_DATA_MAX, TAIL_SIZE);
	describe(&at->event, sk, typed);
	emit(s, counters, at, sizeof(at->event) + bounded(got));
	return 0;
}

static __always_inline bool is_wanted(const struct selection *s, __u32 pid, __u16 local_port)
{
	return s->capture && (is_selected(s, pid) || (is_selected_port(s, local_port) && !is_excluded(s, pid)));
}

static __always_inline int on_send(struct sock *sk, const struct msghdr *message, __u32 length)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};

	/* What is given to a closed socket goes nowhere. */
	if (!s || !is_wanted(s, pid_tgid >> 32, sk->__sk_common.skc_num) || sk->__sk_common.skc_state == TCP_CLOSE)
		return 0;
	payload_of_iterator(&payload, &message->msg_iter, true);
	return report(s, pid_tgid, sk, true, SOCKET_SEND, position_of(sk, SOCKET_SEND), length, &payload);
}

/* Called once per segment that a sendmsg fills; the sequence numbers make the later calls say nothing new. */
SEC("?tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_send_tracepoint, struct sock *sk, struct msghdr *message)
{
	return on_send(sk, message, message->msg_iter.count);
}

SEC("?fentry/tcp_sendmsg")
int BPF_PROG(on_send_function, struct sock *sk, struct msghdr *message, unsigned long length)
{
	return on_send(sk, message, length);
}

/* sendfile before 6.5 does not go through sendmsg. The pages are not read: they hold bodies. */
SEC("?fentry/tcp_sendpage")
int BPF_PROG(on_sendpage, struct sock *sk, void *page, int offset, unsigned long length)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};

	if (!s || !is_wanted(s, pid_tgid >> 32, sk->__sk_common.skc_num))
		return 0;
	return report(s, pid_tgid, sk, true, SOCKET_SEND, position_of(sk, SOCKET_SEND), length, &payload);
}

#ifndef WITHOUT_SKB_DYNPTR
/* The reader's process is known here, and the bytes are still in the skb. */
SEC("?tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(on_receive_tracepoint, struct sk_buff *skb, int length)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};
	__u32 first = 0, position;
	struct bpf_dynptr dynptr;
	struct sock *sk;

	if (!s || !s->capture)
		return 0;
	sk = skb->sk;
	if (!sk || sk->sk_protocol != IPPROTO_TCP || !is_wanted(s, pid_tgid >> 32, local_port_of(sk, true)))
		return 0;
	/* TCP_SKB_CB(skb)->seq. A peek into a later skb leaves copied_seq behind it. */
	bpf_probe_read_kernel(&first, sizeof(first), skb->cb);
	position = position_of(sk, SOCKET_RECEIVE);
	if ((__s32)(position - first) < 0)
		position = first;
	if (bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &dynptr))
		return 0;
	payload.kind = PAYLOAD_SKB;
	payload.skb = &dynptr;
	payload.offset = position - first;
	return report(s, pid_tgid, sk, true, SOCKET_RECEIVE, position, length, &payload);
}
#endif

/*
 * Kernels without bpf_dynptr_from_skb: the bytes are read from where they were just copied to. The iterator has moved past them; the
 * segment that it is in, or has just left, holds the end of the copy.
 */
SEC("?fexit/skb_copy_datagram_iter")
int BPF_PROG(on_receive_function, const struct sk_buff *skb, int offset, struct iov_iter *to, int length, int failed)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};
	__u32 first = 0;
	struct sock *sk;

	if (!s || !s->capture || failed)
		return 0;
	sk = skb->sk;
	if (!sk || sk->sk_protocol != IPPROTO_TCP || !is_wanted(s, pid_tgid >> 32, local_port_of(sk, true)))
		return 0;
	payload_of_iterator(&payload, to, true);
	if (payload.kind == PAYLOAD_USER) {
		payload.base -= length;
	} else if (payload.kind == PAYLOAD_VECTOR) {
		struct vector *v = &payload.vector;
		__u32 back = length;
		int i;

		/* Walk back over segments until the copy's first byte. */
		for (i = 0; i < MAX_SEGMENTS_BACK && v->offset < back; i++) {
			__u64 size = 0;

			back -= v->offset;
			v->base -= sizeof(struct { __u64 base, length; });
			v->segments++;
			bpf_probe_read_kernel(&size, sizeof(size), (void *)(v->base + sizeof(__u64)));
			v->offset = size;
		}
		if (v->offset < back)
			payload.kind = PAYLOAD_NONE;
		else
			v->offset -= back;
	}
	bpf_probe_read_kernel(&first, sizeof(first), skb->cb);
	return report(s, pid_tgid, sk, true, SOCKET_RECEIVE, first + offset, length, &payload);
}

/*
 * Everything from the return of a system call, at which its arguments are still in the registers. Calls that were already blocked when the
 * program was attached are seen as well. io_uring is not. MSG_PEEK (2) needs no case: copied_seq has not moved, so position is wrong
 * by the peeked bytes; hence it is left out by its flag.
 */
SEC("?tp_btf/sys_exit")
int BPF_PROG(on_syscall_exit, struct pt_regs *regs, long result)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};
	enum syscall_shape shape;
	long number, flags = 0;
	struct sock *sk;
	__u32 position;
	bool selected;
	int direction;

	if (!s || result <= 0 || !s->capture)
		return 0;
	/* A process that is not traced pays for no more, unless there are ports that select whoever got a socket of theirs passed. */
	selected = is_selected(s, pid_tgid >> 32);
	if (!selected && (!s->by_port || is_excluded(s, pid_tgid >> 32)))
		return 0;
	number = regs->orig_ax;
	shape = shape_of(number, &direction);
	if (shape == SHAPE_NONE)
		return 0;
	if (number == 45)
		flags = regs->r10;
	else if (number == 47)
		flags = regs->dx;
	if (flags & 2)
		return 0;
	sk = sock_of(regs->di);
	if (!sk || (!selected && !is_selected_port(s, local_port_of(sk, false))))
		return 0;
	if (shape == SHAPE_BUFFER) {
		payload.kind = PAYLOAD_USER;
		payload.base = regs->si;
	} else if (shape == SHAPE_VECTOR) {
		payload.kind = PAYLOAD_VECTOR;
		payload.vector.base = regs->si;
		payload.vector.segments = regs->dx;
	} else if (shape == SHAPE_MESSAGE) {
		struct {
			__u64 name, name_length, base, count;
		} message = {}; /* struct user_msghdr */

		bpf_probe_read_user(&message, sizeof(message), (void *)regs->si);
		payload.kind = PAYLOAD_VECTOR;
		payload.vector.base = message.base;
		payload.vector.segments = message.count;
	}
	position = position_of(sk, direction);
	/* A read up to the end takes the FIN along. */
	if (direction == SOCKET_RECEIVE && has_fin(sk) && position == BPF_CORE_READ((struct tcp_sock *)sk, rcv_nxt))
		position--;
	return report(s, pid_tgid, sk, false, direction, position - result, result, &payload);
}

/* Bytes that arrived and that the process may still read, after a reset or a close from both sides. A close(2) of its own threw them away. */
static __always_inline bool has_unread(struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__s32 unread;

	if (!BPF_CORE_READ(sk, sk_receive_queue.qlen))
		return false;
	unread = BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq);
	return unread > has_fin(sk);
}

/* The end of a connection that was reported: FIN in either direction, then the socket itself. May run in softirq. */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
	struct ring_counters *counters;
	__u64 key = (__u64)sk;
	struct connection *c;
	struct selection *s;

	if (new_state != TCP_CLOSE && new_state != TCP_FIN_WAIT1 && new_state != TCP_LAST_ACK && new_state != TCP_CLOSE_WAIT)
		return 0;
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	c = bpf_map_lookup_elem(&connections, &key);
	if (!c)
		return 0;
	if (new_state == TCP_CLOSE && has_unread(sk)) {
		c->closed = 1;
		return 0;
	}
	s = the_selection();
	counters = socket_events_count();
	if (s && counters)
		end(s, counters, sk, true, c, new_state == TCP_CLOSE ? SOCKET_CLOSE : SOCKET_SHUT,
		    new_state == TCP_CLOSE_WAIT ? SOCKET_RECEIVE : SOCKET_SEND);
	if (new_state == TCP_CLOSE)
		bpf_map_delete_elem(&connections, &key);
	return 0;
}

/*
 * The socket is freed, and its address may be another one's next. A connection that is remembered until here was closed before its last bytes were
 * read, or was first seen when they were.
 */
SEC("?tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock *sk)
{
	struct ring_counters *counters;
	__u64 key = (__u64)sk;
	struct connection *c;
	struct selection *s;

	c = bpf_map_lookup_elem(&connections, &key);
	if (!c)
		return 0;
	s = the_selection();
	counters = socket_events_count();
	if (s && counters)
		end(s, counters, sk, true, c, SOCKET_CLOSE, SOCKET_SEND);
	bpf_map_delete_elem(&connections, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
