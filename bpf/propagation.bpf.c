// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Trace context on its way to the next hop: programs of the cgroups in which traced processes are.
 *
 *   on_socket   (sockops) reads and writes a TCP option on the segment that a request begins in
 *
 * Which context a message has is settled by the socket programs (include/message.h) when it is about to be sent, with which these share their maps.
 */
#include "include/kernel.h"
#include "include/sockops.h"
#include "include/selection.h"
#include "include/wire.h"
#include <bpf/bpf_core_read.h>

/* Set before the programs are loaded: how contexts travel. Mirrored by src/Beyla.Contracts/ContextPropagation.cs. */
enum { WAY_HEADERS = 1, WAY_TCP = 2 };

const volatile __u32 travels SEC(".rodata.ways");

static __always_inline bool is_selected_task(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return is_selected(the_selection(), BPF_CORE_READ(task, tgid));
}

static __always_inline void add_flags(struct bpf_sock_ops *s, __u32 flags)
{
	bpf_sock_ops_cb_flags_set(s, s->bpf_sock_ops_cb_flags | flags);
}

/* The segment that a request begins in, and every copy of it, gets the option. */
static __always_inline void write_option(struct bpf_sock_ops *s, __u64 socket)
{
	struct option option = { .kind = OPTION_KIND, .length = OPTION_LENGTH };
	struct wire *w = bpf_map_lookup_elem(&wires, &socket);
	const struct tcp_header *header = s->skb_data;
	struct way *way;

	if (!w || (void *)(header + 1) > s->skb_data_end)
		return;
	way = &w->ways[SOCKET_SEND];
	if (way->state < WAY_SETTLED || __builtin_bswap32(header->sequence) != way->sequence)
		return;
	__builtin_memcpy(option.trace, way->context.trace, sizeof(option.trace));
	__builtin_memcpy(option.span, way->context.span, sizeof(option.span));
	bpf_store_hdr_opt(s, &option, sizeof(option), 0);
}

/* The identifiers in it are read four bytes at a time, from the stack. */
struct aligned_option {
	__u8 before[2];
	struct option option;
} __attribute__((aligned(8)));

static __always_inline bool is_same(const __u8 *left, const __u8 *right, int words)
{
	__u64 differing = 0;
	int i;

	for (i = 0; i < words * 2; i++)
		differing |= ((const __u32 *)left)[i] ^ ((const __u32 *)right)[i];
	return !differing;
}

/*
 * What the other side wrote. A large send has one header for all of its segments, so that each of them brings the same: the earliest is the one that
 * the request begins in.
 */
static __always_inline void read_option(struct bpf_sock_ops *s, __u64 socket)
{
	struct aligned_option o = { .option.kind = OPTION_KIND };
	const struct tcp_header *header = s->skb_data;
	struct wire *w;
	struct way *way;
	__u32 sequence;

	if ((void *)(header + 1) > s->skb_data_end)
		return;
	sequence = __builtin_bswap32(header->sequence);
	if (bpf_load_hdr_opt(s, &o.option, sizeof(o.option), 0) != sizeof(o.option))
		return;
	w = bpf_map_lookup_elem(&wires, &socket);
	if (!w) {
		bpf_map_update_elem(&wires, &socket, &no_wire, BPF_NOEXIST);
		w = bpf_map_lookup_elem(&wires, &socket);
		if (!w)
			return;
	}
	way = &w->ways[SOCKET_RECEIVE];
	/* Nothing before the last message that was read. */
	if (way->state != WAY_NONE && (__s32)(sequence - way->sequence) <= 0 && way->state != WAY_ARRIVED)
		return;
	if (is_same(way->context.trace, o.option.trace, 2) && is_same(way->context.parent, o.option.span, 1) &&
	    (__s32)(sequence - way->sequence) >= 0)
		return;
	__builtin_memcpy(way->context.trace, o.option.trace, sizeof(o.option.trace));
	__builtin_memcpy(way->context.parent, o.option.span, sizeof(o.option.span));
	way->sequence = sequence;
	way->state = WAY_ARRIVED;
}

static __always_inline void connect_socket(struct bpf_sock_ops *s, __u64 socket)
{
	struct wire *w;

	/* What an earlier socket has left at its address. */
	leave_wire(socket);
	if (!is_selected_task() || bpf_map_update_elem(&wires, &socket, &no_wire, BPF_ANY))
		return;
	w = bpf_map_lookup_elem(&wires, &socket);
	if (w)
		w->calls = 1;
	add_flags(s, BPF_SOCK_OPS_STATE_CB_FLAG);
}

SEC("?sockops")
int on_socket(struct bpf_sock_ops *s)
{
	struct bpf_sock *sk = s->sk;
	__u64 socket = (__u64)sk;

	if (!sk)
		return 1;
	switch (s->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		connect_socket(s, socket);
		break;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		if (travels & WAY_TCP && bpf_map_lookup_elem(&wires, &socket))
			add_flags(s, BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		leave_wire(socket);
		if (travels & WAY_TCP)
			add_flags(s, BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG | BPF_SOCK_OPS_STATE_CB_FLAG);
		break;
	case BPF_SOCK_OPS_PARSE_HDR_OPT_CB:
		read_option(s, socket);
		break;
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
		/* Always: a segment's size is computed before it is known what is in it. */
		bpf_reserve_hdr_opt(s, OPTION_LENGTH, 0);
		break;
	case BPF_SOCK_OPS_WRITE_HDR_OPT_CB:
		write_option(s, socket);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (s->args[1] == TCP_CLOSE)
			leave_wire(socket);
		break;
	}
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
