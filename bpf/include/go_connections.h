/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which socket a connection of a Go program is. No map stands here. */
#ifndef BEYLA_GO_CONNECTIONS_H
#define BEYLA_GO_CONNECTIONS_H

#include "descriptors.h"
#include "kernel.h"
#include <bpf/bpf_helpers.h>

#define NET_FD 16 /* internal/poll.FD.Sysfd, at the beginning of a net.netFD: the same since Go 1.9 */
#define LAYERS 2 /* a crypto/tls.Conn begins with the net.Conn below it */

/* The socket of a net.Conn, at most so many layers below it: a *net.TCPConn begins with the pointer to its netFD. */
static __always_inline struct sock *sock_of_connection(__u64 connection, int layers)
{
	struct sock *sk;
	__u64 fd, below;
	__u32 number;
	int i;

	for (i = 0; i < layers; i++) {
		if (bpf_probe_read_user(&fd, sizeof(fd), (void *)connection))
			return NULL;
		if (!bpf_probe_read_user(&number, sizeof(number), (void *)(fd + NET_FD))) {
			sk = sock_of(number);
			if (sk)
				return sk;
		}
		/* An interface value: its type, then its data. */
		if (bpf_probe_read_user(&below, sizeof(below), (void *)(connection + 8)))
			return NULL;
		connection = below;
	}
	return NULL;
}

#endif
