/* Programs whose accesses to memory are ordered by queues alone, by every pair of calls that the
 * header's rule "Order" names. A race detector must report none of them: neither what is handed
 * over by pointer, nor blobs that are copied, written or read in place, nor callbacks. */
#include "families.h"

enum {
    ROUNDS = 40,
    LONG = 600, /* bytes of a blob: long enough that the library calls memcpy */
};

/* An item that is handed over by pointer: the other thread reads and writes it. */
typedef struct {
    int question, answer;
} job_t;

/* An item that is handed over as a blob. */
typedef struct {
    unsigned char bytes[LONG];
} blob_t;

static job_t *new_job(int question) {
    job_t *job = malloc(sizeof *job);
    CHECK(job);
    job->question = question;
    return job;
}

static void fill(void *data, int seed) { memset(data, seed % 251, LONG); }

static void check(const void *data, int seed) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < LONG; i++)
        CHECK_EQ(bytes[i], seed % 251);
}

/* A queue between two threads, and a variable that is not atomic, which only the queue protects. */
typedef struct {
    const family_t *family;
    void *queue;
    int plain;
} meeting_t;

/* Drop callbacks that read the item in the queue, and their context. */
static void drop_job(void *sum, void *item) {
    *(int *)sum += ((job_t *)item)->question;
    free(item);
}

static void drop_blob(void *sum, void *data) {
    check(data, *(unsigned char *)data);
    fill(data, 7); /* until it returns, the blob belongs to the callback */
    ++*(int *)sum;
}

#define BLOB blob.bytes, LONG

/* --- pointers and blobs, by the calls that wait */

static void *answer_jobs(void *arg) {
    meeting_t *meeting = arg;
    void *item;
    queues_status_t status;
    while ((status = meeting->family->get(meeting->queue, &item, -1)) == QUEUES_OK)
        ((job_t *)item)->answer = ((job_t *)item)->question + 1;
    CHECK_STATUS(status, QUEUES_CLOSED);
    return NULL;
}

static void pointers_are_handed_over(const family_t *family) {
    job_t *jobs[ROUNDS];
    meeting_t meeting = {family, family->create(2, 0, NULL, NULL), 0};
    pthread_t other = start(answer_jobs, &meeting);
    for (int i = 0; i < ROUNDS; i++) {
        jobs[i] = new_job(i);
        CHECK_OK(family->put(meeting.queue, jobs[i], -1));
    }
    CHECK_OK(family->close(meeting.queue));
    finish(other);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(jobs[i]->answer, i + 1);
        free(jobs[i]);
    }
    family->release(meeting.queue);
}

static void *read_blobs(void *arg) {
    meeting_t *meeting = arg;
    blob_t blob;
    queues_status_t status;
    int i = 0;
    for (; (status = meeting->family->get_bytes(meeting->queue, BLOB, -1)) == QUEUES_OK; i++)
        check(blob.bytes, i);
    CHECK_STATUS(status, QUEUES_CLOSED);
    CHECK_EQ(i, ROUNDS);
    return NULL;
}

static void blobs_are_handed_over(const family_t *family) {
    meeting_t meeting = {family, family->create(2, LONG, NULL, NULL), 0};
    pthread_t other = start(read_blobs, &meeting);
    blob_t blob; /* one for all rounds: after each put it belongs to this thread again */
    for (int i = 0; i < ROUNDS; i++) {
        fill(blob.bytes, i);
        CHECK_OK(family->put_bytes(meeting.queue, BLOB, -1));
    }
    CHECK_OK(family->close(meeting.queue));
    finish(other);
    family->release(meeting.queue);
}

/* --- the deque: a steal follows the push of its item, and the next push to the same place follows
 * the steal */

