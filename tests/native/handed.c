// A connection that goes from hand to hand while requests come on it.
//
//   handed serve PORT         serves one connection after another, REQUESTS on each; says of each request "PATH PID", where PID read it:
//                             0 and 1 by itself; 2 and 3 by another process that it gave the socket to (SCM_RIGHTS), which gives it back; 4 by a child
//                             that has the socket from fork; 5 by itself on a duplicate whose original is closed. 6 waits unread while the connection
//                             is dumped, closed and made anew (TCP_REPAIR, as CRIU does; takes CAP_NET_ADMIN); 7 comes on the new socket
//   handed ask PORT           REQUESTS requests /handed/N on one connection, each after the answer to the one before: "answers N"
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUESTS 8
#define SIZE 4096

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof value))
		die("setsockopt");
}

static int read_head(int fd, char *head)
{
	int filled = 0, got;

	do {
		got = recv(fd, head + filled, SIZE - 1 - filled, 0);
		if (got <= 0)
			return 0;
		filled += got;
		head[filled] = 0;
	} while (!strstr(head, "\r\n\r\n"));
	return filled;
}

static void serve_one(int fd)
{
	static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
	char head[SIZE], path[64];

	if (!read_head(fd, head) || sscanf(head, "GET %63s", path) != 1 || send(fd, answer, sizeof answer - 1, 0) != sizeof answer - 1)
		die("serve");
	printf("%s %d\n", path, getpid());
	fflush(stdout);
}

static void give(int to, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr message = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(rights), &fd, sizeof fd);
	if (sendmsg(to, &message, 0) != 1)
		die("give");
	close(fd);
}

static int take(int from)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &byte, 1 };
	struct msghdr message = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	int fd;

	if (recvmsg(from, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

// Takes a socket, serves two requests on it, and gives it back, until there are no more.
static int start_other(void)
{
	int pair[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	if (fork())
		return pair[0];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((fd = take(pair[1])) >= 0) {
		serve_one(fd);
		serve_one(fd);
		give(pair[1], fd);
		if (write(pair[1], "", 1) != 1) // its own descriptor is closed
			die("write");
	}
	exit(0);
}

static unsigned number_of(int fd, int queue)
{
	unsigned number;
	socklen_t length = sizeof number;

	set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue);
	if (getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &number, &length))
		die("TCP_QUEUE_SEQ");
	return number;
}

// A new socket that goes on where this one stands, with what waits in it unread. The peer sees nothing of it.
static int make_anew(int fd)
{
	struct sockaddr_in local, remote;
	socklen_t length = sizeof local;
	unsigned received, sent;
	char waits[SIZE];
	int size;

	set(fd, IPPROTO_TCP, TCP_REPAIR, 1);
	sent = number_of(fd, TCP_SEND_QUEUE);
	received = number_of(fd, TCP_RECV_QUEUE);
	size = recv(fd, waits, sizeof waits, MSG_PEEK);
	if (size <= 0 || getsockname(fd, (struct sockaddr *)&local, &length) || getpeername(fd, (struct sockaddr *)&remote, &length))
		die("dump");
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set(fd, IPPROTO_TCP, TCP_REPAIR, 1);
	set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	set(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, sent);
	set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
	set(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, received - size);
	if (bind(fd, (struct sockaddr *)&local, length) || connect(fd, (struct sockaddr *)&remote, length))
		die("restore");
	set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
	if (send(fd, waits, size, 0) != size)
		die("receive queue");
	set(fd, IPPROTO_TCP, TCP_REPAIR, 0);
	return fd;
}

static void serve_connection(int fd, int other)
{
	struct pollfd p = { .events = POLLIN };
	char byte;
	int copy;

	serve_one(fd);
	serve_one(fd);
	give(other, fd);
	fd = take(other);
	if (read(other, &byte, 1) != 1)
		die("read");
	if (!fork()) {
		serve_one(fd);
		exit(0);
	}
	wait(NULL);
	copy = dup(fd);
	close(fd);
	serve_one(copy);
	p.fd = copy;
	if (poll(&p, 1, -1) != 1)
		die("poll");
	set(copy, IPPROTO_TCP, TCP_QUICKACK, 1); // or the peer sends once more while there is no socket
	fd = make_anew(copy);
	serve_one(fd);
	serve_one(fd);
	while (recv(fd, &byte, 1, 0) > 0)
		;
	close(fd);
}

static void ask(int fd)
{
	char text[SIZE];
	int answers = 0;

	for (int i = 0; i < REQUESTS; i++) {
		int length = sprintf(text, "GET /handed/%d HTTP/1.1\r\nHost: a\r\n\r\n", i);

		if (send(fd, text, length, 0) != length)
			die("send");
		answers += read_head(fd, text) > 0;
	}
	printf("answers %d\n", answers);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), other;

	if (argc != 3)
		return 2;
	address.sin_port = htons(atoi(argv[2]));
	if (!strcmp(argv[1], "ask")) {
		if (connect(fd, (struct sockaddr *)&address, sizeof address))
			die("connect");
		ask(fd);
		return 0;
	}
	other = start_other();
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64))
		die("listen");
	printf("serving\n");
	for (;;) {
		fflush(stdout);
		serve_connection(accept(fd, NULL, NULL), other);
	}
}
