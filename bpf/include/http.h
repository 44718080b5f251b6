/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does this look like the beginning of an HTTP/1 message? Cheap and tolerant: user space parses and has the last word. */
#ifndef BEYLA_HTTP_H
#define BEYLA_HTTP_H

#include "kernel.h"

#define PREFIX_SIZE 16

/* What a beginning looks like. A shorter one that may still become it counts. */
enum beginning {
	BEGINS_NOTHING = 0,
	BEGINS_MESSAGE,
	BEGINS_PREFACE, /* nothing of HTTP yet, but what may come before the first request of a connection: empty lines, a PROXY header */
};

struct prefix {
	__u8 bytes[PREFIX_SIZE];
};

/* What separates the words of a start line (RFC 9112 section 3): SP, HTAB, VT, FF, bare CR. */
static __always_inline bool is_gap(__u8 c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

/* The tchar of RFC 9110 section 5.6.2, as two bit maps over ASCII. */
static __always_inline bool is_token(__u8 c)
{
	if (c >= 128)
		return false;
	return (c < 64 ? 0x03ff6cfa00000000ULL : 0x57ffffffc7fffffeULL) >> (c & 63) & 1;
}

/* Where looks_like_http stands in the bytes. One number, so that the verifier has few states to tell apart. */
enum reading {
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
};

/* The next letter of an upper-case word, or a - or _ in it. */
static __always_inline __u32 after_letter(__u32 reading, __u8 c)
{
	switch (reading) {
	case READS_BLANKS: return c == 'H' ? READS_H : c >= 'A' && c <= 'Z' ? READS_ONE_LETTER : READS_TOKEN;
	case READS_ONE_LETTER: return READS_TWO_LETTERS;
	case READS_H: return c == 'T' ? READS_HT : READS_TWO_LETTERS;
	case READS_HT: return c == 'T' ? READS_HTT : READS_METHOD;
	case READS_HTT: return c == 'P' ? READS_HTTP : READS_METHOD;
	case READS_TOKEN: return READS_TOKEN;
	default: return READS_METHOD;
	}
}

/*
 * at holds the first n bytes, or the first PREFIX_SIZE of them; first: nothing was remembered of the connection before.
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
	/* Version 2 of the PROXY protocol begins with "\r\n\r\n\0\r\nQUIT\n", version 1 with its name. */
	if (first && n > 5 && p[0] == 'P' && p[1] == 'R' && p[2] == 'O' && p[3] == 'X' && p[4] == 'Y' && p[5] == ' ')
		return BEGINS_PREFACE;
	if (first && n > 4 && p[0] == '\r' && p[1] == '\n' && p[2] == '\r' && p[3] == '\n' && p[4] == 0)
		return BEGINS_PREFACE;
	for (i = 0; i < PREFIX_SIZE; i++) {
		__u8 c;

		if (i >= n)
			break;
		c = p[i];
		if (is_gap(c) || c == '\n') {
			/* Empty lines before a message are allowed, and some ignore blanks. */
			if (reading == READS_BLANKS || (c != '\n' && (reading == READS_GAP || reading == READS_TOKEN_GAP)))
				continue;
			if (c == '\n' || reading >= READS_SLASH)
				return BEGINS_NOTHING;
			reading = reading == READS_METHOD || reading >= READS_HTT ? READS_GAP : READS_TOKEN_GAP;
		} else if (reading == READS_GAP) {
			/* A path, "*", a scheme, an authority. */
			return c == '/' || c == '*' || c == '[' || c >= '0' ? BEGINS_MESSAGE : BEGINS_NOTHING;
		} else if (reading == READS_TOKEN_GAP) {
			return c == '/' ? BEGINS_MESSAGE : BEGINS_NOTHING;
		} else if (reading >= READS_HTTP && c == (reading == READS_HTTP ? '/' : reading == READS_SLASH ? '1' : '.')) {
			if (reading == READS_VERSION)
				return BEGINS_MESSAGE;
			reading++;
		} else if (reading >= READS_SLASH) {
			return BEGINS_NOTHING;
		} else if ((c >= 'A' && c <= 'Z') || c == '-' || c == '_') {
			reading = after_letter(reading, c);
		} else if (is_token(c)) {
			reading = READS_TOKEN;
		} else {
			return BEGINS_NOTHING;
		}
	}
	if (reading == READS_BLANKS)
		return first ? BEGINS_PREFACE : BEGINS_NOTHING;
	return reading == READS_TOKEN || reading == READS_TOKEN_GAP ? BEGINS_NOTHING : BEGINS_MESSAGE;
}

#endif
