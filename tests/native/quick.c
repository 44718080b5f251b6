// quick PORT PATH: one GET on a connection of its own, as soon as the program runs. Static: nothing is loaded before.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char text[512];
	int length, read_now, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 3)
		return 2;
	server.sin_port = htons((unsigned short)atoi(argv[1]));
	length = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: quick\r\nConnection: close\r\n\r\n", argv[2]);
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)) || write(fd, text, (size_t)length) != length)
		return 1;
	while ((read_now = (int)read(fd, text, sizeof(text))) > 0)
		;
	return read_now < 0;
}
