/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The trace context of a message, as the ring "socket_events" tells it. Mirrored by src/Beyla.Agent/Kernel/SocketContext.cs. */
#ifndef BEYLA_PROPAGATION_H
#define BEYLA_PROPAGATION_H

/* Where a context comes from. */
enum context_source {
	CONTEXT_FRESH = 0, /* nowhere: a trace of its own */
	CONTEXT_HEADER = 1, /* the head of the request has it (traceparent, W3C Trace Context) */
	CONTEXT_OPTION = 2, /* the TCP option of the segment that the request began in */
	CONTEXT_THREAD = 3, /* the request that the calling thread reads and has not answered */
	CONTEXT_GOROUTINE = 4, /* the same of the calling goroutine, or of the one that has started it */
	CONTEXT_AGREEMENT = 5, /* the only request that the process reads or has read, and has not answered: a guess */
};

/* Identifiers are bytes in the order in which they are written. */
struct context {
	__u8 trace[16];
	__u8 span[8]; /* of the span that the message belongs to */
	__u8 parent[8]; /* of the one above it; all 0: none */
	__u8 flags; /* trace-flags */
	__u8 source; /* enum context_source */
	__u8 inserted; /* bytes that were put into the head for it */
	__u8 reserved[5];
};

/* Of the event of a context, which comes before the one of the message's first bytes, this is what was "captured". */

/* What goes with a segment: the option that Grafana Beyla and OpenTelemetry eBPF Instrumentation use for the same. */
#define OPTION_KIND 25
#define OPTION_LENGTH 26

struct option {
	__u8 kind, length;
	__u8 trace[16], span[8];
} __attribute__((packed));

#endif
