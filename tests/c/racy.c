/* Programs with a data race beside a queue, which a race detector must report: what the library
 * announces to detectors, and the suppressions for them, must hide no race of the program. The
 * argument names the race. */
#include "check.h"

enum { LONG = 200 }; /* bytes of a blob */

static queues_mpmc_t *queue;
static queues_spsc_t *bytes;
static int plain;

/* Writes after the put: nothing orders that before the read that follows the get. */
static void *put_too_early(void *unused) {
    CHECK_OK(queues_mpmc_put(queue, &plain, -1));
    plain = 1;
    return unused;
}

static void *get(void *unused) {
    void *item;
    CHECK_OK(queues_mpmc_get(queue, &item, -1));
    CHECK(*(int *)item <= 1);
    return unused;
}

/* Two puts to one queue do not order what the two threads do. */
static void *put_beside(void *unused) {
    plain++;
    CHECK_OK(queues_mpmc_put(queue, &plain, -1));
    return unused;
}

/* Writes after commit: the blob belongs to the consumer by then. */
static void *write_too_late(void *unused) {
    unsigned char *data;
    CHECK_OK(queues_spsc_reserve(bytes, (void **)&data, -1));
    CHECK_OK(queues_spsc_commit(bytes, LONG));
    data[0] = 1;
    return unused;
}

static void *read_in_place(void *unused) {
    const unsigned char *data;
    size_t len;
    CHECK_OK(queues_spsc_front(bytes, (const void **)&data, &len, -1));
    CHECK(data[0] <= 1);
    return unused;
}

/* Reads after consume: the memory belongs to the producer by then. */
static void *read_too_late(void *unused) {
    const unsigned char *data;
    size_t len;
    CHECK_OK(queues_spsc_front(bytes, (const void **)&data, &len, -1));
    CHECK_OK(queues_spsc_consume(bytes));
    pause_ns(20 * MILLISECOND);
    CHECK(data[0] <= 2);
    return unused;
}

static void *write_in_place(void *unused) {
    for (int i = 1; i <= 2; i++) {
        void *data;
        CHECK_OK(queues_spsc_reserve(bytes, &data, -1));
        memset(data, i, LONG);
        CHECK_OK(queues_spsc_commit(bytes, LONG));
    }
    return unused;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    CREATE(mpmc, &queue, .capacity = 4);
    CREATE(spsc, &bytes, .capacity = 1, .item_size = LONG);
    void *(*one)(void *), *(*other)(void *);
    if (strcmp(argv[1], "put-too-early") == 0)
        one = put_too_early, other = get;
    else if (strcmp(argv[1], "put-beside") == 0)
        one = other = put_beside;
    else if (strcmp(argv[1], "read-too-late") == 0)
        one = write_in_place, other = read_too_late;
    else if (strcmp(argv[1], "write-too-late") == 0)
        one = write_too_late, other = read_in_place;
    else
        return 2;
    pthread_t first = start(one, NULL), second = start(other, NULL);
    finish(first);
    finish(second);
    queues_mpmc_release(queue);
    queues_spsc_release(bytes);
    return 0;
}
