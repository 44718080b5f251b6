/*
 * titled PORT: a server that does to its environment what nginx, PostgreSQL and setproctitle do: it writes a title over its arguments and all that lies
 * behind them, so /proc/PID/environ shows no variable any more. Then it forks, as a daemon does, and the child listens and answers each connection once.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

extern char **environ;

static void write_title(char **arguments)
{
	char *end = arguments[0] + strlen(arguments[0]) + 1;
	char **text;

	for (text = arguments; *text; text++)
		if (*text == end || text == arguments)
			end = *text + strlen(*text) + 1;
	for (text = environ; *text; text++)
		if (*text == end)
			end = *text + strlen(*text) + 1;
	memset(arguments[0], 'x', end - arguments[0] - 1);
	environ = NULL;
}

static void serve(int port)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nhi\n";
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	char request[4096];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 64)) {
		perror("titled: listen");
		exit(1);
	}
	for (;;) {
		int connection = accept(listener, NULL, NULL);

		if (connection < 0)
			continue;
		if (recv(connection, request, sizeof(request), 0) > 0)
			send(connection, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
		close(connection);
	}
}

int main(int count, char **arguments)
{
	int port = count > 1 ? atoi(arguments[1]) : 0;
	pid_t child;

	if (!port)
		return 2;
	write_title(arguments);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(port);
	}
	return child > 0 && waitpid(child, NULL, 0) == child ? 0 : 1;
}
