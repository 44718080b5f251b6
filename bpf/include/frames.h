/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks over the frames of a protocol that has some, across operations: keeps their heads and the chosen ones, and passes over bodies, rows and
 * batches, which then cost nothing behind this. What is kept are stretches of the operation; a stretch that begins with a frame says so.
 *
 * The operation is copied to a window, at most SOCKET_DATA_MAX bytes at a time, and the frames are read there. A header that an operation cuts
 * is put together with the end that the next one brings.
 */
#ifndef BEYLA_FRAMES_H
#define BEYLA_FRAMES_H

#include "connection.h"
#include "payload.h"
#include "../protocols/postgres.h"
#include "../protocols/redis.h"

#define WINDOW (SOCKET_DATA_MAX + 1) /* where the window begins in the data of a scratch, with the cut header before its bytes */
#define MAX_WINDOWS 64 /* windows of one operation: what is kept of half a megabyte */
#define FRAMES_AT_ONCE 8
#define MAX_TURNS 128 /* of FRAMES_AT_ONCE frames each, in one window */

/* Keeps what the verifier has to know of a place in the window. */
static __always_inline const __u8 *in_window(const struct scratch *at, __u32 place)
{
	asm volatile("%0 &= 0x3fff" : "+r"(place));
	return at->data + WINDOW + place;
}

/* Emits the event with what it holds until a byte of the operation, and begins another one for the rest. */
__attribute__((noinline)) int emit_part(struct scratch *at, __u32 until)
{
	struct walk *w;

	if (!at)
		return 0;
	w = &at->walk;
	at->event.length = until - w->from;
	emit_event(at, w->out);
	at->event.sequence += at->event.length;
	at->event.captured = 0;
	at->event.pieces = 0;
	at->event.flags &= ~SOCKET_ALIGNED;
	at->event.passed = 0;
	w->from = w->told = until;
	w->out = 0;
	return 0;
}

/* Puts the run of kept bytes behind the ones before it; into another event when this one is full. Returns whether that worked. */
__attribute__((noinline)) int keep_run(struct scratch *at)
{
	struct socket_piece piece;
	__u32 n, offset;
	struct walk *w;

	if (!at)
		return 0;
	w = &at->walk;
	if (w->run_end <= w->run)
		return 1;
	n = w->run_end - w->run;
	offset = w->base + w->run - FRAME_PART;
	if (w->out + sizeof(piece) + n > SOCKET_DATA_MAX || at->event.pieces == 255)
		emit_part(at, offset);
	if (offset == w->from) {
		at->event.captured = n;
		if (w->aligned)
			at->event.flags |= SOCKET_ALIGNED;
	} else if (offset != w->told) {
		piece.gap = offset - w->told;
		piece.length = n | (w->aligned ? SOCKET_PIECE_ALIGNED : 0);
		__builtin_memcpy(at->data + bounded(w->out), &piece, sizeof(piece));
		w->piece = w->out;
		w->out += sizeof(piece);
		at->event.pieces++;
	} else if (at->event.pieces) {
		/* Behind the last one without a gap: that becomes longer. */
		__u32 *length = (__u32 *)(at->data + bounded(w->piece) + offsetof(struct socket_piece, length));

		*length += n;
	} else {
		at->event.captured += n;
	}
	if (bpf_probe_read_kernel(at->data + bounded(w->out), bounded(n), in_window(at, w->run)))
		return 0;
	w->out += n;
	w->told = offset + n;
	return 1;
}

/* Adds bytes [from, from + n) of the window to the run, or begins another one. */
static __always_inline bool keep(struct scratch *at, __u32 from, __u32 n, bool aligned)
{
	struct walk *w = &at->walk;

	if (from < FRAME_PART) {
		/* The operation before has brought these. */
		if (from + n <= FRAME_PART)
			return true;
		n -= FRAME_PART - from;
		from = FRAME_PART;
		aligned = false;
	}
	if (w->run_end != from) {
		if (!keep_run(at))
			return false;
		w->run = from;
		w->run_end = from;
		w->aligned = aligned;
	}
	w->run_end += n;
	return true;
}

/* Reads the header of the next frame, of which that many bytes are available. A function of its own, so that the verifier looks at it once. */
__attribute__((noinline)) int read_frame(struct scratch *at, __u32 protocol, __u32 available)
{
	const __u8 *p;

	if (!at)
		return 0;
	p = in_window(at, at->walk.place);
	/* A server answers SSLRequest and GSSENCRequest by one byte without header. */
	if (protocol == PROTOCOL_POSTGRES && at->walk.whole == 1 && at->walk.place == FRAME_PART && (p[0] == 'N' || p[0] == 'S' || p[0] == 'G')) {
		at->walk.frame.length = at->walk.frame.keep = 1;
		return 0;
	}
	at->walk.frame = protocol == PROTOCOL_REDIS ? frame_redis(p, available) : frame_postgres(p, available);
	return 0;
}

