// HTTP on a keep-alive connection by every way that Linux has to move the bytes of a socket.
//
//   ways serve PORT IN OUT          answers each request; one line for each connection when it ends: "served N"
//   ways ask PORT COUNT PATH IN OUT waits until its input ends, then COUNT requests over one connection: "answers N"
//   ways try IN OUT                 ends with 77 where the kernel has not one of these ways
//
// IN    read recv waitall readv preadv2 recvmsg recvmmsg peek peek-trunc splice tee
// OUT   write send writev pwritev2 sendmsg sendmmsg zerocopy stamped sendfile splice vmsplice tee
//       stamped: send, and its copy that comes back with the time of its acknowledgement (SO_TIMESTAMPING) is read from the error queue
// and by io_uring, where "sq-" in front has a thread of the kernel call (IORING_SETUP_SQPOLL), and "wq-" a worker of the ring (IOSQE_ASYNC):
// IN    u-recv u-read u-readv u-recvmsg u-fixed u-multishot u-splice
// OUT   u-send u-write u-writev u-sendmsg u-fixed u-zc u-zc-fixed u-sendmsg-zc u-splice
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SIZE 4096
#define BUFFERS 8
#define GROUP 1

static struct io_uring ring;
static struct io_uring_buf_ring *provided;
static char *in_place, *out_place; // registered buffers 0 and 1
static char many[BUFFERS * SIZE];
static int has_ring, has_provided, multishot_on = -1, first_pipe[2], second_pipe[2];

static int failed(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM ? 77 : 1;
}

static void die(const char *what)
{
	exit(failed(what, errno));
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof value))
		die("setsockopt");
}

static int is(const char *way, const char *name)
{
	return !strcmp(way, name);
}

static int flags_of(const char **way)
{
	if (!strncmp(*way, "sq-", 3) || !strncmp(*way, "wq-", 3)) {
		int flags = **way == 'w' ? IOSQE_ASYNC : 0;

		*way += 3;
		return flags;
	}
	return 0;
}

static void open_ring(int polls)
{
	struct io_uring_params parameters = { .flags = polls ? IORING_SETUP_SQPOLL : 0, .sq_thread_idle = 100 };
	struct iovec places[2];
	int error;

	if (has_ring++)
		return;
	if ((error = io_uring_queue_init_params(16, &ring, &parameters)))
		exit(failed("io_uring_setup", -error));
	in_place = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	out_place = in_place + SIZE;
	places[0] = (struct iovec){ in_place, SIZE };
	places[1] = (struct iovec){ out_place, SIZE };
	if ((error = io_uring_register_buffers(&ring, places, 2)))
		exit(failed("registered buffers", -error));
}

static void provide(void)
{
	struct io_uring_buf_reg what = { .ring_entries = BUFFERS, .bgid = GROUP };

	provided = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	what.ring_addr = (unsigned long)provided;
	int error = io_uring_register_buf_ring(&ring, &what, 0);

	if (error)
		exit(failed("buffer ring", -error));
	io_uring_buf_ring_init(provided);
	for (int i = 0; i < BUFFERS; i++)
		io_uring_buf_ring_add(provided, many + i * SIZE, SIZE, i, io_uring_buf_ring_mask(BUFFERS), i);
	io_uring_buf_ring_advance(provided, BUFFERS);
	has_provided = 1;
}

struct entry {
	int res, flags;
};

static struct entry next_entry(void)
{
	struct io_uring_cqe *entry;
	struct entry copy;
	int error = io_uring_submit_and_wait(&ring, 1);

	if (error < 0 || (error = io_uring_wait_cqe(&ring, &entry)) < 0)
		exit(failed("io_uring_enter", -error));
	copy = (struct entry){ entry->res, entry->flags };
	io_uring_cqe_seen(&ring, entry);
	return copy;
}

// The result of the operation that was prepared, and for one without a copy also the word that its buffer is free.
static int complete(void)
{
	struct entry entry = next_entry();
	int result = entry.res;

	while (entry.flags & IORING_CQE_F_MORE)
		entry = next_entry();
	if (result < 0)
		exit(failed("io_uring", -result));
	return result;
}

