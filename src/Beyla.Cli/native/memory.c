// Gives back the memory that only the start took.
#define _GNU_SOURCE
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

// The runtime's value that guards its stacks: the one constant that it changes when it starts (libRuntime.WorkstationGC.a, gs_cookie).
extern uintptr_t __security_cookie;

static void forget(uintptr_t start, uintptr_t end)
{
	if (end > start)
		madvise((void *)start, end - start, MADV_DONTNEED);
}

// Code and constants come from a file: what is needed again is read again, from the page cache.
static int forget_constants(struct dl_phdr_info *object, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), kept = (uintptr_t)&__security_cookie & ~(page - 1);
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		if (part->p_type != PT_LOAD || (part->p_flags & PF_W))
			continue;
		uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
		uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);
		if (kept >= start && kept < end) {
			forget(start, kept);
			start = kept + page;
		}
		forget(start, end);
	}
	return 0;
}

void beyla_release_memory(void)
{
	malloc_trim(0);
	dl_iterate_phdr(forget_constants, NULL);
}
