/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does this look like the beginning of an HTTP/1 message? Cheap and tolerant: user space parses and has the last word. */
#ifndef BEYLA_HTTP_H
#define BEYLA_HTTP_H

#include "../include/kernel.h"
#include "protocols.h"

#define HTTP_PREFIX 16 /* bytes in which a message shows itself */

/* What a beginning looks like. */
enum beginning {
	BEGINS_NOTHING = 0,
	BEGINS_MESSAGE,
	BEGINS_PREFACE, /* nothing of HTTP yet, but what may come before the first request of a connection: empty lines, a PROXY header */
	BEGINS_PERHAPS, /* too short to tell: it may still become a message */
};

/* Every byte is of one class. */
enum class {
	IS_OTHER, /* no token character (tchar of RFC 9110 section 5.6.2), and before '0' in ASCII */
	IS_LATE, /* no token character, after '0': begins a target, as does '[' */
	IS_SLASH,
	IS_STAR,
	IS_TOKEN, /* a token character before '0' */
	IS_LATE_TOKEN,
	IS_ONE,
	IS_DOT,
	IS_LETTER, /* of upper case */
	IS_H,
	IS_T,
	IS_P,
	IS_UNDERSCORE,
	IS_HYPHEN,
	IS_GAP, /* separates the words of a start line (RFC 9112 section 3): SP, HTAB, VT, FF, bare CR */
	IS_LINE_END,
	CLASSES,
};

static const __u8 class_of[256] = {
	['\t'] = IS_GAP, ['\n'] = IS_LINE_END, ['\v' ... '\r'] = IS_GAP, [' '] = IS_GAP,
	['!'] = IS_TOKEN, ['#' ... '\''] = IS_TOKEN, ['*'] = IS_STAR, ['+'] = IS_TOKEN, ['-'] = IS_HYPHEN, ['.'] = IS_DOT, ['/'] = IS_SLASH,
	['0'] = IS_LATE_TOKEN, ['1'] = IS_ONE, ['2' ... '9'] = IS_LATE_TOKEN, [':' ... '@'] = IS_LATE,
	['A' ... 'G'] = IS_LETTER, ['H'] = IS_H, ['I' ... 'O'] = IS_LETTER, ['P'] = IS_P, ['Q' ... 'S'] = IS_LETTER, ['T'] = IS_T,
	['U' ... 'Z'] = IS_LETTER, ['[' ... ']'] = IS_LATE, ['^'] = IS_LATE_TOKEN, ['_'] = IS_UNDERSCORE, ['`' ... 'z'] = IS_LATE_TOKEN,
	['{'] = IS_LATE, ['|'] = IS_LATE_TOKEN, ['}'] = IS_LATE, ['~'] = IS_LATE_TOKEN, [127 ... 255] = IS_LATE,
};

/* Where looks_like_http stands in the bytes. */
enum reading {
	READS_NOTHING, /* it is none, whatever follows */
	READS_BLANKS, /* before the first word */
	READS_ONE_LETTER, /* of an upper-case word: one, two, three and more */
	READS_TWO_LETTERS,
	READS_METHOD,
	READS_TOKEN, /* another word of token characters */
	READS_GAP, /* after a method */
	READS_TOKEN_GAP,
	READS_H, /* letters that may also become "HTTP/1." */
	READS_HT,
	READS_HTT,
	READS_HTTP,
	READS_SLASH,
	READS_VERSION,
	READS_MESSAGE, /* it is one */
	READINGS = 16,
};

/* In a word: what a token character, a letter and a blank lead to. */
#define IN_WORD(letter, h, t, p, sign, slash, gap) \
	{ [IS_SLASH] = slash, [IS_STAR] = READS_TOKEN, [IS_TOKEN] = READS_TOKEN, \
	  [IS_LATE_TOKEN] = READS_TOKEN, [IS_ONE] = READS_TOKEN, [IS_DOT] = READS_TOKEN, [IS_LETTER] = letter, [IS_H] = h, [IS_T] = t, [IS_P] = p, \
	  [IS_UNDERSCORE] = sign, [IS_HYPHEN] = sign, [IS_GAP] = gap, [IS_LINE_END] = gap == READS_BLANKS ? READS_BLANKS : READS_NOTHING }

