// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Trace context in the requests of Go programs that no control group's program can put it into: written into the buffer in which net/http has collected
 * the head, before anything of it is sent. The kernel takes it only from who has CAP_SYS_ADMIN, and not under lockdown. A file of its own, so that
 * nothing else asks for that.
 */
#include "include/kernel.h"
#include "include/go_connections.h"
#include "include/go_processes.h"
#include "include/header_line.h"
#include "include/selection.h"
#include "include/work.h"
#include <stddef.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define DIRECT 1 /* the connection itself, and none below it: what TLS is made of has no span here that a header could name */

#define HEAD_MAX 8192 /* bytes of a head that are looked at */
#define SCAN_STEP 64

/* The end of a bufio.Writer, by the order of its fields since Go 1.0: buf []byte, n int, wr io.Writer. */
struct go_writer {
	__u64 buffer; /* buf: address, length, capacity */
	__u64 size;
	__u64 capacity;
	__u64 used; /* n: bytes that wait in it */
	__u64 type; /* wr: its type, then its value. A net/http.persistConnWriter is the pointer to its persistConn. */
	__u64 connection;
};

/* A head that is looked through. */
struct scan {
	__u64 head; /* its address */
	__u32 place; /* the next byte */
	__u32 end; /* bytes there are */
	__u32 line; /* bytes of the line until now */
	__u32 matched; /* of them, bytes of the header's name; more: it is another one */
	__u32 closed; /* to be left alone: it names a trace, or ends before its last bytes */
	__u32 whole; /* it ends with its last bytes */
	__u8 bytes[SCAN_STEP];
};

static const __u8 traceparent_name[20] = "traceparent:";

#define NAME_LENGTH 12

/* The next bytes. In memory, so that the verifier looks at one step. Returns whether there may be more. */
__attribute__((noinline)) int scan_few(struct scan *s)
{
	__u32 want, i;

	if (!s || s->place >= s->end)
		return 0;
	want = s->end - s->place;
	if (want > SCAN_STEP)
		want = SCAN_STEP;
	if (bpf_probe_read_user(s->bytes, want, (void *)(s->head + s->place))) {
		s->closed = 1;
		return 0;
	}
#pragma clang loop unroll(disable)
	for (i = 0; i < SCAN_STEP; i++) {
		__u8 c;

		if (i >= want)
			break;
		c = s->bytes[i];
		if (c == '\n') {
			if (!s->line) {
				s->whole = s->place + i + 1 == s->end;
				s->closed = !s->whole;
				return 0;
			}
			s->line = s->matched = 0;
			continue;
		}
		if (c == '\r')
			continue;
		s->line++;
		if (s->matched >= NAME_LENGTH)
			continue;
		/* Upper case is as good as lower case, and a colon has that bit anyway. */
		if ((c | 32) != traceparent_name[s->matched & 15]) {
			s->matched = NAME_LENGTH;
		} else if (++s->matched == NAME_LENGTH) {
			s->closed = 1;
			return 0;
		}
	}
	s->place += SCAN_STEP;
	return 1;
}

/* Whether the bytes are a head, the whole of it and nothing else, that names no trace. What CONNECT asks for is a tunnel. */
static __always_inline bool is_open(struct scan *s)
{
	__u8 begin[4] = {}, end[4] = {};
	int i;

	if (bpf_probe_read_user(begin, sizeof(begin), (void *)s->head) ||
	    (begin[0] == 'C' && begin[1] == 'O' && begin[2] == 'N' && begin[3] == 'N'))
		return false;
	for (i = 0; i < HEAD_MAX / SCAN_STEP; i++)
		if (!scan_few(s))
			break;
	if (s->closed || !s->whole || bpf_probe_read_user(end, sizeof(end), (void *)(s->head + s->end - sizeof(end))))
		return false;
	return end[0] == '\r' && end[1] == '\n' && end[2] == '\r' && end[3] == '\n';
}

/*
 * The header takes the place of the last, empty line, which goes behind it. What is written first lies beyond the end and counts for nothing; should one of
 * the two writes that count be refused, the other one is taken back.
 */
static __always_inline bool insert(__u64 writer, const struct go_writer *w, const struct header_line *line)
{
	__u64 *used = (__u64 *)(writer + offsetof(struct go_writer, used));
	__u8 *last = (__u8 *)(w->buffer + w->used - 2);
	__u64 after = w->used + HEADER_LENGTH;

	if (bpf_probe_write_user(last + 2, line->text + 2, HEADER_LENGTH) || bpf_probe_write_user(used, &after, sizeof(after)))
		return false;
	if (!bpf_probe_write_user(last, line->text, 2))
		return true;
	bpf_probe_write_user(used, &w->used, sizeof(w->used));
	return false;
}

/*
 * func (t *transferWriter) writeBody(w io.Writer), before its first instruction that changes a register: Request.write calls it when the head is in the
 * buffer, also where there is no body. By Go's internal calling convention RCX is the value of w. The check of the stack may run twice: the second time
 * the head names a trace.
 */
SEC("uprobe")
int on_write_body(struct pt_regs *regs)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct go_offsets *offsets;
	struct header_line line = {};
	struct worker worker = {};
	struct scan scan = {};
	struct go_writer w;
	struct go_call *call;
	__u64 connection, key, writer;
	struct wire *wire;
	struct sock *sk;

	if (!is_go(the_selection(), pid))
		return 0;
	offsets = bpf_map_lookup_elem(&go_processes, &pid);
	if (!offsets || !offsets->buffer || !offsets->connection)
		return 0;
	writer = regs->cx + offsets->buffer;
	if (bpf_probe_read_user(&w, sizeof(w), (void *)writer) || w.used < 16 || w.used > HEAD_MAX || w.size > w.capacity ||
	    w.used + HEADER_LENGTH > w.size)
		return 0;
	if (bpf_probe_read_user(&connection, sizeof(connection), (void *)(w.connection + offsets->connection + 8)))
		return 0;
	sk = sock_of_connection(connection, DIRECT);
	if (!sk)
		return 0;
	/* The request that was handed to this connection, of which nothing was sent: so it is what the buffer begins with. */
	key = (__u64)sk;
	call = bpf_map_lookup_elem(&go_calls, &key);
	if (!call || call->pid != pid || call->connection != w.connection || call->ports != ports_of(sk) ||
	    call->position != BPF_CORE_READ((struct tcp_sock *)sk, write_seq))
		return 0;
	/* on_message of propagation.bpf.c does it. */
	wire = bpf_map_lookup_elem(&wires, &key);
	if (wire && wire->joined && !wire->looked)
		return 0;
	scan.head = w.buffer;
	scan.end = w.used;
	if (!is_open(&scan))
		return 0;
	worker.id = call->goroutine;
	worker.pid = pid;
	worker.is_goroutine = 1;
	make_call(&call->context, &worker, call->parent);
	write_line(&line, &call->context);
	call->written = insert(writer, &w, &line);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