static void *steal_jobs(void *deque) {
    for (int done = 0; done < ROUNDS;) {
        void *item;
        if (queues_deque_steal(deque, &item) == QUEUES_OK) {
            ((job_t *)item)->answer = ((job_t *)item)->question + 1;
            free(item);
            done++;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static void deque_hands_pointers_over(void) {
    queues_deque_t *deque;
    CREATE(deque, &deque, .capacity = 2, .flags = QUEUES_DEQUE_GROWABLE);
    pthread_t thief = start(steal_jobs, deque);
    for (int i = 0; i < ROUNDS; i++)
        CHECK_OK(queues_deque_push(deque, new_job(i)));
    finish(thief);
    queues_deque_release(deque);
}

static void *steal_blobs(void *deque) {
    for (int done = 0; done < ROUNDS;) {
        blob_t blob;
        size_t len;
        if (queues_deque_steal_bytes(deque, BLOB, &len) == QUEUES_OK)
            check(blob.bytes, done++);
        else
            sched_yield();
    }
    return NULL;
}

static void deque_hands_blobs_over(void) {
    queues_deque_t *deque;
    CREATE(deque, &deque, .capacity = 2, .item_size = LONG);
    pthread_t thief = start(steal_blobs, deque);
    for (int i = 0; i < ROUNDS;) {
        blob_t blob;
        fill(blob.bytes, i);
        if (queues_deque_push_bytes(deque, BLOB) == QUEUES_OK)
            i++;
        else
            sched_yield();
    }
    finish(thief);
    queues_deque_release(deque);
}

/* --- blobs that are written and read in place, next to blobs that are copied */

static void *read_in_place(void *queue) {
    const void *data;
    size_t len;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(queues_spsc_front(queue, &data, &len, -1));
        CHECK_EQ(len, LONG);
        check(data, i);
        if (i % 3 == 0) { /* then by copies, too */
            blob_t blob;
            CHECK_OK(queues_spsc_peek_bytes(queue, BLOB, &len));
            CHECK_OK(queues_spsc_get_bytes(queue, BLOB, &len, -1));
            check(blob.bytes, i);
        } else {
            CHECK_OK(queues_spsc_consume(queue));
        }
    }
    return NULL;
}

static void spsc_hands_blobs_over_in_place(void) {
    for (size_t capacity = 1; capacity <= 3; capacity++) {
        queues_spsc_t *queue;
        CREATE(spsc, &queue, .capacity = capacity, .item_size = LONG);
        pthread_t consumer = start(read_in_place, queue);
        for (int i = 0; i < ROUNDS; i++) {
            if (i % 2 == 0) {
                blob_t blob;
                fill(blob.bytes, i);
                CHECK_OK(queues_spsc_put_bytes(queue, BLOB, -1));
            } else {
                void *data;
                CHECK_OK(queues_spsc_reserve(queue, &data, -1));
                fill(data, i);
                CHECK_OK(queues_spsc_commit(queue, LONG));
            }
        }
        finish(consumer);
        queues_spsc_release(queue);
    }
}

/* Leased blobs are read and written, then settled or returned to the queue. */
static void *lease_in_place(void *queue) {
    void *data;
    size_t len;
    for (int done = 0; done < ROUNDS;) {
        CHECK_OK(queues_mpmc_lease(queue, &data, &len, -1));
        unsigned char *bytes = data;
        if (bytes[0] != 250) { /* returned, for the next thread that leases it */
            check(data, bytes[0]);
            fill(data, 250);
            if (queues_mpmc_return(queue, data) == QUEUES_OK)
                continue;
        }
        check(data, 250);
        CHECK_OK(queues_mpmc_settle(queue, data));
        done++;
    }
    return NULL;
}

static void *reserve_in_place(void *queue) {
    for (int i = 0; i < ROUNDS; i++) {
        void *data, *other;
        if (i % 3 == 0) {
            blob_t blob;
            fill(blob.bytes, i);
            CHECK_OK(queues_mpmc_put_bytes(queue, BLOB, -1));
            continue;
        }
        CHECK_OK(queues_mpmc_reserve(queue, &data, -1));
        CHECK_OK(queues_mpmc_reserve(queue, &other, -1));
        fill(data, i);
        fill(other, 249);
        CHECK_OK(queues_mpmc_cancel(queue, other));
        while (queues_mpmc_commit(queue, data, LONG) != QUEUES_OK)
            sched_yield();
    }
    return NULL;
}

static void mpmc_hands_blobs_over_in_place(void) {
    for (int many = 0; many < 2; many++) {
        queues_mpmc_t *queue;
        CREATE(mpmc, &queue, .capacity = 3, .item_size = LONG, .spare = 8);
        pthread_t consumers[2], producers[2];
        for (int i = 0; i <= many; i++) {
            consumers[i] = start(lease_in_place, queue);
            producers[i] = start(reserve_in_place, queue);
        }
        for (int i = 0; i <= many; i++) {
            finish(producers[i]);
            finish(consumers[i]);
        }
        queues_mpmc_release(queue);
    }
}

/* --- a peek shows a pointer that may be followed, if no other thread can get the item meanwhile */

static void *peek_at_jobs(void *queue) {
    void *item;
    for (int i = 0; i < ROUNDS; i++) {
        while (queues_spsc_peek(queue, &item) != QUEUES_OK)
            sched_yield();
        CHECK_EQ(((job_t *)item)->question, i);
        CHECK_OK(queues_spsc_try_get(queue, &item));
        free(item);
    }
    return NULL;
}

static void spsc_peek_shows_what_was_put(void) {
    queues_spsc_t *queue;
    CREATE(spsc, &queue, .capacity = 2);
    pthread_t consumer = start(peek_at_jobs, queue);
    for (int i = 0; i < ROUNDS; i++)
        CHECK_OK(queues_spsc_put(queue, new_job(i), -1));
    finish(consumer);
    queues_spsc_release(queue);
}

/* --- close: a thread that finds the queue closed sees what the closing thread did before */

static void *publish_and_close(void *arg) {
    meeting_t *meeting = arg;
    meeting->plain = 42;
    CHECK_OK(meeting->family->close(meeting->queue));
    return NULL;
}

static bool finds_closed_by_is_closed(meeting_t *meeting) {
    return meeting->family->is_closed(meeting->queue);
}
static bool finds_closed_by_get(meeting_t *meeting) {
    void *item;
    return meeting->family->try_get(meeting->queue, &item) == QUEUES_CLOSED;
}
static bool finds_closed_by_put(meeting_t *meeting) {
    return meeting->family->try_put(meeting->queue, NULL) == QUEUES_CLOSED;
}

static void close_publishes_what_was_before(const family_t *family) {
    static bool (*const finds_closed[])(meeting_t *) = {finds_closed_by_is_closed,
                                                        finds_closed_by_get, finds_closed_by_put};
    for (size_t i = 0; i < LENGTH(finds_closed); i++) {
        meeting_t meeting = {family, family->create(2, 0, NULL, NULL), 0};
        pthread_t other = start(publish_and_close, &meeting);
        while (!finds_closed[i](&meeting))
            sched_yield();
        CHECK_EQ(meeting.plain, 42);
        finish(other);
        family->release(meeting.queue);
    }
}

/* --- callbacks read items in the queue: in clear, while another thread puts, and in the last
 * release */

static void *put_jobs(void *arg) {
    meeting_t *meeting = arg;
    for (int i = 0; i < ROUNDS; i++)
        CHECK_OK(meeting->family->put(meeting->queue, new_job(1), -1));
    meeting->family->release(meeting->queue);
    return NULL;
}

static void *put_blobs(void *arg) {
    meeting_t *meeting = arg;
    for (int i = 0; i < ROUNDS; i++) {
        blob_t blob;
        fill(blob.bytes, i);
        CHECK_OK(meeting->family->put_bytes(meeting->queue, BLOB, -1));
    }
    meeting->family->release(meeting->queue);
    return NULL;
}

static void callbacks_read_what_was_put(const family_t *family) {
    for (int kind = 0; kind < 4; kind++) {
        bool blobs = kind & 1;
        bool at_release = kind & 2; /* every item is left for the last release */
        int sum = 0;
        meeting_t meeting = {family,
                             family->create(at_release ? ROUNDS : 3, blobs ? LONG : 0,
                                            blobs ? drop_blob : drop_job, &sum),
                             0};
        CHECK(family->retain(meeting.queue));
        pthread_t other = start(blobs ? put_blobs : put_jobs, &meeting);
        while (!at_release && sum < ROUNDS) {
            size_t count;
            CHECK_OK(family->clear(meeting.queue, &count));
            if (count == 0)
                sched_yield();
        }
        family->release(meeting.queue);
        finish(other);
        CHECK_EQ(sum, ROUNDS);
    }
}

/* The memory of a blob that clear has dropped is written in place next. */
static void *write_in_place(void *queue) {
    for (int i = 0; i < ROUNDS; i++) {
        void *data;
        CHECK_OK(queues_spsc_reserve(queue, &data, -1));
        fill(data, i);
        CHECK_OK(queues_spsc_commit(queue, LONG));
    }
    return NULL;
}

static void spsc_clear_hands_memory_over(void) {
    int sum = 0;
    queues_spsc_t *queue;
    CREATE(spsc, &queue, .capacity = 2, .item_size = LONG, .drop = drop_blob, .drop_ctx = &sum);
    pthread_t producer = start(write_in_place, queue);
    while (sum < ROUNDS) {
        size_t count;
        CHECK_OK(queues_spsc_clear(queue, &count));
        if (count == 0)
            sched_yield();
    }
    finish(producer);
    queues_spsc_release(queue);
}

/* In an spsc queue the place of an item is free when its callback has returned: the producer that
 * finds the place free sees what the callback did. */
static void *find_room(void *arg) {
    meeting_t *meeting = arg;
    static job_t job;
    CHECK_OK(queues_spsc_put(meeting->queue, &job, -1));
    CHECK_OK(queues_spsc_put(meeting->queue, &job, -1)); /* into the place of the first */
    CHECK_EQ(meeting->plain, 42);
    return NULL;
}

static void publish(void *plain, void *item) {
    (void)item;
    *(int *)plain = 42;
}

static void spsc_hands_memory_over_after_a_callback(void) {
    meeting_t meeting = {0};
    queues_spsc_t *queue;
    CREATE(spsc, &queue, .capacity = 1, .drop = publish, .drop_ctx = &meeting.plain);
    meeting.queue = queue;
    pthread_t producer = start(find_room, &meeting);
    for (size_t count = 0; count == 0; sched_yield())
        CHECK_OK(queues_spsc_clear(queue, &count));
    finish(producer);
    meeting.plain = 0;
    queues_spsc_release(queue);
    CHECK_EQ(meeting.plain, 42);
}

/* --- a put into a place follows the get from that place: one token passes between threads */

static void *take_turns(void *arg) {
    meeting_t *meeting = arg;
    for (int i = 0; i < ROUNDS; i++) {
        void *item;
        CHECK_OK(queues_mpmc_get(meeting->queue, &item, -1));
        meeting->plain++;
        CHECK_OK(queues_mpmc_put(meeting->queue, item, -1));
    }
    return NULL;
}

static void a_token_orders_its_holders(void) {
    meeting_t meeting = {0};
    queues_mpmc_t *queue;
    CREATE(mpmc, &queue, .capacity = 1);
    meeting.queue = queue;
    CHECK_OK(queues_mpmc_put(queue, queue, -1));
    pthread_t others[3];
    for (size_t i = 0; i < LENGTH(others); i++)
        others[i] = start(take_turns, &meeting);
    for (size_t i = 0; i < LENGTH(others); i++)
        finish(others[i]);
    CHECK_EQ(meeting.plain, ROUNDS * 3);
    queues_mpmc_release(queue);
}

/* --- many items, and the growth of a deque */

static void *get_many(void *queue) {
    void *items[5];
    size_t count;
    for (size_t done = 0; done < ROUNDS; done += count) {
        CHECK_OK(queues_spsc_get_many(queue, items, LENGTH(items), -1, &count));
        for (size_t i = 0; i < count; i++) {
            ((job_t *)items[i])->answer = 1;
            free(items[i]);
        }
    }
    return NULL;
}

static void spsc_hands_many_items_over(void) {
    queues_spsc_t *queue;
    CREATE(spsc, &queue, .capacity = 7);
    pthread_t consumer = start(get_many, queue);
    for (int i = 0; i < ROUNDS; i += 4) {
        void *items[] = {new_job(i), new_job(i), new_job(i), new_job(i)};
        size_t done;
        CHECK_OK(queues_spsc_put_many(queue, items, LENGTH(items), -1, &done));
    }
    finish(consumer);
    queues_spsc_release(queue);
}

static void *push_and_release(void *deque) {
    for (int i = 0; i < ROUNDS; i++) {
        blob_t blob;
        fill(blob.bytes, i);
        CHECK_OK(queues_deque_push_bytes(deque, BLOB));
    }
    queues_deque_release(deque);
    return NULL;
}

static void deque_hands_leftovers_to_callbacks(void) {
    int sum = 0;
    queues_deque_t *deque;
    CREATE(deque, &deque, .capacity = 2, .item_size = LONG, .flags = QUEUES_DEQUE_GROWABLE,
           .drop = drop_blob, .drop_ctx = &sum);
    CHECK(queues_deque_retain(deque) == deque);
    pthread_t owner = start(push_and_release, deque);
    blob_t blob;
    size_t len;
    int stolen = 0;
    for (int i = 0; i < ROUNDS / 4; i++)
        stolen += queues_deque_steal_bytes(deque, BLOB, &len) == QUEUES_OK;
    queues_deque_release(deque);
    finish(owner);
    CHECK_EQ(sum + stolen, ROUNDS);
}

int main(void) {
    RUN_FAMILIES(pointers_are_handed_over);
    RUN_FAMILIES(blobs_are_handed_over);
    RUN_FAMILIES(close_publishes_what_was_before);
    RUN_FAMILIES(callbacks_read_what_was_put);
    RUN(deque_hands_pointers_over);
    RUN(deque_hands_blobs_over);
    RUN(deque_hands_leftovers_to_callbacks);
    RUN(spsc_hands_blobs_over_in_place);
    RUN(mpmc_hands_blobs_over_in_place);
    RUN(spsc_peek_shows_what_was_put);
    RUN(spsc_hands_many_items_over);
    RUN(spsc_clear_hands_memory_over);
    RUN(spsc_hands_memory_over_after_a_callback);
    RUN(a_token_orders_its_holders);
    return 0;
}
