// Priority queues of C++ for the comparison, first in first out among equals by a ticket as ours are.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <queue>
#include <tbb/concurrent_priority_queue.h>
#include <vector>

namespace {

struct entry {
    double priority;
    std::uint64_t ticket;
    std::size_t word;
};

struct later {
    bool operator()(const entry &a, const entry &b) const {
        return a.priority > b.priority || (a.priority == b.priority && a.ticket > b.ticket);
    }
};

// The ticket is drawn outside of the queue's lock, which its interface does not offer.
struct tbb_queue {
    tbb::concurrent_priority_queue<entry, later> queue;
    alignas(128) std::atomic<std::uint64_t> ticket{0};
};

struct std_queue {
    std::mutex mutex;
    std::priority_queue<entry, std::vector<entry>, later> queue;
    std::uint64_t ticket = 0;
};

} // namespace

extern "C" {

void *tbb_create(std::size_t capacity) {
    return new tbb_queue{tbb::concurrent_priority_queue<entry, later>(capacity)};
}
void tbb_release(void *queue) { delete static_cast<tbb_queue *>(queue); }
void tbb_put(void *queue, double priority, std::size_t word) {
    auto &q = *static_cast<tbb_queue *>(queue);
    q.queue.push({priority, q.ticket.fetch_add(1, std::memory_order_relaxed), word});
}
bool tbb_get(void *queue, std::size_t *word) {
    entry e;
    const bool found = static_cast<tbb_queue *>(queue)->queue.try_pop(e);
    *word = found ? e.word : 0;
    return found;
}

void *std_create(std::size_t) { return new std_queue; }
void std_release(void *queue) { delete static_cast<std_queue *>(queue); }
void std_put(void *queue, double priority, std::size_t word) {
    auto &q = *static_cast<std_queue *>(queue);
    const std::lock_guard lock(q.mutex);
    q.queue.push({priority, q.ticket++, word});
}
bool std_get(void *queue, std::size_t *word) {
    auto &q = *static_cast<std_queue *>(queue);
    const std::lock_guard lock(q.mutex);
    if (q.queue.empty())
        return false;
    *word = q.queue.top().word;
    q.queue.pop();
    return true;
}
}
