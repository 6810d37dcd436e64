/* What the program in Rust calls in C and in C++. */
#ifndef OTHER_H
#define OTHER_H

#include <queues.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A blob as all three languages have it. */
typedef struct {
    uint64_t number;
    double half;
} sample_t;

/* Puts the numbers from 1 to n, closes the queue, and gives the reference back. */
void c_produce(queues_spsc_t *queue, uint64_t n);
void cpp_produce(queues_mpmc_t *queue, uint64_t n);

/* Gets numbers until the queue is closed and drained, and gives the reference back. Returns their
 * sum; 0 if a number has another half. */
uint64_t c_consume(queues_spsc_t *queue);
uint64_t cpp_consume(queues_mpmc_t *queue);

/* Creates a queue of C++ with a number in it. Returns the object, and the handle without a
 * reference. cpp_destroy destroys the object. */
void *cpp_create(uint64_t number, queues_mpmc_t **handle);
void cpp_destroy(void *queue);

/* Whether C++ refuses the handle and leaves the reference to the caller. */
bool cpp_refuses(queues_mpmc_t *handle);

#ifdef __cplusplus
}
#endif

#endif
