/* What a race detector has to understand: programs whose accesses are ordered by queues alone. None
 * of them may be reported, whatever is handed over, and wherever it is read and written. */
#include "check.h"

enum {
    ROUNDS = 40,
    LONG = 600, /* bytes of a blob, for which the library would use memcpy */
};

/* What travels by pointer: the other side reads and writes it. */
typedef struct {
    int question, answer;
} job_t;

/* What travels as a blob. */
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

/* Both ends of one queue, each with data of its own. */
typedef struct {
    void *queue;
    int plain; /* written by one thread, read by the other */
} meeting_t;

/* A drop callback that reads the item where it lies, and its context. */
static void drop_job(void *sum, void *item) {
    *(int *)sum += ((job_t *)item)->question;
    free(item);
}

static void drop_blob(void *sum, void *data) {
    check(data, *(unsigned char *)data);
    fill(data, 7); /* it is the callback's, until it returns */
    ++*(int *)sum;
}

#define OPTIONS(family, ...)                                                                       \
    (queues_##family##_options_t) {                                                                \
        .struct_size = sizeof(queues_##family##_options_t), __VA_ARGS__                            \
    }

#define ROOM_mpmc(n) .capacity = n
#define ROOM_spsc(n) .capacity = n
#define ROOM_priority(n) .capacity = n
#define ROOM_batch(n) .max_pending = n, .batch_size = 1

/* --- pointers and blobs, through the calls that wait */

#define WAITING_CALLS(family, PUT, GET, PUT_BYTES, GET_BYTES)                                      \
    static void *family##_answer(void *queue) {                                                    \
        void *item;                                                                                \
        queues_status_t status;                                                                    \
        while ((status = GET) == QUEUES_OK)                                                        \
            ((job_t *)item)->answer = ((job_t *)item)->question + 1;                               \
        CHECK_STATUS(status, QUEUES_CLOSED);                                                       \
        return NULL;                                                                               \
    }                                                                                              \
    static void family##_jobs(void) {                                                              \
        job_t *jobs[ROUNDS];                                                                       \
        queues_##family##_t *queue;                                                                \
        CHECK_OK(queues_##family##_create(&OPTIONS(family, ROOM_##family(2)), &queue));            \
        pthread_t other = start(family##_answer, queue);                                           \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            void *item = jobs[i] = new_job(i);                                                     \
            CHECK_OK(PUT);                                                                         \
        }                                                                                          \
        CHECK_OK(queues_##family##_close(queue));                                                  \
        finish(other);                                                                             \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            CHECK_EQ(jobs[i]->answer, i + 1);                                                      \
            free(jobs[i]);                                                                         \
        }                                                                                          \
        queues_##family##_release(queue);                                                          \
    }                                                                                              \
    static void *family##_read(void *queue) {                                                      \
        blob_t blob;                                                                               \
        size_t len;                                                                                \
        int i = 0;                                                                                 \
        for (; GET_BYTES == QUEUES_OK; i++)                                                        \
            check(blob.bytes, i);                                                                  \
        CHECK_EQ(i, ROUNDS);                                                                       \
        return NULL;                                                                               \
    }                                                                                              \
    static void family##_blobs(void) {                                                             \
        queues_##family##_t *queue;                                                                \
        CHECK_OK(queues_##family##_create(&OPTIONS(family, ROOM_##family(2), .item_size = LONG),   \
                                          &queue));                                                \
        pthread_t other = start(family##_read, queue);                                             \
        blob_t blob; /* one for all: it is the caller's again after each put */                    \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            fill(blob.bytes, i);                                                                   \
            CHECK_OK(PUT_BYTES);                                                                   \
        }                                                                                          \
        CHECK_OK(queues_##family##_close(queue));                                                  \
        finish(other);                                                                             \
        queues_##family##_release(queue);                                                          \
    }

static _Thread_local double priority; /* outputs that nobody reads */
static _Thread_local size_t n;
static _Thread_local queues_batch_blob_t where;

