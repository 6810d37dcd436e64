#include <queues.h>
#include <stdio.h>

int main(void) {
    queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = 100};
    queues_mpmc_t *queue;
    queues_status_t status = queues_mpmc_create(&options, &queue);
    if (status == QUEUES_OK)
        status = queues_mpmc_put(queue, "hello", -1); /* waits for room: -1 is no time limit */
    if (status != QUEUES_OK) {
        fprintf(stderr, "%s\n", queues_status_string(status));
        return 1;
    }
    void *item;
    if (queues_mpmc_get(queue, &item, 1000000000) == QUEUES_OK) /* waits up to a second */
        puts(item);
    queues_mpmc_release(queue);
}
