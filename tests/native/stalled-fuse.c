// A program on a file system that stops answering:
//
//   stalled-fuse DIRECTORY BINARY ARGUMENT...    mounts a FUSE file system with the one file "server", a copy of BINARY, on DIRECTORY in a mount
//                                                namespace of its own, runs DIRECTORY/server with the arguments, and prints "serving".
//                                                When its input ends it prints "stalled" and answers no request of the kernel any more.
//
// It speaks the protocol itself (linux/fuse.h), without asynchronous reads: whoever waits for an answer then, waits until this process is gone,
// whatever signal comes. With the process the mount is gone too.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *content;
static size_t size;
static volatile int stalled;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(int fd, const struct fuse_in_header *in, int error, const void *data, size_t length)
{
	static char buffer[sizeof(struct fuse_out_header) + (1 << 20)];
	struct fuse_out_header *out = (void *)buffer;

	out->len = sizeof(*out) + length;
	out->error = error;
	out->unique = in->unique;
	if (length)
		memcpy(out + 1, data, length);
	if (write(fd, buffer, out->len) < 0 && errno != ENOENT)
		die("answer");
}

static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr a = { .ino = node, .nlink = 1, .blksize = 4096 };

	a.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755;
	a.size = node == FUSE_ROOT_ID ? 0 : size;
	return a;
}

static void handle(int fd, const struct fuse_in_header *in, const void *data)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096, .max_readahead = 1 << 20 };
	struct fuse_entry_out entry = { .nodeid = 2, .entry_valid = 3600, .attr_valid = 3600, .attr = attributes(2) };
	struct fuse_attr_out attr = { .attr_valid = 3600, .attr = attributes(in->nodeid) };
	struct fuse_open_out open = { .open_flags = FOPEN_KEEP_CACHE };
	const struct fuse_read_in *read_in = data;
	size_t left;

	switch (in->opcode) {
	case FUSE_INIT:
		answer(fd, in, 0, &init, sizeof init);
		break;
	case FUSE_LOOKUP:
		if (strcmp(data, "server"))
			answer(fd, in, -ENOENT, NULL, 0);
		else
			answer(fd, in, 0, &entry, sizeof entry);
		break;
	case FUSE_GETATTR:
		answer(fd, in, 0, &attr, sizeof attr);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(fd, in, 0, &open, sizeof open);
		break;
	case FUSE_READ:
		left = read_in->offset < size ? size - read_in->offset : 0;
		answer(fd, in, 0, content + read_in->offset, left < read_in->size ? left : read_in->size);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		answer(fd, in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(fd, in, -ENOSYS, NULL, 0);
	}
}

static void *serve(void *argument)
{
	static char request[FUSE_MIN_READ_BUFFER + (1 << 20)];
	int fd = *(int *)argument;

	for (;;) {
		ssize_t length = read(fd, request, sizeof request);

		if (length < 0 && errno != EINTR && errno != ENOENT)
			die("read /dev/fuse");
		if (length > 0 && !stalled)
			handle(fd, (void *)request, request + sizeof(struct fuse_in_header));
	}
	return NULL;
}

static void load(const char *binary)
{
	struct stat status;
	int fd = open(binary, O_RDONLY);

	if (fd < 0 || fstat(fd, &status))
		die(binary);
	size = status.st_size;
	content = malloc(size);
	if (!content || read(fd, content, size) != (ssize_t)size)
		die(binary);
	close(fd);
}

// All of the file is in the page cache afterwards, so that the program itself runs on.
static void read_all(const char *path)
{
	char buffer[4096];
	int fd, status;
	pid_t child = fork();

	if (child == 0) {
		fd = open(path, O_RDONLY);
		while (fd >= 0 && read(fd, buffer, sizeof buffer) > 0)
			;
		_exit(fd < 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		die("read the file system");
}

int main(int argc, char **argv)
{
	char options[128], path[4096], buffer[256];
	pthread_t thread;
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: stalled-fuse DIRECTORY BINARY ARGUMENT...\n");
		return 2;
	}
	load(argv[2]);
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0 || unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("a mount namespace with FUSE");
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
	if (mount("stalled", argv[1], "fuse", MS_NOSUID | MS_NODEV, options))
		die("mount");
	if (pthread_create(&thread, NULL, serve, &fd))
		die("pthread_create");
	snprintf(path, sizeof path, "%s/server", argv[1]);
	read_all(path);
	if (fork() == 0) {
		argv[2] = path;
		execv(path, argv + 2);
		die(path);
	}
	printf("serving\n");
	fflush(stdout);
	while (read(0, buffer, sizeof buffer) > 0)
		;
	stalled = 1;
	printf("stalled\n");
	fflush(stdout);
	for (;;)
		pause();
}
