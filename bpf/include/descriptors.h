/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which socket a file descriptor is, and whether it is one of TCP. No map stands here: any program may include it. */
#ifndef BEYLA_DESCRIPTORS_H
#define BEYLA_DESCRIPTORS_H

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* A pointer that the verifier knows the type of is read directly; another one through the helper, which costs a call each. */
#define READ(typed, source, field) ((typed) ? (source)->field : BPF_CORE_READ(source, field))

/* A raw or a netlink socket can have the protocol number of TCP, and is no tcp_sock. */
static __always_inline bool is_tcp(const struct sock *sk, bool typed)
{
	unsigned short family = READ(typed, sk, __sk_common.skc_family);

	return READ(typed, sk, sk_protocol) == IPPROTO_TCP && READ(typed, sk, sk_type) == SOCK_STREAM && (family == AF_INET || family == AF_INET6);
}

static __always_inline struct sock *sock_of(__u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = task->files->fdt;
	struct socket *socket;
	struct file **slots;
	struct file *file;
	struct sock *sk;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	slots = BPF_CORE_READ(table, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), slots + fd) || !file)
		return NULL;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0140000) /* S_IFSOCK */
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
	return sk && is_tcp(sk, false) ? sk : NULL;
}

#endif
