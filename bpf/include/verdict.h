/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space, which has the last word, says to the protocol of a connection: in memory that it maps, so without a system call. */
#ifndef BEYLA_VERDICT_H
#define BEYLA_VERDICT_H

#include "connection.h"

/*
 * Set before the programs are loaded: what is not recognised is captured on, so that user space can look for statements of SQL in it
 * (ebpf.heuristic_sql_detect). The verifier then removes what is behind it.
 */
const volatile __u32 detects_sql SEC(".rodata.settings");

#define MAX_STRIKES 8 /* changes of direction after which nothing is recognised, until a connection is none of ours */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VERDICTS);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

static __always_inline void become(struct connection *c, __u8 protocol)
{
	c->protocol = protocol;
	c->perhaps = 0;
	c->used[0] = c->used[1] = 0;
	c->frames[0].known = c->frames[1].known = 0;
	if (protocol == PROTOCOL_FOREIGN)
		settle_return(c);
}

/* What was sent was nothing that is known. Not for ever: after some of these. */
static __always_inline void strike(struct connection *c)
{
	c->perhaps = 0;
	if (c->strikes++ >= MAX_STRIKES && !detects_sql)
		become(c, PROTOCOL_FOREIGN);
}

/* Does what user space said since. */
static __always_inline void take_verdict(struct connection *c)
{
	__u32 slot = (c->id >> 8) & (VERDICTS - 1);
	__u64 *verdict = bpf_map_lookup_elem(&verdicts, &slot);
	__u8 protocol;

	if (!verdict || !*verdict || (*verdict ^ c->id << 8) >> 8)
		return;
	protocol = *verdict;
	*verdict = 0;
	if (protocol == PROTOCOL_SQL) {
		if (c->protocol != PROTOCOL_NONE)
			become(c, PROTOCOL_NONE);
		c->sql = 1;
		return;
	}
	if (protocol == c->protocol)
		return;
	become(c, protocol);
	if (protocol == PROTOCOL_NONE)
		strike(c);
}

#endif
