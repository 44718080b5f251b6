// What requests cost: drives an HTTP/1.1 server over kept connections and reads the CPU clocks of processes before and after.
//
//   cost after PORT REQUESTS PID...        one connection, the next request when the answer has come: one request per wake-up
//   cost apart PORT REQUESTS PID...        the same with a pause of 20 ms after each answer: the agent looks at each request alone
//   cost bursts PORT REQUESTS PID...       16 connections: each is asked, then each answer is read
//   cost rate PORT REQUESTS PID... @RATE   16 connections in turn, RATE requests a second, whether answers have come or not (open loop)
//
// Prints one line: nanoseconds of CPU time per request of this program and of each PID (of all its threads, ended ones too; PID+PID is one of two
// processes), then the
// requests per second: those answered, and of an open loop those asked, since its last answer may have waited for a delayed ACK. Every request is GET /small and every answer has to be 200 and as long as the first one.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 16, WARM_UP = 64, PROCESSES = 8, SETTLE_MS = 100 };

static const char request[] = "GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static struct pollfd connections[CONNECTIONS];
static size_t taken[CONNECTIONS]; // of the answer that is being read
static size_t answer_length;
static long answers;

static void die(const char *what)
{
	fprintf(stderr, "cost: %s: %s\n", what, errno ? strerror(errno) : "not what was expected");
	exit(1);
}

static long long now(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		die("clock_gettime: has the process ended?");
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void pause_ns(long long ns)
{
	struct timespec time = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&time, NULL);
}

static void ask(int i)
{
	if (send(connections[i].fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
		die("send");
}

// Reads what there is, once. Of one connection several answers may come in one piece.
static void take(int i)
{
	char buffer[65536];
	ssize_t length = recv(connections[i].fd, buffer, sizeof buffer, 0);

	if (length <= 0)
		die("the answer");
	if (taken[i] == 0 && (length < 12 || memcmp(buffer, "HTTP/1.1 200", 12))) {
		errno = 0;
		die("the status of the answer");
	}
	taken[i] += length;
	while (taken[i] >= answer_length) {
		taken[i] -= answer_length;
		answers++;
	}
}

static void take_one(int i)
{
	for (long before = answers; answers == before;)
		take(i);
}

// The first answer says how long all are: its head is read to the end, and the body as long as the head says.
static void learn(void)
{
	char buffer[8192] = "", *end, *field;
	size_t length = 0;

	ask(0);
	while (!(end = strstr(buffer, "\r\n\r\n"))) {
		ssize_t n = recv(connections[0].fd, buffer + length, sizeof buffer - 1 - length, 0);

		if (n <= 0)
			die("the first answer");
		length += n;
	}
	field = strcasestr(buffer, "\r\nContent-Length: ");
	errno = 0;
	if (!field || field > end)
		die("Content-Length of the first answer");
	answer_length = end + 4 - buffer + strtoul(field + 18, NULL, 10);
	while (length < answer_length) {
		ssize_t n = recv(connections[0].fd, buffer, sizeof buffer, 0);

		if (n <= 0)
			die("the first body");
		length += n;
	}
}

static void connect_all(int count, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	for (int i = 0; i < count; i++) {
		connections[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		connections[i].events = POLLIN;
		if (connections[i].fd < 0 || connect(connections[i].fd, (struct sockaddr *)&to, sizeof to))
			die("connect");
		setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
}

// Returns when the last request was sent.
static long long at_rate(long requests, long rate)
{
	long long begin = now(CLOCK_MONOTONIC), last = begin;
	long sent = 0;

	answers = 0;
	while (answers < requests) {
		long long due, at = now(CLOCK_MONOTONIC);
		struct timespec wait = { 1, 0 };

		while (sent < requests && (due = begin + sent * 1000000000ll / rate) <= at)
			ask(sent++ % CONNECTIONS), last = at;
		if (sent < requests)
			wait = (struct timespec){ 0, due - at };
		if (ppoll(connections, CONNECTIONS, &wait, NULL) < 0)
			die("ppoll");
		for (int i = 0; i < CONNECTIONS; i++)
			if (connections[i].revents)
				take(i);
	}
	return last;
}

// Returns when it was done: when the last answer had come, or in an open loop the last request was sent.
static long long drive(const char *shape, long requests, long rate)
{
	if (!strcmp(shape, "rate"))
		return at_rate(requests, rate);
	if (!strcmp(shape, "bursts")) {
		for (long done = 0; done < requests; done += CONNECTIONS) {
			for (int i = 0; i < CONNECTIONS; i++)
				ask(i);
			for (int i = 0; i < CONNECTIONS; i++)
				take_one(i);
		}
	} else {
		for (long done = 0; done < requests; done++) {
			ask(0);
			take_one(0);
			if (!strcmp(shape, "apart"))
				pause_ns(20000000);
		}
	}
	return now(CLOCK_MONOTONIC);
}

static long long spent(const clockid_t *clocks, int has_second)
{
	return now(clocks[0]) + (has_second ? now(clocks[1]) : 0);
}

int main(int argc, char **argv)
{
	const char *shape = argc > 3 ? argv[1] : "";
	clockid_t clocks[1 + PROCESSES][2] = { { CLOCK_PROCESS_CPUTIME_ID } };
	int second[1 + PROCESSES] = { 0 }; // whether there is one
	long long before[1 + PROCESSES], began, took;
	long requests, rate = 0;
	int count = 1, many = !strcmp(shape, "bursts") || !strcmp(shape, "rate");

	if (!many && strcmp(shape, "after") && strcmp(shape, "apart")) {
		fputs("usage: cost after|apart|bursts|rate PORT REQUESTS PID... [@RATE]\n", stderr);
		return 2;
	}
	requests = atol(argv[3]) / CONNECTIONS * CONNECTIONS;
	for (int i = 4; i < argc; i++) {
		if (argv[i][0] == '@')
			rate = atol(argv[i] + 1);
		else if (count > PROCESSES || (errno = clock_getcpuclockid(atoi(argv[i]), &clocks[count][0])))
			die(argv[i]);
		else {
			const char *other = strchr(argv[i], '+');

			if (other && (errno = clock_getcpuclockid(atoi(other + 1), &clocks[count][1])))
				die(argv[i]);
			second[count++] = other != NULL;
		}
	}
	errno = 0;
	if (requests <= 0 || (!strcmp(shape, "rate") && rate <= 0))
		die("REQUESTS (16 or more) or @RATE");
	prctl(PR_SET_TIMERSLACK, 1);
	connect_all(many ? CONNECTIONS : 1, atoi(argv[2]));
	learn();
	drive(strcmp(shape, "apart") ? shape : "after", WARM_UP, rate);
	pause_ns(SETTLE_MS * 1000000ll);
	for (int i = 0; i < count; i++)
		before[i] = spent(clocks[i], second[i]);
	began = now(CLOCK_MONOTONIC);
	took = drive(shape, requests, rate) - began;
	before[0] = spent(clocks[0], 0) - before[0];
	pause_ns(SETTLE_MS * 1000000ll); // for the agent to have done what these requests made it do
	for (int i = 1; i < count; i++)
		before[i] = spent(clocks[i], second[i]) - before[i];
	for (int i = 0; i < count; i++)
		printf("%.1f ", (double)before[i] / requests);
	printf("%.0f\n", requests * 1e9 / took);
	return 0;
}
