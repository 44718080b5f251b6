// A server that says what its sockets took of its answers and when, and clients that make it hard.
//
//   sending serve PORT            one answer per connection, one line of truth for each:
//                                 PATH BODY READ BEFORE AFTER: body bytes that the socket took, CLOCK_MONOTONIC in nanoseconds after the request was
//                                 read, before and after the call that took the last bytes
//     GET /blocking/SIZE          one send of everything, again until all is taken
//     GET /polling/SIZE           the same on a socket that does not wait, with poll
//     GET /lowat/SIZE             polling with TCP_NOTSENT_LOWAT
//     GET /narrow/SIZE            polling with a small SO_SNDBUF
//     GET /zerocopy/SIZE          blocking with MSG_ZEROCOPY
//     GET /file/SIZE              sendfile, polling
//     GET /pieces/COUNT/SIZE      chunks, three buffers each, in one sendmsg and what it takes more, polling
//     POST /duplex/COUNT          a chunk of the answer for each chunk of the request, while neither has ended
//   sending get PORT PATH         reads a quarter, then the rest; says when it began and when it had the quarter:  got BYTES BEGUN QUARTER
//   sending leave PORT PATH       reads a quarter and resets the connection
//   sending duplex PORT COUNT     POST /duplex/COUNT
//   sending fast PORT COUNT HOW   GET /fast/N, each on a connection of its own and in its SYN: HOW is sendto (MSG_FASTOPEN) or connect (TCP_FASTOPEN_CONNECT)
//   sending urgent PORT COUNT     GET /urgent/N with one byte of MSG_OOB inside the request line
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#define MAX_BUFFERS 1024 // UIO_MAXIOV

static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
static char buffer[1 << 16];

struct answer {
	int fd;
	long long sent, read, before, after;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof value))
		die("setsockopt");
}

// Counts what one call took; waits when there was no room. Returns 0 when the peer is gone.
static int took(struct answer *a, long long before, ssize_t result)
{
	struct pollfd p = { .fd = a->fd, .events = POLLOUT };

	if (result > 0) {
		a->sent += result;
		a->before = before;
		a->after = now();
		return 1;
	}
	return result < 0 && errno == EAGAIN && poll(&p, 1, -1) > 0;
}

static void send_all(struct answer *a, const char *data, long long size, int flags)
{
	long long start = a->sent, before;

	do
		before = now();
	while (a->sent - start < size && took(a, before, send(a->fd, data + (a->sent - start), size - (a->sent - start), flags | MSG_NOSIGNAL)));
}

