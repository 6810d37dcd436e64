/* One thread passes lines to another without copies: the producer writes each line into the memory
 * of the queue, and the consumer counts its words there. */
#include <pthread.h>
#include <queues.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 128 };

static const char *const poem[] = {"the bird is caught", "but the cage", "", "is still open"};

/* For calls that must succeed: ends the program if one does not. */
static void must(queues_status_t status, const char *call) {
    if (status != QUEUES_OK) {
        fprintf(stderr, "%s: %s\n", call, queues_status_string(status));
        exit(EXIT_FAILURE);
    }
}

/* The producer: the only thread that puts. */
static void *write_lines(void *queue) {
    for (size_t i = 0; i < sizeof poem / sizeof *poem; i++) {
        void *line; /* LONGEST bytes in the queue, hidden from the consumer until the commit */
        must(queues_spsc_reserve(queue, &line, -1), "reserve");
        size_t length = strlen(poem[i]);
        memcpy(line, poem[i], length);
        must(queues_spsc_commit(queue, length), "commit");
    }
    must(queues_spsc_close(queue), "close"); /* no more puts; gets return what is left */
    return NULL;
}

static size_t count_words(const char *line, size_t length) {
    size_t words = 0;
    for (size_t i = 0; i < length; i++)
        words += line[i] != ' ' && (i == 0 || line[i - 1] == ' ');
    return words;
}

int main(void) {
    queues_spsc_options_t options = {
        .struct_size = sizeof options, .capacity = 2, .item_size = LONGEST};
    queues_spsc_t *queue;
    must(queues_spsc_create(&options, &queue), "create");
    pthread_t producer;
    if (pthread_create(&producer, NULL, write_lines, queue) != 0) {
        fputs("pthread_create failed\n", stderr);
        return EXIT_FAILURE;
    }

    /* The consumer: the only thread that gets. */
    const void *line;
    size_t length;
    queues_status_t status;
    while ((status = queues_spsc_front(queue, &line, &length, -1)) == QUEUES_OK) {
        printf("%zu words in \"%.*s\"\n", count_words(line, length), (int)length,
               (const char *)line);
        must(queues_spsc_consume(queue), "consume"); /* the memory is the producer's again */
    }
    pthread_join(producer, NULL);
    queues_spsc_release(queue);
    return status == QUEUES_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
}
