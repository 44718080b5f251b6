// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts every packet of the chosen interfaces into flows. One body, account(), under three ways in; user space loads one:
 *   flow_socket                  filter of a packet socket that accepts nothing: no packet is copied
 *   flow_ingress, flow_egress    classifiers on tcx or clsact that decide nothing
 *
 * Two maps take turns. User space swaps the map in "flows"; that system call returns only after every program that may still hold the old
 * one has ended, so the old map can be read and emptied without losing an update. A flow that finds no room goes packet by packet through
 * the ring, with the reason.
 *
 * Packets are read by helpers, not directly, so that no CAP_PERFMON is needed; and everything is put together in a per-CPU map value
 * instead of the stack: without CAP_PERFMON the verifier puts a speculation barrier behind every first write to a stack slot.
 */
#include "include/kernel.h"
#include "include/skb.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "flows.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

enum { ETH_P_IP = 0x0800, ETH_P_IPV6 = 0x86dd, ETH_P_8021Q = 0x8100, ETH_P_8021AD = 0x88a8, ETH_HLEN = 14, VLAN_HLEN = 4 };
enum { PROTOCOL_SCTP = 132, PROTOCOL_DCCP = 33, PROTOCOL_UDPLITE = 136 };
enum { HEADER_HOP = 0, HEADER_ROUTING = 43, HEADER_FRAGMENT = 44, HEADER_AUTHENTICATION = 51, HEADER_DESTINATION = 60, HEADER_MOBILITY = 135 };
enum { IPV4_HEADER = 20, IPV6_HEADER = 40, MAX_TAGS = 3, MAX_EXTENSIONS = 8 };
enum { TCP_SYN = 0x02, TCP_ACK = 0x10, TCP_FLAGS_END = 14 };
enum { EEXIST = 17 };
enum { MALFORMED = -1, NOT_IP = -2 };
enum { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER };

/* Mirrored by src/Beyla.Agent/Flows/FlowSettings.cs. */
struct flow_settings {
	__u32 sampling; /* count one packet of so many; 0 and 1: all */
	__u32 wake_every; /* wake user space after so many new flows */
	__u8 ingress; /* for the packet socket, which sees both directions */
	__u8 egress;
	__u8 by_protocol; /* use the table */
	__u8 pad;
	__u8 protocols[256]; /* 1: count */
};

const volatile struct flow_settings settings;

/* Not on the stack: see above. */
static const volatile __u32 zero = 0;
#define ZERO ((const void *)&zero)

/*
 * Memory is taken when flows come, not before: the maps may be much larger than what is usual, and that is what carries a host through the
 * moments in which the agent gets no processor. User space sets the size.
 */
struct flow_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
} flows_even SEC(".maps"), flows_odd SEC(".maps");

/* The map that counts now. */
struct {
	__uint(type, MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct flow_map);
} flows SEC(".maps") = { .values = { (void *)&flows_even } };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} flow_overflow SEC(".maps");

/* Ports of fragmented datagrams, for the fragments that do not carry them. */
struct fragment_key {
	__u8 source[16];
	__u8 destination[16];
	__u32 id;
	__u32 interface;
	__u8 protocol;
	__u8 direction;
	__u16 zero;
};

struct fragment_ports {
	__u16 source;
	__u16 destination;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct fragment_key);
	__type(value, struct fragment_ports);
} fragments SEC(".maps");

/* What is known of the packet at hand. */
struct packet {
	__u32 length; /* as the interface has it */
	__u32 network; /* offset of the IP header behind the network header: VLAN tags in the packet */
	__u32 transport; /* offset of the transport header behind the network header */
	__u32 total; /* length that the IP header states; 0 in a super-frame beyond 64 KiB */
	__u32 headers; /* bytes of the transport header */
	__u32 id; /* of a fragmented datagram */
	__u32 fragment;
};