static long long plain(struct answer *a, const char *mode, long long size)
{
	int length = sprintf(buffer, "HTTP/1.1 200 OK\r\nContent-Length: %lld\r\n\r\n", size);
	int waits = !strcmp(mode, "blocking") || !strcmp(mode, "zerocopy"), file;
	long long before;
	char *whole;

	if (!strcmp(mode, "zerocopy"))
		set(a->fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	if (!strcmp(mode, "lowat"))
		set(a->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384);
	if (!strcmp(mode, "narrow"))
		set(a->fd, SOL_SOCKET, SO_SNDBUF, 65536);
	if (!waits)
		fcntl(a->fd, F_SETFL, O_NONBLOCK);
	if (!strcmp(mode, "file")) {
		file = memfd_create("body", 0);
		if (file < 0 || ftruncate(file, size))
			die("memfd");
		send_all(a, buffer, length, MSG_MORE);
		do
			before = now();
		while (a->sent - length < size && took(a, before, sendfile(a->fd, file, NULL, size)));
		close(file);
	} else {
		whole = mmap(NULL, length + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (whole == MAP_FAILED)
			die("mmap");
		memset(whole, 'x', length + size);
		memcpy(whole, buffer, length);
		send_all(a, whole, length + size, strcmp(mode, "zerocopy") ? 0 : MSG_ZEROCOPY);
		munmap(whole, length + size);
	}
	return a->sent - length;
}

static long long pieces(struct answer *a, int count, int size)
{
	static struct iovec v[MAX_BUFFERS];
	struct msghdr message = { .msg_iov = v };
	char line[16], *data = malloc(size);
	long long before;
	ssize_t taken;

	fcntl(a->fd, F_SETFL, O_NONBLOCK);
	sprintf(line, "%x\r\n", size);
	memset(data, 'a', size);
	v[0] = (struct iovec){ (void *)chunked, sizeof chunked - 1 };
	for (int i = 0; i < count; i++) {
		v[3 * i + 1] = (struct iovec){ line, strlen(line) };
		v[3 * i + 2] = (struct iovec){ data, size };
		v[3 * i + 3] = (struct iovec){ "\r\n", 2 };
	}
	v[3 * count + 1] = (struct iovec){ "0\r\n\r\n", 5 };
	message.msg_iovlen = 3 * count + 2;
	do {
		before = now();
		taken = sendmsg(a->fd, &message, MSG_NOSIGNAL);
		if (!took(a, before, taken))
			break;
		for (; taken > 0 && message.msg_iovlen; ) {
			size_t n = message.msg_iov->iov_len < (size_t)taken ? message.msg_iov->iov_len : (size_t)taken;

			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + n;
			taken -= n;
			if ((message.msg_iov->iov_len -= n) == 0) {
				message.msg_iov++;
				message.msg_iovlen--;
			}
		}
	} while (message.msg_iovlen);
	free(data);
	return (long long)count * size;
}

// Reads until what was read ends like this.
static int read_until(int fd, const char *end, int filled)
{
	int length = strlen(end);

	while (filled < length || memcmp(buffer + filled - length, end, length)) {
		ssize_t got = recv(fd, buffer + filled, sizeof buffer - 1 - filled, 0);

		if (got <= 0)
			return 0;
		filled += got;
	}
	buffer[filled] = 0;
	return filled;
}

static long long duplex(struct answer *a, int count)
{
	send_all(a, chunked, sizeof chunked - 1, 0);
	for (int i = 0; i < count; i++) {
		read_until(a->fd, "\r\nabcd\r\n", 0);
		send_all(a, "4\r\nabcd\r\n", 9, 0);
	}
	read_until(a->fd, "0\r\n\r\n", 0);
	send_all(a, "0\r\n\r\n", 5, 0);
	return 4LL * count;
}

static void serve(int fd)
{
	struct answer a = { .fd = fd };
	char path[256], mode[32];
	long long body, size;
	int count = 0;

	if (!read_until(fd, "\r\n\r\n", 0) || sscanf(buffer, "%*s %255s", path) != 1 || sscanf(path, "/%31[^/]/%lld/%d", mode, &size, &count) < 2)
		return;
	a.read = a.before = a.after = now();
	if (!strcmp(mode, "pieces"))
		body = pieces(&a, size, count);
	else if (!strcmp(mode, "duplex"))
		body = duplex(&a, size);
	else
		body = plain(&a, mode, !strcmp(mode, "fast") || !strcmp(mode, "urgent") ? 0 : size);
	printf("%s %lld %lld %lld %lld\n", path, body, a.read, a.before, a.after);
	fflush(stdout);
}

static int listen_at(const struct sockaddr_in *address)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	set(listener, SOL_SOCKET, SO_REUSEADDR, 1);
	set(listener, IPPROTO_TCP, TCP_FASTOPEN, 64);
	if (bind(listener, (const struct sockaddr *)address, sizeof *address) || listen(listener, 64))
		die("listen");
	printf("serving\n");
	fflush(stdout);
	return listener;
}

static int ask(const struct sockaddr_in *to, const char *method, const char *path, const char *field)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), length;

	// A buffer that stays as it is: of a client that gets little processor time the kernel makes it as large as the whole answer (tcp_rmem).
	set(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20);
	length = snprintf(buffer, sizeof buffer, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, path, field);
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) || send(fd, buffer, length, 0) != length)
		die(path);
	return fd;
}

