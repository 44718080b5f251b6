/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Redis (RESP2 and RESP3, https://redis.io/docs/latest/develop/reference/protocol-spec/): how it is recognised, and its elements as frames. */
#ifndef BEYLA_REDIS_H
#define BEYLA_REDIS_H

#include "protocols.h"

#define REDIS_WHOLE 256 /* bytes of a string that are captured whole */
#define REDIS_PART 64 /* bytes that are captured of a longer one */
#define REDIS_NUMBER 12 /* bytes of "n\r\n" */
#define REDIS_LINE 64 /* bytes that are looked through for the end of a line; of a longer line the rest is another frame */

static __always_inline bool is_digit(__u8 c)
{
	return c >= '0' && c <= '9';
}

/* A command as clients send it: "*3\r\n$3\r\nSET\r\n...". p holds the first n bytes of an operation. */
static __always_inline int recognise_redis(const __u8 *p, __u32 n)
{
	__u32 i = 1, digits = 0;

	if (!n || p[0] != '*')
		return RECOGNISED_NOT;
	if (n < 2)
		return RECOGNISED_PERHAPS;
	if (p[1] < '1' || p[1] > '9')
		return RECOGNISED_NOT;
	for (i = 2; i < 9; i++) {
		if (i >= n)
			return RECOGNISED_PERHAPS;
		if (!is_digit(p[i]))
			break;
	}
	p += i & 15;
	n -= i;
	if (p[0] != '\r')
		return RECOGNISED_NOT;
	if (n < 4)
		return (n < 2 || p[1] == '\n') && (n < 3 || p[2] == '$') ? RECOGNISED_PERHAPS : RECOGNISED_NOT;
	if (p[1] != '\n' || p[2] != '$' || p[3] < '1' || p[3] > '9')
		return RECOGNISED_NOT;
	if (n < 5)
		return RECOGNISED_PERHAPS;
	digits = is_digit(p[4]);
	p += digits;
	n -= digits;
	if (n < 7)
		return p[4] == '\r' ? RECOGNISED_PERHAPS : RECOGNISED_NOT;
	return p[4] == '\r' && p[5] == '\n' && ((p[6] | 32) - 'a' < 26u || p[6] == '_') ? RECOGNISED : RECOGNISED_NOT;
}

/* In a line of an inline command every byte is of one class. */
enum line_class {
	IS_ODD, /* a control character */
	IS_WORD_START, /* a letter */
	IS_WORD_SIGN, /* goes on a word: names of modules' commands have dots, and others hyphens */
	IS_SHOWN, /* any other that is no control character; a tab */
	IS_SPACE, /* ends a word, as does a carriage return */
	IS_NEWLINE,
	LINE_CLASSES = 8,
};

static const __u8 line_class_of[256] = {
	['\t'] = IS_SHOWN, ['\n'] = IS_NEWLINE, ['\r'] = IS_SPACE, [' '] = IS_SPACE, ['!' ... ','] = IS_SHOWN, ['-'] = IS_WORD_SIGN, ['.'] = IS_WORD_SIGN,
	['/' ... '@'] = IS_SHOWN, ['A' ... 'Z'] = IS_WORD_START, ['[' ... '^'] = IS_SHOWN, ['_'] = IS_WORD_SIGN, ['`'] = IS_SHOWN,
	['a' ... 'z'] = IS_WORD_START, ['{' ... 255] = IS_SHOWN,
};

/* Where recognise_line stands in the bytes: in a word of one, two, three and more letters, or behind it. */
enum line_reading { READS_NO_LINE, READS_LINE_START, READS_WORD_1, READS_WORD_2, READS_WORD, READS_ARGUMENTS, READS_LINE_END, LINE_READINGS = 8 };

/* A table, not branches, as in http.h. */
static const __u8 next_in_line[LINE_READINGS][LINE_CLASSES] = {
	[READS_LINE_START] = { [IS_WORD_START] = READS_WORD_1 },
	[READS_WORD_1] = { [IS_WORD_START] = READS_WORD_2, [IS_WORD_SIGN] = READS_WORD_2 },
	[READS_WORD_2] = { [IS_WORD_START] = READS_WORD, [IS_WORD_SIGN] = READS_WORD },
	[READS_WORD] = { [IS_WORD_START] = READS_WORD, [IS_WORD_SIGN] = READS_WORD, [IS_SPACE] = READS_ARGUMENTS, [IS_NEWLINE] = READS_LINE_END },
	[READS_ARGUMENTS] = { [IS_WORD_START ... IS_SPACE] = READS_ARGUMENTS, [IS_NEWLINE] = READS_LINE_END },
};

/*
 * An inline command, "SET a 1\r\n": a line that begins with a word, and does not end in the version of HTTP. At the beginning of a connection alone,
 * and user space knows the words. at holds the first n bytes. A function of its own, so that the verifier looks at it once.
 */
__attribute__((noinline)) int recognise_line(const struct prefix *at, __u32 n)
{
	__u32 i, reading = READS_LINE_START;

	if (!at)
		return RECOGNISED_NOT;
	for (i = 0; i < PREFIX_SIZE && i < n && reading != READS_NO_LINE && reading != READS_LINE_END; i++)
		reading = next_in_line[reading & (LINE_READINGS - 1)][line_class_of[at->bytes[i]] & (LINE_CLASSES - 1)];
	if (reading != READS_LINE_END)
		return reading == READS_NO_LINE ? RECOGNISED_NOT : RECOGNISED_PERHAPS;
	i--; /* the line feed */
	i -= at->bytes[(i - 1) & (PREFIX_SIZE - 1)] == '\r';
	return at->bytes[(i - 4) & (PREFIX_SIZE - 1)] == '/' && at->bytes[(i - 3) & (PREFIX_SIZE - 1)] == '1' ? RECOGNISED_NOT : RECOGNISED;
}

/* One element: a line, or a string with its length before it. */
static __always_inline struct frame frame_redis(const __u8 *p, __u32 available)
{
	struct frame frame = {};
	__u32 i, number = 0;

	if (p[0] == '$' || p[0] == '=' || p[0] == '!') {
		for (i = 1; i <= REDIS_NUMBER; i++) {
			if (i + 2 > available) {
				frame.length = FRAME_CUT;
				return frame;
			}
			if (!is_digit(p[i]))
				break;
			number = number * 10 + p[i] - '0';
		}
		if (i > 1 && i < 11 && p[i] == '\r') {
			frame.length = i + 2 + number + 2;
			frame.keep = number <= REDIS_WHOLE ? frame.length : i + 2 + REDIS_PART;
			return frame;
		}
	}
	for (i = 0; i < REDIS_LINE; i++) {
		if (i >= available) {
			/* A short line waits for its rest; what follows of a longer one is taken for another. */
			frame.length = i < FRAME_PART ? FRAME_CUT : i;
			break;
		}
		if (p[i] == '\n' || i == REDIS_LINE - 1) {
			frame.length = i + 1;
			break;
		}
	}
	frame.keep = frame.length;
	return frame;
}

#endif
