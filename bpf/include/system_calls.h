/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which system calls move bytes of a socket. */
#ifndef BEYLA_SYSTEM_CALLS_H
#define BEYLA_SYSTEM_CALLS_H

#include "kernel.h"
#include "descriptors.h"
#include "payload.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum syscall_shape { SHAPE_NONE, SHAPE_BUFFER, SHAPE_VECTOR, SHAPE_MESSAGE, SHAPE_FILE };

/* x86-64 system call numbers, arch/x86/entry/syscalls/syscall_64.tbl. */
static __always_inline enum syscall_shape shape_of(long number, int *direction)
{
	*direction = SOCKET_RECEIVE;
	switch (number) {
	case 0: /* read */
	case 45: /* recvfrom */
		return SHAPE_BUFFER;
	case 19: /* readv */
		return SHAPE_VECTOR;
	case 47: /* recvmsg */
		return SHAPE_MESSAGE;
	}
	*direction = SOCKET_SEND;
	switch (number) {
	case 1: /* write */
	case 44: /* sendto */
		return SHAPE_BUFFER;
	case 20: /* writev */
		return SHAPE_VECTOR;
	case 46: /* sendmsg */
		return SHAPE_MESSAGE;
	case 40: /* sendfile */
		return SHAPE_FILE;
	}
	return SHAPE_NONE;
}

/* The bytes that a call names, from its arguments. */
static __always_inline void payload_of_call(struct payload *p, const struct pt_regs *regs, enum syscall_shape shape)
{
	struct {
		__u64 name, name_length, base, count;
	} message = {}; /* struct user_msghdr */

	if (shape == SHAPE_BUFFER) {
		p->kind = PAYLOAD_USER;
		p->base = regs->si;
	} else if (shape == SHAPE_VECTOR) {
		p->kind = PAYLOAD_VECTOR;
		p->vector.base = regs->si;
		p->vector.segments = regs->dx;
	} else if (shape == SHAPE_MESSAGE) {
		bpf_probe_read_user(&message, sizeof(message), (void *)regs->si);
		p->kind = PAYLOAD_VECTOR;
		p->vector.base = message.base;
		p->vector.segments = message.count;
	}
}

#endif
