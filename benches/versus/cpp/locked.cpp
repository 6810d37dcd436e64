// What a program without a queue library would write: containers of the standard library under a
// mutex, with condition variables to block.
#include "priority_entry.hpp"
#include "workloads.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <queue>

namespace {

using namespace versus;

template <class T> class locked_deque {
  public:
    using item = T;
    explicit locked_deque(std::size_t capacity) : capacity_(capacity) {}

    bool try_put(const item &i) { return put_bulk(&i, 1) == 1; }
    bool try_get(item &i) { return get_bulk(&i, 1) == 1; }
    void put(const item &i) {
        std::unique_lock lock(mutex_);
        not_full_.wait(lock, [&] { return items_.size() < capacity_; });
        items_.push_back(i);
        lock.unlock();
        not_empty_.notify_one();
    }
    void get(item &i) {
        std::unique_lock lock(mutex_);
        not_empty_.wait(lock, [&] { return !items_.empty(); });
        take(&i, 1);
        lock.unlock();
        not_full_.notify_one();
    }
    std::size_t put_bulk(const item *items, std::size_t count) {
        std::unique_lock lock(mutex_);
        count = std::min(count, capacity_ - items_.size());
        items_.insert(items_.end(), items, items + count);
        lock.unlock();
        count == 1 ? not_empty_.notify_one() : not_empty_.notify_all();
        return count;
    }
    std::size_t get_bulk(item *items, std::size_t count) {
        std::unique_lock lock(mutex_);
        count = take(items, count);
        lock.unlock();
        count == 1 ? not_full_.notify_one() : not_full_.notify_all();
        return count;
    }

  private:
    std::size_t take(item *items, std::size_t count) {
        count = std::min(count, items_.size());
        const auto end = items_.begin() + static_cast<std::ptrdiff_t>(count);
        std::copy(items_.begin(), end, items);
        items_.erase(items_.begin(), end);
        return count;
    }

    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable not_empty_, not_full_;
    std::deque<item> items_;
};

// For one consumer. A producer wakes it when the queue gets its first item or a full batch.
class locked_batches {
  public:
    locked_batches(std::size_t capacity, std::int64_t timeout)
        : capacity_(capacity), timeout_(timeout) {}

    void put(void *word) {
        const auto now = clock::now();
        std::unique_lock lock(mutex_);
        not_full_.wait(lock, [&] { return items_.size() < capacity_; });
        items_.push_back({word, now});
        if (items_.size() == 1 || items_.size() == BATCH_SIZE)
            not_empty_.notify_one();
    }
    std::size_t get_batch(void **words) {
        std::unique_lock lock(mutex_);
        not_empty_.wait(lock, [&] { return !items_.empty(); });
        not_empty_.wait_until(lock, items_.front().arrival + timeout_,
                              [&] { return items_.size() >= BATCH_SIZE; });
        const auto count = std::min<std::size_t>(items_.size(), BATCH_SIZE);
        for (std::size_t i = 0; i < count; i++, items_.pop_front())
            words[i] = items_.front().word;
        not_full_.notify_all();
        return count;
    }

  private:
    using clock = std::chrono::steady_clock;
    struct timed_item {
        void *word;
        clock::time_point arrival;
    };

    const std::size_t capacity_;
    const std::chrono::nanoseconds timeout_;
    std::mutex mutex_;
    std::condition_variable not_empty_, not_full_;
    std::deque<timed_item> items_;
};

struct priority_adapter {
    explicit priority_adapter(std::size_t) {}
    void put(double priority, std::uint64_t word) {
        const std::lock_guard lock(mutex);
        queue.push({priority, ticket++, word});
    }
    bool get(std::uint64_t &word) {
        const std::lock_guard lock(mutex);
        if (queue.empty())
            return false;
        word = queue.top().word;
        queue.pop();
        return true;
    }
    std::mutex mutex;
    std::priority_queue<priority_entry, std::vector<priority_entry>, is_later> queue;
    std::uint64_t ticket = 0;
};

const char *const deque_cases[] = {MPMC_TRY, MPMC_BLOCKING, MPMC_BULK, BATCH, nullptr};
const char *const priority_cases[] = {PRIORITY, nullptr};

bool run_deque(const case_spec *s, measurement *m) {
    return is(s->family, "batch") ? batch<locked_batches>(s, m) : fifo<locked_deque<void *>>(s, m);
}

} // namespace

extern const contestant std_queues[] = {
    {"std::mutex + deque + condition_variable", VERSION_LIBSTDCXX, nullptr, deque_cases, run_deque,
     false},
    {"std::mutex + priority_queue", VERSION_LIBSTDCXX, nullptr, priority_cases,
     priority<priority_adapter>, false},
    {},
};
