// The framework makes a socket wait for nothing by fcntl(F_SETFL), which the worker is refused, because the pipe of the keeper's life would be
// silent with it (SystemCallTable.Conditional.cs): a filter of system calls does not see what kind of file a descriptor is. FIONBIO does the same
// for a socket and changes no other flag. The linker puts this in the place of the framework's function (--wrap, ld(1)).
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

// System.Native, pal_io.h: 0, or -1 with errno.
int32_t __wrap_SystemNative_FcntlSetIsNonBlocking(intptr_t descriptor, int32_t on)
{
	int value = on != 0, result;
	while ((result = ioctl((int)descriptor, FIONBIO, &value)) < 0 && errno == EINTR)
		;
	return result;
}
