/* Requests to a model are served shortest first: three clients put them, the main thread serves
 * them. */
#include <pthread.h>
#include <queues.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS = 3 };
static const unsigned tokens[] = {512, 16, 2048, 16, 64, 1024, 64, 128, 32};

struct client {
    queues_priority_t *queue;
    size_t first; /* the client puts this request and every third one after it */
};

/* For calls that must succeed: ends the program if one does not. */
static void must(queues_status_t status, const char *call) {
    if (status != QUEUES_OK) {
        fprintf(stderr, "%s: %s\n", call, queues_status_string(status));
        exit(EXIT_FAILURE);
    }
}

static void *put_requests(void *argument) {
    const struct client *client = argument;
    for (size_t i = client->first; i < sizeof tokens / sizeof *tokens; i += CLIENTS) {
        /* The priority is any double except NaN, the lowest first; equal ones leave in order. */
        must(queues_priority_put(client->queue, (void *)&tokens[i], tokens[i], -1), "put");
    }
    return NULL;
}

int main(void) {
    queues_priority_options_t options = {.struct_size = sizeof options, .capacity = 100};
    queues_priority_t *queue;
    must(queues_priority_create(&options, &queue), "create");
    struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){queue, i};
        if (pthread_create(&threads[i], NULL, put_requests, &clients[i]) != 0) {
            fputs("pthread_create failed\n", stderr);
            return EXIT_FAILURE;
        }
    }
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    must(queues_priority_close(queue), "close"); /* no more puts; gets return what is left */

    void *request;
    double priority;
    queues_status_t status;
    while ((status = queues_priority_get(queue, &request, &priority, -1)) == QUEUES_OK)
        printf("%u tokens\n", *(const unsigned *)request);
    queues_priority_release(queue);
    return status == QUEUES_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
}
