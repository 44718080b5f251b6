// Connections that are over before their last bytes are read, each seen from both ends by one process:
//
//   late PORT COUNT     listens, prints "serving PORT", waits until its input ends, then COUNT times
//                       GET /gone/N: the client resets the connection before the server accepts it, and nobody gets the answer
//                       GET /half/N: the client sends its FIN with the request, and reads answer and FIN when both sides are closed
//                       and prints "answers COUNT"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int request(const struct sockaddr_in *to, const char *path, int number)
{
	char head[128];
	int length = snprintf(head, sizeof head, "GET /%s/%d HTTP/1.0\r\nHost: late\r\n\r\n", path, number);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) || write(fd, head, length) != length)
		die("request");
	return fd;
}

// Reads the request and answers it, once the client is gone where it does not wait for the answer: what it sends takes a while to arrive on a
// busy machine. Returns whether the answer could be sent.
static int serve(int listener, int is_gone)
{
	struct pollfd end = { .events = 0 };
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\nuntil the end\n";
	char head[4096];
	int fd = accept(listener, NULL, NULL), sent;

	if (fd < 0)
		die("accept");
	if (read(fd, head, sizeof head) <= 0)
		die("read the request");
	end.fd = fd;
	if (is_gone && poll(&end, 1, 60000) != 1) // errors and the end are told without being asked for
		die("wait for the reset");
	sent = send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) == sizeof answer - 1;
	close(fd);
	return sent;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct linger reset = { .l_onoff = 1 };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, count, i;
	char buffer[256];

	if (argc != 3) {
		fprintf(stderr, "usage: late PORT COUNT\n");
		return 2;
	}
	address.sin_port = htons(atoi(argv[1]));
	count = atoi(argv[2]);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16))
		die("listen");
	printf("serving %s\n", argv[1]);
	fflush(stdout);
	while (read(0, buffer, sizeof buffer) > 0)
		;

	for (i = 0; i < count; i++) {
		int client = request(&address, "gone", i);
		ssize_t got, all = 0;

		setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(client);
		if (serve(listener, 1))
			die("the answer found somebody");

		client = request(&address, "half", i);
		shutdown(client, SHUT_WR);
		if (!serve(listener, 0))
			die("answer");
		usleep(2000); // the FIN is there and the socket closed when the answer is read
		while ((got = read(client, buffer, sizeof buffer)) > 0)
			all += got;
		if (got < 0 || all != 33)
			die("read the answer");
		close(client);
	}
	printf("answers %d\n", count);
	return 0;
}
