// A small HTTP/1.1 server and client whose system calls are chosen by the caller: traffic of exactly known number and shape.
//
//   traffic serve PORT CALLS              one thread, keep-alive; prints "serving PORT"; ends on SIGTERM
//   traffic get PORT CALLS COUNT PATH     COUNT requests over one connection; prints "answers COUNT"
//   traffic each PORT CALLS COUNT PATH    the same with a connection for each request
//
// CALLS is read (read, write), recv (recv, send), msg (recvmsg, sendmsg with two parts), vec (readv, writev with two parts).
// Paths: /status/N answers with that status, /sleep/MS after so many milliseconds, /file by sendfile, all else with 200.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CONNECTIONS = 256, HEAD = 4096, FILE_LENGTH = 100000 };

struct connection {
	char head[HEAD];
	size_t used;
};

static struct connection connections[CONNECTIONS];
static struct pollfd polls[CONNECTIONS];
static char calls;
static int file;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static ssize_t receive(int fd, char *to, size_t room)
{
	// Two parts, the first of them small, so that a head that arrives at once lies in both.
	struct iovec parts[2] = { { to, room < 7 ? room : 7 }, { to + 7, room < 7 ? 0 : room - 7 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	switch (calls) {
	case 'r': return read(fd, to, room);
	case 'c': return recv(fd, to, room, 0);
	case 'm': return recvmsg(fd, &message, 0);
	default: return readv(fd, parts, 2);
	}
}

static void transmit(int fd, const char *head, size_t head_length, const char *body, size_t body_length)
{
	char whole[2 * HEAD];
	struct iovec parts[2] = { { (void *)head, head_length }, { (void *)body, body_length } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	memcpy(whole, head, head_length);
	memcpy(whole + head_length, body, body_length);
	switch (calls) {
	case 'r': sent = write(fd, whole, head_length + body_length); break;
	case 'c': sent = send(fd, whole, head_length + body_length, MSG_NOSIGNAL); break;
	case 'm': sent = sendmsg(fd, &message, MSG_NOSIGNAL); break;
	default: sent = writev(fd, parts, 2); break;
	}
	if (sent != (ssize_t)(head_length + body_length))
		die("send");
}

static void answer_file(int fd)
{
	char head[128];
	off_t offset = 0;
	int length = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", FILE_LENGTH);

	transmit(fd, head, length, "", 0);
	while (offset < FILE_LENGTH)
		if (sendfile(fd, file, &offset, FILE_LENGTH - offset) <= 0)
			die("sendfile");
}

static void answer(int fd, const char *request)
{
	char head[128], path[HEAD] = "";
	const char *body = "hello\n";
	int status = 200, milliseconds = 0;

	sscanf(request, "%*s %4000s", path);
	if (!strcmp(path, "/file")) {
		answer_file(fd);
		return;
	}
	sscanf(path, "/status/%d", &status);
	if (sscanf(path, "/sleep/%d", &milliseconds) == 1)
		usleep(1000 * milliseconds);
	transmit(fd, head, snprintf(head, sizeof head, "HTTP/1.1 %d Answer\r\nContent-Length: %zu\r\n\r\n", status, strlen(body)),
		 body, strlen(body));
}

/* Answers each complete request in the buffer; returns 0 when the connection is over. */
static int serve_connection(int fd, struct connection *c)
{
	ssize_t got = receive(fd, c->head + c->used, HEAD - 1 - c->used);
	char *end;

	if (got <= 0)
		return 0;
	c->used += got;
	c->head[c->used] = 0;
	while ((end = strstr(c->head, "\r\n\r\n"))) {
		answer(fd, c->head);
		end += 4;
		c->used -= end - c->head;
		memmove(c->head, end, c->used + 1);
	}
	return c->used < HEAD - 1;
}

static void serve(int port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) }; /* IPv4 too, as mapped addresses */
	int yes = 1, count = 1, listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0) { /* a guest without IPv6 */
		struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
		listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		if (bind(listener, (struct sockaddr *)&v4, sizeof v4))
			die("bind");
	} else {
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		if (bind(listener, (struct sockaddr *)&address, sizeof address))
			die("bind");
	}
	file = memfd_create("file", MFD_CLOEXEC);
	if (listen(listener, 128) || file < 0 || ftruncate(file, FILE_LENGTH))
		die("listen");
	printf("serving %d\n", port);
	fflush(stdout);
	polls[0] = (struct pollfd){ listener, POLLIN, 0 };
	for (;;) {
		if (poll(polls, count, -1) < 0)
			die("poll");
		for (int i = count - 1; i > 0; i--)
			if (polls[i].revents && !serve_connection(polls[i].fd, &connections[i])) {
				close(polls[i].fd);
				polls[i] = polls[--count];
				connections[i] = connections[count];
			}
		if (polls[0].revents && count < CONNECTIONS) {
			int fd = accept(listener, NULL, NULL);
			if (fd < 0)
				die("accept");
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
			connections[count].used = 0;
			polls[count++] = (struct pollfd){ fd, POLLIN, 0 };
		}
	}
}

static int dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
		die("connect");
	return fd;
}

static void get(int port, int count, const char *path, int each)
{
	char head[HEAD], *end, *length;
	size_t used = 0, body;
	int fd = each ? -1 : dial(port);

	for (int i = 0; i < count; i++) {
		if (each)
			fd = dial(port);
		transmit(fd, head, snprintf(head, sizeof head, "GET %s HTTP/1.1\r\n", path), "Host: guest\r\n\r\n", 15);
		for (used = 0, end = NULL; !end; end = strstr(head, "\r\n\r\n")) {
			ssize_t got = receive(fd, head + used, HEAD - 1 - used);
			if (got <= 0)
				die("receive");
			used += got;
			head[used] = 0;
		}
		length = strcasestr(head, "content-length:");
		body = length ? strtoul(length + 15, NULL, 10) : 0;
		for (used -= end + 4 - head; used < body;) {
			ssize_t got = receive(fd, head, HEAD - 1);
			if (got <= 0)
				die("receive");
			used += got;
		}
		if (each)
			close(fd);
	}
	printf("answers %d\n", count);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	calls = argv[3][0] == 'r' && argv[3][2] == 'c' ? 'c' : argv[3][0];
	if (!strcmp(argv[1], "serve"))
		serve(atoi(argv[2]));
	else if (argc == 6)
		get(atoi(argv[2]), atoi(argv[4]), argv[5], !strcmp(argv[1], "each"));
	else
		return 2;
	return 0;
}