struct scratch {
	struct flow_counters counters;
	struct flow_key key;
	__u32 pad;
	struct flow_value value;
	struct fragment_key fragment;
	struct fragment_ports ports;
	__u8 head[IPV6_HEADER + 24] __attribute__((aligned(8))); /* IP header, then the beginning of the transport header */
	__u8 extension[8];
	__u8 rest[16]; /* the transport header when it is not in head */
	struct packet packet;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} flow_counters SEC(".maps");

__u64 inserted; /* new flows, ever */

/* For the type information: nothing else that is global names the structure. */
const struct flow_record *unused_flow_record __attribute__((unused));

static __always_inline int load(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	if (likely(bpf_skb_load_bytes_relative(skb, offset, to, size, BPF_HDR_START_NET) == 0))
		return 0;
	/* The helper above reads only the linear part. A packet with its headers elsewhere comes from a driver, thus with a link-layer header. */
	return bpf_skb_load_bytes(skb, ETH_HLEN + offset, to, size);
}

static __always_inline void copy_addresses(void *to, const void *from)
{
	__u64 *t = to;
	const __u64 *f = from;
	t[0] = f[0];
	t[1] = f[1];
	t[2] = f[2];
	t[3] = f[3];
}

static __always_inline bool has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == PROTOCOL_SCTP || protocol == PROTOCOL_DCCP ||
	       protocol == PROTOCOL_UDPLITE;
}

/* Takes ports, flags and header length from the transport header at head. */
static __always_inline __u32 read_transport(struct scratch *s, const __u8 *head)
{
	s->key.source_port = bpf_ntohs(*(const __u16 *)head);
	s->key.destination_port = bpf_ntohs(*(const __u16 *)(head + 2));
	if (s->key.protocol != IPPROTO_TCP) {
		s->packet.headers = 8;
		return 0;
	}
	s->packet.headers = (head[12] >> 4) * 4;
	__u32 flags = head[13];
	if (flags & TCP_SYN)
		flags |= flags & TCP_ACK ? FLOW_ANSWERED : FLOW_CALLED;
	return flags;
}

/* The same for a packet whose transport header is not loaded yet, cut or absent. Not inlined, like every rare path: what they need would spill. */
static __noinline __u32 find_transport(struct __sk_buff *skb, struct scratch *s)
{
	if (!s)
		return 0;
	if (!has_ports(s->key.protocol))
		return 0;
	__u32 offset = s->packet.network + s->packet.transport;
	if (s->key.protocol == IPPROTO_TCP) {
		if (load(skb, offset, s->rest, TCP_FLAGS_END) == 0)
			return read_transport(s, s->rest);
		s->rest[12] = 0;
		s->rest[13] = 0;
	}
	if (load(skb, offset, s->rest, 4) == 0)
		return read_transport(s, s->rest);
	return 0;
}

static __always_inline void prepare_fragment(struct scratch *s)
{
	copy_addresses(s->fragment.source, s->key.source);
	s->fragment.id = s->packet.id;
	s->fragment.interface = s->key.interface;
	s->fragment.protocol = s->key.protocol;
	s->fragment.direction = s->key.direction;
}

/* Ports and flags of a fragment: those of the first one, as long as it came first. */
static __noinline __u32 read_fragment(struct __sk_buff *skb, struct scratch *s)
{
	if (!s)
		return 0;
	prepare_fragment(s);
	if (s->packet.fragment == FRAGMENT_LATER) {
		struct fragment_ports *ports = bpf_map_lookup_elem(&fragments, &s->fragment);
		if (ports) {
			s->key.source_port = ports->source;
			s->key.destination_port = ports->destination;
		}
		return 0;
	}
	__u32 flags = find_transport(skb, s);
	s->ports.source = s->key.source_port;
	s->ports.destination = s->key.destination_port;
	bpf_map_update_elem(&fragments, &s->fragment, &s->ports, BPF_ANY);
	return flags;
}

