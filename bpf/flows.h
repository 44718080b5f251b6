/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the flow programs share with the agent. Mirrored by src/Beyla.Agent/Flows/FlowRecord.cs, checked against BTF by a test. */
#ifndef BEYLA_FLOWS_H
#define BEYLA_FLOWS_H

enum flow_direction {
	FLOW_INGRESS = 0,
	FLOW_EGRESS = 1,
};

/* Bits of flow_value.flags above the eight TCP flags. */
enum flow_flags {
	FLOW_CALLED = 0x100, /* SYN without ACK was seen: the source called */
	FLOW_ANSWERED = 0x200, /* SYN with ACK was seen: the destination called */
};

struct flow_key {
	__u8 source[16]; /* IPv6, or IPv4 mapped to ::ffff:0:0/96 */
	__u8 destination[16];
	__u16 source_port; /* host byte order; 0 where the protocol has none */
	__u16 destination_port;
	__u32 interface; /* index */
	__u8 protocol; /* of the IP header, after extension headers */
	__u8 direction;
	__u16 zero;
};

struct flow_value {
	__u64 bytes; /* on the link: link-layer header and VLAN tags included, repeated for each segment of a super-frame */
	__u64 packets; /* wire packets: segments of a super-frame */
	__u64 first; /* CLOCK_MONOTONIC, ns */
	__u64 last;
	__u32 flags; /* of all packets, OR-ed */
	__u32 reason; /* in a record of the ring: the errno that kept the flow out of the map; else 0 */
};

/* One packet that found no room in the map, as written to the ring "flow_overflow". */
struct flow_record {
	struct flow_key key;
	__u32 pad;
	struct flow_value value;
};

/*
 * Per CPU. When no program runs any more and everything is drained:
 * seen = (bytes and packets of drained flows and ring records) + filtered + other + malformed + lost.
 */
struct flow_counters {
	__u64 seen_packets;
	__u64 seen_bytes;
	__u64 filtered_packets; /* by protocol, or not in the sample */
	__u64 filtered_bytes;
	__u64 other_packets; /* not IP */
	__u64 other_bytes;
	__u64 malformed_packets; /* no valid IP header */
	__u64 malformed_bytes;
	__u64 overflow_packets; /* went to the ring */
	__u64 overflow_bytes;
	__u64 lost_packets; /* neither map nor ring had room */
	__u64 lost_bytes;
};

#endif
