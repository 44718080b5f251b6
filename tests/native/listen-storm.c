// One process that makes itself expensive to look at, and asks to be looked at again and again:
//
//   listen-storm PORT MAPPINGS COUNT    maps so many single pages, listens, prints "serving", waits until its input ends, then stops listening and
//                                       listens again COUNT times, prints "over", and waits to be ended
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), i, mappings, count;
	char buffer[256];

	if (argc != 4) {
		fprintf(stderr, "usage: listen-storm PORT MAPPINGS COUNT\n");
		return 2;
	}
	address.sin_port = htons(atoi(argv[1]));
	mappings = atoi(argv[2]);
	count = atoi(argv[3]);
	// Neighbours of one kind would become one mapping.
	for (i = 0; i < mappings; i++)
		if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			die("mmap");
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 8))
		die("listen");
	printf("serving\n");
	fflush(stdout);
	while (read(0, buffer, sizeof buffer) > 0)
		;
	for (i = 0; i < count; i++)
		if (shutdown(fd, SHUT_RD) || listen(fd, 8))
			die("listen again");
	printf("over\n");
	fflush(stdout);
	for (;;)
		pause();
}
