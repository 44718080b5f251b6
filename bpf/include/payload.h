/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the bytes of a socket operation are, and how the first of them are copied: from a buffer, an array of iovecs, or an skb. */
#ifndef BEYLA_PAYLOAD_H
#define BEYLA_PAYLOAD_H

#include "kernel.h"
#include "../sockets.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define MAX_SEGMENTS 64 /* iovecs that are gathered: node writes an answer of 15 chunks as one array of so many */
#define MAX_SEGMENTS_BACK 8 /* iovecs that one skb is copied to */

/* A pointer that the verifier knows the type of is read directly; another one through the helper, which costs a call each. */
#define READ(typed, source, field) ((typed) ? (source)->field : BPF_CORE_READ(source, field))

/* Where an event is put together before it goes into the ring with its true size. One per direction: a receive never interrupts a send. */
struct scratch {
	struct socket_event event;
	__u8 data[3 * (SOCKET_DATA_MAX + 1)]; /* the captured bytes, then room for the tail */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Only a name here, but libbpf wants the kind of the type to agree with the kernel's. */
struct __sk_buff {
	__u32 len;
};

#ifndef WITHOUT_SKB_DYNPTR
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *dynptr) __ksym;
#endif

/* Keeps the bound where the verifier sees it: the compiler would drop a mask that it can prove to be useless. */
static __always_inline __u64 bounded(__u64 n)
{
	asm volatile("%0 &= 0x1fff" : "+r"(n)); /* SOCKET_DATA_MAX */
	return n;
}

/* Where the bytes of an array of struct iovec are. */
struct vector {
	__u64 base; /* address of the first struct iovec */
	__u32 segments;
	__u32 offset; /* into the first segment */
	__u32 in_kernel; /* the array itself is in kernel memory */
};

/*
 * Gathers bytes [skip, skip + want) of a vector to at->data[to]. Returns how many were there to read.
 * A function of its own, so that the verifier walks the loop once and not once for every way to it.
 */
__attribute__((noinline)) int gather(struct scratch *at, const struct vector *from, __u32 to, __u32 want, __u32 skip)
{
	__u32 got = 0, i;
	__u64 offset;

	if (!at || !from)
		return 0;
	offset = (__u64)from->offset + skip;
	for (i = 0; i < MAX_SEGMENTS; i++) {
		struct {
			__u64 base, length;
		} v = {};
		__u64 n;
		long failed;

		if (i >= from->segments || got >= want)
			break;
		failed = from->in_kernel ? bpf_probe_read_kernel(&v, sizeof(v), (void *)(from->base + i * sizeof(v)))
					 : bpf_probe_read_user(&v, sizeof(v), (void *)(from->base + i * sizeof(v)));
		if (failed)
			break;
		if (offset >= v.length) {
			offset -= v.length;
			continue;
		}
		n = v.length - offset;
		if (n > want - got)
			n = want - got;
		if (bpf_probe_read_user(at->data + bounded(to) + bounded(got), bounded(n), (void *)(v.base + offset)))
			break;
		got += n;
		offset = 0;
	}
	return got;
}

/* Where the bytes of an operation are. */
enum payload_kind { PAYLOAD_NONE, PAYLOAD_USER, PAYLOAD_VECTOR, PAYLOAD_SKB };

struct payload {
	enum payload_kind kind;
	__u64 base; /* USER: address of the first byte */
	__u32 offset; /* SKB: of the first byte */
	struct bpf_dynptr *skb;
	struct vector vector;
};

/* Copies bytes [skip, skip + want) of the operation to at->data[to]; want is at most SOCKET_DATA_MAX. */
static __always_inline __u32 copy_payload(struct scratch *at, __u32 to, __u32 want, const struct payload *from, __u32 skip)
{
	__u8 *data = at->data + to;

	switch (from->kind) {
	case PAYLOAD_USER:
		return bpf_probe_read_user(data, bounded(want), (void *)(from->base + skip)) ? 0 : want;
	case PAYLOAD_VECTOR:
		return gather(at, &from->vector, to, want, skip);
#ifndef WITHOUT_SKB_DYNPTR
	case PAYLOAD_SKB:
		return bpf_dynptr_read(data, bounded(want), from->skb, from->offset + skip, 0) ? 0 : want;
#endif
	default:
		return 0;
	}
}

/* msg_iter before anything was taken from it. */
static __always_inline void payload_of_iterator(struct payload *p, const struct iov_iter *i, bool typed)
{
	__u8 type = READ(typed, i, iter_type);

	if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) && type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		p->kind = PAYLOAD_USER;
		/* Pointers through the helper, so that they are plain numbers: older verifiers forbid arithmetic on typed ones. */
		p->base = (__u64)BPF_CORE_READ(i, ubuf) + READ(typed, i, iov_offset);
	} else if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC)) {
		p->kind = PAYLOAD_VECTOR;
		p->vector.base = bpf_core_field_exists(i->__iov) ? (__u64)BPF_CORE_READ(i, __iov) :
							    (__u64)BPF_CORE_READ((struct iov_iter___before_6_4 *)i, iov);
		p->vector.offset = READ(typed, i, iov_offset);
		p->vector.segments = READ(typed, i, nr_segs);
		p->vector.in_kernel = true;
	}
}

#endif
