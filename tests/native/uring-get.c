// uring-get PORT COUNT PATH: waits until its input ends, then COUNT HTTP requests over one connection, sent and received by io_uring alone, so
// that no socket system call carries a byte of them. Prints "answers COUNT".
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct io_uring ring;

static int complete(const char *what)
{
	struct io_uring_cqe *entry;
	int result = io_uring_submit_and_wait(&ring, 1);

	if (result < 0 || (result = io_uring_wait_cqe(&ring, &entry)) < 0 || (result = entry->res) < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(-result));
		exit(1);
	}
	io_uring_cqe_seen(&ring, entry);
	return result;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static char request[4096], answer[65536];
	int count, length, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 4)
		return 2;
	while (getchar() != EOF)
		;
	to.sin_port = htons(atoi(argv[1]));
	count = atoi(argv[2]);
	length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: uring\r\n\r\n", argv[3]);
	if (io_uring_queue_init(4, &ring, 0)) {
		fprintf(stderr, "io_uring is not available\n");
		return 77;
	}
	io_uring_prep_connect(io_uring_get_sqe(&ring), fd, (struct sockaddr *)&to, sizeof to);
	complete("connect");
	for (int i = 0; i < count; i++) {
		int used = 0;
		char *end = NULL, *field;

		struct io_uring_sqe *operation = io_uring_get_sqe(&ring);
		io_uring_prep_send(operation, fd, request, length, 0);
		operation->flags |= (i & 1) ? IOSQE_ASYNC : 0; // every second exchange by a worker thread of the ring instead of inline
		complete("send");
		do {
			operation = io_uring_get_sqe(&ring);
			io_uring_prep_recv(operation, fd, answer + used, sizeof answer - 1 - used, 0);
			operation->flags |= (i & 1) ? IOSQE_ASYNC : 0;
			int got = complete("receive");
			if (got == 0)
				return 1;
			used += got;
			answer[used] = 0;
			end = strstr(answer, "\r\n\r\n");
			field = strstr(answer, "Content-Length:");
		} while (!end || (field && used < end + 4 - answer + atoi(field + 15)));
	}
	printf("answers %d\n", count);
	return 0;
}
