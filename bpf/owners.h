/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the owner programs put into the map "owners". Mirrored by src/Beyla.Agent/Flows/SocketOwner.cs, checked against BTF by a test. */
#ifndef BEYLA_OWNERS_H
#define BEYLA_OWNERS_H

/*
 * A socket by its addresses. Connected TCP: all of them. Listening TCP and UDP: local address and port, the rest zero; a socket that is bound
 * to no address has a zero address in both families.
 */
struct owner_key {
	__u8 local[16]; /* IPv6, or IPv4 mapped to ::ffff:0:0/96 */
	__u8 remote[16];
	__u16 local_port; /* host byte order */
	__u16 remote_port;
	__u8 protocol;
	__u8 zero[3];
};

struct owner {
	__u32 pid; /* thread group in the initial pid namespace */
	__u8 exact; /* 1: this process used the socket; 0: it owns the listening socket that the connection came from */
	__u8 zero[3];
	__u8 name[16]; /* comm of the thread group's leader */
};

#endif