static __always_inline void mapped(__u8 *address, __u32 ipv4)
{
	*(__u64 *)address = 0;
	*(__u32 *)(address + 8) = bpf_htonl(0xffff);
	*(__u32 *)(address + 12) = ipv4;
}

/* The flags, or a negative number when there is no valid header. */
static __always_inline __s32 read_ipv4(struct __sk_buff *skb, struct scratch *s)
{
	__u8 *head = s->head;
	bool whole = bpf_skb_load_bytes_relative(skb, s->packet.network, head, IPV4_HEADER + 20, BPF_HDR_START_NET) == 0;
	if (!whole && load(skb, s->packet.network, head, IPV4_HEADER) != 0)
		return MALFORMED;
	__u32 length = (head[0] & 15) * 4;
	__u32 total = bpf_ntohs(*(__u16 *)(head + 2));
	if (head[0] >> 4 != 4 || length < IPV4_HEADER || (total && total < length))
		return MALFORMED;
	s->packet.total = total;
	s->packet.transport = length;
	mapped(s->key.source, *(__u32 *)(head + 12));
	mapped(s->key.destination, *(__u32 *)(head + 16));
	s->key.protocol = head[9];
	__u16 fragment = bpf_ntohs(*(__u16 *)(head + 6)) & 0x3fff;
	if (unlikely(fragment)) {
		s->packet.id = *(__u16 *)(head + 4);
		s->packet.fragment = fragment & 0x1fff ? FRAGMENT_LATER : FRAGMENT_FIRST;
		return read_fragment(skb, s);
	}
	if (likely(whole && length == IPV4_HEADER))
		return has_ports(head[9]) ? read_transport(s, head + IPV4_HEADER) : 0;
	return find_transport(skb, s);
}

/* Walks the extension headers (RFC 8200 section 4) to the transport header. */
static __noinline __u32 walk_extensions(struct __sk_buff *skb, struct scratch *s)
{
	if (!s)
		return 0;
	s->packet.fragment = FRAGMENT_NONE;
#pragma unroll
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		__u8 kind = s->key.protocol;
		if (kind != HEADER_HOP && kind != HEADER_ROUTING && kind != HEADER_FRAGMENT && kind != HEADER_AUTHENTICATION &&
		    kind != HEADER_DESTINATION && kind != HEADER_MOBILITY)
			break;
		if (load(skb, s->packet.network + s->packet.transport, s->extension, 8) != 0)
			break;
		s->key.protocol = s->extension[0];
		if (kind == HEADER_FRAGMENT) {
			__u16 field = bpf_ntohs(*(__u16 *)(s->extension + 2));
			s->packet.id = *(__u32 *)(s->extension + 4);
			s->packet.transport += 8;
			if (field & 0xfff8) {
				s->packet.fragment = FRAGMENT_LATER;
				break;
			}
			if (field & 1)
				s->packet.fragment = FRAGMENT_FIRST;
		} else if (kind == HEADER_AUTHENTICATION) {
			s->packet.transport += (s->extension[1] + 2) * 4;
		} else {
			s->packet.transport += (s->extension[1] + 1) * 8;
		}
	}
	return s->packet.fragment == FRAGMENT_NONE ? find_transport(skb, s) : read_fragment(skb, s);
}

static __always_inline __s32 read_ipv6(struct __sk_buff *skb, struct scratch *s)
{
	__u8 *head = s->head;
	bool whole = bpf_skb_load_bytes_relative(skb, s->packet.network, head, IPV6_HEADER + 20, BPF_HDR_START_NET) == 0;
	if (!whole && load(skb, s->packet.network, head, IPV6_HEADER) != 0)
		return MALFORMED;
	if (head[0] >> 4 != 6)
		return MALFORMED;
	__u32 payload = bpf_ntohs(*(__u16 *)(head + 4));
	s->packet.total = payload ? payload + IPV6_HEADER : 0;
	s->packet.transport = IPV6_HEADER;
	copy_addresses(s->key.source, head + 8);
	s->key.protocol = head[6];
	if (likely(whole && (head[6] == IPPROTO_TCP || head[6] == IPPROTO_UDP)))
		return read_transport(s, head + IPV6_HEADER);
	return walk_extensions(skb, s);
}

