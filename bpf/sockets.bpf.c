// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first bytes of what traced processes send and receive on TCP sockets.
 *
 * One event format and one body, report(), under a ladder of attach points; user space loads one rung:
 *   tracepoints  on_send_tracepoint, on_sent_with_syn, on_receive_tracepoint     (about 6.16 and later)
 *   fentry       on_send_function, on_sent, on_receive_tracepoint                (about 6.4 and later)
 *                on_send_function, on_send_return, on_sendpage, on_receive_function
 *   syscalls     on_syscall_exit
 * and on_state and on_destroy with each of them.
 *
 * TCP sequence numbers are the one clock of a connection. They tell what was reported already, so that MSG_PEEK, a sendmsg that goes out in
 * several segments, and a retry after a short write need no case of their own, and they let user space see any gap.
 */
#include "include/kernel.h"
#include "include/messages.h"
#include "include/report.h"
#include "include/system_calls.h"
#include "include/taking.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/*
 * Whether an operation on a socket is traced. Most are not, and pay for what stands here before it says no: a bit, and where ports
 * select, another one.
 */
static __always_inline bool is_wanted(const struct selection *s, __u32 pid, const struct sock *sk)
{
	if (!is_selected(s, pid) && (!s->by_port || !is_selected_port(s, sk->__sk_common.skc_num) || is_excluded(s, pid)))
		return false;
	return s->capture;
}

/* The same for a receive, which a closed socket can still make: it has given up its port. */
static __always_inline bool is_receive_wanted(const struct selection *s, __u32 pid, struct sock *sk)
{
	if (!is_selected(s, pid) && (!s->by_port || !is_selected_port(s, local_port_of(sk, true)) || is_excluded(s, pid)))
		return false;
	return s->capture && is_tcp(sk, true);
}

/*
 * Whether an skb comes from an error queue: it holds what was sent, with the time of that (SO_TIMESTAMPING), and has no place in the stream.
 * skb_set_err_queue (net/core/skbuff.c) marks it so.
 */
static __always_inline bool is_error(const struct sk_buff *skb)
{
	return BPF_CORE_READ_BITFIELD(skb, pkt_type) == PACKET_OUTGOING;
}

/* Passed once for each piece that a sendmsg copies, before it is copied. A small send is one piece, or two. */
SEC("?tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_send_tracepoint, struct sock *sk, struct msghdr *message, struct sk_buff *tail, int goal)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct tcp_sock *tcp;
	struct scratch *at;
	__u32 left, taken, position;

	if (!s || !is_wanted(s, pid_tgid >> 32, sk))
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	at = begin_operation(sk, true, SOCKET_SEND, pid_tgid);
	if (!tcp || !at || is_repaired(tcp, true))
		return 0;
	left = message->msg_iter.count;
	position = tcp->write_seq;
	taken = taken_now(sk, tcp, tail, goal, left, position, true);
	at->extent = taken == left ? WHOLE : message->msg_iter.iov_offset ? MIDDLE : BEGINNING;
	payload_of_iterator(&at->payload, &message->msg_iter, true);
	if (propagates && at->payload.kind == PAYLOAD_NONE)
		taken = take_stash(at, position, taken);
	return report_urgent(s, at, sk, true, SOCKET_SEND, position, taken, tcp->copied_seq, message->msg_flags & MSG_OOB);
}

/*
 * What went with the SYN (TCP Fast Open, RFC 7413) does not pass the tracepoint: it is reported when the call returns, with the bytes that the call
 * names. The sockets of all others are left after two looks.
 */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(on_sent_with_syn, struct sock *sk, int result)
{
	struct selection *s = the_selection();
	enum syscall_shape shape;
	struct pt_regs *regs;
	struct tcp_sock *tcp;
	struct scratch *at;
	__u64 pid_tgid;
	int direction;

	if (!s || result <= 0)
		return 0;
	pid_tgid = bpf_get_current_pid_tgid();
	if (!is_wanted(s, pid_tgid >> 32, sk) || !is_tcp(sk, true))
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp || !BPF_CORE_READ_BITFIELD(tcp, syn_data))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	shape = shape_of(regs->orig_ax, &direction);
	at = begin_operation(sk, true, SOCKET_SEND, pid_tgid);
	if (shape == SHAPE_NONE || direction != SOCKET_SEND || !at)
		return 0;
	payload_of_call(&at->payload, regs, shape);
	return report(s, at, sk, true, SOCKET_SEND, tcp->write_seq - result, result, tcp->copied_seq, NULL);
}