static int ring_in(const char *way, int fd, char *to, int size, int flags)
{
	struct iovec v = { to, size };
	struct msghdr message = { .msg_iov = &v, .msg_iovlen = 1 };
	struct entry entry;
	struct io_uring_sqe *operation;
	int got, id;

	if (is(way, "u-multishot")) {
		if (!has_provided)
			provide();
		for (;;) {
			if (multishot_on != fd) {
				operation = io_uring_get_sqe(&ring);
				io_uring_prep_recv_multishot(operation, fd, NULL, 0, 0);
				operation->flags |= IOSQE_BUFFER_SELECT | flags;
				operation->buf_group = GROUP;
				multishot_on = fd;
			}
			entry = next_entry();
			if (!(entry.flags & IORING_CQE_F_MORE))
				multishot_on = -1;
			if (entry.res == -ENOBUFS)
				continue;
			if (entry.res < 0)
				exit(failed("multishot", -entry.res));
			if (!entry.res)
				return 0;
			id = entry.flags >> IORING_CQE_BUFFER_SHIFT;
			memcpy(to, many + id * SIZE, entry.res);
			io_uring_buf_ring_add(provided, many + id * SIZE, SIZE, id, io_uring_buf_ring_mask(BUFFERS), 0);
			io_uring_buf_ring_advance(provided, 1);
			return entry.res;
		}
	}
	operation = io_uring_get_sqe(&ring);
	if (is(way, "u-recv"))
		io_uring_prep_recv(operation, fd, to, size, 0);
	else if (is(way, "u-read"))
		io_uring_prep_read(operation, fd, to, size, 0);
	else if (is(way, "u-readv"))
		io_uring_prep_readv(operation, fd, &v, 1, 0);
	else if (is(way, "u-recvmsg"))
		io_uring_prep_recvmsg(operation, fd, &message, 0);
	else if (is(way, "u-fixed"))
		io_uring_prep_read_fixed(operation, fd, in_place, size, 0, 0);
	else if (is(way, "u-splice"))
		io_uring_prep_splice(operation, fd, -1, first_pipe[1], -1, size, 0);
	else
		exit(2);
	operation->flags |= flags;
	got = complete();
	if (got > 0 && is(way, "u-fixed"))
		memcpy(to, in_place, got);
	return got > 0 && is(way, "u-splice") ? read(first_pipe[0], to, got) : got;
}

static int ring_out(const char *way, int fd, const char *from, int size, int flags)
{
	struct iovec v = { (char *)from, size };
	struct msghdr message = { .msg_iov = &v, .msg_iovlen = 1 };
	struct io_uring_sqe *operation = io_uring_get_sqe(&ring);

	if (is(way, "u-fixed") || is(way, "u-zc-fixed"))
		memcpy(out_place, from, size);
	if (is(way, "u-splice") && write(first_pipe[1], from, size) != size)
		die("pipe");
	if (is(way, "u-send"))
		io_uring_prep_send(operation, fd, from, size, 0);
	else if (is(way, "u-write"))
		io_uring_prep_write(operation, fd, from, size, 0);
	else if (is(way, "u-writev"))
		io_uring_prep_writev(operation, fd, &v, 1, 0);
	else if (is(way, "u-sendmsg"))
		io_uring_prep_sendmsg(operation, fd, &message, 0);
	else if (is(way, "u-fixed"))
		io_uring_prep_write_fixed(operation, fd, out_place, size, 0, 1);
	else if (is(way, "u-zc"))
		io_uring_prep_send_zc(operation, fd, from, size, 0, 0);
	else if (is(way, "u-zc-fixed"))
		io_uring_prep_send_zc_fixed(operation, fd, out_place, size, 0, 0, 1);
	else if (is(way, "u-sendmsg-zc"))
		io_uring_prep_sendmsg_zc(operation, fd, &message, 0);
	else if (is(way, "u-splice"))
		io_uring_prep_splice(operation, first_pipe[0], -1, fd, -1, size, 0);
	else
		exit(2);
	operation->flags |= flags;
	return complete();
}