/* A table, not branches: the verifier walks every way through branches, once for each byte. */
static const __u8 next_reading[READINGS][CLASSES] = {
	[READS_BLANKS] = IN_WORD(READS_ONE_LETTER, READS_H, READS_ONE_LETTER, READS_ONE_LETTER, READS_TOKEN, READS_NOTHING, READS_BLANKS),
	[READS_ONE_LETTER] =
		IN_WORD(READS_TWO_LETTERS, READS_TWO_LETTERS, READS_TWO_LETTERS, READS_TWO_LETTERS, READS_TWO_LETTERS, READS_NOTHING, READS_TOKEN_GAP),
	[READS_TWO_LETTERS] = IN_WORD(READS_METHOD, READS_METHOD, READS_METHOD, READS_METHOD, READS_METHOD, READS_NOTHING, READS_TOKEN_GAP),
	[READS_METHOD] = IN_WORD(READS_METHOD, READS_METHOD, READS_METHOD, READS_METHOD, READS_METHOD, READS_NOTHING, READS_GAP),
	[READS_TOKEN] = IN_WORD(READS_TOKEN, READS_TOKEN, READS_TOKEN, READS_TOKEN, READS_TOKEN, READS_NOTHING, READS_TOKEN_GAP),
	/* A path, "*", a scheme, an authority. */
	[READS_GAP] = { [IS_LATE] = READS_MESSAGE, [IS_SLASH] = READS_MESSAGE, [IS_STAR] = READS_MESSAGE, [IS_LATE_TOKEN] = READS_MESSAGE,
			[IS_ONE] = READS_MESSAGE, [IS_LETTER ... IS_UNDERSCORE] = READS_MESSAGE, [IS_GAP] = READS_GAP },
	[READS_TOKEN_GAP] = { [IS_SLASH] = READS_MESSAGE, [IS_GAP] = READS_TOKEN_GAP },
	[READS_H] = IN_WORD(READS_TWO_LETTERS, READS_TWO_LETTERS, READS_HT, READS_TWO_LETTERS, READS_TWO_LETTERS, READS_NOTHING, READS_TOKEN_GAP),
	[READS_HT] = IN_WORD(READS_METHOD, READS_METHOD, READS_HTT, READS_METHOD, READS_METHOD, READS_NOTHING, READS_TOKEN_GAP),
	[READS_HTT] = IN_WORD(READS_METHOD, READS_METHOD, READS_METHOD, READS_HTTP, READS_METHOD, READS_NOTHING, READS_GAP),
	[READS_HTTP] = IN_WORD(READS_METHOD, READS_METHOD, READS_METHOD, READS_METHOD, READS_METHOD, READS_SLASH, READS_GAP),
	[READS_SLASH] = { [IS_ONE] = READS_VERSION },
	[READS_VERSION] = { [IS_DOT] = READS_MESSAGE },
};

/* The first characters of a word, as a number of a little-endian machine. */
#define WORD(a, b, c, d) ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)

/* What nearly all messages begin with. The table below comes to the same, at a few instructions a byte. */
static __always_inline bool is_common_beginning(const __u8 *p)
{
	__u32 word = *(const __u32 *)p, next = *(const __u32 *)(p + 4);

	if (word == WORD('H', 'T', 'T', 'P'))
		return (next & 0xffffff) == WORD('/', '1', '.', 0);
	if (word == WORD('G', 'E', 'T', ' ') || word == WORD('P', 'U', 'T', ' '))
		return (next & 0xff) == '/';
	return word == WORD('P', 'O', 'S', 'T') && (next & 0xffff) == WORD(' ', '/', 0, 0);
}

/*
 * at holds the first n bytes, or the first HTTP_PREFIX of them; first: nothing was remembered of the connection before.
 * A function of its own, so that the verifier looks at it once.
 *
 * A request is a method, blanks, and a target; upper-case words of three letters and more are methods whatever target follows. Other tokens
 * (A1, patch) must be followed by a path within the prefix, or the commands of IMAP, memcached and SMTP would be taken for requests.
 */
__attribute__((noinline)) int looks_like_http(const struct prefix *at, __u32 n, __u32 first)
{
	__u32 reading = READS_BLANKS, i;
	const __u8 *p;

	if (!at || n == 0)
		return BEGINS_NOTHING;
	p = at->bytes;
	if (n > 7 && is_common_beginning(p))
		return BEGINS_MESSAGE;
	/* Version 2 of the PROXY protocol begins with "\r\n\r\n\0\r\nQUIT\n", version 1 with its name. */
	if (first && n > 5 && p[0] == 'P' && p[1] == 'R' && p[2] == 'O' && p[3] == 'X' && p[4] == 'Y' && p[5] == ' ')
		return BEGINS_PREFACE;
	if (first && n > 4 && p[0] == '\r' && p[1] == '\n' && p[2] == '\r' && p[3] == '\n' && p[4] == 0)
		return BEGINS_PREFACE;
	/* Empty lines before a message are allowed, and some ignore blanks. */
	for (i = 0; i < HTTP_PREFIX && i < n && reading != READS_NOTHING && reading != READS_MESSAGE; i++)
		reading = next_reading[reading & (READINGS - 1)][class_of[p[i]] & (CLASSES - 1)];
	if (reading == READS_BLANKS)
		return first ? BEGINS_PREFACE : BEGINS_NOTHING;
	if (reading == READS_MESSAGE)
		return BEGINS_MESSAGE;
	return reading == READS_NOTHING || reading == READS_TOKEN || reading == READS_TOKEN_GAP ? BEGINS_NOTHING : BEGINS_PERHAPS;
}

#endif
