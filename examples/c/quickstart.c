/* One thread puts words and closes the queue; the other gets words until the queue is closed and
 * empty. */
#include <pthread.h>
#include <queues.h>
#include <stdio.h>
#include <stdlib.h>

/* For calls that must succeed: ends the program if one does not. */
static void must(queues_status_t status, const char *call) {
    if (status != QUEUES_OK) {
        fprintf(stderr, "%s: %s\n", call, queues_status_string(status));
        exit(EXIT_FAILURE);
    }
}

static void *produce(void *queue) {
    static char *const words[] = {"queues", "carry", "things", "between", "threads"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        must(queues_mpmc_put(queue, words[i], -1), "put"); /* waits for room: -1 is no time limit */
    must(queues_mpmc_close(queue), "close"); /* no more puts; gets return what is left */
    return NULL;
}

int main(void) {
    queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = 2};
    queues_mpmc_t *queue;
    must(queues_mpmc_create(&options, &queue), "create");
    pthread_t producer;
    if (pthread_create(&producer, NULL, produce, queue) != 0) {
        fputs("pthread_create failed\n", stderr);
        return EXIT_FAILURE;
    }

    void *word;
    queues_status_t status;
    while ((status = queues_mpmc_get(queue, &word, -1)) == QUEUES_OK)
        puts(word);
    pthread_join(producer, NULL);
    queues_mpmc_release(queue);
    return status == QUEUES_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
}
