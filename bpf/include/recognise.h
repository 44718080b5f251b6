/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which protocol a connection speaks, by the first bytes of its operations. */
#ifndef BEYLA_RECOGNISE_H
#define BEYLA_RECOGNISE_H

#include "connection.h"
#include "frames.h"
#include "payload.h"
#include "verdict.h"
#include "../protocols/http.h"
#include "../protocols/tls.h"

/* What the first got bytes of an operation say. */
enum judgement {
	JUDGED_NOTHING = 0,
	JUDGED_MESSAGE = 1, /* of HTTP */
	JUDGED_PERHAPS = 2, /* may become a message of some protocol */
	JUDGED_JOINED = 4, /* with the bytes of the operation before it */
	JUDGED_PROTOCOL = 8, /* from this bit on: the protocol that the connection is recognised as */
};

/* Which protocol do these bytes begin, the first n of an operation of that length? first: nothing was remembered of the connection before. */
__attribute__((noinline)) int recognise(const struct prefix *prefix, __u32 n, __u32 length, __u32 first)
{
	__u32 begins, postgres, redis;
	const __u8 *p;

	if (!prefix || !n)
		return JUDGED_NOTHING;
	p = prefix->bytes;
	if (n > PREFIX_SIZE)
		n = PREFIX_SIZE;
	if (recognise_tls(p, n))
		return PROTOCOL_FOREIGN << JUDGED_PROTOCOL;
	begins = looks_like_http(prefix, n, first);
	if (begins == BEGINS_MESSAGE || (begins == BEGINS_PREFACE && (p[0] == 'P' || (n > 4 && !p[4]))))
		return PROTOCOL_HTTP << JUDGED_PROTOCOL | JUDGED_MESSAGE;
	postgres = recognise_postgres(p, n, length);
	if (postgres == RECOGNISED)
		return PROTOCOL_POSTGRES << JUDGED_PROTOCOL;
	redis = recognise_redis(p, n);
	if (redis == RECOGNISED)
		return PROTOCOL_REDIS << JUDGED_PROTOCOL;
	return begins || postgres || redis ? JUDGED_PERHAPS : JUDGED_NOTHING;
}

/*
 * What is taken for HTTP, or for nothing, may be an inline command of Redis at the beginning of a connection. The target of HTTP hardly ever begins
 * with anything but a slash. The first parted bytes of the prefix came before the operation.
 */
__attribute__((noinline)) int judge_line(const struct scratch *at, const struct prefix *prefix, __u32 n, __u32 parted, __u32 judged)
{
	__u32 protocol = judged >> JUDGED_PROTOCOL;
	int line;

	if (!at || !prefix)
		return judged;
	if (protocol > PROTOCOL_HTTP || (protocol == PROTOCOL_HTTP && (prefix->bytes[4] == '/' || prefix->bytes[5] == '/')))
		return judged;
	line = recognise_line(prefix, n);
	if (line == RECOGNISED_NOT || !is_first((struct sock *)at->socket, at->event.direction & 1, at->position - parted))
		return judged;
	return line == RECOGNISED ? PROTOCOL_REDIS << JUDGED_PROTOCOL : protocol ? judged : JUDGED_PERHAPS;
}

/*
 * Second step: which protocol is it, where that is not known; does a message of HTTP begin? The first got bytes of the operation decide. Where that is
 * too short, they are kept for the next operation of the same direction. c may be NULL.
 */
__attribute__((noinline)) int judge(struct scratch *at, struct connection *c, __u32 got)
{
	__u32 begins, judged, parted = 0;
	struct frames *f;

	if (!at)
		return JUDGED_NOTHING;
	if (!c)
		return judge_line(at, (struct prefix *)at->data, got, 0, recognise((struct prefix *)at->data, got, at->length, true));
	if (c->protocol == PROTOCOL_HTTP) {
		begins = looks_like_http((struct prefix *)at->data, got, false);
		return begins == BEGINS_MESSAGE || begins == BEGINS_PERHAPS ? JUDGED_MESSAGE : JUDGED_NOTHING;
	}
	if (c->protocol != PROTOCOL_NONE)
		return JUDGED_NOTHING;
	f = &c->frames[at->event.direction & 1];
	if (at->turned)
		f->parted = 0;
	parted = f->parted;
	if (!at->turned && !parted)
		return c->perhaps ? JUDGED_PERHAPS : JUDGED_NOTHING;
	__builtin_memcpy(at->data + WINDOW, f->part, FRAME_PART);
	__builtin_memcpy(at->data + WINDOW + FRAME_PART, at->data, PREFIX_SIZE);
	got += parted;
	judged = recognise((struct prefix *)in_window(at, FRAME_PART - parted), got, at->length + parted, false);
	if (parted)
		judged = judge_line(at, (struct prefix *)in_window(at, FRAME_PART - parted), got, parted, judged);
	if (judged != JUDGED_PERHAPS || got >= FRAME_PART)
		f->parted = judged >> JUDGED_PROTOCOL ? parted : 0;
	return parted ? judged | JUDGED_JOINED : judged;
}

/* Keeps the first bytes of an operation that is too short to be judged, behind the ones of the operation before it. */
static __always_inline void keep_part(struct frames *f, const struct scratch *at)
{
	__u32 n = f->parted + at->length;

	if (n >= FRAME_PART) {
		f->parted = 0;
		return;
	}
	__builtin_memcpy((void *)in_window(at, 0), f->part, FRAME_PART);
	__builtin_memcpy((void *)in_window(at, FRAME_PART), at->data, FRAME_PART);
	__builtin_memcpy(f->part, in_window(at, at->length & (FRAME_PART - 1)), FRAME_PART);
	f->parted = n;
}

/* Enters what was judged into what is remembered. Returns whether the operation is told. */
static __always_inline bool settle(struct sock *sk, struct connection *c, const struct scratch *at, __u32 judged, __u32 direction)
{
	__u32 protocol = judged >> JUDGED_PROTOCOL;
	struct frames *f = &c->frames[direction];

	if (c->protocol != PROTOCOL_NONE)
		return true;
	if (protocol) {
		become(c, protocol);
		if (protocol != PROTOCOL_FOREIGN)
			c->strikes = 0;
		/* What was joined is the part of a header. */
		f->known = judged & JUDGED_JOINED;
		f->left = f->keep = 0;
		if (!f->known)
			f->parted = 0;
	} else if (judged & JUDGED_PERHAPS) {
		c->perhaps = 1;
		/* Right-aligned, so that the next bytes follow. */
		if (at->turned || f->parted)
			keep_part(f, at);
	} else if (at->turned) {
		strike(c);
	}
	if (c->protocol == PROTOCOL_FOREIGN) {
		end(sk, c, SOCKET_FORGOTTEN, direction);
		c->told = 0;
		return false;
	}
	return c->protocol != PROTOCOL_NONE || c->perhaps || detects_sql;
}

#endif
