// Cameron Desrochers' queues. ConcurrentQueue has no bound, and no order among producers.
#if __has_include(<concurrentqueue/blockingconcurrentqueue.h>) && \
    __has_include(<readerwriterqueue/readerwritercircularbuffer.h>)

#include "workloads.hpp"

#include <chrono>
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>
#include <readerwriterqueue/readerwritercircularbuffer.h>
#include <readerwriterqueue/readerwriterqueue.h>

namespace {

using namespace versus;
namespace mc = moodycamel;

struct plain {
    using item = void *;
    explicit plain(std::size_t capacity) : queue(capacity) {}
    bool try_put(item i) { return queue.enqueue(i); }
    bool try_get(item &i) { return queue.try_dequeue(i); }
    std::size_t put_many(const item *items, std::size_t count) {
        return queue.enqueue_bulk(items, count) ? count : 0;
    }
    std::size_t get_many(item *items, std::size_t count) {
        return queue.try_dequeue_bulk(items, count);
    }
    mc::ConcurrentQueue<item> queue;
};

struct with_tokens {
    using item = void *;
    explicit with_tokens(std::size_t capacity) : queue(capacity) {}
    struct tokens {
        explicit tokens(mc::ConcurrentQueue<item> &q) : queue(q), producer(q), consumer(q) {}
        bool try_put(item i) { return queue.enqueue(producer, i); }
        bool try_get(item &i) { return queue.try_dequeue(consumer, i); }
        std::size_t put_many(const item *items, std::size_t count) {
            return queue.enqueue_bulk(producer, items, count) ? count : 0;
        }
        std::size_t get_many(item *items, std::size_t count) {
            return queue.try_dequeue_bulk(consumer, items, count);
        }
        mc::ConcurrentQueue<item> &queue;
        mc::ProducerToken producer;
        mc::ConsumerToken consumer;
    };
    tokens end() { return tokens(queue); }
    mc::ConcurrentQueue<item> queue;
};

struct sleeping {
    using item = void *;
    explicit sleeping(std::size_t capacity) : queue(capacity) {}
    void put(item i) { queue.enqueue(i); }
    void get(item &i) { queue.wait_dequeue(i); }
    mc::BlockingConcurrentQueue<item> queue;
};

// The consumer collects until the first item is old enough.
struct collected {
    using clock = std::chrono::steady_clock;
    struct dated {
        void *word;
        clock::time_point arrival;
    };
    collected(std::size_t capacity, std::int64_t nanoseconds) : queue(capacity), age(nanoseconds) {}
    void put(void *word) { queue.enqueue({word, clock::now()}); }
    std::size_t get_batch(void **words) {
        dated items[BATCH_SIZE];
        std::size_t got = queue.wait_dequeue_bulk(items, BATCH_SIZE);
        const auto due = items[0].arrival + age;
        for (auto left = age; got < BATCH_SIZE;) {
            left = due - clock::now();
            if (left <= left.zero())
                break;
            got += queue.wait_dequeue_bulk_timed(items + got, BATCH_SIZE - got, left);
        }
        for (std::size_t i = 0; i < got; i++)
            words[i] = items[i].word;
        return got;
    }
    mc::BlockingConcurrentQueue<dated> queue;
    std::chrono::nanoseconds age;
};

template <class T> struct reader_writer {
    using item = T;
    explicit reader_writer(std::size_t capacity) : queue(capacity) {}
    bool try_put(const item &i) { return queue.try_enqueue(i); }
    bool try_get(item &i) { return queue.try_dequeue(i); }
    mc::ReaderWriterQueue<item> queue;
};

// Only the consumer sleeps; the producer, which has no such call, tries.
template <class T> struct sleeping_reader {
    using item = T;
    explicit sleeping_reader(std::size_t capacity) : queue(capacity) {}
    bool try_put(const item &i) { return queue.try_enqueue(i); }
    bool try_get(item &i) { return queue.try_dequeue(i); }
    void put(const item &i) { polling::put(*this, i); }
    void get(item &i) { queue.wait_dequeue(i); }
    mc::BlockingReaderWriterQueue<item> queue;
};

template <class T> struct circular {
    using item = T;
    explicit circular(std::size_t capacity) : queue(capacity) {}
    bool try_put(const item &i) { return queue.try_enqueue(i); }
    bool try_get(item &i) { return queue.try_dequeue(i); }
    void put(const item &i) { queue.wait_enqueue(i); }
    void get(item &i) { queue.wait_dequeue(i); }
    mc::BlockingReaderWriterCircularBuffer<item> queue;
};

const char *const concurrent_cases[] = {MPMC_TRY, MPMC_MANY, nullptr};
const char *const sleeping_cases[] = {MPMC_WAIT, "memory", BATCH, nullptr};
const char *const reader_writer_cases[] = {SPSC_TRY("*"), nullptr};
const char *const waiting_cases[] = {SPSC_TRY("*"), SPSC_WAIT("*"), nullptr};

bool run_sleeping(const scenario *s, outcome *o) {
    return is(s->family, "batch") ? batch<collected>(s, o) : fifo<sleeping>(s, o);
}

constexpr auto version = VERSION_CONCURRENTQUEUE, rw_version = VERSION_READERWRITERQUEUE;

} // namespace

extern const contestant moodycamels[] = {
    {"moodycamel::ConcurrentQueue (unbounded)", version, nullptr, concurrent_cases, fifo<plain>,
     false},
    {"moodycamel::ConcurrentQueue, tokens (unbounded)", version, nullptr, concurrent_cases,
     fifo<with_tokens>, false},
    {"moodycamel::BlockingConcurrentQueue (unbounded)", version, nullptr, sleeping_cases,
     run_sleeping, false},
    {"moodycamel::ReaderWriterQueue", rw_version, nullptr, reader_writer_cases,
     any_payload<reader_writer>, false},
    {"moodycamel::BlockingReaderWriterQueue", rw_version, nullptr, waiting_cases,
     any_payload<sleeping_reader>, false},
    {"moodycamel::BlockingReaderWriterCircularBuffer", rw_version, nullptr, waiting_cases,
     any_payload<circular>, false},
    {},
};

#else

#include "harness.h"
extern const contestant moodycamels[] = {
    MISSING("moodycamel", "libconcurrentqueue-dev or libreaderwriterqueue-dev"),
    {},
};

#endif
