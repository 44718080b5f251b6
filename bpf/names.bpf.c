// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How processes name themselves in the environment that they are started with, read at the moment of execve. Later is too late: servers that show a
 * title in ps write it over their environment (nginx, PostgreSQL, whoever calls setproctitle), and /proc/PID/environ shows what is there by then.
 */
#include "include/kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "names.h"

/* Pieces of an environment that are looked at: variables, and parts of those that are longer than a piece. What comes later is not seen here. */
#define MAX_PIECES 2048
#define PIECE sizeof(((struct service_variables *)0)->attributes)

/* Of processes with such a variable; goes with the process. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct service_variables);
} started_with SEC(".maps");

struct workspace {
	struct service_variables found;
	union {
		__u8 text[PIECE];
		__u64 words[PIECE / 8];
	} piece;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct workspace);
} workspaces SEC(".maps");

/* Keeps the type in the object's BTF, where a test compares it with the agent's. */
const struct service_variables *service_variables_layout __attribute__((unused));

struct reading {
	unsigned long at; /* of the next piece */
	unsigned long end;
	bool inside; /* the piece goes on with the variable of the piece before */
};

static __always_inline struct workspace *the_workspace(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&workspaces, &zero);
}

/* Eight characters as they lie in memory. Only little-endian processors are built for. */
#define WORD(a, b, c, d, e, f, g, h)                                                                              \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 | \
	 (__u64)(g) << 48 | (__u64)(h) << 56)

static __always_inline bool is_name(const struct workspace *w, long length)
{
	return length > 18 && w->piece.words[0] == WORD('O', 'T', 'E', 'L', '_', 'S', 'E', 'R') &&
	       w->piece.words[1] == WORD('V', 'I', 'C', 'E', '_', 'N', 'A', 'M') && w->piece.text[16] == 'E' && w->piece.text[17] == '=';
}

static __always_inline bool is_attributes(const struct workspace *w, long length)
{
	return length > 25 && w->piece.words[0] == WORD('O', 'T', 'E', 'L', '_', 'R', 'E', 'S') &&
	       w->piece.words[1] == WORD('O', 'U', 'R', 'C', 'E', '_', 'A', 'T') &&
	       w->piece.words[2] == WORD('T', 'R', 'I', 'B', 'U', 'T', 'E', 'S') && w->piece.text[24] == '=';
}

static long look_at_piece(__u32 index, struct reading *r)
{
	struct workspace *w = the_workspace();
	bool begins = !r->inside;
	long length; /* with the zero at its end, also where that is not in the text but made by the cut */

	if (!w || r->at >= r->end)
		return 1;
	length = bpf_probe_read_user_str(w->piece.text, sizeof(w->piece.text), (void *)r->at);
	if (length <= 0)
		return 1;
	r->inside = length == sizeof(w->piece.text);
	r->at += r->inside ? length - 1 : length;
	if (!begins)
		return 0;
	/* Of several variables of one name getenv(3) gives the first. */
	if (!w->found.name_state && is_name(w, length)) {
		w->found.name_state = length <= (long)sizeof(w->found.name) ? VARIABLE_WHOLE : VARIABLE_TOO_LONG;
		bpf_probe_read_kernel_str(w->found.name, sizeof(w->found.name), w->piece.text);
	} else if (!w->found.attributes_state && is_attributes(w, length)) {
		w->found.attributes_state = r->inside ? VARIABLE_TOO_LONG : VARIABLE_WHOLE;
		bpf_probe_read_kernel_str(w->found.attributes, sizeof(w->found.attributes), w->piece.text);
	}
	return w->found.name_state && w->found.attributes_state;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(name_exec, struct task_struct *task)
{
	struct workspace *w = the_workspace();
	struct reading r = {};

	if (!w || !task->mm)
		return 0;
	r.at = task->mm->env_start;
	r.end = task->mm->env_end;
	w->found.name_state = VARIABLE_ABSENT;
	w->found.attributes_state = VARIABLE_ABSENT;
	bpf_loop(MAX_PIECES, look_at_piece, &r, 0);
	/* Another program, another environment. */
	bpf_task_storage_delete(&started_with, task);
	if (w->found.name_state || w->found.attributes_state)
		bpf_task_storage_get(&started_with, task, &w->found, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

/* A child runs with the environment of its parent: also one that its parent's identity does not reach, because that was never traced. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(name_fork, struct task_struct *parent, struct task_struct *child)
{
	struct service_variables *kept;

	if (child->pid != child->tgid)
		return 0;
	kept = bpf_task_storage_get(&started_with, parent->group_leader, 0, 0);
	if (kept)
		bpf_task_storage_get(&started_with, child, kept, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