#define BLOB blob.bytes, LONG
WAITING_CALLS(mpmc, queues_mpmc_put(queue, item, -1), queues_mpmc_get(queue, &item, -1),
              queues_mpmc_put_bytes(queue, BLOB, -1), queues_mpmc_get_bytes(queue, BLOB, &len, -1))
WAITING_CALLS(spsc, queues_spsc_put(queue, item, -1), queues_spsc_get(queue, &item, -1),
              queues_spsc_put_bytes(queue, BLOB, -1), queues_spsc_get_bytes(queue, BLOB, &len, -1))
WAITING_CALLS(priority, queues_priority_put(queue, item, 1, -1),
              queues_priority_get(queue, &item, &priority, -1),
              queues_priority_put_bytes(queue, BLOB, 1, -1),
              queues_priority_get_bytes(queue, BLOB, &len, &priority, -1))

WAITING_CALLS(batch, queues_batch_put(queue, item, -1),
              queues_batch_get_batch(queue, &item, 1, &n, -1),
              queues_batch_put_bytes(queue, BLOB, -1),
              queues_batch_get_batch_bytes(queue, BLOB, &len, &where, 1, &n, -1))

/* --- the deque: what is stolen was pushed before, and its place is pushed to again */

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

static void deque_jobs(void) {
    queues_deque_t *deque;
    CHECK_OK(queues_deque_create(&OPTIONS(deque, .capacity = 2, .flags = QUEUES_DEQUE_GROWABLE),
                                 &deque));
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

static void deque_blobs(void) {
    queues_deque_t *deque;
    CHECK_OK(queues_deque_create(&OPTIONS(deque, .capacity = 2, .item_size = LONG), &deque));
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

/* --- in place: whoever put them, blobs are read where they lie, and written where they will lie */

static void *read_in_place(void *queue) {
    const void *data;
    size_t len;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(queues_spsc_front(queue, &data, &len, -1));
        CHECK_EQ(len, LONG);
        check(data, i);
        if (i % 3 == 0) { /* then copied, too */
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

static void spsc_in_place(void) {
    for (size_t capacity = 1; capacity <= 3; capacity++) {
        queues_spsc_t *queue;
        CHECK_OK(
            queues_spsc_create(&OPTIONS(spsc, .capacity = capacity, .item_size = LONG), &queue));
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

/* Leased blobs are read and written, settled or put back; whoever reserved the cell before. */
static void *lease_in_place(void *queue) {
    void *data;
    size_t len;
    for (int done = 0; done < ROUNDS;) {
        CHECK_OK(queues_mpmc_lease(queue, &data, &len, -1));
        unsigned char *bytes = data;
        if (bytes[0] != 250) { /* once more, by whoever leases it next */
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

static void mpmc_in_place(void) {
    for (int many = 0; many < 2; many++) {
        queues_mpmc_t *queue;
        CHECK_OK(queues_mpmc_create(&OPTIONS(mpmc, .capacity = 3, .item_size = LONG, .spare = 8),
                                    &queue));
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

/* --- a peek shows what may be followed, if the program keeps the item from being got */

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

static void spsc_peek(void) {
    queues_spsc_t *queue;
    CHECK_OK(queues_spsc_create(&OPTIONS(spsc, .capacity = 2), &queue));
    pthread_t consumer = start(peek_at_jobs, queue);
    for (int i = 0; i < ROUNDS; i++)
        CHECK_OK(queues_spsc_put(queue, new_job(i), -1));
    finish(consumer);
    queues_spsc_release(queue);
}

/* --- closing: what was done before it is seen by whoever finds the queue closed */

#define CLOSING(family, ASK)                                                                       \
    static void *family##_publish(void *arg) {                                                     \
        meeting_t *meeting = arg;                                                                  \
        meeting->plain = 42;                                                                       \
        CHECK_OK(queues_##family##_close(meeting->queue));                                         \
        return NULL;                                                                               \
    }                                                                                              \
    static void family##_closes(void) {                                                            \
        for (int how = 0; how < 3; how++) {                                                        \
            queues_##family##_t *queue;                                                            \
            void *item = NULL;                                                                     \
            CHECK_OK(queues_##family##_create(&OPTIONS(family, ROOM_##family(2)), &queue));        \
            meeting_t meeting = {queue, 0};                                                        \
            pthread_t other = start(family##_publish, &meeting);                                   \
            while (how == 0   ? !queues_##family##_is_closed(queue)                                \
                   : how == 1 ? ASK != QUEUES_CLOSED                                               \
                              : queues_##family##_try_put(queue, item PRIORITY) != QUEUES_CLOSED)  \
                sched_yield();                                                                     \
            CHECK_EQ(meeting.plain, 42);                                                           \
            finish(other);                                                                         \
            queues_##family##_release(queue);                                                      \
        }                                                                                          \
    }

#define PRIORITY
CLOSING(mpmc, queues_mpmc_try_get(queue, &item))
CLOSING(spsc, queues_spsc_try_get(queue, &item))
CLOSING(batch, queues_batch_get_due(queue, &item, 1, &n))
#undef PRIORITY
#define PRIORITY , 1
CLOSING(priority, queues_priority_try_get(queue, &item, &priority))

/* --- callbacks read items where they lie: in clear, which runs beside puts, and in the last
 * release */

#define CLEARING(family, PUT, PUT_BYTES)                                                           \
    static void *family##_put_jobs(void *queue) {                                                  \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            void *item = new_job(1);                                                               \
            CHECK_OK(PUT);                                                                         \
        }                                                                                          \
        queues_##family##_release(queue);                                                          \
        return NULL;                                                                               \
    }                                                                                              \
    static void *family##_put_blobs(void *queue) {                                                 \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            blob_t blob;                                                                           \
            fill(blob.bytes, i);                                                                   \
            CHECK_OK(PUT_BYTES);                                                                   \
        }                                                                                          \
        queues_##family##_release(queue);                                                          \
        return NULL;                                                                               \
    }                                                                                              \
    static void family##_clears(void) {                                                            \
        for (int how = 0; how < 4; how++) {                                                        \
            bool blobs = how & 1;                                                                  \
            bool all = how & 2; /* what is left for the last release is as much as there was */    \
            int sum = 0;                                                                           \
            queues_##family##_t *queue;                                                            \
            CHECK_OK(queues_##family##_create(                                                     \
                &OPTIONS(family, ROOM_##family(all ? ROUNDS : 3), .item_size = blobs ? LONG : 0,   \
                         .drop = blobs ? drop_blob : drop_job, .drop_ctx = &sum),                  \
                &queue));                                                                          \
            queues_##family##_retain(queue);                                                       \
            pthread_t other = start(blobs ? family##_put_blobs : family##_put_jobs, queue);        \
            while (!all && sum < ROUNDS) {                                                         \
                size_t count;                                                                      \
                CHECK_OK(queues_##family##_clear(queue, &count));                                  \
                if (count == 0)                                                                    \
                    sched_yield();                                                                 \
            }                                                                                      \
            queues_##family##_release(queue);                                                      \
            finish(other);                                                                         \
            CHECK_EQ(sum, ROUNDS);                                                                 \
        }                                                                                          \
    }

CLEARING(mpmc, queues_mpmc_put(queue, item, -1), queues_mpmc_put_bytes(queue, BLOB, -1))
CLEARING(spsc, queues_spsc_put(queue, item, -1), queues_spsc_put_bytes(queue, BLOB, -1))
CLEARING(priority, queues_priority_put(queue, item, 1, -1),
         queues_priority_put_bytes(queue, BLOB, 1, -1))
CLEARING(batch, queues_batch_put(queue, item, -1), queues_batch_put_bytes(queue, BLOB, -1))

/* A place that clear empties is written in place next. */
static void *write_in_place(void *queue) {
    for (int i = 0; i < ROUNDS; i++) {
        void *data;
        CHECK_OK(queues_spsc_reserve(queue, &data, -1));
        fill(data, i);
        CHECK_OK(queues_spsc_commit(queue, LONG));
    }
    return NULL;
}

static void spsc_clears_in_place(void) {
    int sum = 0;
    queues_spsc_t *queue;
    CHECK_OK(queues_spsc_create(
        &OPTIONS(spsc, .capacity = 2, .item_size = LONG, .drop = drop_blob, .drop_ctx = &sum),
        &queue));
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

/* An spsc queue's place is free when its callback has returned: who finds it free finds what the
 * callback did. */
static void *find_room(void *arg) {
    meeting_t *meeting = arg;
    static job_t job;
    CHECK_OK(queues_spsc_put(meeting->queue, &job, -1));
    CHECK_OK(queues_spsc_put(meeting->queue, &job, -1)); /* in the place of the first */
    CHECK_EQ(meeting->plain, 42);
    return NULL;
}

static void say(void *plain, void *item) {
    (void)item;
    *(int *)plain = 42;
}

static void spsc_room_after_a_callback(void) {
    meeting_t meeting = {NULL, 0};
    queues_spsc_t *queue;
    CHECK_OK(queues_spsc_create(
        &OPTIONS(spsc, .capacity = 1, .drop = say, .drop_ctx = &meeting.plain), &queue));
    meeting.queue = queue;
    pthread_t producer = start(find_room, &meeting);
    for (size_t count = 0; count == 0; sched_yield())
        CHECK_OK(queues_spsc_clear(queue, &count));
    finish(producer);
    meeting.plain = 0;
    queues_spsc_release(queue);
    CHECK_EQ(meeting.plain, 42);
}

/* --- a place that was got from is put to next: a token that goes round */

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

static void a_token(void) {
    meeting_t meeting = {NULL, 0};
    queues_mpmc_t *queue;
    CHECK_OK(queues_mpmc_create(&OPTIONS(mpmc, .capacity = 1), &queue));
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

static void spsc_many(void) {
    queues_spsc_t *queue;
    CHECK_OK(queues_spsc_create(&OPTIONS(spsc, .capacity = 7), &queue));
    pthread_t consumer = start(get_many, queue);
    for (int i = 0; i < ROUNDS; i += 4) {
        void *items[] = {new_job(i), new_job(i), new_job(i), new_job(i)};
        size_t done;
        CHECK_OK(queues_spsc_put_many(queue, items, LENGTH(items), -1, &done));
    }
    finish(consumer);
    queues_spsc_release(queue);
}

static void *push_and_leave(void *deque) {
    for (int i = 0; i < ROUNDS; i++) {
        blob_t blob;
        fill(blob.bytes, i);
        CHECK_OK(queues_deque_push_bytes(deque, BLOB));
    }
    queues_deque_release(deque);
    return NULL;
}

static void deque_leftovers(void) {
    int sum = 0;
    queues_deque_t *deque;
    CHECK_OK(queues_deque_create(&OPTIONS(deque, .capacity = 2, .item_size = LONG,
                                          .flags = QUEUES_DEQUE_GROWABLE, .drop = drop_blob,
                                          .drop_ctx = &sum),
                                 &deque));
    queues_deque_retain(deque);
    pthread_t owner = start(push_and_leave, deque);
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
    RUN(mpmc_jobs);
    RUN(mpmc_blobs);
    RUN(spsc_jobs);
    RUN(spsc_blobs);
    RUN(priority_jobs);
    RUN(priority_blobs);
    RUN(batch_jobs);
    RUN(batch_blobs);
    RUN(deque_jobs);
    RUN(deque_blobs);
    RUN(deque_leftovers);
    RUN(spsc_in_place);
    RUN(mpmc_in_place);
    RUN(spsc_peek);
    RUN(spsc_many);
    RUN(mpmc_closes);
    RUN(spsc_closes);
    RUN(priority_closes);
    RUN(batch_closes);
    RUN(mpmc_clears);
    RUN(spsc_clears);
    RUN(priority_clears);
    RUN(batch_clears);
    RUN(spsc_clears_in_place);
    RUN(spsc_room_after_a_callback);
    RUN(a_token);
    return 0;
}
