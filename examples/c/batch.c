/* Requests to a model are served in batches of at most four requests and 1024 tokens. No request
 * waits longer than 2 ms for others to join its batch. */
#include <queues.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 4 };
static const unsigned tokens[] = {512, 16, 2048, 16, 64, 1024, 64, 128, 32};

/* For calls that must succeed: ends the program if one does not. */
static void must(queues_status_t status, const char *call) {
    if (status != QUEUES_OK) {
        fprintf(stderr, "%s: %s\n", call, queues_status_string(status));
        exit(EXIT_FAILURE);
    }
}

int main(void) {
    queues_batch_options_t options = {.struct_size = sizeof options,
                                      .batch_size = SIZE,
                                      .batch_timeout_ns = 2000000,
                                      .batch_weight = 1024};
    queues_batch_t *queue;
    must(queues_batch_create(&options, &queue), "create");

    /* Any thread may put; -1: waits for room without a time limit. */
    const size_t requests = sizeof tokens / sizeof *tokens;
    for (size_t i = 0; i < requests; i++)
        must(queues_batch_put_weighted(queue, (void *)&tokens[i], tokens[i], -1), "put");

    for (size_t served = 0, n; served < requests; served += n) {
        void *batch[SIZE];
        unsigned sum = 0;
        /* Waits until a batch is due. The last one is not full: it is due after 2 ms. */
        must(queues_batch_get_batch(queue, batch, SIZE, &n, -1), "get");
        for (size_t i = 0; i < n; i++)
            sum += *(const unsigned *)batch[i];
        printf("batch of %zu: %u tokens\n", n, sum);
    }
    must(queues_batch_close(queue), "close"); /* no more puts; gets would return CLOSED now */
    queues_batch_release(queue);
    return 0;
}
