/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the socket programs write to the ring "socket_events". Mirrored by src/Beyla.Agent/Kernel/SocketEvent.cs, checked against BTF by a test. */
#ifndef BEYLA_SOCKETS_H
#define BEYLA_SOCKETS_H

/* The most bytes of one operation that an event carries. */
#define SOCKET_DATA_MAX 8191

enum socket_event_kind {
	SOCKET_DATA = 1, /* bytes were sent or received */
	SOCKET_SHUT = 2, /* this side will send no more (FIN queued), or the peer did (direction says which) */
	SOCKET_CLOSE = 3, /* the connection is gone */
	SOCKET_FORGOTTEN = 4, /* the connection is there and is followed no longer: it speaks no protocol that is */
	SOCKET_URGENT = 5, /* one byte, at sequence, is urgent data (MSG_OOB): it has a number and is no part of the stream */
	SOCKET_CONTEXT = 6, /* the message that begins at sequence has this trace context: struct context of propagation.h follows */
};

enum socket_direction {
	SOCKET_RECEIVE = 0,
	SOCKET_SEND = 1,
};

struct socket_event {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u64 connection; /* identity; never used again for another connection */
	__u32 pid; /* thread group in the initial pid namespace; 0 where no process is known (all but DATA) */
	__u32 tid;
	__u32 sequence; /* TCP sequence number of the first byte of this operation that was not reported before */
	__u32 length; /* bytes moved, starting at sequence */
	__u32 opposite; /* the other direction's position: sequence number of the next byte there */
	__u32 netns; /* inode of the network namespace */
	__u16 captured; /* bytes of data, from sequence on; fewer than length when cut */
	__u8 kind;
	__u8 direction;
	__u16 local_port; /* host byte order */
	__u16 remote_port;
	__u8 local[16]; /* IPv6, or IPv4 mapped to ::ffff:0:0/96 */
	__u8 remote[16];
	__u8 protocol; /* enum protocol */
	__u8 flags; /* enum socket_flags */
	__u8 pieces; /* further stretches of captured bytes */
	__u8 reserved;
	__u32 unwalked; /* bytes of the operation in which frames were not followed, although the protocol has some */
	__u64 passed_time; /* when the last of the passed bytes were sent */
	__u32 passed; /* bytes sent before this event of which no event told */
	__u32 passed_until; /* sequence number behind them */
	__u64 goroutine; /* of a Go program: the number of the goroutine whose operation it is; 0: not known */
	__u64 parent_goroutine; /* the one that started it; 0: not known */
};

/* The captured bytes follow, then each further stretch: a piece and its bytes, without padding. The last one often holds the operation's last bytes. */
struct socket_piece {
	__u32 gap; /* bytes of the operation between the stretch before and this one that were not captured */
	__u32 length; /* with SOCKET_PIECE_ALIGNED */
};

/* The stretch begins with a frame of the protocol, and what lies between the one before and this one are whole frames after the end of that one's last. */
#define SOCKET_PIECE_ALIGNED 0x80000000

enum socket_flags {
	SOCKET_ACCEPTED = 1, /* the socket came from a listening one */
	SOCKET_FRESH = 2, /* the operation has the first bytes of the connection */
	SOCKET_ALIGNED = 4, /* the operation begins with a frame of the protocol */
	SOCKET_CALLED = 8, /* goroutine is the one that asked for the request: another one sends for it */
};

/*
 * What user space says to a connection: an element of the array "verdicts", at bits 8 to 23 of its identity. Another connection's word may take its
 * place: it is said again when events go on to disagree. Low byte: enum protocol, PROTOCOL_NONE to begin again. The rest: the identity's low 56 bits.
 */
#define VERDICTS 65536

/* Bytes that were sent and that no event told of yet: an element of the array "passed", at the same place as the verdict. */
struct passed {
	__u64 connection; /* whose they are; 0: nobody's. Another connection that comes to the place has events. */
	__u64 time; /* when the last of them were sent; CLOCK_MONOTONIC, ns */
	__u32 from; /* sequence number of the first one */
	__u32 until; /* behind the last one; written last */
};

#define PASSED 65536

#endif
