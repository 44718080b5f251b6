// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first bytes of what traced processes send and receive on TCP sockets.
 *
 * One event format and one body, report(), under a ladder of attach points; user space loads one rung:
 *   tracepoints  on_send_tracepoint, on_sent_with_syn, on_receive_tracepoint     (about 6.16 and later)
 *   fentry       on_send_function, on_send_return (+ on_sendpage before 6.5), on_receive_tracepoint, before 6.11 on_receive_function
 *   syscalls     on_syscall_exit
 * and on_state and on_destroy with each of them.
 *
 * TCP sequence numbers are the one clock of a connection. They tell what was reported already, so that MSG_PEEK, a sendmsg that goes out in
 * several segments, and a retry after a short write need no case of their own, and they let user space see any gap.
 */
#include "include/kernel.h"
#include <stddef.h>
#include "include/connection.h"
#include "include/http.h"
#include "include/payload.h"
#include "include/selection.h"
#include "include/system_calls.h"
#include "include/taking.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define HEAD_BUDGET 16384 /* bytes captured in one direction until the direction changes or a message begins */
#define TAIL_SIZE 8
#define MAX_STRIKES 32 /* direction changes without an HTTP message until a connection is forgotten */
#define MAX_PIECES 352 /* events of one operation: a chunk takes three of the 1,024 iovecs that the kernel allows (UIO_MAXIOV) */

/* How much of what was asked for an operation is known to move. */
enum extent {
	WHOLE,
	BEGINNING, /* and this is the first of it */
	MIDDLE,
};

/*
 * The next event of an operation whose iovecs hold chunks: up to the end of an iovec, with its first bytes. Returns whether more follow.
 * A function of its own, so that the verifier looks at it once.
 */
