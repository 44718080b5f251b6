/*
 * HTTP servers of many threads.
 *
 *   threads pool PORT COUNT [CALLS]   COUNT threads, which get the connections in turn. Each reads one request, answers it and closes. A
 *                                     request for /call makes the thread ask CALLS, a port, for /leaf first.
 *   threads each PORT                 a new thread for each connection, which ends with it
 *   threads exec PORT PROGRAM         a new process for each connection, which runs this program again: "threads one", and then PROGRAM
 *   threads one                       serves standard input and ends
 *   threads ask PORT COUNT PATH AT    COUNT requests, a connection each, AT at a time; prints "answers COUNT"
 *
 * Servers print "serving PORT" when all threads are there. Threads have stacks of 16 KiB next to each other: one mapping for all.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK = 32768 };

static int listener, target;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
		die("connect");
	return fd;
}

/* Reads a head, and what arrives with it. */
static void read_head(int fd, char *head, size_t room)
{
	size_t used = 0;

	do {
		ssize_t got = recv(fd, head + used, room - 1 - used, 0);

		if (got <= 0)
			die("receive");
		used += got;
		head[used] = 0;
	} while (!strstr(head, "\r\n\r\n"));
}

static void ask(int port, const char *path)
{
	char head[1024];
	int fd = dial(port), length = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);

	if (send(fd, head, length, MSG_NOSIGNAL) != length)
		die("send");
	read_head(fd, head, sizeof head);
	while (recv(fd, head, sizeof head, 0) > 0)
		;
	close(fd);
}

static void answer(int fd)
{
	static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
	char head[1024];

	read_head(fd, head, sizeof head);
	if (target && !strncmp(head, "GET /call", 9))
		ask(target, "/leaf");
	if (send(fd, response, sizeof response - 1, MSG_NOSIGNAL) != sizeof response - 1)
		die("send");
	close(fd);
}

/* A thread of the pool waits here for its next connection: no descriptor is reserved for it, as accept(2) does. */
static void *work(void *argument)
{
	int *slot = argument, fd;

	for (;;) {
		while (!(fd = __atomic_exchange_n(slot, 0, __ATOMIC_ACQ_REL)))
			syscall(SYS_futex, slot, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		answer(fd);
	}
	return NULL;
}

static void *once(void *fd)
{
	answer((int)(long)fd);
	return NULL;
}

static void pool(int port, long count)
{
	int *slots = calloc(count, sizeof *slots);
	char *stacks = mmap(NULL, count * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_attr_t attributes;

	if (stacks == MAP_FAILED || !slots)
		die("mmap");
	pthread_attr_init(&attributes);
	for (long i = 0; i < count; i++) {
		pthread_t thread;

		pthread_attr_setstack(&attributes, stacks + i * STACK, STACK);
		if (pthread_create(&thread, &attributes, work, &slots[i]))
			die("pthread_create");
	}
	printf("serving %d\n", port);
	fflush(stdout);
	for (long i = 0;; i = (i + 1) % count) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		while (__atomic_load_n(&slots[i], __ATOMIC_ACQUIRE)) /* a turn behind */
			sched_yield();
		__atomic_store_n(&slots[i], fd, __ATOMIC_RELEASE);
		syscall(SYS_futex, &slots[i], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static void each(int port, char **program)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 65536);
	if (program)
		signal(SIGCHLD, SIG_IGN);
	printf("serving %d\n", port);
	fflush(stdout);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, 0);
		pthread_t thread;

		if (fd < 0)
			die("accept");
		if (!program) {
			if (pthread_create(&thread, &attributes, once, (void *)(long)fd))
				die("pthread_create");
			continue;
		}
		pid_t child = vfork();
		if (child < 0)
			die("vfork");
		if (child == 0) {
			dup2(fd, 0);
			execv(program[0], program);
			_exit(1);
		}
		close(fd);
	}
}

static long left;
static const char *path;

static void *asker(void *argument)
{
	while (__sync_fetch_and_add(&left, -1) > 0)
		ask(target, path);
	return argument;
}

int main(int argc, char **argv)
{
	int yes = 1, port = argc > 2 ? atoi(argv[2]) : 0;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	if (argc == 2 && !strcmp(argv[1], "one")) {
		answer(0);
		return 0;
	}
	if (argc == 6 && !strcmp(argv[1], "ask")) {
		int at = atoi(argv[5]);
		pthread_t threads[at];

		target = port;
		left = atol(argv[3]);
		path = argv[4];
		for (int i = 0; i < at; i++)
			if (pthread_create(&threads[i], NULL, asker, NULL))
				die("pthread_create");
		for (int i = 0; i < at; i++)
			pthread_join(threads[i], NULL);
		printf("answers %s\n", argv[3]);
		return 0;
	}
	if (argc < 3)
		return 2;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
		die("listen");
	if (!strcmp(argv[1], "pool") && argc >= 4) {
		target = argc > 4 ? atoi(argv[4]) : 0;
		pool(port, atol(argv[3]));
	} else if (!strcmp(argv[1], "each")) {
		each(port, NULL);
	} else if (!strcmp(argv[1], "exec")) {
		char *program[] = { argv[0], "one", NULL };

		each(port, program);
	}
	return 2;
}
