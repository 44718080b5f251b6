// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Trace context on its way to the next hop: programs of the cgroups in which traced processes are.
 *
 *   on_socket   (sockops) reads and writes a TCP option on the segment that a request begins in; has sockets join, and leave
 *   on_message  (sk_msg) puts a header into the first message of a socket that joined
 *
 * Which context a message has is settled by the socket programs (include/message.h) when it is about to be sent, with which these share their maps.
 */
#include "include/kernel.h"
#include "include/go_processes.h"
#include "include/sockops.h"
#include "include/selection.h"
#include "include/stash.h"
#include "include/work.h"
#include "protocols/http.h"
#include <bpf/bpf_core_read.h>

/* Set before the programs are loaded: how contexts travel. Mirrored by src/Beyla.Contracts/ContextPropagation.cs. */
enum { WAY_HEADERS = 1, WAY_TCP = 2 };

const volatile __u32 travels SEC(".rodata.ways");

/*
 * Sockets whose messages pass on_message: from their connection to the acknowledgement of the first one, or to the first data that comes. No longer,
 * since the kernel reads such a socket in another way: on some, ioctl(FIONREAD) says 0 meanwhile.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} joined SEC(".maps");

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

/* What a socket that joined is called for: the acknowledgement of what it sends, and what it receives. */
#define JOINED 0x10000
#define LEAVING (BPF_SOCK_OPS_RTT_CB_FLAG | BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG)

