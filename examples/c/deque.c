/* Eight queens by fork and join. A worker splits a board into the boards with one more queen and
 * pushes them onto its own deque; when its deque is empty it steals a board from another worker. */
#include <pthread.h>
#include <queues.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, ROW = 0xFF }; /* a bit for each of the eight squares of a row */

static queues_deque_t *deques[WORKERS];
static atomic_size_t boards; /* that are not split yet */
static atomic_uint solutions;

/* For calls that must succeed: ends the program if one does not. */
static void must(queues_status_t status, const char *call) {
    if (status != QUEUES_OK) {
        fprintf(stderr, "%s: %s\n", call, queues_status_string(status));
        exit(EXIT_FAILURE);
    }
}

/* A board is the squares that its queens attack in the next row, by column and by diagonals. */
static void push(queues_deque_t *own, unsigned columns, unsigned left, unsigned right) {
    uintptr_t board = columns | left << 8 | right << 16;
    atomic_fetch_add(&boards, 1);
    must(queues_deque_push(own, (void *)board), "push"); /* the deque grows when it is full */
}

static void split(queues_deque_t *own, uintptr_t board) {
    unsigned columns = board & ROW, left = board >> 8 & ROW, right = board >> 16 & ROW;
    if (columns == ROW)
        atomic_fetch_add(&solutions, 1);
    for (unsigned free = ~(columns | left | right) & ROW; free; free &= free - 1) {
        unsigned queen = free & -free;
        push(own, columns | queen, (left | queen) << 1 & ROW, (right | queen) >> 1);
    }
    atomic_fetch_sub(&boards, 1); /* after its successors were added, so that 0 means the end */
}

static void *work(void *argument) {
    size_t me = (size_t)((queues_deque_t **)argument - deques);
    while (atomic_load(&boards) > 0) {
        void *board;
        bool found = queues_deque_pop(deques[me], &board) == QUEUES_OK;
        /* EMPTY, or RETRY if another thief was faster: try the next worker. */
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
    for (size_t i = 0; i < WORKERS; i++)
        must(queues_deque_create(&options, &deques[i]), "create");
    push(deques[0], 0, 0, 0); /* this thread is the owner until the worker starts */
    pthread_t threads[WORKERS];
    for (size_t i = 0; i < WORKERS; i++) {
        if (pthread_create(&threads[i], NULL, work, &deques[i]) != 0) {
            fputs("pthread_create failed\n", stderr);
            return EXIT_FAILURE;
        }
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < WORKERS; i++)
        queues_deque_release(deques[i]);
    printf("%u solutions\n", atomic_load(&solutions));
    return 0;
}