// Reads some bytes. 0 at the end.
static int in(const char *way, int fd, char *to, int size)
{
	struct iovec v[2] = { { to, 1 }, { to + 1, size - 1 } };
	struct msghdr message = { .msg_iov = v, .msg_iovlen = 2 };
	struct mmsghdr two[2] = { { .msg_hdr = { .msg_iov = v, .msg_iovlen = 1 } }, { .msg_hdr = { .msg_iov = v + 1, .msg_iovlen = 1 } } };
	int flags = flags_of(&way), got;

	if (!strncmp(way, "u-", 2))
		return ring_in(way, fd, to, size, flags);
	if (is(way, "read"))
		return read(fd, to, size);
	if (is(way, "recv"))
		return recv(fd, to, size, 0);
	if (is(way, "waitall")) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, -1) != 1 || ioctl(fd, FIONREAD, &got))
			die("poll");
		return recv(fd, to, got, MSG_WAITALL);
	}
	if (is(way, "readv"))
		return readv(fd, v, 2);
	if (is(way, "preadv2"))
		return preadv2(fd, v, 2, -1, 0);
	if (is(way, "recvmsg"))
		return recvmsg(fd, &message, 0);
	if (is(way, "recvmmsg")) {
		got = recvmmsg(fd, two, 2, MSG_WAITFORONE, NULL);
		return got > 0 ? (int)(two[0].msg_len + (got > 1 ? two[1].msg_len : 0)) : got;
	}
	if (is(way, "peek")) {
		got = recv(fd, to, size, MSG_PEEK);
		return got > 0 ? read(fd, to, got) : got;
	}
	if (is(way, "peek-trunc")) {
		got = recv(fd, to, size, MSG_PEEK);
		return got > 0 ? recv(fd, NULL, got, MSG_TRUNC) : got;
	}
	if (is(way, "splice") || is(way, "tee")) {
		got = splice(fd, NULL, first_pipe[1], NULL, size, 0);
		if (got > 0 && is(way, "tee")) {
			if (tee(first_pipe[0], second_pipe[1], got, 0) != got || read(second_pipe[0], to, got) != got)
				die("tee");
		}
		return got > 0 ? read(first_pipe[0], to, got) : got;
	}
	exit(2);
}

static void take_from_error_queue(int fd, int size)
{
	struct pollfd p = { .fd = fd };
	char data[SIZE], control[512];
	struct iovec v = { data, size };
	struct msghdr message = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };

	while (poll(&p, 1, 1000) == 1)
		if (recvmsg(fd, &message, MSG_ERRQUEUE) >= 0)
			return;
	die("error queue");
}

