// Adapters for the queues of Cameron Desrochers (moodycamel). ConcurrentQueue is unbounded, and
// items of different producers have no common order.
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
    std::size_t put_bulk(const item *items, std::size_t count) {
        return queue.enqueue_bulk(items, count) ? count : 0;
    }
    std::size_t get_bulk(item *items, std::size_t count) {
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
        std::size_t put_bulk(const item *items, std::size_t count) {
            return queue.enqueue_bulk(producer, items, count) ? count : 0;
        }
        std::size_t get_bulk(item *items, std::size_t count) {
            return queue.try_dequeue_bulk(consumer, items, count);
        }
        mc::ConcurrentQueue<item> &queue;
        mc::ProducerToken producer;
        mc::ConsumerToken consumer;
    };
    tokens handle() { return tokens(queue); }
    mc::ConcurrentQueue<item> queue;
};

struct blocking_queue {
    using item = void *;
    explicit blocking_queue(std::size_t capacity) : queue(capacity) {}
    void put(item i) { queue.enqueue(i); }
    void get(item &i) { queue.wait_dequeue(i); }
    mc::BlockingConcurrentQueue<item> queue;
};

// The consumer collects a batch until it is due: full, or its first item older than the timeout.
struct collected {
    using clock = std::chrono::steady_clock;
    struct timed_item {
        void *word;
        clock::time_point arrival;
    };
    collected(std::size_t capacity, std::int64_t nanoseconds)
        : queue(capacity), timeout(nanoseconds) {}
    void put(void *word) { queue.enqueue({word, clock::now()}); }
    std::size_t get_batch(void **words) {
        timed_item items[BATCH_SIZE];
        std::size_t got = queue.wait_dequeue_bulk(items, BATCH_SIZE);
        const auto due = items[0].arrival + timeout;
        for (auto left = timeout; got < BATCH_SIZE;) {
            left = due - clock::now();
            if (left <= left.zero())
                break;
            got += queue.wait_dequeue_bulk_timed(items + got, BATCH_SIZE - got, left);
        }
        for (std::size_t i = 0; i < got; i++)
            words[i] = items[i].word;
        return got;
    }
    mc::BlockingConcurrentQueue<timed_item> queue;
    std::chrono::nanoseconds timeout;
};

template <class T> struct reader_writer {
    using item = T;
    explicit reader_writer(std::size_t capacity) : queue(capacity) {}
    bool try_put(const item &i) { return queue.try_enqueue(i); }
    bool try_get(item &i) { return queue.try_dequeue(i); }
    mc::ReaderWriterQueue<item> queue;
};

// Only gets can block. Puts have no blocking call, so they try with backoff.
template <class T> struct blocking_reader_writer {
    using item = T;
    explicit blocking_reader_writer(std::size_t capacity) : queue(capacity) {}
    bool try_put(const item &i) { return queue.try_enqueue(i); }
    bool try_get(item &i) { return queue.try_dequeue(i); }
    void put(const item &i) { with_backoff::put(*this, i); }
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

const char *const concurrent_cases[] = {MPMC_TRY, MPMC_BULK, nullptr};
const char *const blocking_cases[] = {MPMC_BLOCKING, "memory", BATCH, nullptr};
const char *const reader_writer_cases[] = {SPSC_TRY("*"), nullptr};
const char *const reader_writer_blocking_cases[] = {SPSC_TRY("*"), SPSC_BLOCKING("*"), nullptr};

bool run_blocking(const case_spec *s, measurement *m) {
    return is(s->family, "batch") ? batch<collected>(s, m) : fifo<blocking_queue>(s, m);
}

constexpr auto version = VERSION_CONCURRENTQUEUE, rw_version = VERSION_READERWRITERQUEUE;

} // namespace

extern const contestant moodycamels[] = {
    {"moodycamel::ConcurrentQueue (unbounded)", version, nullptr, concurrent_cases, fifo<plain>,
     false},
    {"moodycamel::ConcurrentQueue, tokens (unbounded)", version, nullptr, concurrent_cases,
     fifo<with_tokens>, false},
    {"moodycamel::BlockingConcurrentQueue (unbounded)", version, nullptr, blocking_cases,
     run_blocking, false},
    {"moodycamel::ReaderWriterQueue", rw_version, nullptr, reader_writer_cases,
     any_payload<reader_writer>, false},
    {"moodycamel::BlockingReaderWriterQueue", rw_version, nullptr, reader_writer_blocking_cases,
     any_payload<blocking_reader_writer>, false},
    {"moodycamel::BlockingReaderWriterCircularBuffer", rw_version, nullptr,
     reader_writer_blocking_cases, any_payload<circular>, false},
    {},
};

#else

#include "harness.h"
extern const contestant moodycamels[] = {
    MISSING("moodycamel", "libconcurrentqueue-dev or libreaderwriterqueue-dev"),
    {},
};

#endif
