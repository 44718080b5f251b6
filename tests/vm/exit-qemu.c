// exit-qemu STATUS: leaves qemu through its isa-debug-exit device; qemu's own exit status becomes (STATUS << 1) | 1.
#include <stdlib.h>
#include <sys/io.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sync();
	if (ioperm(0xf4, 4, 1))
		return 1;
	outl(argc > 1 ? atoi(argv[1]) : 0, 0xf4);
	return 2; // not reached under qemu
}
