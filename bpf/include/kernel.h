/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of kernel types that the programs read, and nothing else. CO-RE relocates every access to the running kernel, so neither
 * order nor size matters here, and no kernel headers are needed to build. Names and types are those of the kernel (include/linux, include/net).
 */
#ifndef BEYLA_KERNEL_H
#define BEYLA_KERNEL_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

enum { AF_INET = 2, AF_INET6 = 10 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2 };
enum { MSG_OOB = 1, MSG_PEEK = 2, MSG_TRUNC = 0x20, MSG_ERRQUEUE = 0x2000, MSG_FASTOPEN = 0x20000000 };
enum { PACKET_OUTGOING = 4, PACKET_LOOPBACK = 5 }; /* linux/if_packet.h; the first also marks what waits in an error queue */
enum { TS_COMPAT = 2 }; /* bit of the status of a thread: its system call is one of 32 bits */
enum { IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_MPTCP = 262 };
enum { SOCK_DONE = 1 }; /* bit of skc_flags: a FIN was received */
enum {
	TCP_ESTABLISHED = 1, TCP_SYN_SENT, TCP_SYN_RECV, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_TIME_WAIT, TCP_CLOSE, TCP_CLOSE_WAIT,
	TCP_LAST_ACK, TCP_LISTEN, TCP_CLOSING,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_PERCPU_HASH = 5, BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9, BPF_MAP_TYPE_SK_STORAGE = 24, BPF_MAP_TYPE_RINGBUF = 27, BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_RING_SIZE = 1, BPF_RB_CONS_POS = 2, BPF_RB_PROD_POS = 3 };

struct in6_addr {
	__u8 bytes[16];
} __attribute__((aligned(4)));

struct ns_common {
	unsigned int inum;
};

struct netns_ipv4 {
	unsigned int sysctl_tcp_notsent_lowat;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
};

struct sk_buff_head {
	__u32 qlen;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	struct sk_buff_head sk_write_queue;
	int sk_wmem_queued;
	int sk_sndbuf;
	__u32 sk_max_ack_backlog;
	int sk_peek_off;
	int sk_err;
	__u16 sk_type;
	__u16 sk_protocol;
};

struct inet_sock {
	__be16 inet_sport;
};

struct tcp_sock {
	__u32 copied_seq;
	__u32 rcv_nxt;
	__u32 write_seq;
	__u32 snd_nxt;
	__u32 notsent_lowat;
	__u32 mss_cache;
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u32 total_retrans;
	__u32 srtt_us;
	__u32 urg_seq;
	__u8 syn_data : 1;
	__u8 repair : 1;
};

struct tcp_skb_cb {
	__u32 seq;
	__u8 eor : 1;
};

struct sk_buff {
	struct sock *sk;
	unsigned int len;
	__u8 pkt_type : 3;
	char cb[48];
};

struct iovec {
	void *iov_base;
	unsigned long iov_len;
};

enum iter_type {
	/* The values differ between kernels and are relocated; bpf_core_enum_value gives the kernel's own. */
	ITER_UBUF,
	ITER_IOVEC,
};

struct iov_iter {
	__u8 iter_type;
	unsigned long iov_offset;
	const struct iovec *__iov;
	void *ubuf;
	unsigned long count;
	unsigned long nr_segs;
};

/* Before 6.4 the field had no underscores. */
struct iov_iter___before_6_4 {
	const struct iovec *iov;
};

struct msghdr {
	struct iov_iter msg_iter;
	unsigned int msg_flags;
};

struct user_msghdr {
	struct iovec *msg_iov;
	unsigned long msg_iovlen;
};

struct socket {
	struct sock *sk;
};

struct inode {
	unsigned short i_mode;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
};

typedef struct {
	__u32 val;
} kuid_t;

struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
};

struct cred {
	kuid_t uid;
	struct user_namespace *user_ns;
};

struct mm_struct {
	unsigned long env_start;
	unsigned long env_end;
};

struct thread_struct {
	unsigned long fsbase;
};

struct thread_info {
	__u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	struct thread_struct thread;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	const struct cred *cred;
	struct files_struct *files;
	struct signal_struct *signal;
	char comm[16];
};

struct linux_binprm {
	const char *filename;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct pt_regs {
	unsigned long orig_ax;
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long cx;
	unsigned long r10;
	unsigned long r14;
	unsigned long ax;
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

/* Opaque to programs: never relocated. */
struct bpf_dynptr {
	__u64 opaque[2];
} __attribute__((aligned(8)));

#endif
