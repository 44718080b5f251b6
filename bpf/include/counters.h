/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Declares a ring buffer together with the counters of what could not be put into it, so that none exists without the other. */
#ifndef BEYLA_COUNTERS_H
#define BEYLA_COUNTERS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>

/* Mirrored by src/Beyla.Agent/Kernel/RingCounters.cs. */
struct ring_counters {
	__u64 produced;
	__u64 emitted;
	__u64 lost; /* no room in the ring */
	__u64 untracked; /* no room in a table that the events need */
};

#define COUNTED_RING(ring, bytes)                              \
	struct {                                               \
		__uint(type, BPF_MAP_TYPE_RINGBUF);            \
		__uint(max_entries, bytes);                    \
	} ring SEC(".maps");                                   \
	struct {                                               \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);       \
		__uint(max_entries, 1);                        \
		__type(key, __u32);                            \
		__type(value, struct ring_counters);           \
	} ring##_counters SEC(".maps");                        \
	static __always_inline struct ring_counters *ring##_count(void) \
	{                                                      \
		__u32 zero = 0;                                \
		return bpf_map_lookup_elem(&ring##_counters, &zero); \
	}

#endif
