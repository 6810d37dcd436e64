/* A stream from one thread to another, without copies: a reader writes lines right into the queue,
   and the main thread counts their words right there. */
#include <pthread.h>
#include <queues.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 128 };

static const char *const poem[] = {"the bird is caught", "but the cage", "", "is still open"};

/* The producer: the only thread that puts. */
static void *read_lines(void *queue) {
    for (size_t i = 0; i < sizeof poem / sizeof *poem; i++) {
        void *room; /* LONGEST bytes in the queue; nobody sees them before the commit */
        if (queues_spsc_reserve(queue, &room, -1) != QUEUES_OK)
            break;
        size_t length = strlen(poem[i]);
        memcpy(room, poem[i], length);
        if (queues_spsc_commit(queue, length) != QUEUES_OK)
            break;
    }
    queues_spsc_close(queue); /* what is inside can still be taken */
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
    queues_status_t status = queues_spsc_create(&options, &queue);
    if (status != QUEUES_OK) {
        fprintf(stderr, "queues_spsc_create: %s\n", queues_status_string(status));
        return 1;
    }
    pthread_t reader;
    if (pthread_create(&reader, NULL, read_lines, queue) != 0)
        return 1;

    /* The consumer: the only thread that gets. */
    const void *line;
    size_t length;
    while ((status = queues_spsc_front(queue, &line, &length, -1)) == QUEUES_OK) {
        printf("%zu words in \"%.*s\"\n", count_words(line, length), (int)length,
               (const char *)line);
        queues_spsc_consume(queue); /* from now on the place is the producer's again */
    }
    pthread_join(reader, NULL);
    queues_spsc_release(queue);
    return status == QUEUES_CLOSED ? 0 : 1;
}
