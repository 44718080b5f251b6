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
#include "include/packet.h"
#include "include/skb.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "flows.h"

enum { EEXIST = 17 };

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

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} flow_counters SEC(".maps");

__u64 inserted; /* new flows, ever */

/* For the type information: nothing else that is global names the structure. */
const struct flow_record *unused_flow_record __attribute__((unused));

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

/* What the packet adds to its flow is in s->value already, except for the time. */
static __always_inline void store(struct scratch *s)
{
	s->value.last = bpf_ktime_get_ns();
	void *map = bpf_map_lookup_elem(&flows, ZERO);
	if (unlikely(!map))
		return;
	struct flow_value *flow = bpf_map_lookup_elem(map, &s->key);
	if (likely(flow != NULL))
		add(flow, s->value.bytes, s->value.packets, s->value.flags, s->value.last);
	else
		begin(s);
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
	s->packet.length = skb->len + (skb->vlan_present ? VLAN_HLEN : 0);
	__u32 protocol = skb->protocol;
	s->key.source_port = 0;
	s->key.destination_port = 0;
	s->key.interface = skb->ifindex;
	s->key.direction = direction;
	s->packet.headers = 0;
	__s32 flags;
	if (likely(protocol == bpf_htons(ETH_P_IP)))
		flags = read_ipv4(skb, s, BPF_HDR_START_NET, 0);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		flags = read_ipv6(skb, s, BPF_HDR_START_NET, 0);
	else
		flags = NOT_IP;
	if (unlikely(flags < 0)) {
		flags = read_frame(skb, s, flags);
		if (flags < 0) {
			set_aside(s, flags);
			return;
		}
	}

	__u32 packets = 1, segments = skb->gso_segs, size = skb->gso_size;
	if (unlikely(segments > 1 || size))
		packets = count_segments(skb, s, segments, size);
	/* Everything goes by way of the map value, so that nothing has to outlive a call on the stack. */
	__u32 length = s->packet.length;
	s->value.bytes = length;
	s->value.packets = packets;
	s->value.flags = flags;
	s->counters.seen_packets += packets;
	s->counters.seen_bytes += length;
	if (unlikely((settings.sampling > 1 && bpf_get_prandom_u32() % settings.sampling != 0) ||
		     (settings.by_protocol && !settings.protocols[s->key.protocol]))) {
		s->counters.filtered_packets += s->value.packets;
		s->counters.filtered_bytes += s->value.bytes;
		return;
	}
	store(s);
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
