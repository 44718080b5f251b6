/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The header of a context as it stands in a head (https://www.w3.org/TR/trace-context-2/, section 3.2). */
#ifndef BEYLA_HEADER_LINE_H
#define BEYLA_HEADER_LINE_H

#include "kernel.h"
#include "../propagation.h"

#define HEADER_LENGTH 70 /* of "Traceparent: 00-(32)-(16)-01\r\n" */

struct header_line {
	__u8 text[HEADER_LENGTH + 2]; /* the header, and the line end of an empty line for who needs it */
};

/* Not 16 bytes, which would go to a section that libbpf does not know. */
static const __u8 digits[20] = "0123456789abcdef";

static __always_inline __u8 *put_hex(__u8 *to, const __u8 *id, int bytes)
{
	int i;

	for (i = 0; i < bytes; i++) {
		*to++ = digits[id[i] >> 4];
		*to++ = digits[id[i] & 15];
	}
	return to;
}

__attribute__((noinline)) int write_line(struct header_line *line, const struct context *context)
{
	static const __u8 name[20] = "Traceparent: 00-";
	__u8 *to;

	if (!line || !context)
		return 0;
	to = line->text;
	__builtin_memcpy(to, name, 16);
	to = put_hex(to + 16, context->trace, 16);
	*to++ = '-';
	to = put_hex(to, context->span, 8);
	*to++ = '-';
	to = put_hex(to, &context->flags, 1);
	*to++ = '\r';
	*to++ = '\n';
	*to++ = '\r';
	*to = '\n';
	return 0;
}

#endif
