/* The program's own malloc, free and their like, which replace those of the C library, also for the
 * shared library. A program that includes this defines `allocate`, which may call `take`, and
 * `deallocate`. Memory is never reused, so all of it is zero at first. */
#ifndef HEAP_H
#define HEAP_H

#include <malloc.h>

static void *allocate(size_t alignment, size_t size);
static void deallocate(void *memory); /* memory that `take` returned */

static _Alignas(4096) char heap[16 << 20];
static _Atomic size_t heap_used;

/* Returns NULL if the heap is used up. */
static void *take(size_t alignment, size_t size) {
    size_t used = atomic_load(&heap_used), start;
    do {
        start = (used + sizeof size + alignment - 1) / alignment * alignment;
        if (size > sizeof heap || start > sizeof heap - size)
            return NULL;
    } while (!atomic_compare_exchange_weak(&heap_used, &used, start + size));
    memcpy(heap + start - sizeof size, &size, sizeof size); /* read by realloc */
    return heap + start;
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
    uintptr_t address = (uintptr_t)memory, start = (uintptr_t)heap;
    if (address >= start && address < start + sizeof heap)
        deallocate(memory);
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

#endif
