// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who asks for a request in a Go program. net/http sends it on a goroutine that belongs to the connection: what was seen there says nothing of the
 * one that wants the response. One probe tells, at the place where the request is handed over.
 */
#include "include/kernel.h"
#include "include/go_connections.h"
#include "include/go_processes.h"
#include "include/selection.h"
#include <bpf/bpf_tracing.h>

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
	sk = sock_of_connection(connection, LAYERS);
	if (!sk)
		return 0;
	call.goroutine = caller.id;
	call.parent = caller.parent;
	call.connection = regs->ax;
	call.ports = ports_of(sk);
	call.pid = pid;
	call.position = BPF_CORE_READ((struct tcp_sock *)sk, write_seq);
	key = (__u64)sk;
	bpf_map_update_elem(&go_calls, &key, &call, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