__attribute__((noinline)) int report_piece(struct scratch *at)
{
	struct ring_counters *counters = socket_events_count();
	struct selection *s = the_selection();
	__u32 got, length, passed;
	int more;

	if (!at || !s || !counters)
		return 0;
	length = at->left;
	got = gather(at, &at->rest, 0, length < SOCKET_DATA_MAX ? length : SOCKET_DATA_MAX, 0);
	more = got && length - got > at->cut && continues(at, &at->rest);
	passed = at->segment;
	if (more) {
		length = got + at->cut;
		passed += at->cut != 0;
	}
	at->event.sequence += at->event.length;
	at->event.length = length;
	at->event.captured = got;
	at->event.tail = 0;
	if (!more && got < length && length >= TAIL_SIZE && gather(at, &at->rest, SOCKET_DATA_MAX, TAIL_SIZE, length - TAIL_SIZE) == TAIL_SIZE)
		__builtin_memcpy(&at->event.tail, at->data + SOCKET_DATA_MAX, TAIL_SIZE);
	emit(s, counters, at, sizeof(at->event) + bounded(got));
	at->left -= length;
	at->rest.base += passed * sizeof(struct segment);
	at->rest.segments -= passed;
	at->rest.offset = 0;
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
 * One operation: length bytes from sequence number position on, in one direction; opposite is the position of the other.
 * typed: sk is a pointer whose type the verifier knows.
 */
static __always_inline int report(struct selection *s, __u64 pid_tgid, struct sock *sk, bool typed, int direction, __u32 position,
				  __u32 length, __u32 opposite, enum extent extent, struct payload *payload)
{
	struct ring_counters *counters = socket_events_count();
	__u32 slot = direction, want, got;
	bool turned, framed = false, more = false;
	int begins = BEGINS_NOTHING;
	__u64 key = (__u64)sk;
	struct connection *c;
	struct scratch *at;

	if (!counters)
		return 0;
	at = bpf_map_lookup_elem(&scratches, &slot);
	if (!at)
		return 0;
	c = bpf_map_lookup_elem(&connections, &key);
	if (c && c->owed) {
		/* In the course of a long send, and beyond what is wanted of it: the event that tells of its end, or of a wait, tells of this as well. */
		if (extent == MIDDLE && length && !c->pieces && c->last == direction && c->used[direction] >= HEAD_BUDGET)
			return 0;
		catch_up(sk, c, direction == SOCKET_SEND ? position : opposite, TOLD_BY_PROCESS);
		if (direction == SOCKET_SEND && extent == WHOLE && c->owed == OWED_BYTES)
			c->owed = OWED_NOTHING;
	}
	if (!length)
		return 0;
	if (c && c->known[direction]) {
		__s32 reported = c->next[direction] - position;

		/* A large difference is another connection's number, not this one's. */
		if (reported > 0 && reported < 1 << 30) {
			if ((__u32)reported >= length)
				return 0;
			position += reported;
			length -= reported;
			step_over(payload, reported);
		} else if (direction == SOCKET_RECEIVE && reported == -1 && BPF_CORE_READ((struct tcp_sock *)sk, urg_seq) == position - 1) {
			set_apart(sk, c, direction, position - 1);
		}
	}
	turned = !c || c->last != direction;
	want = !c ? PREFIX_SIZE : turned || c->used[direction] < HEAD_BUDGET ? SOCKET_DATA_MAX : BODY_PREFIX;
	if (want > length)
		want = length;
	got = copy_payload(at, 0, want, payload, 0);
	if (turned || want == BODY_PREFIX) {
		begins = looks_like_http((struct prefix *)at->data, got, !c);
		if (begins && want < SOCKET_DATA_MAX && want < length) {
			want = length < SOCKET_DATA_MAX ? length : SOCKET_DATA_MAX;
			got = copy_payload(at, 0, want, payload, 0);
		}
	}
	if (!c) {
		c = begins ? remember(sk, counters) : NULL;
		if (!c)
			return 0;
		c->next[!direction] = opposite;
		c->known[!direction] = 1;
	} else if (turned && !begins && (c->tunnel || c->spoke != 3) && ++c->strikes > MAX_STRIKES) {
		end(sk, c, SOCKET_FORGOTTEN, direction);
		forget(sk, c);
		return 0;
	}
	if (begins)
		note_message(c, at->data, got, direction, begins);
	if (turned || begins)
		c->used[direction] = 0;
	c->used[direction] += got;
	c->last = direction;
	c->next[direction] = position + length;
	c->known[direction] = 1;
	if (extent != WHOLE && c->owed == OWED_NOTHING)
		c->owed = OWED_BYTES;

	at->event.time = bpf_ktime_get_ns();
	at->event.connection = c->id;
	at->event.pid = pid_tgid >> 32;
	at->event.tid = (__u32)pid_tgid;
	at->event.sequence = position;
	at->event.opposite = opposite;
	at->event.captured = got;
	at->event.kind = SOCKET_DATA;
	at->event.direction = direction;
	at->event.tail = 0;
	if (got && payload->kind == PAYLOAD_VECTOR && (got < length || extent == BEGINNING))
		framed = continues(at, &payload->vector);
	if (extent != MIDDLE)
		c->pieces = framed;
	if (framed && length - got > at->cut) {
		__u32 passed = at->segment + (at->cut != 0);

		more = true;
		at->left = length - got - at->cut;
		at->rest.base = payload->vector.base + passed * sizeof(struct segment);
		at->rest.segments = payload->vector.segments - passed;
		at->rest.offset = 0;
		at->rest.in_kernel = payload->vector.in_kernel;
		at->rest.brief = true;
		length = got + at->cut;
	} else if (got < length && length >= TAIL_SIZE &&
		   copy_payload(at, SOCKET_DATA_MAX, TAIL_SIZE, payload, length - TAIL_SIZE) == TAIL_SIZE) {
		__builtin_memcpy(&at->event.tail, at->data + SOCKET_DATA_MAX, TAIL_SIZE);
	}
	at->event.length = length;
	describe(&at->event, sk, typed);
	emit(s, counters, at, sizeof(at->event) + bounded(got));
	if (more)
		report_pieces(at);
	return 0;
}

static __always_inline bool is_wanted(const struct selection *s, __u32 pid, __u16 local_port)
{
	return s->capture && (is_selected(s, pid) || (is_selected_port(s, local_port) && !is_excluded(s, pid)));
}

/* Of a send with MSG_OOB the last byte is urgent: what reads the stream does not get it. */
static __always_inline int report_urgent(struct selection *s, __u64 pid_tgid, struct sock *sk, bool typed, int direction, __u32 position,
					 __u32 length, __u32 opposite, enum extent extent, bool urgent, struct payload *payload)
{
	__u64 key = (__u64)sk;

	if (extent != WHOLE || !length)
		urgent = false;
	length -= urgent;
	report(s, pid_tgid, sk, typed, direction, position, length, opposite, extent, payload);
	if (urgent) {
		struct connection *c = bpf_map_lookup_elem(&connections, &key);

		if (c && (!c->known[direction] || c->next[direction] == position + length))
			set_apart(sk, c, direction, position + length);
	}
	return 0;
}

/* Passed once for each piece that a sendmsg copies, before it is copied. A small send is one piece, or two. */
SEC("?tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_send_tracepoint, struct sock *sk, struct msghdr *message, struct sk_buff *tail, int goal)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};
	struct tcp_sock *tcp;
	enum extent extent;
	__u32 left, taken;

	if (!s || !is_wanted(s, pid_tgid >> 32, sk->__sk_common.skc_num))
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	left = message->msg_iter.count;
	taken = taken_now(sk, tcp, tail, goal, left, true);
	extent = taken == left ? WHOLE : message->msg_iter.iov_offset ? MIDDLE : BEGINNING;
	payload_of_iterator(&payload, &message->msg_iter, true);
	return report_urgent(s, pid_tgid, sk, true, SOCKET_SEND, tcp->write_seq, taken, tcp->copied_seq, extent, message->msg_flags & MSG_OOB, &payload);
}

/* A send of which more is to be told when it returns. The connection may be a new one, of which nothing was told yet. */
static __always_inline int await_send(struct sock *sk, __u32 left, const struct payload *payload)
{
	struct ring_counters *counters = socket_events_count();
	__u32 slot = SOCKET_SEND, got;
	__u64 key = (__u64)sk;
	struct connection *c = bpf_map_lookup_elem(&connections, &key);
	struct scratch *at = bpf_map_lookup_elem(&scratches, &slot);

	if (!c && at && counters) {
		got = copy_payload(at, 0, left < PREFIX_SIZE ? left : PREFIX_SIZE, payload, 0);
		if (looks_like_http((struct prefix *)at->data, got, true))
			c = remember(sk, counters);
	}
	if (c)
		await_return(c);
	return 0;
}

/*
 * What went with the SYN (TCP Fast Open, RFC 7413) does not pass the tracepoint: it is told of when the call returns, with the bytes that the call
 * names. The sockets of all others are left after two looks.
 */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(on_sent_with_syn, struct sock *sk, int result)
{
	struct selection *s = the_selection();
	struct payload payload = {};
	enum syscall_shape shape;
	struct pt_regs *regs;
	struct tcp_sock *tcp;
	__u64 pid_tgid;
	int direction;

	if (!s || result <= 0)
		return 0;
	pid_tgid = bpf_get_current_pid_tgid();
	if (!is_wanted(s, pid_tgid >> 32, sk->__sk_common.skc_num) || !is_tcp(sk, true))
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp || !BPF_CORE_READ_BITFIELD(tcp, syn_data))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	shape = shape_of(regs->orig_ax, &direction);
	if (shape == SHAPE_NONE || direction != SOCKET_SEND)
		return 0;
	payload_of_call(&payload, regs, shape);
	return report(s, pid_tgid, sk, true, SOCKET_SEND, tcp->write_seq - result, result, tcp->copied_seq, WHOLE, &payload);
}

