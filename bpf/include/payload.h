/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the bytes of a socket operation are, and how the first of them are copied: from a buffer, an array of iovecs, or an skb. */
#ifndef BEYLA_PAYLOAD_H
#define BEYLA_PAYLOAD_H

#include "kernel.h"
#include "descriptors.h"
#include "head.h"
#include "../protocols/protocols.h"
#include "../sockets.h"
#include <stddef.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define MAX_SEGMENTS 32 /* iovecs that one event gathers from */
#define MAX_SEGMENTS_OVER 256 /* iovecs whose bytes were reported before: up to 64 KB, what a socket takes without checking its free space */
#define ALL_SEGMENTS 1024 /* UIO_MAXIOV: no operation has more */
#define STRIDE 16 /* iovecs that the longer walks pass at once */
#define LONG_SEGMENT 1024 /* of a longer iovec in the middle of an operation only the first bytes are copied */
#define BODY_PREFIX 32 /* enough for a chunk-size line */
#define FRAMING_SIZE 12 /* bytes in which a chunk-size line shows itself */

/* Where the bytes of an array of struct iovec are. */
struct vector {
	__u64 base; /* address of the first struct iovec */
	__u32 segments;
	__u32 offset; /* into the first segment */
	__u16 in_kernel; /* the array itself is in kernel memory */
	__u16 brief; /* of a long iovec only the first bytes are wanted, and nothing after it */
};

/* Where the bytes of an operation are, unless they are in an skb. */
enum payload_kind { PAYLOAD_NONE, PAYLOAD_USER, PAYLOAD_VECTOR, PAYLOAD_STASH };

struct payload {
	enum payload_kind kind;
	__u64 base; /* USER: address of the first byte */
	struct vector vector;
};

/* How much of what was asked for an operation is known to move. */
enum extent {
	WHOLE,
	BEGINNING, /* and this is the first of it */
	MIDDLE,
};

/* Where the walk over the frames of an operation stands. In memory, as everything here. */
struct walk {
	__u32 whole; /* bytes of the operation */
	__u32 from; /* the byte of it that the event begins with */
	__u32 base; /* the byte of it that the window begins with */
	__u32 end; /* of the bytes in the window */
	__u32 place; /* in the window: of the next frame, or of the rest of one */
	__u32 run; /* in the window: kept bytes that were not put into the event yet */
	__u32 run_end;
	__u32 out; /* bytes behind the event until now */
	__u32 told; /* the byte of the operation behind the last one in the event */
	__u32 piece; /* where the header of the last piece stands */
	struct frame frame; /* that was read last */
	__u8 aligned; /* the run begins with a frame */
	__u8 starts; /* so does what is to be kept next */
	__u8 cut; /* the window ends in a header */
	__u8 lost; /* what stands at place is no frame */
};

