/* Jobs of which a second answer may come, because a worker died. Each has a number of its own, so
 * the loop knows a second answer and ignores it. Only the thread of the loop calls these functions.
 */
#ifndef TICKETS_H
#define TICKETS_H

#include "job.h"

enum { SPARE = 16, PLACES = 2 * (ROOM + SPARE) }; /* every job lies in a cell of a queue */

/* The item of both queues: a job with a number that no other job has. */
struct ticket {
    struct job job;
    uint64_t serial;
};
static struct {
    uint64_t serial;
    struct client *client; /* NULL: the place is free */
} unanswered[PLACES];
static uint64_t last_serial, requests, second_answers;
static size_t pending; /* jobs in unanswered */
/* No more jobs. The queue stays open until all are answered: a closed one redelivers nothing. */
static bool stopping;

static queues_status_t put_job(const struct job *job) {
    if (stopping)
        return QUEUES_CLOSED;
    struct ticket ticket = {.job = *job, .serial = last_serial + 1};
    while (unanswered[ticket.serial % PLACES].client)
        ticket.serial++;
    queues_status_t status = queues_mpmc_try_put_bytes(jobs, &ticket, sizeof ticket);
    if (status == QUEUES_OK) {
        last_serial = unanswered[ticket.serial % PLACES].serial = ticket.serial;
        unanswered[ticket.serial % PLACES].client = job->client;
        requests++;
        pending++;
    }
    return status;
}

/* As a try_get of the results, without second answers. */
static queues_status_t get_answer(struct job *job) {
    struct ticket ticket;
    size_t length;
    queues_status_t status;
    while ((status = queues_mpmc_try_get_bytes(results, &ticket, sizeof ticket, &length)) ==
           QUEUES_OK) {
        size_t place = ticket.serial % PLACES;
        if (unanswered[place].client && unanswered[place].serial == ticket.serial) {
            *job = (struct job){ticket.job.answer, unanswered[place].client};
            unanswered[place].client = NULL;
            pending--;
            break;
        }
        second_answers++;
    }
    return status;
}

#endif
