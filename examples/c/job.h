/* What a server asks of its pool. A request is a number; its answer is the number and its smallest
 * factor. */
#ifndef JOB_H
#define JOB_H

#include <queues.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 2, ROOM = 16 };

struct answer {
    uint32_t number, factor;
};
struct job {
    struct answer answer;
    struct client *client;
};

static queues_mpmc_t *jobs, *results; /* the loop puts into one and gets from the other */

/* Passes a job to the pool, without waiting for room. Each pool has its own. */
static queues_status_t put_job(const struct job *job);

/* For calls that must succeed: ends the program if one does not. */
static void must(bool success, const char *call) {
    if (!success) {
        perror(call);
        exit(EXIT_FAILURE);
    }
}

static uint32_t smallest_factor(uint32_t number) {
    for (uint64_t factor = 2; factor * factor <= number; factor++)
        if (number % factor == 0)
            return (uint32_t)factor;
    return number;
}

#endif
