/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the statistics programs put into the ring. Mirrored by src/Beyla.Agent/Statistics/TcpStatistic.cs, checked against BTF by a test. */
#ifndef BEYLA_STATISTICS_H
#define BEYLA_STATISTICS_H

enum tcp_statistic_kind {
	TCP_STATISTIC_ESTABLISHED = 1, /* a handshake is over; nothing is measured yet */
	TCP_STATISTIC_FAILED, /* there was no connection: error */
	TCP_STATISTIC_OPEN, /* it goes on, and there is news */
	TCP_STATISTIC_CLOSED,
};

enum tcp_role {
	TCP_ROLE_UNKNOWN, /* older than the agent */
	TCP_ROLE_CLIENT,
	TCP_ROLE_SERVER,
};

/* What happened since the connection was told of last. */
struct tcp_statistic {
	__u8 local[16]; /* IPv6, or IPv4 mapped to ::ffff:0:0/96 */
	__u8 remote[16];
	__u64 sent; /* bytes of payload, each once however often it went out */
	__u64 received; /* bytes of payload in order */
	__u32 retransmits; /* segments, those of the handshake too */
	__u32 round_trip; /* smoothed, microseconds; not a difference. 0: never measured */
	__u16 local_port; /* host byte order */
	__u16 remote_port;
	__u16 error; /* of FAILED: sk_err, or EADDRNOTAVAIL; 0: the process gave up */
	__u8 kind; /* enum tcp_statistic_kind */
	__u8 role; /* enum tcp_role */
};

#endif
