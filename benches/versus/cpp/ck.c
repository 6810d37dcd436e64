// Adapter for the rings of Concurrency Kit. In the ring for many threads a thread that is suspended
// in a call blocks the others.
#if __has_include(<ck_ring.h>)

#include "harness.h"

#include <ck_ring.h>
#include <stdlib.h>
#include <string.h>

struct ck {
    struct ck_ring ring;
    void *buffer;
};

static struct ck *ck_create(size_t capacity, size_t size) {
    // One slot stays empty and the number of slots is a power of two: twice the capacity of the
    // case.
    unsigned slots = 2;
    while (slots <= capacity)
        slots *= 2;
    struct ck *q = aligned_alloc(128, 256);
    q->buffer = calloc(slots, size == 0 ? sizeof(ck_ring_buffer_t) : size);
    ck_ring_init(&q->ring, slots);
    return q;
}
static void ck_release(struct ck *q) {
    free(q->buffer);
    free(q);
}

// --- SPSC; for blobs, functions that the macros of the library make for each type

#define BLOB(size)                                                                                 \
    struct blob##size {                                                                            \
        char bytes[size];                                                                          \
    };                                                                                             \
    CK_RING_PROTOTYPE(blob##size, blob##size)
BLOB(8)
BLOB(16)
BLOB(64)
BLOB(256)
BLOB(1024)

static inline bool spsc_try_put(struct ck *q, const void *item, size_t size) {
    switch (size) {
    case 0:
        return ck_ring_enqueue_spsc(&q->ring, q->buffer, *(void *const *)item);
    case 8:
        return ck_ring_enqueue_spsc_blob8(&q->ring, q->buffer, (void *)item);
    case 16:
        return ck_ring_enqueue_spsc_blob16(&q->ring, q->buffer, (void *)item);
    case 64:
        return ck_ring_enqueue_spsc_blob64(&q->ring, q->buffer, (void *)item);
    case 256:
        return ck_ring_enqueue_spsc_blob256(&q->ring, q->buffer, (void *)item);
    default:
        return ck_ring_enqueue_spsc_blob1024(&q->ring, q->buffer, (void *)item);
    }
}
static inline bool spsc_try_get(struct ck *q, void *item, size_t size) {
    switch (size) {
    case 0:
        return ck_ring_dequeue_spsc(&q->ring, q->buffer, item);
    case 8:
        return ck_ring_dequeue_spsc_blob8(&q->ring, q->buffer, item);
    case 16:
        return ck_ring_dequeue_spsc_blob16(&q->ring, q->buffer, item);
    case 64:
        return ck_ring_dequeue_spsc_blob64(&q->ring, q->buffer, item);
    case 256:
        return ck_ring_dequeue_spsc_blob256(&q->ring, q->buffer, item);
    default:
        return ck_ring_dequeue_spsc_blob1024(&q->ring, q->buffer, item);
    }
}
#define spsc_create ck_create
#define spsc_release ck_release
#define QUEUE spsc
#define HANDLE struct ck
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 0
#include "workloads.h"

// --- MPMC

static inline bool mpmc_try_put(struct ck *q, const void *item, size_t size) {
    (void)size;
    return ck_ring_enqueue_mpmc(&q->ring, q->buffer, *(void *const *)item);
}
static inline bool mpmc_try_get(struct ck *q, void *item, size_t size) {
    (void)size;
    return ck_ring_dequeue_mpmc(&q->ring, q->buffer, item);
}
#define mpmc_create ck_create
#define mpmc_release ck_release
#define QUEUE mpmc
#define HANDLE struct ck
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 0
#include "workloads.h"

static const char *const spsc_cases[] = {SPSC_TRY("*"), NULL};
static const char *const mpmc_cases[] = {MPMC_TRY, NULL};

const struct contestant ck_rings[] = {
    {"ck_ring, SPSC", VERSION_CK, NULL, spsc_cases, spsc_run, false},
    {"ck_ring, MPMC", VERSION_CK, NULL, mpmc_cases, mpmc_run, false},
    {.name = NULL},
};

#else

#include "harness.h"
const struct contestant ck_rings[] = {MISSING("ck_ring", "libck-dev"), {.name = NULL}};

#endif
