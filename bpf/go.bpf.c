// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who asks for a request in a Go program. net/http sends it on a goroutine that belongs to the connection: what was seen there says nothing of the
 * one that wants the response. One probe tells, at the place where the request is handed over.
 */
#include "include/kernel.h"
#include "include/descriptors.h"
#include "include/go_processes.h"
#include "include/selection.h"
#include <bpf/bpf_tracing.h>

#define NET_FD 16 /* internal/poll.FD.Sysfd, at the beginning of a net.netFD: the same since Go 1.9 */
#define LAYERS 2 /* a crypto/tls.Conn begins with the net.Conn below it */

/* The socket of a net.Conn: a *net.TCPConn begins with the pointer to its netFD. */
static __always_inline struct sock *sock_of_connection(__u64 connection)
{
	struct sock *sk;
	__u64 fd, below;
	__u32 number;
	int i;

	for (i = 0; i < LAYERS; i++) {
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

/*
 * func (pc *persistConn) roundTrip(req *transportRequest), at its first instruction. By Go's internal calling convention (since 1.17, abi-internal.md)
 * R14 is the struct g of the caller and RAX the receiver.
 */
SEC("uprobe")
int on_round_trip(struct pt_regs *regs)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct go_offsets *offsets;
	struct go_call call = {};
	struct goroutine caller;
	__u64 connection, key;
	struct sock *sk;

	if (!is_go(the_selection(), pid))
		return 0;
	offsets = bpf_map_lookup_elem(&go_processes, &pid);
	if (!offsets || !offsets->connection || !read_goroutine(offsets, regs->r14, &caller))
		return 0;
	if (bpf_probe_read_user(&connection, sizeof(connection), (void *)(regs->ax + offsets->connection + 8)))
		return 0;
	sk = sock_of_connection(connection);
	if (!sk)
		return 0;
	call.goroutine = caller.id;
	call.parent = caller.parent;
	call.ports = ports_of(sk);
	call.pid = pid;
	key = (__u64)sk;
	bpf_map_update_elem(&go_calls, &key, &call, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
