/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/**
 * @file queues_inline.h
 * Calls of queues.h that the compiler inlines: the usual case of spsc and of the owner of a deque.
 * Define QUEUES_INLINE before queues.h is included; queues.hpp includes this file by itself, unless
 * QUEUES_NO_INLINE is defined. The names and the meanings of the functions stay the same.
 *
 * A handle begins with a tag, and the tag decides. An inlined call is for handles whose tag equals
 * the number of their layout, which stands below. Any other handle goes to the function of the
 * library: one of another version of the library, of another family or payload, in checked mode,
 * under a race detector, or shared by processes. So a program works with every library with which
 * it would work without this file.
 *
 * An inlined call does what the library does if there is room or an item, nobody waits, and the
 * queue is open. Whatever else it finds, it leaves to the library: before it has changed anything,
 * or by a function that the handle names. src/ffi/inline.rs compares the offsets
 * with those of the library.
 *
 * Everything here may change with each version, except the rule of the tag.
 */
#ifndef QUEUES_INLINE_H
#define QUEUES_INLINE_H

#include "queues.h"

#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__aarch64__)) &&  \
    defined(__LP64__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

#pragma GCC system_header

/* The tags of handles: "QUEU", the number of the layout, 0, the family, the payload. */
#define QUEUES_LAYOUT_SPSC_POINTERS 0x5155455501000200u
#define QUEUES_LAYOUT_SPSC_BLOBS 0x5155455501000201u
#define QUEUES_LAYOUT_DEQUE_POINTERS 0x5155455501000400u

/* Offsets in bytes from the beginning of the handle. First those of the functions that end calls.
 */
#define QUEUES_LAYOUT_FINISH_PUT 8
#define QUEUES_LAYOUT_FINISH_GET 16

/* spsc. Slots are adjacent and have 8 bytes, or the item size rounded up to a multiple of 8. */
#define QUEUES_LAYOUT_SPSC_CELLS 536         /* the address of the first slot */
#define QUEUES_LAYOUT_SPSC_ITEM_SIZE 568     /* of queues of blobs */
#define QUEUES_LAYOUT_SPSC_STAGE 640         /* 0: open, and puts need no full fence */
#define QUEUES_LAYOUT_SPSC_LENGTHS_FROM 648  /* blobs before this position have the item size */
#define QUEUES_LAYOUT_SPSC_TAIL 768          /* the position of the next put */
#define QUEUES_LAYOUT_SPSC_HEAD 896          /* the position of the next get */
#define QUEUES_LAYOUT_SPSC_PUT_LIMIT 1024    /* a put at this position needs the library */
#define QUEUES_LAYOUT_SPSC_PUT_PREFETCH 1032 /* puts before this position prefetch */
#define QUEUES_LAYOUT_SPSC_PUT_LAP 1040      /* the position of the first slot */
#define QUEUES_LAYOUT_SPSC_RESERVED 1072     /* the position that is reserved */
#define QUEUES_LAYOUT_SPSC_GET_LIMIT 1152    /* as for puts */
#define QUEUES_LAYOUT_SPSC_GET_PREFETCH 1160
#define QUEUES_LAYOUT_SPSC_GET_LAP 1168
#define QUEUES_LAYOUT_SPSC_ITEM_WAITERS 1280 /* 0: nobody waits for an item */
#define QUEUES_LAYOUT_SPSC_ROOM_WAITERS 1536 /* 0: nobody waits for room */
#define QUEUES_LAYOUT_SPSC_AHEAD 384         /* bytes from a slot to the one to prefetch */

/* deque. BUFFER_ offsets are from the beginning of the buffer. */
#define QUEUES_LAYOUT_DEQUE_BUFFER 512 /* the address of the buffer */
#define QUEUES_LAYOUT_DEQUE_BOTTOM 776 /* the position of the next push */
#define QUEUES_LAYOUT_DEQUE_LIMIT 640  /* pushes before this position have room */
#define QUEUES_LAYOUT_DEQUE_POPPED 664 /* the number of pops of this kind */
#define QUEUES_LAYOUT_DEQUE_TOP 768    /* the position of the next steal */
#define QUEUES_LAYOUT_DEQUE_ITEM_WAITERS 1024
#define QUEUES_LAYOUT_DEQUE_BUFFER_CELLS 0 /* the address of the first cell */
#define QUEUES_LAYOUT_DEQUE_BUFFER_MASK 40 /* the number of cells, a power of two, less 1 */

#ifdef __cplusplus
#define QUEUES_INLINED_ inline __attribute__((__always_inline__))
extern "C" {
#else
#define QUEUES_INLINED_ static __inline__ __attribute__((__always_inline__, __unused__))
#endif

#define QUEUES_AT_(type, base, offset) ((type *)(void *)((char *)(base) + (offset)))
#define QUEUES_LOAD_(type, base, offset)                                                           \
    __atomic_load_n(QUEUES_AT_(type, base, offset), __ATOMIC_RELAXED)
#define QUEUES_STORE_(base, offset, value)                                                         \
    __atomic_store_n(QUEUES_AT_(uint64_t, base, offset), value, __ATOMIC_RELAXED)
/* Passes on what this thread has written or read to a thread that sees the new value. */
#define QUEUES_PUBLISH_(base, offset, value)                                                       \
    __atomic_store_n(QUEUES_AT_(uint64_t, base, offset), value, __ATOMIC_RELEASE)
#define QUEUES_SPSC_(type, queue, field) QUEUES_LOAD_(type, queue, QUEUES_LAYOUT_SPSC_##field)
#define QUEUES_DEQUE_(type, deque, field) QUEUES_LOAD_(type, deque, QUEUES_LAYOUT_DEQUE_##field)
#define QUEUES_LIKELY_(condition) __builtin_expect(!!(condition), 1)
#define QUEUES_IS_BEFORE_(a, b) ((int64_t)((a) - (b)) < 0)
/* Between a store and a load. The side that waits calls membarrier, so a compiler fence is enough.
 */
#define QUEUES_LIGHT_FENCE_() __atomic_signal_fence(__ATOMIC_SEQ_CST)

typedef queues_status_t (*queues_finish_)(void *handle, void **item);

QUEUES_INLINED_ int queues_is_inlined_(const void *handle, uint64_t layout) {
    uint64_t tag = 0;
    if (!handle)
        return 0;
    __builtin_memcpy(&tag, handle, sizeof tag); /* an invalid handle may be misaligned */
    return QUEUES_LIKELY_(tag == layout);
}

QUEUES_INLINED_ queues_status_t queues_finish_inlined_(void *handle, size_t offset, void **item) {
    return (*QUEUES_AT_(queues_finish_, handle, offset))(handle, item);
}

QUEUES_INLINED_ int queues_is_place_(const void *place) {
    return place && ((uintptr_t)place & (sizeof(void *) - 1)) == 0;
}

QUEUES_INLINED_ void queues_prefetch_(const char *slot, int is_put) {
#ifdef __x86_64__
    if (is_put)
        __asm__ volatile("prefetchw %0" : : "m"(*slot));
    else
        __asm__ volatile("prefetcht0 %0" : : "m"(*slot));
#else
    (void)slot, (void)is_put;
#endif
}

/* Whether the producer knows of room, at the position of the next put, and the queue is open. */
QUEUES_INLINED_ int queues_spsc_has_room_(void *queue, uint64_t *position) {
    *position = QUEUES_SPSC_(uint64_t, queue, TAIL);
    return QUEUES_LIKELY_(*position != QUEUES_SPSC_(uint64_t, queue, PUT_LIMIT)) &&
           QUEUES_LIKELY_(QUEUES_SPSC_(uint32_t, queue, STAGE) == 0);
}

/* Whether the consumer knows of an item, at the position of the next get. */
QUEUES_INLINED_ int queues_spsc_has_item_(void *queue, uint64_t *position) {
    *position = QUEUES_SPSC_(uint64_t, queue, HEAD);
    return QUEUES_LIKELY_(*position != QUEUES_SPSC_(uint64_t, queue, GET_LIMIT));
}

/* The bytes from a slot to the one to prefetch: a multiple of the stride. */
QUEUES_INLINED_ size_t queues_spsc_ahead_(size_t stride) {
    return stride > QUEUES_LAYOUT_SPSC_AHEAD ? stride : QUEUES_LAYOUT_SPSC_AHEAD / stride * stride;
}

/* The slot of a position, for a put or a get. Prefetches the one ahead, if this side owns it. */
QUEUES_INLINED_ char *queues_spsc_slot_(void *queue, uint64_t position, size_t stride, int is_put) {
    uint64_t lap =
        is_put ? QUEUES_SPSC_(uint64_t, queue, PUT_LAP) : QUEUES_SPSC_(uint64_t, queue, GET_LAP);
    uint64_t until = is_put ? QUEUES_SPSC_(uint64_t, queue, PUT_PREFETCH)
                            : QUEUES_SPSC_(uint64_t, queue, GET_PREFETCH);
    char *slot = QUEUES_SPSC_(char *, queue, CELLS) + (position - lap) * stride;
    size_t line = 0;
    if (QUEUES_IS_BEFORE_(position, until)) {
        do {
            queues_prefetch_(slot + queues_spsc_ahead_(stride) + line, is_put);
            line += 64;
        } while (line < stride && line < QUEUES_LAYOUT_SPSC_AHEAD);
    }
    return slot;
}

QUEUES_INLINED_ queues_status_t queues_spsc_publish_(void *queue, uint64_t position) {
    QUEUES_PUBLISH_(queue, QUEUES_LAYOUT_SPSC_TAIL, position + 1);
    QUEUES_LIGHT_FENCE_();
    if (QUEUES_LIKELY_(QUEUES_SPSC_(uint32_t, queue, STAGE) == 0) &&
        QUEUES_LIKELY_(QUEUES_SPSC_(uint64_t, queue, ITEM_WAITERS) == 0))
        return QUEUES_OK;
    return queues_finish_inlined_(queue, QUEUES_LAYOUT_FINISH_PUT, NULL);
}

QUEUES_INLINED_ queues_status_t queues_spsc_release_slot_(void *queue, uint64_t position) {
    QUEUES_PUBLISH_(queue, QUEUES_LAYOUT_SPSC_HEAD, position + 1);
    QUEUES_LIGHT_FENCE_();
    if (QUEUES_LIKELY_(QUEUES_SPSC_(uint64_t, queue, ROOM_WAITERS) == 0))
        return QUEUES_OK;
    return queues_finish_inlined_(queue, QUEUES_LAYOUT_FINISH_GET, NULL);
}

QUEUES_INLINED_ int queues_spsc_may_put_(void *queue, uint64_t *position) {
    return queues_is_inlined_(queue, QUEUES_LAYOUT_SPSC_POINTERS) &&
           queues_spsc_has_room_(queue, position);
}

QUEUES_INLINED_ queues_status_t queues_spsc_put_at_(void *queue, uint64_t position, void *item) {
    *(void **)(void *)queues_spsc_slot_(queue, position, sizeof item, 1) = item;
    return queues_spsc_publish_(queue, position);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_try_put(queues_spsc_t *queue,
                                                                               void *item) {
    uint64_t position = 0;
    return queues_spsc_may_put_(queue, &position) ? queues_spsc_put_at_(queue, position, item)
                                                  : queues_spsc_try_put(queue, item);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_put(queues_spsc_t *queue,
                                                                           void *item,
                                                                           int64_t timeout_ns) {
    uint64_t position = 0;
    return queues_spsc_may_put_(queue, &position) ? queues_spsc_put_at_(queue, position, item)
                                                  : queues_spsc_put(queue, item, timeout_ns);
}

QUEUES_INLINED_ int queues_spsc_may_get_(void *queue, uint64_t *position) {
    return queues_is_inlined_(queue, QUEUES_LAYOUT_SPSC_POINTERS) &&
           queues_spsc_has_item_(queue, position);
}

QUEUES_INLINED_ queues_status_t queues_spsc_get_at_(void *queue, uint64_t position, void **item) {
    *item = *(void **)(void *)queues_spsc_slot_(queue, position, sizeof *item, 0);
    return queues_spsc_release_slot_(queue, position);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_try_get(queues_spsc_t *queue,
                                                                               void **item) {
    uint64_t position = 0;
    return queues_is_place_(item) && queues_spsc_may_get_(queue, &position)
               ? queues_spsc_get_at_(queue, position, item)
               : queues_spsc_try_get(queue, item);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_get(queues_spsc_t *queue,
                                                                           void **item,
                                                                           int64_t timeout_ns) {
    uint64_t position = 0;
    return queues_is_place_(item) && queues_spsc_may_get_(queue, &position)
               ? queues_spsc_get_at_(queue, position, item)
               : queues_spsc_get(queue, item, timeout_ns);
}

QUEUES_INLINED_ size_t queues_spsc_stride_(size_t item_size) {
    return (item_size + 7) & ~(size_t)7;
}

/* Blobs, all of the item size. Their copy is inlined if the compiler knows that size. */
QUEUES_INLINED_ int queues_spsc_may_put_blob_(void *queue, size_t len, uint64_t *position) {
    return queues_is_inlined_(queue, QUEUES_LAYOUT_SPSC_BLOBS) &&
           QUEUES_LIKELY_(len == QUEUES_SPSC_(size_t, queue, ITEM_SIZE)) &&
           queues_spsc_has_room_(queue, position) &&
           QUEUES_IS_BEFORE_(*position, QUEUES_SPSC_(uint64_t, queue, LENGTHS_FROM));
}

QUEUES_INLINED_ int queues_spsc_may_get_blob_(void *queue, uint64_t *position) {
    return queues_is_inlined_(queue, QUEUES_LAYOUT_SPSC_BLOBS) &&
           queues_spsc_has_item_(queue, position) &&
           QUEUES_IS_BEFORE_(*position, QUEUES_SPSC_(uint64_t, queue, LENGTHS_FROM));
}

/* Copies a blob that the program may just have written, field by field. A load that is wider than
   the stores before it waits until they have left the processor, so short blobs go word by word. */
QUEUES_INLINED_ void queues_copy_for_put_(char *to, const char *from, size_t len) {
    size_t at = 0;
    if (len <= 128) {
        for (; at + sizeof(uint64_t) <= len; at += sizeof(uint64_t)) {
            uint64_t word;
            __builtin_memcpy(&word, from + at, sizeof word);
            __asm__("" : "+r"(word)); /* or else the compiler joins the words */
            __builtin_memcpy(to + at, &word, sizeof word);
        }
    }
    __builtin_memcpy(to + at, from + at, len - at);
}

QUEUES_INLINED_ queues_status_t queues_spsc_put_blob_at_(void *queue, uint64_t position,
                                                         const void *data, size_t len) {
    char *slot = queues_spsc_slot_(queue, position, queues_spsc_stride_(len), 1);
    queues_copy_for_put_(slot, (const char *)data, len);
    return queues_spsc_publish_(queue, position);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t
queues_spsc_inlined_try_put_bytes(queues_spsc_t *queue, const void *data, size_t len) {
    uint64_t position = 0;
    return __builtin_constant_p(len) && data && queues_spsc_may_put_blob_(queue, len, &position)
               ? queues_spsc_put_blob_at_(queue, position, data, len)
               : queues_spsc_try_put_bytes(queue, data, len);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_put_bytes(
    queues_spsc_t *queue, const void *data, size_t len, int64_t timeout_ns) {
    uint64_t position = 0;
    return __builtin_constant_p(len) && data && queues_spsc_may_put_blob_(queue, len, &position)
               ? queues_spsc_put_blob_at_(queue, position, data, len)
               : queues_spsc_put_bytes(queue, data, len, timeout_ns);
}

/* Whether a blob of the item size, `size`, is in front. */
QUEUES_INLINED_ int queues_spsc_has_blob_(void *queue, size_t size, uint64_t *position) {
    return queues_is_inlined_(queue, QUEUES_LAYOUT_SPSC_BLOBS) &&
           QUEUES_LIKELY_(size == QUEUES_SPSC_(size_t, queue, ITEM_SIZE)) &&
           queues_spsc_may_get_blob_(queue, position);
}

QUEUES_INLINED_ queues_status_t queues_spsc_get_blob_at_(void *queue, uint64_t position,
                                                         void *buffer, size_t capacity,
                                                         size_t *len) {
    const char *slot = queues_spsc_slot_(queue, position, queues_spsc_stride_(capacity), 0);
    __builtin_memcpy(buffer, slot, capacity);
    *len = capacity;
    return queues_spsc_release_slot_(queue, position);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_try_get_bytes(
    queues_spsc_t *queue, void *buffer, size_t capacity, size_t *len) {
    uint64_t position = 0;
    return __builtin_constant_p(capacity) && buffer && queues_is_place_(len) &&
                   queues_spsc_has_blob_(queue, capacity, &position)
               ? queues_spsc_get_blob_at_(queue, position, buffer, capacity, len)
               : queues_spsc_try_get_bytes(queue, buffer, capacity, len);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_get_bytes(
    queues_spsc_t *queue, void *buffer, size_t capacity, size_t *len, int64_t timeout_ns) {
    uint64_t position = 0;
    return __builtin_constant_p(capacity) && buffer && queues_is_place_(len) &&
                   queues_spsc_has_blob_(queue, capacity, &position)
               ? queues_spsc_get_blob_at_(queue, position, buffer, capacity, len)
               : queues_spsc_get_bytes(queue, buffer, capacity, len, timeout_ns);
}

/* The calls of the library, for queues.hpp, which has tried the inlined ones. */
QUEUES_INLINED_ queues_status_t queues_spsc_called_get_(queues_spsc_t *queue, void **item,
                                                        int64_t timeout_ns) {
    return queues_spsc_get(queue, item, timeout_ns);
}

QUEUES_INLINED_ queues_status_t queues_spsc_called_put_bytes_(queues_spsc_t *queue,
                                                              const void *data, size_t len,
                                                              int64_t timeout_ns) {
    return queues_spsc_put_bytes(queue, data, len, timeout_ns);
}

QUEUES_INLINED_ queues_status_t queues_spsc_called_get_bytes_(queues_spsc_t *queue, void *buffer,
                                                              size_t capacity, size_t *len,
                                                              int64_t timeout_ns) {
    return queues_spsc_get_bytes(queue, buffer, capacity, len, timeout_ns);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_reserve(queues_spsc_t *queue,
                                                                               void **data,
                                                                               int64_t timeout_ns) {
    uint64_t position = 0;
    if (!queues_is_place_(data) || !queues_is_inlined_(queue, QUEUES_LAYOUT_SPSC_BLOBS) ||
        !queues_spsc_has_room_(queue, &position))
        return queues_spsc_reserve(queue, data, timeout_ns);
    QUEUES_STORE_(queue, QUEUES_LAYOUT_SPSC_RESERVED, position);
    *data = queues_spsc_slot_(queue, position,
                              queues_spsc_stride_(QUEUES_SPSC_(size_t, queue, ITEM_SIZE)), 1);
    return QUEUES_OK;
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_spsc_inlined_commit(queues_spsc_t *queue,
                                                                              size_t len) {
    uint64_t position = 0;
    if (!queues_spsc_may_put_blob_(queue, len, &position) ||
        QUEUES_SPSC_(uint64_t, queue, RESERVED) != position)
        return queues_spsc_commit(queue, len);
    QUEUES_STORE_(queue, QUEUES_LAYOUT_SPSC_RESERVED, position - 1);
    return queues_spsc_publish_(queue, position);
}

QUEUES_INLINED_ queues_status_t queues_spsc_inlined_front(queues_spsc_t *queue, const void **data,
                                                          size_t *len, int64_t timeout_ns) {
    uint64_t position = 0;
    if (!queues_is_place_(data) || !queues_is_place_(len) ||
        !queues_spsc_may_get_blob_(queue, &position))
        return queues_spsc_front(queue, data, len, timeout_ns);
    *len = QUEUES_SPSC_(size_t, queue, ITEM_SIZE);
    *data = queues_spsc_slot_(queue, position, queues_spsc_stride_(*len), 0);
    return QUEUES_OK;
}

QUEUES_INLINED_ queues_status_t queues_spsc_inlined_consume(queues_spsc_t *queue) {
    uint64_t position = 0;
    return queues_is_inlined_(queue, QUEUES_LAYOUT_SPSC_BLOBS) &&
                   queues_spsc_has_item_(queue, &position)
               ? queues_spsc_release_slot_(queue, position)
               : queues_spsc_consume(queue);
}

/* The cell of a position. Thieves read it meanwhile, so accesses are atomic. */
QUEUES_INLINED_ void **queues_deque_cell_(void *deque, uint64_t position) {
    char *buffer = QUEUES_DEQUE_(char *, deque, BUFFER);
    uint64_t mask = *QUEUES_AT_(uint64_t, buffer, QUEUES_LAYOUT_DEQUE_BUFFER_MASK);
    return *QUEUES_AT_(void **, buffer, QUEUES_LAYOUT_DEQUE_BUFFER_CELLS) + (position & mask);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_deque_inlined_push(queues_deque_t *deque,
                                                                             void *item) {
    uint64_t bottom = 0;
    if (!queues_is_inlined_(deque, QUEUES_LAYOUT_DEQUE_POINTERS))
        return queues_deque_push(deque, item);
    bottom = QUEUES_DEQUE_(uint64_t, deque, BOTTOM);
    if (!QUEUES_LIKELY_(QUEUES_IS_BEFORE_(bottom, QUEUES_DEQUE_(uint64_t, deque, LIMIT))))
        return queues_deque_push(deque, item);
    __atomic_store_n(queues_deque_cell_(deque, bottom), item, __ATOMIC_RELAXED);
    QUEUES_PUBLISH_(deque, QUEUES_LAYOUT_DEQUE_BOTTOM, bottom + 1);
    QUEUES_LIGHT_FENCE_();
    if (QUEUES_LIKELY_(QUEUES_DEQUE_(uint64_t, deque, ITEM_WAITERS) == 0))
        return QUEUES_OK;
    return queues_finish_inlined_(deque, QUEUES_LAYOUT_FINISH_PUT, NULL);
}

QUEUES_WARN_UNUSED QUEUES_INLINED_ queues_status_t queues_deque_inlined_pop(queues_deque_t *deque,
                                                                            void **item) {
    uint64_t position = 0;
    if (!queues_is_place_(item) || !queues_is_inlined_(deque, QUEUES_LAYOUT_DEQUE_POINTERS))
        return queues_deque_pop(deque, item);
    position = QUEUES_DEQUE_(uint64_t, deque, BOTTOM) - 1;
    /* The last item, for which thieves compete, is the library's. */
    if (!QUEUES_LIKELY_(QUEUES_IS_BEFORE_(QUEUES_DEQUE_(uint64_t, deque, TOP), position)))
        return queues_deque_pop(deque, item);
    QUEUES_PUBLISH_(deque, QUEUES_LAYOUT_DEQUE_BOTTOM, position);
    /* Thieves see it before this thread reads how far they have come. gcc warns of the fence of C11
       under ThreadSanitizer, where the library makes all calls. */
    __sync_synchronize();
    if (!QUEUES_LIKELY_(QUEUES_IS_BEFORE_(QUEUES_DEQUE_(uint64_t, deque, TOP), position)))
        return queues_finish_inlined_(deque, QUEUES_LAYOUT_FINISH_GET, item);
    QUEUES_PUBLISH_(deque, QUEUES_LAYOUT_DEQUE_POPPED, QUEUES_DEQUE_(uint64_t, deque, POPPED) + 1);
    *item = __atomic_load_n(queues_deque_cell_(deque, position), __ATOMIC_RELAXED);
    return QUEUES_OK;
}

#undef QUEUES_INLINED_
#undef QUEUES_AT_
#undef QUEUES_LOAD_
#undef QUEUES_STORE_
#undef QUEUES_PUBLISH_
#undef QUEUES_SPSC_
#undef QUEUES_DEQUE_
#undef QUEUES_LIKELY_
#undef QUEUES_IS_BEFORE_
#undef QUEUES_LIGHT_FENCE_

#ifdef __cplusplus
}
#endif

#define queues_spsc_try_put queues_spsc_inlined_try_put
#define queues_spsc_put queues_spsc_inlined_put
#define queues_spsc_try_get queues_spsc_inlined_try_get
#define queues_spsc_get queues_spsc_inlined_get
#define queues_spsc_try_put_bytes queues_spsc_inlined_try_put_bytes
#define queues_spsc_put_bytes queues_spsc_inlined_put_bytes
#define queues_spsc_try_get_bytes queues_spsc_inlined_try_get_bytes
#define queues_spsc_get_bytes queues_spsc_inlined_get_bytes
#define queues_spsc_reserve queues_spsc_inlined_reserve
#define queues_spsc_commit queues_spsc_inlined_commit
#define queues_spsc_front queues_spsc_inlined_front
#define queues_spsc_consume queues_spsc_inlined_consume
#define queues_deque_push queues_deque_inlined_push
#define queues_deque_pop queues_deque_inlined_pop

#endif
#endif
