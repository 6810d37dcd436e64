/* Eight queens by fork and join: a worker splits a board into those with one queen more, which it
 * pushes onto its own deque; when that is empty it steals from the others. */
#include <pthread.h>
#include <queues.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, ROW = 0xFF };

static queues_deque_t *deques[WORKERS];
static atomic_size_t boards; /* those that are yet to be split */
static atomic_uint solutions;

/* A board is what it forbids in the next row: columns and both diagonals, of 8 bits each. */
static void push(queues_deque_t *own, unsigned columns, unsigned left, unsigned right) {
    uintptr_t board = columns | left << 8 | right << 16;
    atomic_fetch_add(&boards, 1);
    if (queues_deque_push(own, (void *)board) != QUEUES_OK) /* it grows: no memory */
        abort();
}

static void split(queues_deque_t *own, uintptr_t board) {
    unsigned columns = board & ROW, left = board >> 8 & ROW, right = board >> 16 & ROW;
    if (columns == ROW)
        atomic_fetch_add(&solutions, 1);
    for (unsigned free = ~(columns | left | right) & ROW; free; free &= free - 1) {
        unsigned queen = free & -free;
        push(own, columns | queen, (left | queen) << 1 & ROW, (right | queen) >> 1);
    }
    atomic_fetch_sub(&boards, 1); /* after its own boards were counted: 0 is the end */
}

static void *work(void *argument) {
    size_t me = (size_t)((queues_deque_t **)argument - deques);
    while (atomic_load(&boards) > 0) {
        void *board;
        bool found = queues_deque_pop(deques[me], &board) == QUEUES_OK;
        /* EMPTY or RETRY: the next one. */
        for (size_t i = 1; i < WORKERS && !found; i++)
            found = queues_deque_steal(deques[(me + i) % WORKERS], &board) == QUEUES_OK;
        if (found)
            split(deques[me], (uintptr_t)board);
        else
            sched_yield();
    }
    return NULL;
}

int main(void) {
    queues_deque_options_t options = {
        .struct_size = sizeof options, .capacity = 64, .flags = QUEUES_DEQUE_GROWABLE};
    for (size_t i = 0; i < WORKERS; i++) {
        queues_status_t status = queues_deque_create(&options, &deques[i]);
        if (status != QUEUES_OK) {
            fprintf(stderr, "queues_deque_create: %s\n", queues_status_string(status));
            return 1;
        }
    }
    push(deques[0], 0, 0, 0); /* the thread that starts below owns it from then on */
    pthread_t threads[WORKERS];
    for (size_t i = 0; i < WORKERS; i++) {
        if (pthread_create(&threads[i], NULL, work, &deques[i]) != 0)
            return 1;
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < WORKERS; i++)
        queues_deque_release(deques[i]);
    printf("%u solutions\n", atomic_load(&solutions));
    return 0;
}
