/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does this look like the beginning of an HTTP/1 message? Cheap and tolerant: user space parses and has the last word. */
#ifndef BEYLA_HTTP_H
#define BEYLA_HTTP_H

#include "kernel.h"

#define PREFIX_SIZE 16

static __always_inline bool is_upper(__u8 c)
{
	return c >= 'A' && c <= 'Z';
}

struct prefix {
	__u8 bytes[PREFIX_SIZE];
};

/*
 * at holds the first n bytes, or the first PREFIX_SIZE of them. A shorter beginning that may still become a message counts.
 * A function of its own, so that the verifier looks at it once.
 */
__attribute__((noinline)) int looks_like_http(const struct prefix *at, __u32 n)
{
	const __u8 *p;
	__u32 i;

	if (!at || n == 0)
		return 0;
	p = at->bytes;
	if (!is_upper(p[0]))
		return 0;
	if (p[0] == 'H' && (n < 2 || p[1] == 'T'))
		return (n < 3 || p[2] == 'T') && (n < 4 || p[3] == 'P') && (n < 5 || p[4] == '/') && (n < 6 || p[5] == '1') &&
		       (n < 7 || p[6] == '.');
	/* A method of RFC 9110 or its registry (upper case, some with a hyphen), a space, then a path, "*", a scheme or an authority. */
	for (i = 1; i < PREFIX_SIZE - 1; i++) {
		if (i >= n)
			return 1;
		if (p[i] == ' ')
			return i >= 3 && (i + 1 >= n || p[i + 1] == '/' || p[i + 1] == '*' || p[i + 1] == '[' || p[i + 1] >= '0');
		if (!is_upper(p[i]) && p[i] != '-')
			return 0;
	}
	return 1;
}

#endif
