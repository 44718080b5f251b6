// The framework makes sockets non-blocking by fcntl(F_SETFL), which the worker's filter of system calls refuses: it could silence the pipe
// of the keeper's life. ioctl(FIONBIO) changes that one flag and nothing else, so the linker puts this in its place (--wrap).
#include <stdint.h>
#include <sys/ioctl.h>

int32_t __wrap_SystemNative_FcntlSetIsNonBlocking(intptr_t fd, int32_t is_non_blocking)
{
	int value = is_non_blocking != 0;
	return ioctl((int)fd, FIONBIO, &value);
}
