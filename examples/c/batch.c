/* Requests to a model, served in batches: of four at most, of 1024 tokens at most, and so that none
 * waits for others for longer than 2 ms. */
#include <queues.h>
#include <stdint.h>
#include <stdio.h>

enum { SIZE = 4 };
static const unsigned tokens[] = {512, 16, 2048, 16, 64, 1024, 64, 128, 32};

int main(void) {
    queues_batch_options_t options = {.struct_size = sizeof options,
                                      .batch_size = SIZE,
                                      .batch_timeout_ns = 2000000,
                                      .batch_weight = 1024};
    queues_batch_t *queue;
    queues_status_t status = queues_batch_create(&options, &queue);
    if (status != QUEUES_OK) {
        fprintf(stderr, "queues_batch_create: %s\n", queues_status_string(status));
        return 1;
    }
    const size_t requests = sizeof tokens / sizeof *tokens;
    for (size_t i = 0; i < requests && status == QUEUES_OK; i++) /* any thread; waits for room */
        status = queues_batch_put_weighted(queue, (void *)&tokens[i], tokens[i], -1);

    for (size_t served = 0, n; served < requests && status == QUEUES_OK; served += n) {
        void *batch[SIZE];
        unsigned sum = 0;
        /* Waits until a batch is due: the last one, which is not full, until it is old enough. */
        status = queues_batch_get_batch(queue, batch, SIZE, &n, -1);
        if (status != QUEUES_OK)
            break;
        for (size_t i = 0; i < n; i++)
            sum += *(const unsigned *)batch[i];
        printf("batch of %zu: %u tokens\n", n, sum);
    }
    queues_batch_close(queue); /* no more puts; gets would drain the rest, then answer CLOSED */
    queues_batch_release(queue);
    return status == QUEUES_OK ? 0 : 1;
}