/* The process says what it sends; the socket is locked from here until on_send_return, except while the send waits. */
SEC("?fentry/tcp_sendmsg_locked")
int BPF_PROG(on_send_function, struct sock *sk, struct msghdr *message, unsigned long length)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};
	struct tcp_sock *tcp;
	__u32 left, taken = 0;
	__u8 state;

	if (!s || !is_wanted(s, pid_tgid >> 32, sk->__sk_common.skc_num))
		return 0;
	state = sk->__sk_common.skc_state;
	/* What is given to a closed socket goes nowhere, unless it opens it (TCP Fast Open). */
	if (state == TCP_CLOSE && !(message->msg_flags & MSG_FASTOPEN))
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	left = message->msg_iter.count;
	if (state != TCP_CLOSE && state != TCP_SYN_SENT)
		taken = taken_now(sk, tcp, NULL, tcp->mss_cache, left, false);
	payload_of_iterator(&payload, &message->msg_iter, true);
	report_urgent(s, pid_tgid, sk, true, SOCKET_SEND, tcp->write_seq, taken, tcp->copied_seq, taken == left ? WHOLE : BEGINNING, message->msg_flags & MSG_OOB, &payload);
	return taken == left ? 0 : await_send(sk, left, &payload);
}

/* What became of a send that was not sure to be taken at once. What it took lies behind the iterator. */
SEC("?fexit/tcp_sendmsg_locked")
int BPF_PROG(on_send_return, struct sock *sk, struct msghdr *message, unsigned long length, int result)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid(), key = (__u64)sk;
	struct selection *s = the_selection();
	struct payload payload = {};
	struct connection *c;
	struct tcp_sock *tcp;

	if (!s || !awaited)
		return 0;
	c = bpf_map_lookup_elem(&connections, &key);
	if (!c || c->owed != OWED_RETURN)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	settle_return(c);
	if (result <= 0 || !tcp)
		return 0;
	payload_of_iterator(&payload, &message->msg_iter, true);
	step_back(&payload, result);
	return report_urgent(s, pid_tgid, sk, true, SOCKET_SEND, tcp->write_seq - result, result, tcp->copied_seq, WHOLE, message->msg_flags & MSG_OOB, &payload);
}

