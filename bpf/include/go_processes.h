/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Go programs that are traced, and what their goroutines have under way. The socket programs and those of Go share these maps. */
#ifndef BEYLA_GO_PROCESSES_H
#define BEYLA_GO_PROCESSES_H

#include "kernel.h"
#include "../go.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* By process. User space sets the bit in the selection last and clears it first; what stays here after that is looked up by nobody. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GO_PROCESSES);
	__type(key, __u32);
	__type(value, struct go_offsets);
} go_processes SEC(".maps");

/* By the address of the struct sock. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GO_CALLS);
	__type(key, __u64);
	__type(value, struct go_call);
} go_calls SEC(".maps");

struct goroutine {
	__u64 id;
	__u64 parent; /* 0: not known */
};

/* A goroutine gets the next number: none comes near this one, and what does is no struct g. */
#define GOROUTINES_END (1ULL << 48)

/* Reads what the struct g at an address says. False when nothing is there that can be one, or it is the thread's own (g0), which has no number. */
static __always_inline bool read_goroutine(const struct go_offsets *offsets, __u64 g, struct goroutine *found)
{
	found->id = found->parent = 0;
	if (!g || bpf_probe_read_user(&found->id, sizeof(found->id), (void *)(g + offsets->goid)))
		return false;
	if (!found->id || found->id >= GOROUTINES_END)
		return false;
	if (offsets->parent && bpf_probe_read_user(&found->parent, sizeof(found->parent), (void *)(g + offsets->parent)))
		found->parent = 0;
	if (found->parent >= GOROUTINES_END)
		found->parent = 0;
	return true;
}

/* Both ports of a connection in one number. */
static __always_inline __u32 ports_of(const struct sock *sk)
{
	return (__u32)BPF_CORE_READ(sk, __sk_common.skc_num) << 16 | BPF_CORE_READ(sk, __sk_common.skc_dport);
}

#endif
