/*
 * storm listen PORT COUNT: begins to listen on a port again and again.
 * storm exec COUNT: starts a program again and again, itself, and waits for the end of each.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_often(int port, int count)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)))
		return 1;
	while (count-- > 0)
		if (listen(listener, 1) || shutdown(listener, SHUT_RD))
			return 1;
	return 0;
}

static int exec_often(char *program, int count)
{
	char *const arguments[] = { program, "end", NULL };

	while (count-- > 0) {
		pid_t child = vfork();
		int status;

		if (child == 0) {
			execv(program, arguments);
			_exit(1);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			return 1;
	}
	return 0;
}

int main(int count, char **arguments)
{
	int status = 2;

	if (count == 2 && !strcmp(arguments[1], "end"))
		return 0;
	if (count == 4 && !strcmp(arguments[1], "listen"))
		status = listen_often(atoi(arguments[2]), atoi(arguments[3]));
	else if (count == 3 && !strcmp(arguments[1], "exec"))
		status = exec_often(arguments[0], atoi(arguments[2]));
	if (status)
		perror("storm");
	return status;
}
