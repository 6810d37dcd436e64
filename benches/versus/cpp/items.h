// Items for the workload templates in C: a word or a blob that carries a number. Also the macros
// that paste a queue's prefix to a name.
#ifndef ITEMS_H
#define ITEMS_H

#include "harness.h"

#include <string.h>

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define Q(name) PASTE(QUEUE, name)

// Inlined into callers with a constant item size, so that the compiler knows it.
#define INLINE static inline __attribute__((always_inline))

enum { LARGEST_ITEM = 1024 };

// An item carries a number in each of its words.
INLINE void set_number(void *item, uint64_t number, size_t size) {
    memcpy(item, &number, sizeof number);
    for (size_t i = 8; i < size; i += 8)
        memcpy((char *)item + i, &number, sizeof number);
}
// What a torn item yields; no producer puts this number.
#define TORN (UINT64_MAX / 3)
INLINE uint64_t number_of(const void *item, size_t size) {
    uint64_t first, last;
    memcpy(&first, item, sizeof first);
    memcpy(&last, (const char *)item + (size > 8 ? size - 8 : 0), sizeof last);
    return first == last ? first : TORN;
}

INLINE void verify_sum(uint64_t got, uint64_t put) {
    verify(got == put, "items were lost, duplicated or torn");
}

#endif
