/* Queues of every family: empty, full, closed, with waiters, with both payloads. tests/gdb/run.sh
 * prints them at the breakpoint `stop`; with any argument the program aborts there and leaves a
 * core file. */
#include "../c/check.h"
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

queues_mpmc_t *mpmc, *full, *empty, *mpmc_blobs, *mpmc_shared, *shared_empty, *attached, *released;
queues_mpmc_t *none;
queues_spsc_t *spsc, *spsc_blobs, *spsc_shared, *declared_wrongly;
queues_priority_t *priority, *priority_blobs;
queues_deque_t *deque, *deque_blobs;
queues_batch_t *batch, *batch_blobs;
queues_event_t *event;
queues_mpmc_t *foreign, *unmapped = (queues_mpmc_t *)8;
void *untyped;

static void *item(int number) { return (void *)(size_t)(number * 0x11); }

static _Atomic int sleeper;

static void *get(void *queue) {
    void *got;
    sleeper = (int)syscall(SYS_gettid);
    CHECK_OK(queues_mpmc_get(queue, &got, -1));
    return NULL;
}
static void *put(void *queue) {
    sleeper = (int)syscall(SYS_gettid);
    CHECK_OK(queues_mpmc_put(queue, item(9), -1));
    return NULL;
}

static void *get_blob(void *queue) {
    char got[8];
    size_t length;
    sleeper = (int)syscall(SYS_gettid);
    CHECK_OK(queues_mpmc_get_bytes(queue, got, sizeof got, &length, -1));
    return NULL;
}

/* Returns when the new thread sleeps in its call. */
static void start_sleeper(void *(*call)(void *), void *queue) {
    char path[64], stat[256], *state = "";
    sleeper = 0;
    start(call, queue);
    while (sleeper == 0)
        usleep(1000);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", sleeper);
    while (state == NULL || strncmp(state, ") S", 3) != 0) {
        usleep(1000);
        const int file = open(path, O_RDONLY);
        const ssize_t length = file < 0 ? 0 : read(file, stat, sizeof stat - 1);
        close(file);
        stat[length > 0 ? length : 0] = 0;
        state = strrchr(stat, ')');
    }
}

__attribute__((noinline)) void stop(void) { __asm__ volatile(""); }

