/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs need to know of a Go program. Mirrored by src/Beyla.Agent/Kernel/GoOffsets.cs, checked against BTF by a test. */
#ifndef BEYLA_GO_H
#define BEYLA_GO_H

#include "propagation.h"

/* Where a process keeps what is looked at, in bytes. They belong to the version of Go that built it. */
struct go_offsets {
	__s32 slot; /* from the thread pointer (fs) to the pointer to the struct g that runs on the thread */
	__u32 goid; /* in the struct g: its number */
	__u32 parent; /* in the struct g: the number of the one that started it; 0: this version does not keep it */
	__u32 connection; /* in a net/http.persistConn: the interface value of its net.Conn; 0: not looked at */
	__u32 buffer; /* in a bufio.Writer: buf, behind which n and wr follow; 0: nothing is written there */
	__u64 newest; /* highest number of a goroutine that was seen, kept by the programs where contexts are propagated */
};

/* Go programs of which this is known at a time. */
#define GO_PROCESSES 4096

/* Requests that were handed to a connection and are not sent yet. What is never sent makes room for others. */
#define GO_CALLS 4096

/* The goroutine that handed a request to a connection, on which another one sends it. */
struct go_call {
	__u64 goroutine;
	__u64 parent;
	__u64 connection; /* address of the net/http.persistConn in the process */
	__u32 ports; /* of the connection, so that another one at the same address is none of its */
	__u32 pid;
	__u32 position; /* sequence number of the first byte of the request */
	__u32 written; /* not 0: the context is in its head, written there by go_write.bpf.c */
	struct context context;
};

#endif