/*
 * The process says what it sends. The socket is locked from here until on_send_return, and until shortly before on_sent, except while the send
 * waits.
 */
SEC("?fentry/tcp_sendmsg_locked")
int BPF_PROG(on_send_function, struct sock *sk, struct msghdr *message, unsigned long length)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct tcp_sock *tcp;
	struct scratch *at;
	__u32 left, position, taken = 0;
	__u8 state;

	if (!s || !is_wanted(s, pid_tgid >> 32, sk))
		return 0;
	state = sk->__sk_common.skc_state;
	/* What is given to a closed socket goes nowhere, unless it opens it (TCP Fast Open). */
	if (state == TCP_CLOSE && !(message->msg_flags & MSG_FASTOPEN))
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	at = begin_operation(sk, true, SOCKET_SEND, pid_tgid);
	if (!tcp || !at || is_repaired(tcp, true))
		return 0;
	left = message->msg_iter.count;
	position = tcp->write_seq;
	if (state != TCP_CLOSE && state != TCP_SYN_SENT)
		taken = taken_now(sk, tcp, NULL, tcp->mss_cache, left, position, false);
	at->extent = taken == left ? WHOLE : BEGINNING;
	payload_of_iterator(&at->payload, &message->msg_iter, true);
	if (propagates && at->payload.kind == PAYLOAD_NONE)
		taken = take_stash(at, position, taken);
	report_urgent(s, at, sk, true, SOCKET_SEND, position, taken, tcp->copied_seq, message->msg_flags & MSG_OOB);
	return taken >= left ? 0 : await_send(at, message);
}

/* What became of a send that was not sure to be taken at once. What it took lies behind the iterator. All other sends cost one look. */
SEC("?fexit/tcp_sendmsg_locked")
int BPF_PROG(on_send_return, struct sock *sk, struct msghdr *message, unsigned long length, int result)
{
	struct connection *c;
	struct tcp_sock *tcp;
	struct scratch *at;

	if (!awaited)
		return 0;
	c = connection_of(sk, true);
	if (!c || c->owed != OWED_RETURN)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	settle_return(c);
	at = begin_operation(sk, true, SOCKET_SEND, bpf_get_current_pid_tgid());
	if (result <= 0 || !tcp || !at)
		return 0;
	payload_of_iterator(&at->payload, &message->msg_iter, true);
	step_back(&at->payload, result);
	return report_urgent(the_selection(), at, sk, true, SOCKET_SEND, tcp->write_seq - result, result, tcp->copied_seq,
			     message->msg_flags & MSG_OOB);
}

/*
 * The same where there is this tracepoint (6.3), at half the cost for all sends: it is passed right after the socket is unlocked. A thread
 * that sends in between on the same socket has told that these bytes went, without showing them.
 */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(on_sent, struct sock *sk, int result)
{
	const struct msghdr *message;
	struct connection *c;
	struct tcp_sock *tcp;
	struct scratch *at;
	__u64 pid_tgid;

	if (!awaited)
		return 0;
	pid_tgid = bpf_get_current_pid_tgid();
	c = connection_of(sk, true);
	if (!c || c->owed != OWED_RETURN || c->sender != (__u32)pid_tgid)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	message = (const struct msghdr *)c->message;
	settle_return(c);
	at = begin_operation(sk, true, SOCKET_SEND, pid_tgid);
	if (result <= 0 || !tcp || !at)
		return 0;
	payload_of_iterator(&at->payload, &message->msg_iter, false);
	step_back(&at->payload, result);
	return report_urgent(the_selection(), at, sk, true, SOCKET_SEND, tcp->write_seq - result, result, tcp->copied_seq,
			     BPF_CORE_READ(message, msg_flags) & MSG_OOB);
}