/* Where an event is put together before it goes into the ring with its true size. One per direction: a receive never interrupts a send. */
struct scratch {
	struct socket_event event;
	__u8 data[3 * (SOCKET_DATA_MAX + 1)]; /* the captured bytes, then room for the tail; or the window of a walk */
	/* Where the last gathering stopped. */
	__u32 segment; /* the first iovec that was not copied whole */
	__u32 cut; /* bytes of it that were not copied */
	/* Where it stands. In memory and not in registers, so that the verifier knows nothing of it, and one way through the loop is like another. */
	__u32 got; /* bytes */
	__u64 offset; /* into the next iovec */
	/* The operation, in memory as well: its direction and who does it stand in the event. */
	__u64 socket; /* address of the struct sock */
	__u32 place; /* of its connection */
	__u32 position; /* sequence number of its first byte that no event reported */
	__u32 length; /* bytes from there on */
	struct payload payload; /* where they are */
	__u32 skb_offset; /* the same where they are in an skb */
	enum extent extent;
	__u8 turned; /* the one before on this connection went the other way */
	__u32 left; /* bytes of it that the events after the first tell of */
	struct walk walk;
	struct head head; /* of a call, where contexts are propagated */
	struct context named; /* by a head, or by what was written into it */
	__u8 written; /* the head of the request that is sent had its context put in by go_write.bpf.c */
	struct {
		struct socket_event event;
		struct context context;
	} telling; /* the event of a context: the one of the message waits in its place */
	__u8 beyond[256]; /* nothing: what is read at a place in the window ends here for the verifier */
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
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym; /* a move for the kernel, and a type for its verifier */
#endif

/* Keeps the bound where the verifier sees it: the compiler would drop a mask that it can prove to be useless. */
static __always_inline __u64 bounded(__u64 n)
{
	asm volatile("%0 &= 0x1fff" : "+r"(n)); /* SOCKET_DATA_MAX */
	return n;
}

/* The same for a place in the data of a scratch, which may be in the window of a walk. */
static __always_inline __u64 placed(__u64 n)
{
	asm volatile("%0 &= 0x3fff" : "+r"(n));
	return n;
}

struct segment {
	__u64 base, length;
};

static __always_inline long read_segment(struct segment *to, const struct vector *from, __u32 index)
{
	void *at = (void *)(from->base + index * sizeof(*to));

	return from->in_kernel ? bpf_probe_read_kernel(to, sizeof(*to), at) : bpf_probe_read_user(to, sizeof(*to), at);
}

/* Copies what is wanted of iovec i of a vector to at->data[to + at->got]. Returns whether more is wanted of the ones after it. */
__attribute__((noinline)) int gather_one(struct scratch *at, const struct vector *from, __u32 to, __u32 want, __u32 i)
{
	struct segment v = {};
	__u64 n, size;

	if (!at || !from || i >= from->segments || at->got >= want || at->cut || read_segment(&v, from, i))
		return 0;
	at->segment = i + 1;
	if (at->offset >= v.length) {
		at->offset -= v.length;
		return 1;
	}
	n = size = v.length - at->offset;
	if (from->brief && n > LONG_SEGMENT)
		n = BODY_PREFIX;
	if (n > want - at->got)
		n = want - at->got;
	if (bpf_probe_read_user(at->data + placed(to + at->got), bounded(n), (void *)(v.base + at->offset)))
		n = 0;
	at->got += n;
	at->offset = 0;
	at->cut = size - n;
	if (at->cut)
		at->segment = i;
	return 1;
}

/*
 * Gathers bytes [skip, skip + want) of a vector to at->data[to]. Returns how many were there to read; where it stopped is in the scratch.
 * Functions of their own, so that the verifier looks at one iovec, and then at how many there are.
 */
__attribute__((noinline)) int gather(struct scratch *at, const struct vector *from, __u32 to, __u32 want, __u32 skip)
{
	__u32 i;

	if (!at || !from)
		return 0;
	at->segment = 0;
	at->cut = 0;
	at->got = 0;
	at->offset = (__u64)from->offset + skip;
	for (i = 0; i < MAX_SEGMENTS; i++)
		if (!gather_one(at, from, to, want, i))
			break;
	return at->got;
}

/* Do these bytes begin like the size line of a chunk, or like the line end after one? RFC 9112 section 7.1. */
static __always_inline bool looks_like_framing(const __u8 *p)
{
	__u32 i;

	if (p[0] == '\r')
		return p[1] == '\n';
	for (i = 0; i < FRAMING_SIZE - 1; i++) {
		__u8 c = p[i];

		if (i > 0 && (c == '\r' || c == ';'))
			return true;
		if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f')))
			return false;
	}
	return false;
}

/*
 * Whether what comes behind the iovec in which the last gathering stopped are bytes that a reader of chunks must see. A body that is in iovecs but
 * has no framing in it is not looked at further.
 */
__attribute__((noinline)) int continues(const struct scratch *at, const struct vector *from)
{
	__u8 first[FRAMING_SIZE] = {};
	struct segment v = {};
	__u32 next, size;

	if (!at || !from)
		return 0;
	next = at->segment;
	if (at->cut)
		next++;
	else if (next == MAX_SEGMENTS)
		return 1;
	if (next >= from->segments || read_segment(&v, from, next) || !v.length)
		return 0;
	size = v.length < sizeof(first) ? v.length : sizeof(first);
	asm volatile("%0 &= 0xf" : "+r"(size));
	if (size > sizeof(first) || bpf_probe_read_user(first, size, (void *)v.base))
		return 0;
	return looks_like_framing(first);
}

/* A pointer as a number: older verifiers forbid arithmetic on typed ones, and forget the type of what comes from memory. */
static __always_inline __u64 plain(volatile __u64 *place, const void *pointer)
{
	*place = (__u64)pointer;
	return *place;
}

/* The bytes that wait in an iterator: all of an operation before it began, the rest of one that is under way. */
static __always_inline void payload_of_iterator(struct payload *p, const struct iov_iter *i, bool typed)
{
	__u8 type = READ(typed, i, iter_type);

	if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) && type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		p->kind = PAYLOAD_USER;
		p->base = plain(&p->base, READ(typed, i, ubuf)) + READ(typed, i, iov_offset);
	} else if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC)) {
		p->kind = PAYLOAD_VECTOR;
		p->vector.base = bpf_core_field_exists(i->__iov) ? (__u64)READ(typed, i, __iov) :
							    (__u64)READ(typed, (struct iov_iter___before_6_4 *)i, iov);
		p->vector.offset = READ(typed, i, iov_offset);
		p->vector.segments = READ(typed, i, nr_segs);
		p->vector.in_kernel = true;
	}
}

