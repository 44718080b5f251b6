/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TLS records (RFC 8446 section 5.1), which are not read: the connection is left alone from the first one on. */
#ifndef BEYLA_TLS_H
#define BEYLA_TLS_H

#include "protocols.h"

static __always_inline bool recognise_tls(const __u8 *p, __u32 n)
{
	return n >= 5 && p[0] >= 0x14 && p[0] <= 0x17 && p[1] == 3 && p[2] <= 4 && ((p[3] << 8 | p[4]) - 1u) < 16384 + 256;
}

#endif
