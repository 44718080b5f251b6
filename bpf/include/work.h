/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Trace context, while it is propagated: which request a thread or a goroutine works on, and so which one a call belongs to. User space finds more, but
 * later (src/Beyla.Agent/Tracing/Parents): here is what can be known when the call is made.
 */
#ifndef BEYLA_WORK_H
#define BEYLA_WORK_H

#include "go_processes.h"
#include "serving.h"
#include "wire.h"

/*
 * Set before the programs are loaded: so much lower than one that is there may the number of a later goroutine be. Mirrored by
 * src/Beyla.Agent/Kernel/GoroutineNumbers.cs.
 */
const volatile __u32 number_slack SEC(".rodata.slack");

/* The request that a worker has read and not answered. */
struct work {
	__u8 trace[16];
	__u8 span[8];
	__u64 newest; /* of a goroutine: the highest number that was seen in the process before */
	__u32 open; /* requests that it read and that are not answered */
	__u8 mixed; /* there was more than one at a time: which of them it works on is not known */
	__u8 flags; /* trace-flags */
	__u8 reserved[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct worker);
	__type(value, struct work);
} works SEC(".maps");

/*
 * Processes of which user space found that a thread does not answer what it reads: a bit at their pid modulo 65,536. User space maps it. Mirrored by
 * src/Beyla.Agent/Kernel/ThreadRuleMap.cs.
 */
#define THREAD_RULES 65536

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, THREAD_RULES / 64);
	__type(key, __u32);
	__type(value, __u64);
} thread_rules SEC(".maps");

/* What the map is filled in from. */
static const struct work no_work;

static __always_inline bool is_thread_rule_forbidden(__u32 pid)
{
	__u32 word = pid % THREAD_RULES / 64;
	__u64 *bits = bpf_map_lookup_elem(&thread_rules, &word);

	return bits && *bits >> (pid % 64) & 1;
}

static __always_inline void make_id(__u8 *id, int words)
{
	__u32 *word = (__u32 *)id, any = 0;
	int i;

	for (i = 0; i < words; i++)
		any |= word[i] = bpf_get_prandom_u32();
	/* All 0 is no identifier. */
	if (!any)
		word[0] = 1;
}

static __always_inline __u64 newest_goroutine(__u32 pid)
{
	struct go_offsets *offsets = bpf_map_lookup_elem(&go_processes, &pid);

	return offsets ? offsets->newest : 0;
}

/* A request was read by a worker, which works on it from now on. */
static __always_inline void begin_work(struct wire *w, const struct worker *worker, const struct context *context)
{
	struct work *work = bpf_map_lookup_elem(&works, worker);

	if (!work) {
		bpf_map_update_elem(&works, worker, &no_work, BPF_NOEXIST);
		work = bpf_map_lookup_elem(&works, worker);
		if (!work)
			return;
	}
	/* A goroutine serves one request at a time: what it has left open does not count. */
	if (worker->is_goroutine) {
		work->open = 0;
		work->newest = newest_goroutine(worker->pid);
	}
	if (__sync_fetch_and_add(&work->open, 1)) {
		work->mixed = 1;
	} else {
		work->mixed = 0;
		work->flags = context->flags;
		__builtin_memcpy(work->trace, context->trace, sizeof(work->trace));
		__builtin_memcpy(work->span, context->span, sizeof(work->span));
	}
	w->reader = *worker;
}

/* The request is answered, or never will be. */
static __always_inline void end_work(struct wire *w, __u64 socket)
{
	struct worker worker = w->reader;
	struct work *work;

	count_out(w, socket);
	if (!worker.pid)
		return;
	w->reader.pid = 0;
	work = bpf_map_lookup_elem(&works, &worker);
	if (work && work->open)
		__sync_fetch_and_add(&work->open, -1);
}

/* The request that a worker works on, if it is one only. */
static __always_inline struct work *work_of(const struct worker *worker)
{
	struct work *work = bpf_map_lookup_elem(&works, worker);

	return work && work->open == 1 && !work->mixed ? work : NULL;
}

/*
 * The request that a goroutine works on which has started another one, unless that one is older than the request: what an earlier one has started and
 * left behind does not work for this one. A guess: where few goroutines are started, their numbers do not tell the two apart.
 */
static __always_inline struct work *work_of_starter(const struct worker *started, __u64 starter)
{
	struct worker worker = { .id = starter, .pid = started->pid, .is_goroutine = 1 };
	struct work *work = work_of(&worker);

	return work && started->id + number_slack > work->newest ? work : NULL;
}

/*
 * The context of a call that a worker makes: below the request that it works on, else, as a guess, below that of the goroutine that has started it or
 * below the only one of its process, else a trace of its own. starter: that goroutine; 0 where it is not known.
 */
static __always_inline void make_call(struct context *context, const struct worker *worker, __u64 starter)
{
	struct work *work = worker->is_goroutine || !is_thread_rule_forbidden(worker->pid) ? work_of(worker) : NULL;
	__u8 source = worker->is_goroutine ? CONTEXT_GOROUTINE : CONTEXT_THREAD;

	if (!work && starter) {
		work = work_of_starter(worker, starter);
		source = CONTEXT_AGREEMENT;
	}
	__builtin_memset(context, 0, sizeof(*context));
	if (work) {
		__builtin_memcpy(context->trace, work->trace, sizeof(context->trace));
		__builtin_memcpy(context->parent, work->span, sizeof(context->parent));
		context->flags = work->flags;
		context->source = source;
	} else if (!starter && follow_only(context, worker->pid)) {
		context->source = CONTEXT_AGREEMENT;
	} else {
		make_id(context->trace, 4);
		__builtin_memset(context->parent, 0, sizeof(context->parent));
		context->flags = 1;
	}
	make_id(context->span, 2);
}

/* The socket is gone. */
static __always_inline void leave_wire(__u64 socket)
{
	struct wire *w = bpf_map_lookup_elem(&wires, &socket);

	if (!w)
		return;
	end_work(w, socket);
	if (w->looked)
		bpf_map_delete_elem(&stashes, &socket);
	bpf_map_delete_elem(&wires, &socket);
}

#endif
