/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which system calls move bytes of a socket. */
#ifndef BEYLA_SYSTEM_CALLS_H
#define BEYLA_SYSTEM_CALLS_H

#include "kernel.h"
#include "descriptors.h"
#include "payload.h"
#include <stddef.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum syscall_shape { SHAPE_NONE, SHAPE_BUFFER, SHAPE_VECTOR, SHAPE_MESSAGE, SHAPE_MESSAGES, SHAPE_FILE, SHAPE_SPLICE };

/* struct mmsghdr of user space: a message, of which only where its buffers are is read, and the bytes of it that moved. */
struct message {
	__u64 name, name_length, base, count, control, control_length, flags;
	__u32 moved, reserved;
};

/* x86-64 system call numbers, arch/x86/entry/syscalls/syscall_64.tbl. */
static __always_inline enum syscall_shape shape_of(long number, int *direction)
{
	*direction = SOCKET_RECEIVE;
	switch (number) {
	case 0: /* read */
	case 45: /* recvfrom */
		return SHAPE_BUFFER;
	case 19: /* readv */
	case 327: /* preadv2, which takes a socket where the offset is -1 */
		return SHAPE_VECTOR;
	case 47: /* recvmsg */
		return SHAPE_MESSAGE;
	case 299: /* recvmmsg */
		return SHAPE_MESSAGES;
	case 275: /* splice, of a socket or to one */
		return SHAPE_SPLICE;
	}
	*direction = SOCKET_SEND;
	switch (number) {
	case 1: /* write */
	case 44: /* sendto */
		return SHAPE_BUFFER;
	case 20: /* writev */
	case 328: /* pwritev2 */
		return SHAPE_VECTOR;
	case 46: /* sendmsg */
		return SHAPE_MESSAGE;
	case 307: /* sendmmsg */
		return SHAPE_MESSAGES;
	case 40: /* sendfile */
		return SHAPE_FILE;
	}
	return SHAPE_NONE;
}

/* MSG_ flags of a call that has some, else 0. */
static __always_inline long flags_of_call(const struct pt_regs *regs)
{
	switch (regs->orig_ax) {
	case 44: /* sendto */
	case 45: /* recvfrom */
	case 299: /* recvmmsg */
	case 307: /* sendmmsg */
		return regs->r10;
	case 46: /* sendmsg */
	case 47: /* recvmsg */
		return regs->dx;
	}
	return 0;
}

/* The numbers of calls of 32 bits mean others, and their arguments stand elsewhere. */
static __always_inline bool is_compatible_call(void)
{
	return bpf_get_current_task_btf()->thread_info.status & TS_COMPAT;
}

/* message: its address. No copy of it: the programs have little stack. */
static __always_inline void payload_of_message(struct payload *p, __u64 message)
{
	p->vector.offset = 0;
	p->vector.in_kernel = p->vector.brief = false;
	p->kind = PAYLOAD_NONE;
	if (!bpf_probe_read_user(&p->vector.base, sizeof(p->vector.base), (void *)(message + offsetof(struct message, base))) &&
	    !bpf_probe_read_user(&p->vector.segments, sizeof(p->vector.segments), (void *)(message + offsetof(struct message, count))))
		p->kind = PAYLOAD_VECTOR;
}

/* The bytes that a call names, from its arguments: of several messages those of the first. */
static __always_inline void payload_of_call(struct payload *p, const struct pt_regs *regs, enum syscall_shape shape)
{
	if (shape == SHAPE_BUFFER) {
		p->kind = PAYLOAD_USER;
		p->base = regs->si;
	} else if (shape == SHAPE_VECTOR) {
		p->kind = PAYLOAD_VECTOR;
		p->vector.base = regs->si;
		p->vector.segments = regs->dx;
	} else if (shape == SHAPE_MESSAGE || shape == SHAPE_MESSAGES) {
		payload_of_message(p, regs->si);
	}
}

#endif
