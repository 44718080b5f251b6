// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes that start, run another program and end, and sockets that begin to listen. */
#include "include/kernel.h"
#include <stddef.h>
#include "include/counters.h"
#include "include/selection.h"
#include "include/share.h"
#include "watcher.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

COUNTED_RING(process_events, 1 << 20)

/* Keeps the type in the object's BTF, where a test compares it with the agent's. */
const struct process_event *process_event_layout __attribute__((unused));

/* Mirrored by src/Beyla.Agent/Kernel/Watcher.cs. Set before loading. */
const volatile struct watcher_settings {
	__u32 every_exec; /* exec events of all processes are wanted: some rule asks for more than ports and pids */
	__u32 judge_listeners; /* some rule asks for a port and for something else: only user space can tell who is meant */
	__u64 mentioned[65536 / 64]; /* ports that some rule or exclusion names: who listens on others is of no interest */
} settings = { 1, 1, {} };

/*
 * A process that user space has yet to judge is traced until it has, or a client that lives for three milliseconds would be over before it is
 * traced. What it did is dropped if no rule wants it. Only when the event will arrive: nobody would take it back otherwise.
 */
static __always_inline void select_tentatively(struct selection *s, struct process_event *e)
{
	if (e->selected != PROCESS_SELECTED)
		e->selected = PROCESS_TENTATIVE;
	renew_pid(s, e->pid, e->time);
}

#define RECORD (sizeof(struct process_event) + 8) /* BPF_RINGBUF_HDR_SZ, linux/bpf.h */

static __always_inline struct process_event *begin(__u8 kind, __u32 pid, struct selection *s, struct ring_counters *counters)
{
	struct process_event *e = has_share(&process_events, RECORD) ? bpf_ringbuf_reserve(&process_events, sizeof(*e), 0) : NULL;

	counters->produced++;
	if (!e) {
		counters->lost++;
		__sync_fetch_and_add(&s->lost, 1);
		return NULL;
	}
	counters->emitted++;
	__builtin_memset(e, 0, offsetof(struct process_event, name) + 8);
	e->time = bpf_ktime_get_ns();
	e->pid = pid;
	e->kind = kind;
	return e;
}

/* These events are rare and a late one costs a span: each of them wakes the reader. */
static __always_inline void send(struct process_event *e)
{
	bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct selection *s = the_selection();
	struct ring_counters *counters = process_events_count();
	struct process_event *e;

	/* A new thread belongs to a process that is known already. */
	if (!s || !counters || child->pid != child->tgid || !is_selected(s, parent->tgid))
		return 0;
	/* Before the child runs: what it does first is seen. */
	select_pid(s, child->tgid);
	e = begin(PROCESS_FORK, child->tgid, s, counters);
	if (!e)
		return 0;
	e->parent = parent->tgid;
	e->selected = PROCESS_SELECTED;
	renew_pid(s, e->pid, e->time);
	bpf_probe_read_kernel(e->command, sizeof(e->command), child->comm);
	send(e);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct selection *s = the_selection();
	struct ring_counters *counters = process_events_count();
	struct process_event *e;
	bool selected;

	if (!s || !counters)
		return 0;
	selected = is_selected(s, task->tgid);
	if (selected)
		forget_program(s, task->tgid);
	if (!selected && !settings.every_exec)
		return 0;
	e = begin(PROCESS_EXEC, task->tgid, s, counters);
	if (!e)
		return 0;
	e->selected = selected ? PROCESS_SELECTED : PROCESS_UNSELECTED;
	if (selected || settings.every_exec)
		select_tentatively(s, e);
	bpf_probe_read_kernel(e->command, sizeof(e->command), task->comm);
	bpf_probe_read_kernel_str(e->name, sizeof(e->name), program->filename);
	send(e);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct selection *s = the_selection();
	struct ring_counters *counters = process_events_count();
	struct process_event *e;

	if (!s || !counters || task->signal->live.counter != 0)
		return 0;
	if (!is_selected(s, task->tgid) && !is_excluded(s, task->tgid))
		return 0;
	forget_pid(s, task->tgid);
	e = begin(PROCESS_EXIT, task->tgid, s, counters);
	if (e)
		send(e);
	return 0;
}

static __always_inline void describe_listener(struct process_event *e, struct sock *sk)
{
	e->port = sk->__sk_common.skc_num;
	e->netns = sk->__sk_common.skc_net.net->ns.inum;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_listen, struct sock *sk, int old_state, int new_state)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct ring_counters *counters;
	struct process_event *e;
	struct selection *s;
	bool selected;
	__u16 port;

	/* listen(2) is the only way into this state, so current is the caller. */
	if (new_state != TCP_LISTEN || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	s = the_selection();
	counters = process_events_count();
	if (!s || !counters)
		return 0;
	port = sk->__sk_common.skc_num;
	if (is_selected_port(s, port) && !is_excluded(s, pid))
		select_pid(s, pid);
	selected = is_selected(s, pid);
	/* Any user may listen without limit: what no rule asks for is not even reported, except for a traced process, which has loaded its runtime by now. */
	if (!selected && !has_bit((const __u64 *)settings.mentioned, port))
		return 0;
	e = begin(PROCESS_LISTEN, pid, s, counters);
	if (!e)
		return 0;
	e->selected = selected ? PROCESS_SELECTED : PROCESS_UNSELECTED;
	if (selected || (settings.judge_listeners && !is_excluded(s, pid)))
		select_tentatively(s, e);
	describe_listener(e, sk);
	bpf_get_current_comm(e->command, sizeof(e->command));
	send(e);
	return 0;
}

/*
 * Every process that holds a listening socket, in every network namespace, one struct process_event each. In place of /proc/PID/fd,
 * which would ask for CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
 */
SEC("iter/task_file")
int listeners(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct process_event e = {};
	struct selection *s;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	/* A listener that offers MPTCP (Go's do) accepts plain TCP as well, and then gives out plain TCP sockets. */
	if (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_MPTCP)
		return 0;
	e.time = bpf_ktime_get_ns();
	e.pid = task->tgid;
	e.kind = PROCESS_LISTENING;
	s = the_selection();
	e.selected = s && is_selected(s, e.pid) ? PROCESS_SELECTED : PROCESS_UNSELECTED;
	describe_listener(&e, sk);
	bpf_probe_read_kernel(e.command, sizeof(e.command), task->comm);
	bpf_seq_write(context->meta->seq, &e, sizeof(e));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