/*
 * The walks below go in strides, each a function of its own: the verifier looks at one stride, and then at how often it is made.
 * pass_few: passes bytes, at most STRIDE iovecs of them, and returns how many are still to be passed.
 */
__attribute__((noinline)) int pass_few(struct vector *v, __u32 bytes)
{
	__u32 i;

	if (!v)
		return 0;
	for (i = 0; i < STRIDE && v->segments; i++) {
		struct segment first = {};

		if (read_segment(&first, v, 0))
			return 0;
		if (bytes < first.length - v->offset) {
			v->offset += bytes;
			return 0;
		}
		bytes -= first.length - v->offset;
		v->base += sizeof(first);
		v->segments--;
		v->offset = 0;
	}
	return v->segments ? bytes : 0;
}

__attribute__((noinline)) int pass_segments(struct vector *v, __u32 bytes)
{
	__u32 i;

	if (!v)
		return 0;
	for (i = 0; i < MAX_SEGMENTS_OVER / STRIDE && bytes; i++)
		bytes = pass_few(v, bytes);
	return 0;
}

/* The next bytes are those of a later iovec, and of a long one only the first are wanted. */
static __always_inline void leave_behind(struct vector *v, __u32 segments)
{
	v->base += segments * sizeof(struct segment);
	v->segments -= segments;
	v->offset = 0;
	v->brief = true;
}

/* Returns how many bytes are still to go back. */
__attribute__((noinline)) int return_few(struct vector *v, __u32 back)
{
	__u32 i;

	if (!v)
		return 0;
	for (i = 0; i < STRIDE && v->offset < back; i++) {
		struct segment before = {};

		back -= v->offset;
		v->base -= sizeof(before);
		v->segments++;
		read_segment(&before, v, 0);
		v->offset = before.length;
	}
	if (v->offset < back)
		return back;
	v->offset -= back;
	return 0;
}

/* Returns whether the bytes were found. */
__attribute__((noinline)) int return_to_segment(struct vector *v, __u32 back)
{
	__u32 i;

	if (!v)
		return 0;
	for (i = 0; i < ALL_SEGMENTS / STRIDE && back; i++)
		back = return_few(v, back);
	return !back;
}

/* Back to bytes that an iterator has passed: the iovec that it is in, or has just left, holds the last of them. */
static __always_inline void step_back(struct payload *p, __u32 back)
{
	if (p->kind == PAYLOAD_USER)
		p->base -= back;
	else if (p->kind == PAYLOAD_VECTOR && !return_to_segment(&p->vector, back))
		p->kind = PAYLOAD_NONE;
}

#endif