// Sends all bytes.
static int out(const char *way, int fd, const char *from, int size)
{
	struct iovec v[2] = { { (char *)from, 5 }, { (char *)from + 5, size - 5 } };
	struct msghdr message = { .msg_iov = v, .msg_iovlen = 2 };
	struct mmsghdr two[2] = { { .msg_hdr = { .msg_iov = v, .msg_iovlen = 1 } }, { .msg_hdr = { .msg_iov = v + 1, .msg_iovlen = 1 } } };
	int flags = flags_of(&way), sent, file;

	if (!strncmp(way, "u-", 2))
		return ring_out(way, fd, from, size, flags);
	if (is(way, "write"))
		return write(fd, from, size);
	if (is(way, "send"))
		return send(fd, from, size, 0);
	if (is(way, "writev"))
		return writev(fd, v, 2);
	if (is(way, "pwritev2"))
		return pwritev2(fd, v, 2, -1, 0);
	if (is(way, "sendmsg"))
		return sendmsg(fd, &message, 0);
	if (is(way, "sendmmsg"))
		return sendmmsg(fd, two, 2, 0) == 2 ? size : -1;
	if (is(way, "zerocopy") || is(way, "stamped")) {
		if (is(way, "zerocopy"))
			set(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
		else
			set(fd, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE);
		sent = send(fd, from, size, is(way, "zerocopy") ? MSG_ZEROCOPY : 0);
		take_from_error_queue(fd, size);
		return sent;
	}
	if (is(way, "sendfile")) {
		file = memfd_create("message", 0);
		if (file < 0 || write(file, from, size) != size || lseek(file, 0, SEEK_SET))
			die("memfd");
		sent = sendfile(fd, file, NULL, size);
		close(file);
		return sent;
	}
	if (is(way, "vmsplice")) {
		v[0].iov_len = size;
		return vmsplice(first_pipe[1], v, 1, 0) == size ? splice(first_pipe[0], NULL, fd, NULL, size, 0) : -1;
	}
	if (is(way, "splice"))
		return write(first_pipe[1], from, size) == size ? splice(first_pipe[0], NULL, fd, NULL, size, 0) : -1;
	if (is(way, "tee")) {
		char rest[SIZE];

		if (write(first_pipe[1], from, size) != size || tee(first_pipe[0], second_pipe[1], size, 0) != size ||
		    read(first_pipe[0], rest, size) != size)
			die("tee");
		return splice(second_pipe[0], NULL, fd, NULL, size, 0);
	}
	exit(2);
}

// Reads one message, whose body is as long as its head says. 0 at the end.
static int read_message(const char *way, int fd, char *message)
{
	int filled = 0;

	for (;;) {
		int got = in(way, fd, message + filled, SIZE - 1 - filled);
		char *end, *field;

		if (got < 0)
			die(way);
		if (!got)
			return 0;
		filled += got;
		message[filled] = 0;
		end = strstr(message, "\r\n\r\n");
		field = strstr(message, "Content-Length:");
		if (end && filled >= end + 4 - message + (field ? atoi(field + 15) : 0))
			return filled;
	}
}

static void send_message(const char *way, int fd, const char *message)
{
	if (out(way, fd, message, strlen(message)) != (int)strlen(message))
		die(way);
}

static int serve_one(const char *by_in, const char *by_out, int fd)
{
	char message[SIZE];
	int served = 0;

	while (read_message(by_in, fd, message)) {
		send_message(by_out, fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
		served++;
	}
	return served;
}

static void serve(struct sockaddr_in *address, const char *by_in, const char *by_out)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	set(listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(listener, (struct sockaddr *)address, sizeof *address) || listen(listener, 64))
		die("listen");
	printf("serving\n");
	for (;;) {
		int fd;

		fflush(stdout);
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		printf("served %d\n", serve_one(by_in, by_out, fd));
		close(fd);
	}
}

static int ask(struct sockaddr_in *address, int count, const char *path, const char *by_in, const char *by_out)
{
	char request[SIZE], message[SIZE];
	int answers = 0, fd = socket(AF_INET, SOCK_STREAM, 0);

	while (read(0, message, sizeof message) > 0)
		;
	if (connect(fd, (struct sockaddr *)address, sizeof *address))
		die("connect");
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: ways\r\n\r\n", path);
	for (int i = 0; i < count; i++) {
		send_message(by_out, fd, request);
		answers += read_message(by_in, fd, message) > 0;
	}
	printf("answers %d\n", answers);
	return 0;
}

// One exchange with itself.
static int try(const char *by_in, const char *by_out)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), accepted;
	socklen_t length = sizeof address;
	char message[SIZE];

	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &length) || connect(fd, (struct sockaddr *)&address, length) ||
	    (accepted = accept(listener, NULL, NULL)) < 0)
		die("connect");
	send_message(by_out, fd, "TRY\r\n\r\n");
	return read_message(by_in, accepted, message) == 7 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const char *what = argc > 1 ? argv[1] : "", *by_in, *by_out;

	if (argc < 4 || argc != (is(what, "serve") ? 5 : is(what, "ask") ? 7 : is(what, "try") ? 4 : 0))
		return 2;
	by_in = argv[argc - 2];
	by_out = argv[argc - 1];
	signal(SIGPIPE, SIG_IGN);
	if (pipe(first_pipe) || pipe(second_pipe))
		die("pipe");
	if (strstr(by_in, "u-") || strstr(by_out, "u-"))
		open_ring(!strncmp(by_in, "sq-", 3) || !strncmp(by_out, "sq-", 3));
	address.sin_port = htons(atoi(argv[2]));
	if (is(what, "serve"))
		serve(&address, by_in, by_out);
	return is(what, "ask") ? ask(&address, atoi(argv[3]), argv[4], by_in, by_out) : try(by_in, by_out);
}
