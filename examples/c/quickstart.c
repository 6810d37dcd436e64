/* Two threads and a queue: one puts and closes, the other gets until it is closed and empty. */
#include <pthread.h>
#include <queues.h>
#include <stdio.h>

static void *produce(void *queue) {
    static char *const words[] = {"queues", "carry", "things", "between", "threads"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (queues_mpmc_put(queue, words[i], -1) != QUEUES_OK) /* a timeout below 0 is for ever */
            break;
    }
    queues_mpmc_close(queue); /* no more puts; what is inside can still be taken */
    return NULL;
}

int main(void) {
    queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = 2};
    queues_mpmc_t *queue;
    queues_status_t status = queues_mpmc_create(&options, &queue);
    if (status != QUEUES_OK) {
        fprintf(stderr, "queues_mpmc_create: %s\n", queues_status_string(status));
        return 1;
    }
    pthread_t producer;
    if (pthread_create(&producer, NULL, produce, queue) == 0) {
        void *word;
        while ((status = queues_mpmc_get(queue, &word, -1)) == QUEUES_OK)
            puts(word);
        pthread_join(producer, NULL);
    }
    queues_mpmc_release(queue);
    return status == QUEUES_CLOSED ? 0 : 1;
}
