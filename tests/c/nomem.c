/* Each allocation of a create fails in turn: it answers NOMEM and leaks nothing. No other call
 * allocates. The program's own malloc and its kin take the place of the C library's, for the shared
 * library too. */
#include "check.h"
#include <malloc.h>

static _Alignas(4096) char arena[8 << 20];
static size_t used, calls, live;
static size_t failing; /* the call that fails, counted as in calls */

static void *allocate(size_t alignment, size_t size) {
    if (++calls == failing)
        return NULL;
    size_t start = (used + sizeof size + alignment - 1) / alignment * alignment;
    if (size > sizeof arena || start > sizeof arena - size)
        return NULL;
    memcpy(arena + start - sizeof size, &size, sizeof size); /* for realloc */
    used = start + size;
    live++;
    return arena + start; /* all zeros, since nothing is used again */
}

void *malloc(size_t size) { return allocate(16, size); }
void *calloc(size_t n, size_t size) {
    return n && size > SIZE_MAX / n ? NULL : allocate(16, n * size);
}
void *aligned_alloc(size_t alignment, size_t size) { return allocate(alignment, size); }
void *memalign(size_t alignment, size_t size) { return allocate(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *got = allocate(alignment, size);
    if (!got)
        return ENOMEM;
    *memory = got;
    return 0;
}
void free(void *memory) {
    uintptr_t address = (uintptr_t)memory, start = (uintptr_t)arena;
    if (address >= start && address < start + sizeof arena) /* else not from here */
        live--;
}
void *realloc(void *old, size_t size) {
    void *memory = allocate(16, size);
    size_t old_size = 0;
    if (memory && old) {
        memcpy(&old_size, (char *)old - sizeof old_size, sizeof old_size);
        memcpy(memory, old, old_size < size ? old_size : size);
        free(old);
    }
    return memory;
}

#define FAMILY mpmc
#include "allocations.h"
#undef FAMILY
#define FAMILY spsc
#include "allocations.h"
#undef FAMILY
#include "ties.h"
#define FAMILY ties
#include "allocations.h"

int main(void) {
    mpmc_run();
    spsc_run();
    ties_run();
    return 0;
}