static void read_slowly(const struct sockaddr_in *to, const char *path, int leaves)
{
	const struct linger reset = { .l_onoff = 1 };
	long long size, quarter, got = 0, when = 0, begun = now();
	int fd = ask(to, "GET", path, "");
	ssize_t n;

	if (sscanf(strchr(path + 1, '/'), "/%lld", &size) != 1)
		die(path);
	quarter = size / 4;
	while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) {
		got += n;
		if (when || got < quarter)
			continue;
		usleep(100000); // the server's socket is full
		when = now();
		if (leaves) {
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
			break;
		}
	}
	close(fd);
	printf("got %lld %lld %lld\n", got, begun, when);
}

static void ask_both_ways(const struct sockaddr_in *to, const char *count)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/duplex/%s", count);
	fd = ask(to, "POST", path, "Transfer-Encoding: chunked\r\n");
	read_until(fd, "\r\n\r\n", 0);
	for (int i = atoi(count); i > 0; i--)
		if (send(fd, "4\r\nabcd\r\n", 9, 0) != 9 || !read_until(fd, "\r\nabcd\r\n", 0))
			die("duplex");
	if (send(fd, "0\r\n\r\n", 5, 0) != 5 || !read_until(fd, "0\r\n\r\n", 0))
		die("duplex");
	close(fd);
	printf("answers 1\n");
}

static void ask_fast(const struct sockaddr_in *to, int count, int by_connect)
{
	int answers = 0;

	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), length = sprintf(buffer, "GET /fast/%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
		ssize_t sent;

		if (by_connect) {
			set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
			if (connect(fd, (const struct sockaddr *)to, sizeof *to))
				die("connect");
			sent = send(fd, buffer, length, 0);
		} else {
			sent = sendto(fd, buffer, length, MSG_FASTOPEN, (const struct sockaddr *)to, sizeof *to);
		}
		if (sent != length)
			die("send");
		answers += read_until(fd, "\r\n\r\n", 0) > 0;
		close(fd);
	}
	printf("answers %d\n", answers);
}

static void ask_urgently(const struct sockaddr_in *to, int count)
{
	int answers = 0;

	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), length;

		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		if (connect(fd, (const struct sockaddr *)to, sizeof *to) || send(fd, "GET /urg", 8, 0) != 8)
			die("connect");
		usleep(20000); // read before the next
		length = sprintf(buffer, "ent/%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
		if (send(fd, "!", 1, MSG_OOB) != 1 || send(fd, buffer, length, 0) != length)
			die("send");
		answers += read_until(fd, "\r\n\r\n", 0) > 0;
		close(fd);
	}
	printf("answers %d\n", answers);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const char *what = argc > 1 ? argv[1] : "";

	if (argc < 3 || (argc < 4 && strcmp(what, "serve"))) {
		fprintf(stderr, "usage: sending serve|get|leave|duplex|fast|urgent PORT ...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	address.sin_port = htons(atoi(argv[2]));
	if (!strcmp(what, "serve")) {
		for (int listener = listen_at(&address);;) {
			int fd = accept(listener, NULL, NULL);

			if (fd < 0)
				die("accept");
			serve(fd);
			close(fd);
		}
	}
	// A client is let go when its input ends, so that it can be selected before.
	while (read(0, buffer, sizeof buffer) > 0)
		;
	if (!strcmp(what, "get") || !strcmp(what, "leave"))
		read_slowly(&address, argv[3], *what == 'l');
	else if (!strcmp(what, "duplex"))
		ask_both_ways(&address, argv[3]);
	else if (!strcmp(what, "fast") && argc == 5)
		ask_fast(&address, atoi(argv[3]), !strcmp(argv[4], "connect"));
	else if (!strcmp(what, "urgent"))
		ask_urgently(&address, atoi(argv[3]));
	return 0;
}
