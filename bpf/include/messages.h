/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a system call has moved, of one message or of several (recvmmsg, sendmmsg). */
#ifndef BEYLA_MESSAGES_H
#define BEYLA_MESSAGES_H

#include "kernel.h"
#include "report.h"
#include "system_calls.h"
#include <stddef.h>
#include <bpf/bpf_helpers.h>

/* The operation that was begun. A function of its own: the verifier looks at it once for all that call it. */
__attribute__((noinline)) int report_begun(struct scratch *at, __u32 position, __u32 length, __u32 urgent)
{
	struct selection *s = the_selection();
	struct sock *sk;
	int direction;

	if (!at || !s)
		return 0;
	sk = (struct sock *)at->socket;
	direction = at->event.direction & 1;
	return report_urgent(s, at, sk, false, direction, position, length, position_of(sk, !direction), urgent);
}

#define MAX_MESSAGES 1024 /* of one call: UIO_MAXIOV */
#define SHOWN_MESSAGES 16 /* of which the bytes are shown; the rest counts as bytes that were not seen */

/* Bytes of message i of a call. */
static __always_inline __u32 bytes_of_message(__u64 messages, __u32 i)
{
	__u32 moved = 0;

	bpf_probe_read_user(&moved, sizeof(moved), (void *)(messages + i * sizeof(struct message) + offsetof(struct message, moved)));
	return moved;
}

/* The same of the first count. */
__attribute__((noinline)) int bytes_of_messages(__u64 messages, __u32 count)
{
	__u32 i, sum = 0;

	for (i = 0; i < MAX_MESSAGES && i < count; i++)
		sum += bytes_of_message(messages, i);
	return sum;
}

/* Reports the first of count messages, which end at a sequence number. Returns how many bytes of them are not told. */
__attribute__((noinline)) int report_messages(struct scratch *at, __u64 messages, __u32 count, __u32 end)
{
	__u32 left = bytes_of_messages(messages, count), moved, i;

	if (!at)
		return 0;
	for (i = 0; i < SHOWN_MESSAGES && i < count; i++) {
		moved = bytes_of_message(messages, i);
		payload_of_message(&at->payload, messages + i * sizeof(struct message));
		report_begun(at, end - left, moved, 0);
		left -= moved;
	}
	at->payload.kind = PAYLOAD_NONE;
	return left;
}

#endif