int main(int count, char **arguments) {
    (void)arguments;
    void *got;
    static char memory[256];

    CREATE(mpmc, &mpmc, .capacity = 20);
    for (int i = 0; i < 30; i++) { /* into the second lap */
        CHECK_OK(queues_mpmc_put(mpmc, item(i), -1));
        if (i >= 10)
            CHECK_OK(queues_mpmc_get(mpmc, &got, -1));
    }
    CHECK(queues_mpmc_retain(mpmc) == mpmc);
    CHECK_OK(queues_mpmc_close(mpmc));
    CREATE(mpmc, &full, .capacity = 2);
    for (int i = 0; i < 2; i++)
        CHECK_OK(queues_mpmc_put(full, item(i), -1));
    start_sleeper(put, full);
    CREATE(mpmc, &empty, .capacity = 4);
    start_sleeper(get, empty);
    start_sleeper(get, empty);
    CREATE(mpmc, &mpmc_blobs, .capacity = 4, .item_size = 30);
    CHECK_OK(queues_mpmc_put_bytes(mpmc_blobs, "hello", 5, -1));
    CHECK_OK(queues_mpmc_put_bytes(mpmc_blobs, "a \"quoted\\\n", 11, -1));
    CHECK_OK(queues_mpmc_put_bytes(mpmc_blobs, NULL, 0, -1));
    CHECK_OK(queues_mpmc_put_bytes(mpmc_blobs, "thirty bytes are too many here", 30, -1));

    /* In a file, with two handles. The items are in the second lap. */
    const int file = (int)syscall(SYS_memfd_create, "queue", 0);
    queues_mpmc_options_t options = {
        .struct_size = sizeof options, .capacity = 3, .item_size = 8, .spare = 2};
    CHECK_OK(queues_mpmc_open_shared(&options, file, &mpmc_shared));
    CHECK_OK(queues_mpmc_open_shared(&options, file, &attached));
    for (int i = 0; i < 5; i++) {
        char blob[8];
        const int length = snprintf(blob, sizeof blob, "item %d", i);
        CHECK_OK(queues_mpmc_put_bytes(mpmc_shared, blob, (size_t)length, -1));
        if (i < 3)
            CHECK_OK(queues_mpmc_get_bytes(attached, blob, sizeof blob, &(size_t){0}, -1));
    }
    /* An empty one, in which another handle sleeps. */
    const int other_file = (int)syscall(SYS_memfd_create, "queue", 0);
    CHECK_OK(queues_mpmc_open_shared(&options, other_file, &shared_empty));
    CHECK_OK(queues_mpmc_open_shared(&options, other_file, &attached));
    CHECK_OK(queues_mpmc_close(mpmc_shared));
    start_sleeper(get_blob, attached);

    CREATE(spsc, &spsc, .capacity = 3, .flags = QUEUES_SPSC_CHECKED);
    for (int i = 0; i < 4; i++) {
        CHECK_OK(queues_spsc_put(spsc, item(i), -1));
        if (i < 2)
            CHECK_OK(queues_spsc_get(spsc, &got, -1));
    }
    CREATE(spsc, &spsc_blobs, .capacity = 3, .item_size = 8);
    CHECK_OK(queues_spsc_put_bytes(spsc_blobs, "x", 1, -1));
    CHECK_OK(queues_spsc_close(spsc_blobs));

    const int third_file = (int)syscall(SYS_memfd_create, "queue", 0);
    queues_spsc_options_t spsc_options = {
        .struct_size = sizeof spsc_options, .capacity = 3, .item_size = 8};
    CHECK_OK(queues_spsc_open_shared(&spsc_options, third_file, &spsc_shared));
    for (int i = 0; i < 4; i++) {
        char blob[8] = "blob 0";
        blob[5] = (char)('0' + i);
        CHECK_OK(queues_spsc_put_bytes(spsc_shared, blob, 6, -1));
        if (i < 2)
            CHECK_OK(queues_spsc_get_bytes(spsc_shared, blob, sizeof blob, &(size_t){0}, -1));
    }

    CREATE(priority, &priority, .capacity = 16);
    for (int i = 0; i < 12; i++)
        CHECK_OK(queues_priority_put(priority, item(i), (i * 7) % 12 / 2 - 1.5, -1));
    CREATE(priority, &priority_blobs, .capacity = 2, .item_size = 100);
    CHECK_OK(queues_priority_put_bytes(priority_blobs, "later", 5, 1e300, -1));
    CHECK_OK(queues_priority_put_bytes(priority_blobs, "sooner", 6, -0.25, -1));

    CREATE(deque, &deque, .capacity = 2, .flags = QUEUES_DEQUE_GROWABLE | QUEUES_DEQUE_CHECKED);
    for (int i = 0; i < 5; i++)
        CHECK_OK(queues_deque_push(deque, item(i)));
    CHECK_OK(queues_deque_steal(deque, &got));
    CHECK_OK(queues_deque_pop(deque, &got));
    CREATE(deque, &deque_blobs, .capacity = 3, .item_size = 3);
    CHECK_OK(queues_deque_push_bytes(deque_blobs, "one", 3));
    CHECK_OK(queues_deque_push_bytes(deque_blobs, "2", 1));

    CREATE(batch, &batch, .max_pending = 10, .batch_size = 4);
    for (int i = 0; i < 3; i++)
        CHECK_OK(queues_batch_put(batch, item(i), -1));
    CREATE(batch, &batch_blobs, .max_pending = 10, .batch_size = 2, .item_size = 6);
    CHECK_OK(queues_batch_put_bytes(batch_blobs, "first", 5, -1));
    CHECK_OK(queues_batch_put_bytes(batch_blobs, "second", 6, -1));

    CHECK_OK(queues_event_create(&event));
    CHECK_OK(queues_event_set(event));

    untyped = batch;
    printf("untyped %p\n", untyped);
    fflush(stdout);

    /* Last, so that no later queue reuses its memory. */
    CREATE(mpmc, &released, .capacity = 1);
    queues_mpmc_release(released);
    foreign = (queues_mpmc_t *)memory;
    declared_wrongly = (queues_spsc_t *)mpmc;
    stop();
    if (count > 1)
        abort();
    _exit(0); /* while four threads sleep */
}
