/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the head of an HTTP/1 message: where it ends, and whether it has a trace context (https://www.w3.org/TR/trace-context-2/). In steps, each a
 * function of its own whose state is in memory: the verifier looks at one step, and then at how many there are.
 */
#ifndef BEYLA_HEAD_H
#define BEYLA_HEAD_H

#include "kernel.h"
#include "../propagation.h"
#include <stddef.h>

#define TEXT_MAX 8191 /* bytes that are looked at */
#define LINE_MAX 4095 /* of a first line behind which a header is put */
#define HEAD_STEP 32
#define HEAD_NAME 12 /* of "traceparent:" */
#define VALUE_SIZE 55 /* of "00-(32)-(16)-(2)" */

/* What is read. The bytes behind are there for the verifier, which does not see that a place and what follows it lie within. */
struct text {
	__u8 bytes[TEXT_MAX + 1 + LINE_MAX + 1 + 128];
};

struct head {
	__u32 place; /* the next byte */
	__u32 end; /* bytes there are */
	__u32 line; /* bytes of the line until now */
	__u32 matched; /* of them, bytes of the header's name; more: it is another one */
	__u32 first; /* place behind the first line, in the text that it ended in; 0: not seen */
	__u32 value; /* place behind the header's name; 0: not in this text */
	__u32 values; /* how many there were */
	__u32 whole; /* place behind the head; 0: its end is not there */
};

/* Longer than the name: what has 16 bytes goes to a section that libbpf does not know. */
static const __u8 traceparent[20] = "traceparent:";

/* Values of digits; 128: it is none. Upper case is not allowed in a traceparent. */
static const __u8 digit_value[256] = {
	[0 ... '0' - 1] = 128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ['9' + 1 ... 'a' - 1] = 128, 10, 11, 12, 13, 14, 15, ['f' + 1 ... 255] = 128,
};

/* The next bytes. Returns whether there may be more. */
__attribute__((noinline)) int read_few(struct head *h, const struct text *t)
{
	__u32 i;

	if (!h || !t)
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < HEAD_STEP; i++) {
		__u32 place = h->place;
		__u8 c;

		if (place >= h->end)
			return 0;
		c = t->bytes[place & TEXT_MAX];
		h->place = place + 1;
		if (c == '\n') {
			if (!h->line) {
				h->whole = place + 1;
				return 0;
			}
			if (!h->first)
				h->first = place + 1;
			h->line = h->matched = 0;
			continue;
		}
		if (c == '\r')
			continue;
		h->line++;
		if (h->matched >= HEAD_NAME)
			continue;
		/* Upper case is as good as lower case, and a colon has that bit anyway. */
		if (h->first && (c | 32) == traceparent[h->matched & 15]) {
			if (++h->matched == HEAD_NAME) {
				h->value = place + 1;
				h->values++;
			}
		} else {
			h->matched = HEAD_NAME;
		}
	}
	return 1;
}

/* Reads on in the first n bytes of the text. Returns whether the end of the head is in them. */
__attribute__((noinline)) int read_on(struct head *h, const struct text *t, __u32 n)
{
	__u32 i;

	if (!h || !t)
		return 0;
	h->place = h->value = 0;
	h->end = n < TEXT_MAX ? n : TEXT_MAX;
	for (i = 0; i <= TEXT_MAX / HEAD_STEP; i++)
		if (!read_few(h, t))
			break;
	return h->whole && h->first;
}

/* The text begins with a head: reads it. */
static __always_inline bool read_head(struct head *h, const struct text *t, __u32 n)
{
	__builtin_memset(h, 0, sizeof(*h));
	return read_on(h, t, n);
}

static __always_inline __u8 hex_at(const struct text *t, __u32 place, __u32 *found)
{
	__u8 high = digit_value[t->bytes[place & TEXT_MAX]], low = digit_value[t->bytes[(place + 1) & TEXT_MAX]];

	*found |= ((high | low) & 128) | ((high | low) != 0);
	return high << 4 | low;
}

/* Reads so many bytes of a context, from its byte to on. Returns what it found: 1 a byte that is not 0, 128 what is no digit. */
__attribute__((noinline)) int read_hex(const struct text *t, __u32 place, struct context *context, __u32 to, __u32 bytes)
{
	__u32 found = 0, i;

	if (!t || !context)
		return 128;
#pragma clang loop unroll(disable)
	for (i = 0; i < 16 && i < bytes; i++)
		((__u8 *)context)[(to + i) & 31] = hex_at(t, place + 2 * i, &found);
	return found;
}

/*
 * Reads the value of the one traceparent of a head: trace, parent and flags of a context. Returns whether it is a valid one (section 3.2.2); several
 * of them are none.
 */
__attribute__((noinline)) int read_traceparent(const struct head *h, const struct text *t, struct context *context)
{
	__u32 place, i, found = 0;
	__u8 version, c;

	if (!h || !t || !context || !h->value || h->values != 1)
		return 0;
	place = h->value;
	for (i = 0; i < 8; i++) {
		c = t->bytes[place & TEXT_MAX];
		if (c != ' ' && c != '\t')
			break;
		place++;
	}
	if (place + VALUE_SIZE >= h->end)
		return 0;
	version = hex_at(t, place, &found);
	context->flags = hex_at(t, place + 53, &found);
	if (found & 128 || version == 255 || read_hex(t, place + 3, context, offsetof(struct context, trace), 16) != 1 ||
	    read_hex(t, place + 36, context, offsetof(struct context, parent), 8) != 1)
		return 0;
	if (t->bytes[(place + 2) & TEXT_MAX] != '-' || t->bytes[(place + 35) & TEXT_MAX] != '-' || t->bytes[(place + 52) & TEXT_MAX] != '-')
		return 0;
	c = t->bytes[(place + VALUE_SIZE) & TEXT_MAX];
	/* A later version may have more behind it. */
	return c == '\r' || c == '\n' || c == ' ' || c == '\t' || (version && c == '-');
}

#endif
