#define _GNU_SOURCE
#include "CLinuxKernel.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

// Segments of the program itself that nobody can write: a private mapping of a file that was never written holds nothing
// but the file's bytes, so MADV_DONTNEED loses nothing (madvise(2)). Segments with PF_W hold what the loader has put in,
// those that it protected later (RELRO) included.
static int release_segments(struct dl_phdr_info *info, size_t size, void *result) {
    (void)size;
    int *status = result;
    const long page = sysconf(_SC_PAGESIZE);
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
        const ElfW(Addr) start = (info->dlpi_addr + segment->p_vaddr + page - 1) & ~(ElfW(Addr))(page - 1);
        const ElfW(Addr) end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(ElfW(Addr))(page - 1);
        if (end > start && madvise((void *)start, end - start, MADV_DONTNEED) != 0) *status = -1;
    }
    // The program comes first; libraries are not its own.
    return 1;
}

int c_linux_release_code(void) {
    int status = 0;
    errno = 0;
    dl_iterate_phdr(release_segments, &status);
    return status;
}
