/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the headers of a packet into a flow key: VLAN tags (IEEE 802.1Q), IPv4 (RFC 791), IPv6 with extension headers (RFC 8200), fragments,
 * and the ports and flags of what they carry. All of it in a per-CPU map value, see flows.bpf.c.
 */
#ifndef BEYLA_PACKET_H
#define BEYLA_PACKET_H

#include "kernel.h"
#include "skb.h"
#include "../flows.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

enum { ETH_TYPE = 12, ETH_TYPE_LEN = 2 }; /* the type of an Ethernet frame: behind the two addresses */
enum { ETH_P_IP = 0x0800, ETH_P_IPV6 = 0x86dd, ETH_P_8021Q = 0x8100, ETH_P_8021AD = 0x88a8, ETH_HLEN = 14, VLAN_HLEN = 4 };
enum { PROTOCOL_SCTP = 132, PROTOCOL_DCCP = 33, PROTOCOL_UDPLITE = 136 };
enum { HEADER_HOP = 0, HEADER_ROUTING = 43, HEADER_FRAGMENT = 44, HEADER_AUTHENTICATION = 51, HEADER_DESTINATION = 60, HEADER_MOBILITY = 135 };
enum { OPTION_JUMBO = 0xc2, JUMBO_HEADER = 8 }; /* RFC 2675 */
enum { IPV4_HEADER = 20, IPV6_HEADER = 40, MAX_TAGS = 3, MAX_EXTENSIONS = 8 };
enum { TCP_SYN = 0x02, TCP_ACK = 0x10, TCP_FLAGS_END = 14 };
enum { MALFORMED = -1, NOT_IP = -2 };
enum { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER };

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
	__u32 start; /* where offsets begin: BPF_HDR_START_NET or BPF_HDR_START_MAC */
	__u32 network; /* offset of the IP header */
	__u32 transport; /* offset of the transport header behind the IP header's */
	__u32 total; /* length that the IP header states; 0 in a super-frame beyond 64 KiB */
	__u32 headers; /* bytes of the transport header */
	__u32 id; /* of a fragmented datagram */
	__u32 fragment;
	__u32 phantom; /* 1: the kernel's jumbo header is in the packet */
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

/*
 * Not inlined: what a caller spills of its four-byte values is written to the stack more than once, which Linux 6.1 refuses without CAP_PERFMON
 * ("attempt to corrupt spilled pointer"). For the same reason what outlives a call is in the map value.
 */