static __always_inline void establish(struct bpf_sock_ops *s, __u64 socket)
{
	struct wire *w = bpf_map_lookup_elem(&wires, &socket);

	if (!w || !w->calls)
		return;
	if (travels & WAY_TCP) {
		w->writes = 1;
		add_flags(s, BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
	}
	/* Another one's map may have it already: then it is left alone. */
	if (travels & WAY_HEADERS && !bpf_sock_hash_update(s, &joined, &socket, BPF_NOEXIST)) {
		w->joined = JOINED | (LEAVING & ~s->bpf_sock_ops_cb_flags);
		add_flags(s, LEAVING);
	}
}

static __always_inline void leave(struct bpf_sock_ops *s, __u64 socket, struct wire *w)
{
	bpf_map_delete_elem(&joined, &socket);
	bpf_map_delete_elem(&stashes, &socket);
	bpf_sock_ops_cb_flags_set(s, s->bpf_sock_ops_cb_flags & ~(w->joined & LEAVING));
	w->joined = 0;
}

/* Whether the segment at hand brings data. */
static __always_inline bool has_data(const struct bpf_sock_ops *s)
{
	const struct tcp_header *header = s->skb_data;

	return (void *)(header + 1) <= s->skb_data_end && s->skb_len > (__u32)(header->offset >> 4) * 4;
}

/* A segment has come. Where the other side speaks first, its data is not to be read from a socket that is joined. */
static __always_inline void receive(struct bpf_sock_ops *s, __u64 socket)
{
	struct wire *w = bpf_map_lookup_elem(&wires, &socket);

	if (!w || !w->calls)
		read_option(s, socket);
	else if (w->joined && has_data(s))
		leave(s, socket, w);
}

/* Something was acknowledged, more than the SYN. */
static __always_inline void acknowledge(struct bpf_sock_ops *s, __u64 socket)
{
	struct wire *w = bpf_map_lookup_elem(&wires, &socket);

	if (w && w->joined && s->bytes_acked > 1)
		leave(s, socket, w);
}

/* Room for the option, in every segment: its size is computed before it is known what is in it. Not on sockets on which others write options. */
static __always_inline void reserve(struct bpf_sock_ops *s, __u64 socket)
{
	struct wire *w = bpf_map_lookup_elem(&wires, &socket);

	if (w && w->writes)
		bpf_reserve_hdr_opt(s, OPTION_LENGTH, 0);
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
		establish(s, socket);
		break;
	case BPF_SOCK_OPS_RTT_CB:
		acknowledge(s, socket);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		leave_wire(socket);
		if (travels & WAY_TCP)
			add_flags(s, BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG | BPF_SOCK_OPS_STATE_CB_FLAG);
		break;
	case BPF_SOCK_OPS_PARSE_HDR_OPT_CB:
		receive(s, socket);
		break;
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
		reserve(s, socket);
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

static const struct stash no_stash;

/*
 * Whether the message is one that may be changed: a request of HTTP/1 whose head is there, in which lines end as they should, and that names no trace.
 * What CONNECT asks for is a tunnel.
 */
__attribute__((noinline)) int is_open_to_header(struct stash *stash)
{
	const struct prefix *prefix;
	const __u8 *version;
	__u32 word;

	if (!stash)
		return 0;
	prefix = (const struct prefix *)stash->text.bytes;
	word = *(const __u32 *)prefix->bytes;
	if (word == WORD('H', 'T', 'T', 'P') || word == WORD('C', 'O', 'N', 'N') ||
	    looks_like_http(prefix, stash->length, false) != BEGINS_MESSAGE)
		return 0;
	if (!read_head(&stash->head, &stash->text, stash->length) || stash->head.values || stash->head.first < 14 ||
	    stash->head.first > LINE_MAX)
		return 0;
	version = stash->text.bytes + ((stash->head.first - 10) & TEXT_MAX);
	return version[0] == 'H' && version[1] == 'T' && version[2] == 'T' && version[3] == 'P' && version[4] == '/' && version[5] == '1' &&
	       version[6] == '.' && version[8] == '\r';
}

/* Keeps the first bytes of a message. Returns whether they could be read. */
static __always_inline bool keep_message(struct sk_msg_md *m, struct stash *stash)
{
	__u32 want = m->size < TEXT_MAX ? m->size : TEXT_MAX;

	stash->length = 0;
	if (!want || bpf_msg_pull_data(m, 0, want, 0))
		return false;
	asm volatile("%0 &= 0x1fff" : "+r"(want));
	if (bpf_probe_read_kernel(stash->text.bytes, want, m->data))
		return false;
	stash->length = want;
	return true;
}

/* Puts the header behind the first line of the message and of what is kept of it. Returns what becomes of the message. */
static __always_inline int insert_header(struct sk_msg_md *m, struct stash *stash)
{
	__u32 first = stash->head.first & LINE_MAX;
	__u8 *data;

	if (bpf_msg_push_data(m, first, HEADER_LENGTH, 0))
		return -1;
	data = NULL;
	if (!bpf_msg_pull_data(m, first, first + HEADER_LENGTH, 0))
		data = m->data;
	if (!data || (void *)(data + HEADER_LENGTH) > m->data_end)
		/* What was made room for must not go out as it is. */
		return bpf_msg_pop_data(m, first, HEADER_LENGTH, 0) ? SK_DROP : -1;
	__builtin_memcpy(data, stash->header.text, HEADER_LENGTH);
	return SK_PASS;
}

/* The same in what is kept, as long as the rest of the message can still be read. */
static __always_inline void shift_stash(struct sk_msg_md *m, struct stash *stash)
{
	__u32 first = stash->head.first & LINE_MAX, rest = stash->length - first;

	if (rest > TEXT_MAX - HEADER_LENGTH - first)
		rest = TEXT_MAX - HEADER_LENGTH - first;
	asm volatile("%0 &= 0x1fff" : "+r"(rest));
	bpf_probe_read_kernel(stash->text.bytes + first + HEADER_LENGTH, rest, m->data + first);
	bpf_probe_read_kernel(stash->text.bytes + first, HEADER_LENGTH, stash->header.text);
	stash->length = first + HEADER_LENGTH + rest;
}

SEC("?sk_msg")
int on_message(struct sk_msg_md *m)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct worker worker = { .id = (__u32)pid_tgid, .pid = pid_tgid >> 32 };
	struct bpf_sock *sk = m->sk;
	__u64 socket = (__u64)sk;
	__u64 starter = 0;
	struct go_call *call;
	struct tcp_sock *tcp;
	struct stash *stash;
	struct wire *w;
	struct way *way;
	int became;

	if (!sk)
		return SK_PASS;
	w = bpf_map_lookup_elem(&wires, &socket);
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!w || !tcp || !is_selected(the_selection(), pid_tgid >> 32))
		return SK_PASS;
	stash = bpf_map_lookup_elem(&stashes, &socket);
	if (!stash) {
		bpf_map_update_elem(&stashes, &socket, &no_stash, BPF_NOEXIST);
		stash = bpf_map_lookup_elem(&stashes, &socket);
		if (!stash)
			return SK_PASS;
	}
	stash->position = tcp->write_seq;
	if (!keep_message(m, stash) || w->looked)
		return SK_PASS;
	w->looked = 1;
	if (!is_open_to_header(stash))
		return SK_PASS;
	way = &w->ways[SOCKET_SEND];
	call = is_go(the_selection(), worker.pid) ? bpf_map_lookup_elem(&go_calls, &socket) : NULL;
	if (call && call->pid == worker.pid) {
		worker.id = call->goroutine;
		worker.is_goroutine = 1;
		starter = call->parent;
	}
	make_call(&way->context, &worker, starter);
	way->sequence = stash->position;
	write_line(&stash->header, &way->context);
	shift_stash(m, stash);
	became = insert_header(m, stash);
	if (became >= 0) {
		way->context.inserted = HEADER_LENGTH;
		way->state = WAY_SETTLED;
		return became;
	}
	/* It goes as it came. */
	keep_message(m, stash);
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