/* Wire packets of a super-frame; corrects the length to what those take on the link. */
static __noinline __u32 count_segments(struct scratch *s, __u32 count, __u32 size)
{
	if (!s)
		return 1;
	__u32 length = s->packet.length, total = s->packet.total;
	/* Super-frames have no padding: what the IP header does not state is the link-layer header. */
	__u32 link = total && total <= length ? length - total : ETH_HLEN;
	__u32 header = link + s->packet.transport + s->packet.headers;
	if (count == 0 && size && length > header) /* from a guest or a packet socket: not counted by the kernel yet */
		count = (length - header + size - 1) / size;
	if (count <= 1)
		return 1;
	s->packet.length = length + (count - 1) * header;
	return count;
}

static __always_inline void add(struct flow_value *flow, __u64 bytes, __u64 packets, __u32 flags, __u64 now)
{
	__sync_fetch_and_add(&flow->bytes, bytes);
	__sync_fetch_and_add(&flow->packets, packets);
	if (flow->last < now)
		flow->last = now;
	if (unlikely((flow->flags | flags) != flow->flags))
		__sync_fetch_and_or(&flow->flags, flags);
}

/* Wakes user space each time that many flows were added: in time to drain a map before it is full. */
static __always_inline void count_insertion(void)
{
	__u64 before = __sync_fetch_and_add(&inserted, 1);
	__u32 every = settings.wake_every;
	if (every == 0 || (before + 1) % every != 0)
		return;
	void *nothing = bpf_ringbuf_reserve(&flow_overflow, 8, 0);
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

static __always_inline void overflow(struct scratch *s, __u32 reason)
{
	struct flow_record *record = bpf_ringbuf_reserve(&flow_overflow, sizeof *record, 0);
	if (!record) {
		s->counters.lost_packets += s->value.packets;
		s->counters.lost_bytes += s->value.bytes;
		return;
	}
	record->key = s->key;
	record->pad = 0;
	record->value = s->value;
	record->value.reason = reason;
	s->counters.overflow_packets += s->value.packets;
	s->counters.overflow_bytes += s->value.bytes;
	/* Wake when an eighth of the ring was filled. */
	__u64 position = bpf_ringbuf_query(&flow_overflow, BPF_RB_PROD_POS);
	__u64 eighth = bpf_ringbuf_query(&flow_overflow, BPF_RB_RING_SIZE) >> 3;
	bool wake = ((position ^ (position - sizeof *record - 8)) & ~(eighth - 1)) != 0;
	bpf_ringbuf_submit(record, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* A flow that is not in the map yet. */
static __noinline int begin(struct scratch *s)
{
	void *map = bpf_map_lookup_elem(&flows, ZERO);
	if (!s || !map)
		return 0; /* never; the verifier does not know */
	s->value.first = s->value.last;
	long error = bpf_map_update_elem(map, &s->key, &s->value, BPF_NOEXIST);
	if (likely(error == 0)) {
		count_insertion();
		return 0;
	}
	if (error == -EEXIST) { /* another CPU was faster */
		struct flow_value *flow = bpf_map_lookup_elem(map, &s->key);
		if (flow) {
			add(flow, s->value.bytes, s->value.packets, s->value.flags, s->value.last);
			return 0;
		}
	}
	overflow(s, (__u32)-error);
	return 0;
}

static __always_inline void store(struct scratch *s, __u64 bytes, __u64 packets, __u32 flags)
{
	__u64 now = bpf_ktime_get_ns();
	void *map = bpf_map_lookup_elem(&flows, ZERO);
	if (unlikely(!map))
		return;
	struct flow_value *flow = bpf_map_lookup_elem(map, &s->key);
	if (likely(flow != NULL)) {
		add(flow, bytes, packets, flags, now);
		return;
	}
	s->value.bytes = bytes;
	s->value.packets = packets;
	s->value.last = now;
	s->value.flags = flags;
	begin(s);
}

/* The link-layer protocol behind VLAN tags that are in the packet. */
static __noinline __u32 skip_tags(struct __sk_buff *skb, struct scratch *s, __u32 protocol)
{
	if (!s)
		return 0;
	for (int i = 0; i < MAX_TAGS; i++) {
		if (load(skb, s->packet.network, s->extension, VLAN_HLEN) != 0)
			break;
		protocol = *(__u16 *)(s->extension + 2);
		s->packet.network += VLAN_HLEN;
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
	}
	return protocol;
}

/* A packet that belongs to no flow. */
static __noinline int set_aside(struct scratch *s, __s32 why)
{
	if (!s)
		return 0;
	s->counters.seen_packets += 1;
	s->counters.seen_bytes += s->packet.length;
	if (why == NOT_IP) {
		s->counters.other_packets += 1;
		s->counters.other_bytes += s->packet.length;
	} else {
		s->counters.malformed_packets += 1;
		s->counters.malformed_bytes += s->packet.length;
	}
	return 0;
}

static __always_inline void account(struct __sk_buff *skb, __u8 direction)
{
	struct scratch *s = bpf_map_lookup_elem(&flow_counters, ZERO);
	if (unlikely(!s))
		return;
	/* A tag that is kept beside the packet is on the link all the same. */
	__u32 length = skb->len + (skb->vlan_present ? VLAN_HLEN : 0), protocol = skb->protocol;
	s->packet.length = length;
	s->packet.network = 0;
	if (unlikely(protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD)))
		protocol = skip_tags(skb, s, protocol);

	s->key.source_port = 0;
	s->key.destination_port = 0;
	s->key.interface = skb->ifindex;
	s->key.direction = direction;
	s->packet.headers = 0;
	__s32 flags;
	if (likely(protocol == bpf_htons(ETH_P_IP)))
		flags = read_ipv4(skb, s);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		flags = read_ipv6(skb, s);

	else
		flags = NOT_IP;
	if (unlikely(flags < 0)) {
		set_aside(s, flags);
		return;
	}

	__u32 packets = 1, segments = skb->gso_segs, size = skb->gso_size;
	if (unlikely(segments > 1 || size)) {
		packets = count_segments(s, segments, size);
		length = s->packet.length;
	}
	s->counters.seen_packets += packets;
	s->counters.seen_bytes += length;
	if (unlikely((settings.sampling > 1 && bpf_get_prandom_u32() % settings.sampling != 0) ||
		     (settings.by_protocol && !settings.protocols[s->key.protocol]))) {
		s->counters.filtered_packets += packets;
		s->counters.filtered_bytes += length;
		return;
	}
	store(s, length, packets, flags);
}

SEC("socket")
int flow_socket(struct __sk_buff *skb)
{
	__u8 direction = skb->pkt_type == PACKET_OUTGOING ? FLOW_EGRESS : FLOW_INGRESS;
	if (direction == FLOW_EGRESS ? settings.egress : settings.ingress)
		account(skb, direction);
	return 0;
}

SEC("tc")
int flow_ingress(struct __sk_buff *skb)
{
	/* The host's own multicast, looped back to it: never was on the link. */
	if (skb->pkt_type != PACKET_LOOPBACK)
		account(skb, FLOW_INGRESS);
	return -1; /* TC_ACT_UNSPEC, TCX_NEXT: no opinion */
}

SEC("tc")
int flow_egress(struct __sk_buff *skb)
{
	account(skb, FLOW_EGRESS);
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