static __noinline int load(struct __sk_buff *skb, __u32 start, __u32 offset, void *to, __u32 size)
{
	if (likely(bpf_skb_load_bytes_relative(skb, offset, to, size, start) == 0))
		return 0;
	/* The helper above reads only the linear part. A packet with its headers elsewhere comes from a driver, thus with a link-layer header. */
	return bpf_skb_load_bytes(skb, start == BPF_HDR_START_NET ? ETH_HLEN + offset : offset, to, size);
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
		s->packet.headers = s->key.protocol == PROTOCOL_SCTP ? 12 : 8;
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
	__u32 start = s->packet.start, offset = s->packet.network + s->packet.transport;
	if (s->key.protocol == IPPROTO_TCP) {
		if (load(skb, start, offset, s->rest, TCP_FLAGS_END) == 0)
			return read_transport(s, s->rest);
		s->rest[12] = 0;
		s->rest[13] = 0;
	}
	if (load(skb, start, offset, s->rest, 4) == 0)
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
static __always_inline __s32 read_ipv4(struct __sk_buff *skb, struct scratch *s, __u32 start, __u32 network)
{
	__u8 *head = s->head;
	bool whole = bpf_skb_load_bytes_relative(skb, network, head, IPV4_HEADER + 20, start) == 0;
	if (!whole && load(skb, start, network, head, IPV4_HEADER) != 0)
		return MALFORMED;
	__u32 length = (head[0] & 15) * 4;
	__u32 total = bpf_ntohs(*(__u16 *)(head + 2));
	if (head[0] >> 4 != 4 || length < IPV4_HEADER || (total && total < length))
		return MALFORMED;
	s->packet.start = start;
	s->packet.network = network;
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

/*
 * Whether the extension header at hand is the one that the kernel puts into super-frames beyond 64 KiB to remember their length (since 5.19, struct
 * hop_jumbo_hdr of net/ipv6.h), and takes out again when it cuts them: it never is on the link. A real jumbogram is no super-frame.
 */
static __always_inline bool is_phantom(struct __sk_buff *skb, struct scratch *s, __u8 kind)
{
	return kind == HEADER_HOP && s->packet.total == 0 && s->packet.transport == IPV6_HEADER && s->extension[1] == 0 &&
	       s->extension[2] == OPTION_JUMBO && s->extension[3] == 4 && skb->gso_size;
}

/* Walks the extension headers (RFC 8200 section 4) to the transport header. */
static __noinline __u32 walk_extensions(struct __sk_buff *skb, struct scratch *s)
{
	if (!s)
		return 0;
	s->packet.fragment = FRAGMENT_NONE;
	s->packet.phantom = 0;
#pragma unroll
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		__u8 kind = s->key.protocol;
		if (kind != HEADER_HOP && kind != HEADER_ROUTING && kind != HEADER_FRAGMENT && kind != HEADER_AUTHENTICATION &&
		    kind != HEADER_DESTINATION && kind != HEADER_MOBILITY)
			break;
		if (load(skb, s->packet.start, s->packet.network + s->packet.transport, s->extension, 8) != 0)
			break;
		if (i == 0 && is_phantom(skb, s, kind))
			s->packet.phantom = 1;
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
	if (s->packet.fragment != FRAGMENT_NONE)
		return read_fragment(skb, s);
	__u32 flags = find_transport(skb, s);
	if (s->packet.phantom) {
		s->packet.length -= JUMBO_HEADER;
		s->packet.transport -= JUMBO_HEADER;
	}
	return flags;
}

static __always_inline __s32 read_ipv6(struct __sk_buff *skb, struct scratch *s, __u32 start, __u32 network)
{
	__u8 *head = s->head;
	bool whole = bpf_skb_load_bytes_relative(skb, network, head, IPV6_HEADER + 20, start) == 0;
	if (!whole && load(skb, start, network, head, IPV6_HEADER) != 0)
		return MALFORMED;
	if (head[0] >> 4 != 6)
		return MALFORMED;
	__u32 payload = bpf_ntohs(*(__u16 *)(head + 4));
	s->packet.start = start;
	s->packet.network = network;
	s->packet.total = payload ? payload + IPV6_HEADER : 0;
	s->packet.transport = IPV6_HEADER;
	copy_addresses(s->key.source, head + 8);
	s->key.protocol = head[6];
	if (likely(whole && (head[6] == IPPROTO_TCP || head[6] == IPPROTO_UDP)))
		return read_transport(s, head + IPV6_HEADER);
	return walk_extensions(skb, s);
}

/*
 * Reads a frame from its beginning: its own words for what it carries, behind VLAN tags (IEEE 802.1Q, 802.1ad) that are in the packet. The network
 * header of what the host sends is wherever the sender left it: at the first tag (a raw frame), between two (an interface for the outer one), or
 * behind all (tags that were put in because the interface does not add them by itself); and the protocol of a raw frame is what its sender
 * said. Not for the common packet: that needs one look more.
 */
static __noinline __s32 read_frame(struct __sk_buff *skb, struct scratch *s, __s32 before)
{
	if (!s)
		return NOT_IP;
	__u32 offset = ETH_TYPE;
	__u16 protocol = 0;
	for (int i = 0; i <= MAX_TAGS; i++) {
		if (load(skb, BPF_HDR_START_MAC, offset, s->extension, ETH_TYPE_LEN) != 0)
			return before;
		protocol = *(__u16 *)s->extension;
		offset += ETH_TYPE_LEN;
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		offset += VLAN_HLEN - ETH_TYPE_LEN;
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return read_ipv4(skb, s, BPF_HDR_START_MAC, offset);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return read_ipv6(skb, s, BPF_HDR_START_MAC, offset);
	return before;
}

/* Wire packets of a super-frame; corrects the length to what those take on the link. */
static __noinline __u32 count_segments(struct __sk_buff *skb, struct scratch *s, __u32 count, __u32 size)
{
	if (!s)
		return 1;
	__u32 length = s->packet.length, total = s->packet.total, link;
	/* Super-frames have no padding: what the IP header does not state is the link-layer header. */
	if (total && total <= length)
		link = length - total;
	else
		link = (s->packet.start == BPF_HDR_START_MAC ? s->packet.network : ETH_HLEN) + (skb->vlan_present ? VLAN_HLEN : 0);
	__u32 header = link + s->packet.transport + s->packet.headers;
	if (count == 0 && size && length > header) /* from a guest or a packet socket: not counted by the kernel yet */
		count = (length - header + size - 1) / size;
	if (count <= 1)
		return 1;
	s->packet.length = length + (count - 1) * header;
	return count;
}

#endif
