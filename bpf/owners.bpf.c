// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which process owns a socket, by its addresses, for flows. Written down where a process is at work for sure: connect, listen, the first send
 * on a socket, close. A short connection is over when its flow is reported, so what is written down outlives the socket; and what the
 * kernel keeps with the socket itself goes with it.
 *
 *   on_state   every TCP connection: connect and listen tell the process; an accepted connection inherits the listener's until it sends or closes
 *   on_send    UDP, and the exact process of accepted connections (prefork servers); not before 6.3
 *   on_file    all sockets that are open now: at start, and when a flow has no owner
 */
#include "include/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "owners.h"

enum { STORAGE_CREATE = 1, MAP_CLONE = 1 << 9 }; /* BPF_SK_STORAGE_GET_F_CREATE, BPF_F_CLONE */
enum { PROTOCOL_UDPLITE = 136 };

struct task_struct___owners {
	struct task_struct *group_leader;
} __attribute__((preserve_access_index));

const volatile struct {
	__u32 netns; /* the agent's: flows are of that one only */
} settings;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct owner_key);
	__type(value, struct owner);
} owners SEC(".maps");

/* Goes with the socket; a connection inherits it from its listener. */
struct socket_owner {
	struct owner owner;
	__u16 port; /* under which it was published; 0: not yet */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | MAP_CLONE);
	__type(key, int);
	__type(value, struct socket_owner);
} socket_owners SEC(".maps");

static __always_inline bool is_ours(const struct sock *sk)
{
	return sk->__sk_common.skc_net.net->ns.inum == settings.netns;
}

/*
 * Whether a socket of the internet has a port in either protocol: a raw socket of theirs has their number in its place, and is bound to nothing. A
 * connection of TCP is a stream, what is sent by UDP and UDP-Lite datagrams.
 */
static __always_inline bool has_port(const struct sock *sk, bool udp)
{
	return sk->sk_type == (udp ? SOCK_DGRAM : SOCK_STREAM);
}

static __always_inline void mapped(__u8 *address, __u32 ipv4)
{
	*(__u64 *)address = 0;
	*(__u32 *)(address + 8) = ipv4 ? bpf_htonl(0xffff) : 0;
	*(__u32 *)(address + 12) = ipv4;
}

static __always_inline __u16 local_port(const struct sock *sk)
{
	/* skc_num is 0 again when a socket is closed; inet_sport stays. */
	return bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
}

static __always_inline void publish(const struct sock *sk, const struct owner *owner, __u8 protocol, bool connected)
{
	struct owner_key key = {};
	key.protocol = protocol;
	key.local_port = local_port(sk);
	if (key.local_port == 0)
		return;
	if (sk->__sk_common.skc_family == AF_INET) {
		mapped(key.local, sk->__sk_common.skc_rcv_saddr);
		if (connected)
			mapped(key.remote, sk->__sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO(&key.local, sk, __sk_common.skc_v6_rcv_saddr);
		if (connected)
			BPF_CORE_READ_INTO(&key.remote, sk, __sk_common.skc_v6_daddr);
	}
	if (connected)
		key.remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	bpf_map_update_elem(&owners, &key, owner, BPF_ANY);
}

static __always_inline bool fill(struct owner *owner, struct task_struct *task)
{
	owner->pid = BPF_CORE_READ(task, tgid);
	owner->exact = 1;
	struct task_struct *leader = BPF_CORE_READ((struct task_struct___owners *)task, group_leader);
	BPF_CORE_READ_INTO(&owner->name, leader, comm);
	return owner->pid != 0;
}

static __always_inline struct socket_owner *own(struct sock *sk, struct task_struct *task)
{
	struct socket_owner *state = bpf_sk_storage_get(&socket_owners, sk, 0, STORAGE_CREATE);
	if (!state || !fill(&state->owner, task))
		return NULL;
	return state;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int before, int after)
{
	if (sk->sk_protocol != IPPROTO_TCP || !is_ours(sk))
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct socket_owner *state;
	switch (after) {
	case TCP_SYN_SENT: /* connect: the port is not chosen yet */
		own(sk, task);
		return 0;
	case TCP_LISTEN:
		state = own(sk, task);
		if (state)
			publish(sk, &state->owner, IPPROTO_TCP, false);
		return 0;
	case TCP_FIN_WAIT1: /* close and shutdown: the process itself */
	case TCP_LAST_ACK:
		state = own(sk, task);
		break;
	case TCP_ESTABLISHED: /* mostly in an interrupt: whoever runs now has nothing to do with it */
	case TCP_CLOSE:
		state = bpf_sk_storage_get(&socket_owners, sk, 0, 0);
		if (state && before == TCP_SYN_RECV)
			state->owner.exact = 0;
		break;
	default:
		return 0;
	}
	if (state && before != TCP_LISTEN) {
		publish(sk, &state->owner, IPPROTO_TCP, true);
		state->port = 1;
	}
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int length, int flags)
{
	__u16 family = sk->__sk_common.skc_family;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	__u16 protocol = sk->sk_protocol;
	bool udp = protocol == IPPROTO_UDP || protocol == PROTOCOL_UDPLITE;
	if ((!udp && protocol != IPPROTO_TCP) || !has_port(sk, udp))
		return 0;
	struct socket_owner *state = bpf_sk_storage_get(&socket_owners, sk, 0, 0);
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	/* Nothing new, which is nearly always so. A client's connection is not published before it is established. */
	if (state && state->owner.exact && state->owner.pid == pid && (udp ? state->port == sk->__sk_common.skc_num : state->port == 1))
		return 0;
	if (!is_ours(sk))
		return 0;
	state = own(sk, (void *)bpf_get_current_task());
	if (!state)
		return 0;
	publish(sk, &state->owner, protocol, !udp);
	state->port = udp ? sk->__sk_common.skc_num : 1;
	return 0;
}

SEC("iter/task_file")
int on_file(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	if (!file || !task)
		return 0;
	struct socket *socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	struct sock *sk = socket->sk;
	if (!sk)
		return 0;
	__u16 family = sk->__sk_common.skc_family;
	__u16 protocol = sk->sk_protocol;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	bool udp = protocol == IPPROTO_UDP || protocol == PROTOCOL_UDPLITE;
	if ((!udp && protocol != IPPROTO_TCP) || !has_port(sk, udp) || !is_ours(sk) || sk->__sk_common.skc_num == 0)
		return 0;
	struct socket_owner *state = bpf_sk_storage_get(&socket_owners, sk, 0, 0);
	bool listens = sk->__sk_common.skc_state == TCP_LISTEN;
	/* Several processes may hold it: who used it stays its owner; of a listening socket the first one found, usually the parent. */
	if (!state || !state->owner.exact) {
		state = own(sk, task);
		if (!state)
			return 0;
	}
	publish(sk, &state->owner, protocol, !udp && !listens);
	state->port = udp ? sk->__sk_common.skc_num : 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