/* sendfile before 6.5 does not go through sendmsg. The pages are not read: they hold bodies. */
SEC("?fexit/tcp_sendpage")
int BPF_PROG(on_sendpage, struct sock *sk, void *page, int offset, unsigned long length, int flags, int result)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct scratch *at;

	if (!s || result <= 0 || !is_wanted(s, pid_tgid >> 32, sk))
		return 0;
	at = begin_operation(sk, true, SOCKET_SEND, pid_tgid);
	if (!at)
		return 0;
	return report(s, at, sk, true, SOCKET_SEND, position_of(sk, SOCKET_SEND) - result, result, position_of(sk, SOCKET_RECEIVE), NULL);
}

/* What a sk_msg program let pass does not go through sendmsg before 6.5. Only bytes that it has left are told. */
SEC("?fentry/do_tcp_sendpages")
int BPF_PROG(on_pushed, struct sock *sk, void *page, int offset, unsigned long size, int flags)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct scratch *at;
	__u32 position, taken;

	if (!propagates || !s || !is_wanted(s, pid_tgid >> 32, sk))
		return 0;
	at = begin_operation(sk, true, SOCKET_SEND, pid_tgid);
	if (!at)
		return 0;
	position = position_of(sk, SOCKET_SEND);
	taken = take_stash(at, position, size);
	if (at->payload.kind != PAYLOAD_STASH)
		return 0;
	return report(s, at, sk, true, SOCKET_SEND, position, taken, position_of(sk, SOCKET_RECEIVE), NULL);
}

#ifndef WITHOUT_SKB_DYNPTR
/* The reader's process is known here, and the bytes are still in the skb. */
SEC("?tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(on_receive_tracepoint, struct sk_buff *skb, int length)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	struct bpf_dynptr dynptr;
	__u32 first, position;
	struct tcp_sock *tcp;
	struct scratch *at;
	struct sock *sk;

	sk = skb->sk;
	if (!s || !sk || !is_receive_wanted(s, pid_tgid >> 32, sk))
		return 0;
	tcp = bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock));
	if (is_error(skb) || is_repaired(tcp, true))
		return 0;
	at = begin_operation(sk, true, SOCKET_RECEIVE, pid_tgid);
	if (!at || bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &dynptr))
		return 0;
	/* A peek into a later skb leaves copied_seq behind it. */
	first = ((struct tcp_skb_cb *)skb->cb)->seq;
	position = tcp->copied_seq;
	if ((__s32)(position - first) < 0)
		position = first;
	at->skb_offset = position - first;
	return report(s, at, sk, true, SOCKET_RECEIVE, position, length, tcp->write_seq, &dynptr);
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
	struct tcp_sock *tcp;
	struct scratch *at;
	struct sock *sk;

	sk = skb->sk;
	if (!s || !sk || failed || !is_receive_wanted(s, pid_tgid >> 32, sk))
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp || is_error(skb) || is_repaired(tcp, true))
		return 0;
	at = begin_operation(sk, true, SOCKET_RECEIVE, pid_tgid);
	if (!at)
		return 0;
	payload_of_iterator(&at->payload, to, true);
	step_back(&at->payload, length);
	return report(s, at, sk, true, SOCKET_RECEIVE, ((struct tcp_skb_cb *)skb->cb)->seq + offset, length, tcp->write_seq, NULL);
}

/*
 * Everything from the return of a system call, at which its arguments are still in the registers. Calls that were already blocked when the
 * program was attached are seen as well. io_uring is not, nor are calls of 32 bits. MSG_PEEK shows bytes, and copied_seq stays where it is;
 * MSG_TRUNC discards them; what MSG_OOB and MSG_ERRQUEUE read is not of the stream.
 */
