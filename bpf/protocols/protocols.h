/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The protocols that are followed, and what each header here says of its own: how it is recognised, and what of its bytes is captured. */
#ifndef BEYLA_PROTOCOLS_H
#define BEYLA_PROTOCOLS_H

#include "../include/kernel.h"

#define PREFIX_SIZE 64 /* first bytes of an operation that the recognition looks at */

/* Mirrored by src/Beyla.Agent/Kernel/ProtocolId.cs. */
enum protocol {
	PROTOCOL_NONE = 0, /* not recognised yet */
	PROTOCOL_HTTP = 1,
	PROTOCOL_POSTGRES = 2,
	PROTOCOL_REDIS = 3,
	PROTOCOL_SQL = 4, /* not known, but statements were found: said by user space alone, and no value of connection.protocol */
	PROTOCOL_FOREIGN = 255, /* none of these, for good */
};

/* What a protocol says to first bytes. */
enum recognition {
	RECOGNISED_NOT = 0,
	RECOGNISED_PERHAPS, /* too short to tell */
	RECOGNISED,
};

/* Longer than what it holds: a header that begins within may end behind it, which an older verifier does not see through. */
struct prefix {
	__u8 bytes[PREFIX_SIZE + 16];
};

#define FRAME_CUT 0xffffffff
#define FRAME_PART 16 /* bytes of a header that an operation cuts are fewer */

/* One frame of a protocol that has some, as its header says. */
struct frame {
	__u32 length; /* all of it, with its header; 0 when this is no header, FRAME_CUT when that is not there yet */
	__u32 keep; /* bytes of it that are captured */
};

static __always_inline __u32 big_endian(const __u8 *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

#endif
