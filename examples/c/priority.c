/* Requests to a model, the shortest first: three clients put them, one worker serves them. */
#include <pthread.h>
#include <queues.h>
#include <stdint.h>
#include <stdio.h>

static const unsigned tokens[] = {512, 16, 2048, 16, 64, 1024, 64, 128, 32};

struct client {
    queues_priority_t *queue;
    size_t first;
};

static void *ask(void *argument) {
    const struct client *client = argument;
    for (size_t i = client->first; i < sizeof tokens / sizeof *tokens; i += 3) {
        /* The priority is any double but NaN; requests of the same length stay in order. */
        if (queues_priority_put(client->queue, (void *)&tokens[i], tokens[i], -1) != QUEUES_OK)
            break;
    }
    return NULL;
}

int main(void) {
    queues_priority_options_t options = {.struct_size = sizeof options, .capacity = 100};
    queues_priority_t *queue;
    queues_status_t status = queues_priority_create(&options, &queue);
    if (status != QUEUES_OK) {
        fprintf(stderr, "queues_priority_create: %s\n", queues_status_string(status));
        return 1;
    }
    struct client clients[3];
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) {
        clients[i] = (struct client){queue, i};
        if (pthread_create(&threads[i], NULL, ask, &clients[i]) != 0)
            return 1;
    }
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    queues_priority_close(queue); /* what is inside is still served */

    void *request;
    double priority;
    while ((status = queues_priority_get(queue, &request, &priority, -1)) == QUEUES_OK)
        printf("%u tokens\n", *(const unsigned *)request);
    queues_priority_release(queue);
    return status == QUEUES_CLOSED ? 0 : 1;
}