SEC("?tp_btf/sys_exit")
int BPF_PROG(on_syscall_exit, struct pt_regs *regs, long result)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct selection *s = the_selection();
	enum syscall_shape shape;
	struct scratch *at;
	struct sock *sk;
	__u32 end, length = result;
	bool selected, peeks, discards;
	int direction;
	long flags;

	if (!s || result <= 0 || !s->capture)
		return 0;
	/* A process that is not traced pays for no more, unless there are ports that select whoever got a socket of theirs passed. */
	selected = is_selected(s, pid_tgid >> 32);
	if (!selected && (!s->by_port || is_excluded(s, pid_tgid >> 32)))
		return 0;
	shape = shape_of(regs->orig_ax, &direction);
	if (shape == SHAPE_NONE)
		return 0;
	flags = flags_of_call(regs);
	if (direction == SOCKET_RECEIVE && flags & (MSG_OOB | MSG_ERRQUEUE))
		return 0;
	sk = sock_of(regs->di);
	if (!sk && shape == SHAPE_SPLICE) {
		direction = SOCKET_SEND;
		sk = sock_of(regs->dx);
	}
	if (!sk || (!selected && !is_selected_port(s, local_port_of(sk, false))) || is_compatible_call())
		return 0;
	at = begin_operation(sk, false, direction, pid_tgid);
	if (!at)
		return 0;
	peeks = direction == SOCKET_RECEIVE && flags & MSG_PEEK;
	discards = direction == SOCKET_RECEIVE && flags & MSG_TRUNC;
	/* Where a peek begins elsewhere than the next read, or is made several times, it is not known what it shows. */
	if (peeks && (shape == SHAPE_MESSAGES || discards || is_repaired((struct tcp_sock *)sk, false) || BPF_CORE_READ(sk, sk_peek_off) >= 0))
		return 0;
	end = position_of(sk, direction);
	if (peeks)
		end += length;
	/* A read up to the end takes the FIN along. */
	else if (direction == SOCKET_RECEIVE && has_fin(sk) && end == BPF_CORE_READ((struct tcp_sock *)sk, rcv_nxt))
		end--;
	if (shape == SHAPE_MESSAGES)
		length = discards ? bytes_of_messages(regs->si, length) : report_messages(at, regs->si, length, end);
	else if (!discards)
		payload_of_call(&at->payload, regs, shape);
	return report_begun(at, end - length, length, direction == SOCKET_SEND && flags & MSG_OOB);
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

/*
 * A connection begins. What is remembered at its address is another one, whose end was not seen: a kernel may leave calls of a program out, and what it
 * leaves out below one interrupt are both calls that tell of an end. Data may be ahead of this only with TCP Fast Open, and has the same ports.
 */
static __always_inline int begin(struct sock *sk, int new_state)
{
	struct connection *c = connection_of(sk, true);

	if (!c || !c->ends.local_port)
		return 0;
	if (new_state == TCP_SYN_SENT || c->ends.local_port != sk->__sk_common.skc_num ||
	    c->ends.remote_port != __builtin_bswap16(sk->__sk_common.skc_dport)) {
		end(sk, c, SOCKET_FORGOTTEN, SOCKET_SEND);
		forget(sk, c);
	}
	return 0;
}

/* The end of a connection that was reported: FIN in either direction, then the socket itself. May run in softirq. */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
	struct connection *c;

	if (new_state == TCP_SYN_SENT || new_state == TCP_ESTABLISHED)
		return is_tcp(sk, true) ? begin(sk, new_state) : 0;
	if (new_state != TCP_CLOSE && new_state != TCP_FIN_WAIT1 && new_state != TCP_LAST_ACK && new_state != TCP_CLOSE_WAIT)
		return 0;
	if (!is_tcp(sk, true))
		return 0;
	c = connection_of(sk, true);
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
	struct connection *c;

	c = connection_of(sk, true);
	if (!c)
		return 0;
	end(sk, c, SOCKET_CLOSE, SOCKET_SEND);
	forget(sk, c);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
