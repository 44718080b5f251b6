/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What socket operation and message programs see: the contexts of the user API (linux/bpf.h), which never change, so nothing here is relocated. */
#ifndef BEYLA_SOCKOPS_H
#define BEYLA_SOCKOPS_H

#include "kernel.h"

enum { BPF_MAP_TYPE_SOCKHASH = 18 };
enum { SK_DROP = 0, SK_PASS = 1 };

/* Why the program runs. */
enum {
	BPF_SOCK_OPS_TCP_CONNECT_CB = 3, BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB = 4, BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB = 5, BPF_SOCK_OPS_STATE_CB = 10,
	BPF_SOCK_OPS_RTT_CB = 12, BPF_SOCK_OPS_PARSE_HDR_OPT_CB = 13, BPF_SOCK_OPS_HDR_OPT_LEN_CB = 14, BPF_SOCK_OPS_WRITE_HDR_OPT_CB = 15,
};

/* What it is to be called for besides. */
enum {
	BPF_SOCK_OPS_STATE_CB_FLAG = 1 << 2, BPF_SOCK_OPS_RTT_CB_FLAG = 1 << 3, BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG = 1 << 4,
	BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG = 1 << 5, BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG = 1 << 6,
};

struct bpf_sock;

#define POINTER(type, name) \
	union { \
		type name; \
		__u64 : 64; \
	} __attribute__((aligned(8)))

/* Leading fields only; the kernel checks each access by its offset. */
struct bpf_sock_ops {
	__u32 op;
	__u32 args[4];
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port;
	__u32 local_port;
	__u32 is_fullsock;
	__u32 snd_cwnd;
	__u32 srtt_us;
	__u32 bpf_sock_ops_cb_flags;
	__u32 state;
	__u32 rtt_min;
	__u32 snd_ssthresh;
	__u32 rcv_nxt;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 mss_cache;
	__u32 ecn_flags;
	__u32 rate_delivered;
	__u32 rate_interval_us;
	__u32 packets_out;
	__u32 retrans_out;
	__u32 total_retrans;
	__u32 segs_in;
	__u32 data_segs_in;
	__u32 segs_out;
	__u32 data_segs_out;
	__u32 lost_out;
	__u32 sacked_out;
	__u32 sk_txhash;
	__u64 bytes_received;
	__u64 bytes_acked;
	POINTER(struct bpf_sock *, sk);
	POINTER(void *, skb_data);
	POINTER(void *, skb_data_end);
	__u32 skb_len;
};

struct sk_msg_md {
	POINTER(void *, data);
	POINTER(void *, data_end);
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port;
	__u32 local_port;
	__u32 size;
	POINTER(struct bpf_sock *, sk);
};

/* A TCP header up to what is read of it (RFC 9293 section 3.1). */
struct tcp_header {
	__be16 source, destination;
	__be32 sequence;
	__be32 acknowledgement;
	__u8 offset; /* of the data, in units of four bytes: upper half */
	__u8 rest[7];
};

#endif
