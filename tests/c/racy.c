/* Programs that do race, although queues are near: a race detector must go on seeing them, or a
 * test that expects no reports proves nothing. The argument says which. */
#include "check.h"

enum { LONG = 200 };

static queues_mpmc_t *queue;
static queues_spsc_t *bytes;
static int plain;

/* Written after the put: nothing orders it before the read behind the get. */
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

/* Two threads that put to one queue are not ordered by it. */
static void *put_beside(void *unused) {
    plain++;
    CHECK_OK(queues_mpmc_put(queue, &plain, -1));
    return unused;
}

/* Written after commit: the place is the consumer's by then. */
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

/* Read after consume: the place is the producer's by then. */
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
    queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = 4};
    queues_spsc_options_t spsc = {.struct_size = sizeof spsc, .capacity = 1, .item_size = LONG};
    CHECK_OK(queues_mpmc_create(&options, &queue));
    CHECK_OK(queues_spsc_create(&spsc, &bytes));
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
