/*
 * relay PORT NEXT: an HTTP server of one thread and one request a connection. It asks the server on port NEXT for the same path and hands on what
 * that says; with NEXT 0 it says which trace context the request had: the value of its header traceparent, or "none".
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in at(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

/* Reads up to the end of the head, or of the connection. */
static int take(int from, char *text, int room, int all)
{
	int length = 0, n;

	while (length < room - 1 && (n = read(from, text + length, room - 1 - length)) > 0) {
		length += n;
		text[length] = 0;
		if (!all && strstr(text, "\r\n\r\n"))
			break;
	}
	text[length] = 0;
	return length;
}

static void ask(int port, const char *path, char *body, int room)
{
	struct sockaddr_in address = at(port);
	int to = socket(AF_INET, SOCK_STREAM, 0), length;
	char text[16384], *begin;

	snprintf(body, room, "nobody");
	if (connect(to, (struct sockaddr *)&address, sizeof(address)) == 0) {
		length = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
		if (write(to, text, length) == length && take(to, text, sizeof(text), 1) && (begin = strstr(text, "\r\n\r\n")))
			snprintf(body, room, "%s", begin + 4);
	}
	close(to);
}

static void find(char *head, char *body, int room)
{
	char *line = strtok(head, "\r\n");

	snprintf(body, room, "none");
	for (; line; line = strtok(NULL, "\r\n"))
		if (!strncasecmp(line, "traceparent:", 12))
			snprintf(body, room, "%s", line + 12 + strspn(line + 12, " "));
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = at(argc > 1 ? atoi(argv[1]) : 0);
	int next = argc > 2 ? atoi(argv[2]) : 0, one = 1, length;
	int listener = socket(AF_INET, SOCK_STREAM, 0), connection;
	static char head[16384], path[1024], body[8192], text[16384];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 128)) {
		perror("relay");
		return 1;
	}
	while ((connection = accept(listener, NULL, NULL)) >= 0) {
		if (take(connection, head, sizeof(head), 0) && sscanf(head, "GET %1023s", path) == 1) {
			if (next)
				ask(next, path, body, sizeof(body));
			else
				find(head, body, sizeof(body));
			length = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
			if (write(connection, text, length) != length)
				perror("relay: write");
		}
		shutdown(connection, SHUT_WR);
		close(connection);
	}
	return 0;
}
