/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of a message that goes through a sk_msg program. The kernel has copied them before that runs, so that the socket programs find them nowhere
 * in the process: the sk_msg program leaves them here, as they go out, and the send that follows at once tells them.
 */
#ifndef BEYLA_STASH_H
#define BEYLA_STASH_H

#include "head.h"
#include "header_line.h"
#include "kernel.h"
#include <bpf/bpf_helpers.h>

struct stash {
	__u32 position; /* sequence number of the first byte */
	__u32 length; /* bytes that are kept: the first ones of the message */
	struct header_line header; /* what is put into its head */
	struct head head;
	struct text text;
};

/* By the address of the socket; there only from a message to its acknowledgement. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct stash);
} stashes SEC(".maps");

/* Copies bytes [skip, skip + want) of what is kept from sequence number position on. Returns how many there were. */
static __always_inline __u32 copy_stash(void *to, __u64 socket, __u32 position, __u32 want, __u32 skip)
{
	struct stash *stash = bpf_map_lookup_elem(&stashes, &socket);
	__u32 offset, there;

	if (!stash)
		return 0;
	offset = position - stash->position + skip;
	if (offset >= stash->length)
		return 0;
	there = stash->length - offset;
	if (want > there)
		want = there;
	asm volatile("%0 &= 0x1fff" : "+r"(want));
	return bpf_probe_read_kernel(to, want, stash->text.bytes + (offset & TEXT_MAX)) ? 0 : want;
}

#endif