/* The next frames of the window. Returns whether there may be more. */
__attribute__((noinline)) int walk_few(struct scratch *at, struct connection *c)
{
	struct frames *f;
	struct walk *w;
	int i;

	if (!at || !c)
		return 0;
	w = &at->walk;
	f = &c->frames[at->event.direction & 1];
	for (i = 0; i < FRAMES_AT_ONCE; i++) {
		__u32 available = w->end - w->place, taken, kept;

		if (!available || available > w->end)
			return 0;
		if (!f->left) {
			read_frame(at, c->protocol, available);
			if (!w->frame.length) {
				w->lost = 1;
				return 0;
			}
			if (w->frame.length == FRAME_CUT) {
				w->cut = 1;
				return 0;
			}
			f->left = w->frame.length;
			f->keep = w->frame.keep;
			/* Elements of Redis follow each other within one command: where one begins says nothing. */
			w->starts = c->protocol == PROTOCOL_POSTGRES;
		}
		taken = f->left < available ? f->left : available;
		kept = f->keep < taken ? f->keep : taken;
		if (kept && !keep(at, w->place, kept, w->starts))
			return 0;
		w->starts = 0;
		w->place += taken;
		f->left -= taken;
		f->keep -= kept;
	}
	return 1;
}

/*
 * What of the operation the next window holds. Returns how many bytes of it are wanted, from base on; 0 at its end. Bytes of a body that are not
 * kept are passed over here, and never copied.
 */
__attribute__((noinline)) int next_window(struct scratch *at, struct connection *c)
{
	struct frames *f;
	struct walk *w;
	__u32 left;

	if (!at || !c)
		return 0;
	w = &at->walk;
	f = &c->frames[at->event.direction & 1];
	if (w->base >= w->whole)
		return 0;
	left = w->whole - w->base;
	if (f->left && !f->keep) {
		if (f->left >= left) {
			f->left -= left;
			w->base = w->whole;
			return 0;
		}
		w->base += f->left;
		left -= f->left;
		f->left = 0;
	}
	return left < SOCKET_DATA_MAX ? left : SOCKET_DATA_MAX;
}

/* Walks a window of got bytes. Returns whether another one is to follow. */
__attribute__((noinline)) int walk_window(struct scratch *at, struct connection *c, __u32 got)
{
	struct frames *f;
	struct walk *w;
	__u32 rest;
	int i;

	if (!at || !c)
		return 0;
	w = &at->walk;
	f = &c->frames[at->event.direction & 1];
	if (!got) {
		w->lost = 1;
		return 0;
	}
	w->end = FRAME_PART + (got & 0x1fff);
	w->place = FRAME_PART;
	w->run = w->run_end = 0;
	w->cut = 0;
	if (f->parted) {
		__builtin_memcpy(at->data + WINDOW, f->part, FRAME_PART);
		w->place -= f->parted & (FRAME_PART - 1);
		f->parted = 0;
	}
	for (i = 0; i < MAX_TURNS; i++)
		if (!walk_few(at, c))
			break;
	rest = w->end - w->place;
	if (w->cut && w->base + got >= w->whole) {
		/* The operation cuts a header: the next one brings the rest. */
		if (rest >= FRAME_PART) {
			w->lost = 1;
		} else {
			keep(at, w->place, rest, c->protocol == PROTOCOL_POSTGRES);
			__builtin_memcpy(f->part, in_window(at, w->end - FRAME_PART), FRAME_PART);
			f->parted = rest;
			w->place = w->end;
		}
	}
	keep_run(at);
	if (w->lost)
		return 0;
	/* Where the window cuts a header, the next one begins with it. */
	w->base += w->place > FRAME_PART ? w->place - FRAME_PART : 0;
	return w->place > FRAME_PART;
}

/* The next byte begins a frame. */
static __always_inline void begin_frames(struct frames *f)
{
	f->left = f->keep = f->parted = 0;
	f->known = 1;
}

/* Before the first window. */
static __always_inline void begin_walk(struct scratch *at, struct connection *c)
{
	struct frames *f = &c->frames[at->event.direction & 1];

	__builtin_memset(&at->walk, 0, sizeof(at->walk));
	at->walk.whole = at->event.length;
	/* Just recognised. */
	if (!f->known)
		begin_frames(f);
}

/* After the last window: what was not walked is said, and how the frames go on is not known any more. */
__attribute__((noinline)) int end_walk(struct scratch *at, struct connection *c)
{
	struct frames *f;
	struct walk *w;

	if (!at || !c)
		return 0;
	w = &at->walk;
	f = &c->frames[at->event.direction & 1];
	at->event.unwalked = w->base < w->whole ? w->whole - w->base : 0;
	at->event.length = w->whole - w->from;
	if (at->event.unwalked)
		f->known = 0;
	return w->out;
}

#endif
