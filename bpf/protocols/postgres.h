/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PostgreSQL, protocol 3 (manual, chapter "Frontend/Backend Protocol"): how it is recognised, and its frames. */
#ifndef BEYLA_POSTGRES_H
#define BEYLA_POSTGRES_H

#include "protocols.h"

#define POSTGRES_HEADER 5 /* type, length without the type */
#define POSTGRES_TEXT 4096 /* bytes of a statement's text that are captured */
#define POSTGRES_NAMES 256 /* of messages that carry names, errors, row descriptions */
#define POSTGRES_LONGEST 0x3fffffff /* PQ_LARGE_MESSAGE_LIMIT, MaxAllocSize */

enum {
	POSTGRES_VERSION_3 = 3,
	POSTGRES_CANCEL = 80877102, POSTGRES_SSL = 80877103, POSTGRES_GSS = 80877104,
};

/* Types of messages (src/include/libpq/protocol.h): bit 0 that a client sends them, bit 1 that a server does. */
static const __u8 postgres_types[128] = {
	['1'] = 2, ['2'] = 2, ['3'] = 2, ['A'] = 2, ['B'] = 1, ['C'] = 3, ['D'] = 3, ['E'] = 3, ['F'] = 1, ['G'] = 2, ['H'] = 3, ['I'] = 2,
	['K'] = 2, ['N'] = 2, ['P'] = 1, ['Q'] = 1, ['R'] = 2, ['S'] = 3, ['T'] = 2, ['V'] = 2, ['W'] = 2, ['X'] = 1, ['Z'] = 2, ['c'] = 3,
	['d'] = 3, ['f'] = 1, ['n'] = 2, ['p'] = 1, ['s'] = 2, ['t'] = 2, ['v'] = 2,
};

/* p holds the first n bytes, at most PREFIX_SIZE, of an operation of that length. */
static __always_inline int recognise_postgres(const __u8 *p, __u32 n, __u32 length)
{
	__u32 first, size, code, i;
	__u8 sides;

	if (!n)
		return RECOGNISED_NOT;
	if (n < 5)
		return p[0] == 0 || (p[0] < 128 && postgres_types[p[0] & 127] && (n < 2 || p[1] < 0x40)) ? RECOGNISED_PERHAPS : RECOGNISED_NOT;
	if (p[0] == 0) {
		if (n < 8)
			return RECOGNISED_PERHAPS;
		size = big_endian(p);
		code = big_endian(p + 4);
		if (code == POSTGRES_SSL || code == POSTGRES_GSS)
			return size == 8 ? RECOGNISED : RECOGNISED_NOT;
		return code >> 16 == POSTGRES_VERSION_3 && size > 8 && size <= 10000 && size >= length ? RECOGNISED : RECOGNISED_NOT;
	}
	sides = postgres_types[p[0] & 127];
	if (p[0] > 127 || !sides)
		return RECOGNISED_NOT;
	first = big_endian(p + 1) + 1;
	if (first < POSTGRES_HEADER || first > POSTGRES_LONGEST)
		return RECOGNISED_NOT;
	if (n < 6)
		return RECOGNISED_PERHAPS;
	/* A statement: its text, of Parse after a name, begins with letters. */
	if ((p[0] == 'Q' || p[0] == 'P') && first > 6) {
		for (i = POSTGRES_HEADER; i < POSTGRES_HEADER + 6; i++) {
			if (i >= n || i + 1 >= first)
				break;
			if (p[i] < ' ' && !(p[i] >= '\t' && p[i] <= '\r') && !(p[0] == 'P' && !p[i]))
				return RECOGNISED_NOT;
		}
		return RECOGNISED;
	}
	/* Ready for query: the most frequent end of what a server says. */
	if (p[0] == 'Z')
		return first == 6 && length == 6 && n >= 6 && (p[5] == 'I' || p[5] == 'T' || p[5] == 'E') ? RECOGNISED : RECOGNISED_NOT;
	/* Two messages in a row that one side may send, the second of less than 16 MB: "d\0\0\0\n10.11.19-MariaDB" has the lengths of two, too. */
	if (first + POSTGRES_HEADER > n || first + POSTGRES_HEADER > PREFIX_SIZE)
		return n < FRAME_PART ? RECOGNISED_PERHAPS : RECOGNISED_NOT;
	p += first & (PREFIX_SIZE - 1);
	size = big_endian(p + 1) + 1;
	return p[0] < 128 && postgres_types[p[0] & 127] & sides && size >= POSTGRES_HEADER && !p[1] ? RECOGNISED : RECOGNISED_NOT;
}

/* The frame whose first bytes are the available ones at p. One table serves both directions. */
static __always_inline struct frame frame_postgres(const __u8 *p, __u32 available)
{
	struct frame frame = {};
	__u32 size;

	if (available < POSTGRES_HEADER + (p[0] == 'D')) {
		frame.length = FRAME_CUT;
		return frame;
	}

	/* The first message of a client has no type. */
	if (!p[0]) {
		size = big_endian(p);
		if (size >= 8 && size <= 10000) {
			frame.length = size;
			frame.keep = 512;
		}
		return frame;
	}
	size = big_endian(p + 1) + 1;
	if (p[0] > 127 || !postgres_types[p[0] & 127] || size < POSTGRES_HEADER || size > POSTGRES_LONGEST)
		return frame;
	frame.length = size;
	switch (p[0]) {
	case 'Q':
	case 'P':
		frame.keep = POSTGRES_TEXT;
		break;
	case 'd':
		break; /* bodies: what they hold is nobody's business, and how many there are is not told */
	case 'D':
		/* Describe names a statement or a portal; a row begins with the number of its columns, at most 1,664 (MaxTupleAttributeNumber). */
		frame.keep = p[5] == 'S' || p[5] == 'P' ? POSTGRES_NAMES : 0;
		break;
	case 'p':
		frame.keep = POSTGRES_HEADER; /* passwords */
		break;
	default:
		frame.keep = POSTGRES_NAMES;
	}
	return frame;
}

#endif