/* sendfile before 6.5 does not go through sendmsg. The pages are not read: they hold bodies. */
SEC("?fexit/tcp_sendpage")
int BPF_PROG(on_sendpage, struct sock *sk, void *page, int offset, unsigned long length, int flags, int result)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct payload payload = {};

	if (!s || result <= 0 || !is_wanted(s, pid_tgid >> 32, sk->__sk_common.skc_num))
		return 0;
	return report(s, pid_tgid, sk, true, SOCKET_SEND, position_of(sk, SOCKET_SEND) - result, result, position_of(sk, SOCKET_RECEIVE), WHOLE,
		      &payload);
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
	if (!sk || !is_tcp(sk, true) || !is_wanted(s, pid_tgid >> 32, local_port_of(sk, true)))
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
	return report(s, pid_tgid, sk, true, SOCKET_RECEIVE, position, length, position_of(sk, SOCKET_SEND), WHOLE, &payload);
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
	if (!sk || !is_tcp(sk, true) || !is_wanted(s, pid_tgid >> 32, local_port_of(sk, true)))
		return 0;
	payload_of_iterator(&payload, to, true);
	step_back(&payload, length);
	bpf_probe_read_kernel(&first, sizeof(first), skb->cb);
	return report(s, pid_tgid, sk, true, SOCKET_RECEIVE, first + offset, length, position_of(sk, SOCKET_SEND), WHOLE, &payload);
}

/*
 * Everything from the return of a system call, at which its arguments are still in the registers. Calls that were already blocked when the
 * program was attached are seen as well. io_uring is not. MSG_PEEK and MSG_OOB do not move copied_seq and are left out.
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
	if (number == 44 || number == 45)
		flags = regs->r10;
	else if (number == 46 || number == 47)
		flags = regs->dx;
	if (direction == SOCKET_RECEIVE && flags & (MSG_PEEK | MSG_OOB))
		return 0;
	sk = sock_of(regs->di);
	if (!sk || (!selected && !is_selected_port(s, local_port_of(sk, false))))
		return 0;
	payload_of_call(&payload, regs, shape);
	position = position_of(sk, direction);
	/* A read up to the end takes the FIN along. */
	if (direction == SOCKET_RECEIVE && has_fin(sk) && position == BPF_CORE_READ((struct tcp_sock *)sk, rcv_nxt))
		position--;
	return report_urgent(s, pid_tgid, sk, false, direction, position - result, result, position_of(sk, !direction), WHOLE,
			     direction == SOCKET_SEND && flags & MSG_OOB, &payload);
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

/* Bytes of a send that has not returned, where its return tells of them. One more byte is the FIN. */
static __always_inline bool has_untold(struct sock *sk, const struct connection *c)
{
	return c->known[SOCKET_SEND] && (__s32)(position_of(sk, SOCKET_SEND) - c->next[SOCKET_SEND]) > 1;
}

/* The end of a connection that was reported: FIN in either direction, then the socket itself. May run in softirq. */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
	__u64 key = (__u64)sk;
	struct connection *c;

	if (new_state != TCP_CLOSE && new_state != TCP_FIN_WAIT1 && new_state != TCP_LAST_ACK && new_state != TCP_CLOSE_WAIT)
		return 0;
	if (!is_tcp(sk, true))
		return 0;
	c = bpf_map_lookup_elem(&connections, &key);
	if (!c)
		return 0;
	if (c->owed)
		catch_up(sk, c, position_of(sk, SOCKET_SEND), 0);
	if (new_state == TCP_CLOSE && (has_unread(sk) || has_untold(sk, c)))
		return 0;
	end(sk, c, new_state == TCP_CLOSE ? SOCKET_CLOSE : SOCKET_SHUT, new_state == TCP_CLOSE_WAIT ? SOCKET_RECEIVE : SOCKET_SEND);
	if (new_state == TCP_CLOSE)
		forget(sk, c);
	return 0;
}

/*
 * The socket is freed, and its address may be another one's next. A connection that is remembered until here was closed before its last bytes were
 * read, or was first seen when they were.
 */
SEC("?tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct connection *c;

	c = bpf_map_lookup_elem(&connections, &key);
	if (!c)
		return 0;
	end(sk, c, SOCKET_CLOSE, SOCKET_SEND);
	forget(sk, c);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
