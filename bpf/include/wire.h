/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Trace context, while it is propagated: which context each message of a socket has. The socket programs and those of propagation.bpf.c share these
 * maps.
 */
#ifndef BEYLA_WIRE_H
#define BEYLA_WIRE_H

#include "kernel.h"
#include "stash.h"
#include "../propagation.h"
#include "../sockets.h"
#include <bpf/bpf_helpers.h>

/*
 * Set before the programs are loaded: contexts are propagated. The verifier then removes what is behind it where they are not. Mirrored by
 * src/Beyla.Agent/Kernel/SocketSource.cs.
 */
enum {
	PROPAGATES_NOTHING = 0,
	PROPAGATES_ALL = 1,
	PROPAGATES_GO = 2, /* only by what goroutines send (go_write.bpf.c): for all else nothing is settled here */
};

const volatile __u32 propagates SEC(".rodata.propagates");

enum way_state {
	WAY_NONE,
	WAY_ARRIVED, /* the option of a segment said it; the message is not read yet */
	WAY_SETTLED, /* no event told of it yet */
	WAY_TOLD,
};

/* Who works on requests: a thread, or a goroutine. */
struct worker {
	__u64 id;
	__u32 pid; /* whose */
	__u32 is_goroutine;
};

/* The newest message of a socket in one direction. */
struct way {
	struct context context;
	__u32 sequence; /* of its first byte */
	__u32 state; /* enum way_state */
};

struct wire {
	struct way ways[2]; /* by direction */
	struct worker reader; /* who owes the response to a request that it read here; pid 0: nobody */
	__u32 calls; /* it was connected by a process that is traced */
	__u32 writes; /* it writes options */
	__u32 looked; /* its first message was looked at */
	__u32 joined; /* not 0 while its messages pass a program: with the flags that were set on it for that */
	__u32 server; /* the process whose request on this socket is counted as open (serving.h); 0: there is none */
	struct head head; /* of the request that is being read */
};

/* By the address of the socket. User space makes these maps as small as can be where nothing is propagated. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct wire);
} wires SEC(".maps");

/* What maps are filled in from. */
static const struct wire no_wire;

#endif
