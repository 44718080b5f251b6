/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Trace context, while it is propagated: which request a thread works on, and which context each message of a socket has. The socket programs and those
 * of propagation.bpf.c share these maps.
 */
#ifndef BEYLA_WIRE_H
#define BEYLA_WIRE_H

#include "kernel.h"
#include "stash.h"
#include "../propagation.h"
#include "../sockets.h"
#include <bpf/bpf_helpers.h>

/*
 * Set before the programs are loaded: contexts are propagated. The verifier then removes what is behind it where they are not. Mirrored by
 * src/Beyla.Agent/Kernel/SocketSource.cs.
 */
enum {
	PROPAGATES_NOTHING = 0,
	PROPAGATES_ALL = 1,
	PROPAGATES_GO = 2, /* only by what goroutines send (go_write.bpf.c): for all else nothing is settled here */
};

const volatile __u32 propagates SEC(".rodata.propagates");

enum way_state {
	WAY_NONE,
	WAY_ARRIVED, /* the option of a segment said it; the message is not read yet */
	WAY_SETTLED, /* no event told of it yet */
	WAY_TOLD,
};

/* Who works on requests: a thread, or a goroutine. */
struct worker {
	__u64 id;
	__u32 pid; /* whose */
	__u32 is_goroutine;
};

/* The newest message of a socket in one direction. */
struct way {
	struct context context;
	__u32 sequence; /* of its first byte */
	__u32 state; /* enum way_state */
};

struct wire {
	struct way ways[2]; /* by direction */
	struct worker reader; /* who owes the response to a request that it read here; pid 0: nobody */
	__u32 calls; /* it was connected by a process that is traced */
	__u32 writes; /* it writes options */
	__u32 looked; /* its first message was looked at */
	__u32 joined; /* not 0 while its messages pass a program: with the flags that were set on it for that */
	__u32 reserved;
	struct head head; /* of the request that is being read */
};

/* By the address of the socket. User space makes these maps as small as can be where nothing is propagated. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct wire);
} wires SEC(".maps");

/* The request that a worker has read and not answered. */
struct work {
	__u8 trace[16];
	__u8 span[8];
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

/* What maps are filled in from. */
static const struct wire no_wire;
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
	if (worker->is_goroutine)
		work->open = 0;
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
static __always_inline void end_work(struct wire *w)
{
	struct worker worker = w->reader;
	struct work *work;

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
 * The context of a call that a worker makes: below the request that it works on, else a trace of its own. That a goroutine was started by one that works
 * on a request is not enough: it may be older than that.
 */
static __always_inline void make_call(struct context *context, const struct worker *worker)
{
	struct work *work = worker->is_goroutine || !is_thread_rule_forbidden(worker->pid) ? work_of(worker) : NULL;

	__builtin_memset(context, 0, sizeof(*context));
	if (work) {
		__builtin_memcpy(context->trace, work->trace, sizeof(context->trace));
		__builtin_memcpy(context->parent, work->span, sizeof(context->parent));
		context->flags = work->flags;
		context->source = worker->is_goroutine ? CONTEXT_GOROUTINE : CONTEXT_THREAD;
	} else {
		make_id(context->trace, 4);
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
	end_work(w);
	if (w->looked)
		bpf_map_delete_elem(&stashes, &socket);
	bpf_map_delete_elem(&wires, &socket);
}

#endif
