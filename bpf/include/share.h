/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Divides a ring among users, so that one who floods it cannot take the room that another one's event needs. A user may hold at most as much of the
 * ring as is still free: alone half of it, n users n/(n+1) of it together, and whoever comes next always finds room (dynamic thresholds, Choudhury
 * and Hahne 1998). While little waits nobody is in anybody's way and nothing is looked up.
 */
#ifndef BEYLA_SHARE_H
#define BEYLA_SHARE_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>

#define MAX_NAMESPACES 33 /* of users, one in another: include/linux/user_namespace.h, level */

struct share {
	__u64 until; /* position in the ring behind the user's newest record: when that is read, all are */
	__u64 used; /* bytes of the records that may still wait */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct share);
} shares SEC(".maps");

/*
 * The user, in the initial user namespace, whom the current task's events are charged to. Within other namespaces that is whoever made the outermost:
 * a range of subordinate ids is still one user.
 */
static __always_inline __u32 payer(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct user_namespace *space = task->cred->user_ns;
	__u32 user = task->cred->uid.val;
	int i;

	for (i = 0; i < MAX_NAMESPACES; i++) {
		if (!space || !space->level)
			break;
		user = space->owner.val;
		space = space->parent;
	}
	return user;
}

/* Whether the current task's user may put one more record of that size into the ring. */
static __always_inline bool has_share(void *ring, __u32 size)
{
	__u64 whole = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);
	__u64 waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	struct share *share;
	__u32 user;

	if (waiting <= whole / 8)
		return true;
	user = payer();
	share = bpf_map_lookup_elem(&shares, &user);
	if (!share) {
		struct share none = {};

		bpf_map_update_elem(&shares, &user, &none, BPF_NOEXIST);
		share = bpf_map_lookup_elem(&shares, &user);
		if (!share)
			return true;
	}
	if (bpf_ringbuf_query(ring, BPF_RB_CONS_POS) >= share->until)
		share->used = 0;
	if (share->used + size + waiting > whole)
		return false;
	__sync_fetch_and_add(&share->used, size);
	share->until = bpf_ringbuf_query(ring, BPF_RB_PROD_POS) + size;
	return true;
}

#endif
