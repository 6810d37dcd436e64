// Many threads: no item is lost, duplicated or reordered, and waiters wake.
#include "check.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {

// An item holds its producer and sequence number. Long items repeat them, so that a torn item is
// detected.
using stamp = std::uint64_t;
constexpr stamp stamp_of(std::uint64_t producer, std::uint64_t number) {
    return producer << 32 | number;
}

struct record {
    std::array<stamp, 7> copies;
};

template <class T> T pack(stamp s);
template <> stamp pack(stamp s) { return s; }
template <> record pack(stamp s) {
    record value;
    value.copies.fill(s);
    return value;
}
template <> std::unique_ptr<stamp> pack(stamp s) { return std::make_unique<stamp>(s); }
template <> std::string pack(stamp s) { return std::to_string(s); }

stamp unpack(stamp value) { return value; }
stamp unpack(const record &value) {
    for (stamp copy : value.copies)
        CHECK(copy == value.copies[0]);
    return value.copies[0];
}
stamp unpack(const std::unique_ptr<stamp> &value) { return *value; }
stamp unpack(const std::string &value) { return std::stoull(value); }
stamp unpack(const std::vector<std::byte> &value) {
    stamp s;
    CHECK(value.size() == sizeof s);
    std::memcpy(&s, value.data(), sizeof s);
    return s;
}

// Threads that the destructor joins.
class crew {
  public:
    template <class Work> void start(Work work) { threads_.emplace_back(work); }
    void join() {
        for (std::thread &thread : threads_)
            thread.join();
        threads_.clear();
    }
    ~crew() { join(); }

  private:
    std::vector<std::thread> threads_;
};

constexpr std::uint64_t items_per_producer = 3000;
constexpr std::size_t batch = 5;

// Pushes all items of a producer, by the calls that `mode` selects.
template <class Pack, class Queue> void send(Queue &queue, std::uint64_t producer, int mode) {
    std::vector<decltype(Pack()(0))> batched;
    for (std::uint64_t i = 0; i < items_per_producer; ++i) {
        auto value = Pack()(stamp_of(producer, i));
        switch (mode % 4) {
        case 0:
            CHECK(queue.push(std::move(value)));
            break;
        case 1:
            while (queue.try_push(std::move(value)) != conqueue_status::success)
                std::this_thread::yield();
            break;
        case 2:
            while (queue.push_for(std::move(value), 100us) != conqueue_status::success)
                std::this_thread::yield();
            break;
        default:
            batched.push_back(std::move(value));
            if (batched.size() == batch || i + 1 == items_per_producer) {
                CHECK(queue
                          .push_many(std::make_move_iterator(batched.begin()),
                                     std::make_move_iterator(batched.end()))
                          .count == batched.size());
                batched.clear();
            }
        }
    }
}

// Pops until the queue is closed and empty, by the calls that `mode` selects; calls `take` for each
// item.
template <class Queue, class Take> void receive(Queue &queue, int mode, Take take) {
    using value_type = typename Queue::value_type;
    std::vector<value_type> batched;
    bool open = true;
    while (open) {
        switch (mode % 4) {
        case 0:
            if (auto value = queue.pop())
                take(*value);
            else
                open = false;
            break;
        case 1:
            if (auto value = queue.try_pop())
                take(*value);
            else if (value.error() == conqueue_status::closed)
                open = false;
            else
                std::this_thread::yield();
            break;
        case 2:
            if (auto value = queue.pop_for(100us))
                take(*value);
            else
                open = value.error() != conqueue_status::closed;
            break;
        default:
            batched.clear();
            open = queue.pop_many(std::back_inserter(batched), batch).count > 0;
            for (const value_type &value : batched)
                take(value);
        }
    }
}

template <class Pack, class Queue>
void traffic(Queue &queue, std::uint64_t producers, int consumers) {
    std::atomic<std::uint64_t> count = 0;
    std::atomic<stamp> sum = 0;
    crew senders;
    crew receivers;
    for (int i = 0; i < consumers; ++i) {
        receivers.start([&, i] {
            std::vector<std::uint64_t> next(producers, 0);
            receive(queue, i + static_cast<int>(producers), [&](const auto &value) {
                const stamp s = unpack(value);
                const std::uint64_t producer = s >> 32;
                const std::uint64_t number = s & UINT32_MAX;
                CHECK(producer < producers && number >= next[producer]);
                next[producer] = number + 1;
                ++count;
                sum += s;
            });
        });
    }
    for (std::uint64_t producer = 0; producer < producers; ++producer)
        senders.start([&queue, producer, consumers] {
            send<Pack>(queue, producer, static_cast<int>(producer) + consumers);
        });
    senders.join();
    queue.close();
    receivers.join();

    stamp expected = 0;
    for (std::uint64_t producer = 0; producer < producers; ++producer)
        for (std::uint64_t i = 0; i < items_per_producer; ++i)
            expected += stamp_of(producer, i);
    CHECK(count == producers * items_per_producer && sum == expected);
    const auto counters = queue.stats();
    CHECK(counters.enqueued == count && counters.dequeued == count && counters.current_size == 0);
}

template <class T> struct pack_as {
    T operator()(stamp s) const { return pack<T>(s); }
};
// The bytes of a stamp, valid as long as the argument.
struct pack_as_bytes {
    struct bytes {
        stamp value;
        const std::byte *data() const { return reinterpret_cast<const std::byte *>(&value); }
        std::size_t size() const { return sizeof value; }
    };
    bytes operator()(stamp s) const { return {s}; }
};

template <class T> void mpmc_traffic() {
    for (std::size_t capacity : {1U, 3U, 64U}) {
        queues::mpmc<T> queue(capacity);
        traffic<pack_as<T>>(queue, 4, 4);
    }
}
template <class T> void spsc_traffic() {
    for (std::uint64_t mode = 0; mode < 4; ++mode) { // each kind of push with each kind of pop
        queues::spsc<T> queue(1 + 3 * mode);
        std::atomic<std::uint64_t> next = 0;
        crew threads;
        threads.start([&] { send<pack_as<T>>(queue, 0, static_cast<int>(mode)), queue.close(); });
        receive(queue, static_cast<int>(mode + mode / 2),
                [&](const T &value) { CHECK(unpack(value) == next++); });
        CHECK(next == items_per_producer);
    }
}

} // namespace

namespace {
// Every item is popped once, from queues whose items are in cells of a pool; also by emplace.
template <class Queue, class Push, class Take>
void pooled_traffic(Queue &queue, Push push, Take take) {
    constexpr std::uint64_t producers = 4, each = 1500;
    std::array<std::vector<std::atomic<int>>, producers> seen;
    for (auto &of : seen)
        of = std::vector<std::atomic<int>>(each);
    crew senders, receivers;
    for (int i = 0; i < 3; ++i)
        receivers.start([&] {
            take([&](const std::string &item) {
                const stamp s = unpack(item);
                CHECK(seen[s >> 32][s & UINT32_MAX]++ == 0);
            });
        });
    for (std::uint64_t p = 0; p < producers; ++p)
        senders.start([&, p] {
            for (std::uint64_t i = 0; i < each; ++i)
                push(pack<std::string>(stamp_of(p, i)), i % 4);
        });
    senders.join();
    queue.close();
    receivers.join();
    for (const auto &of : seen)
        for (const auto &times : of)
            CHECK(times == 1);
    CHECK(queue.size() == 0 && queue.stats().dequeued == producers * each);
}
} // namespace

TEST(priority_traffic_of_cells) {
    for (std::size_t capacity : {1U, 5U}) {
        queues::priority<std::string> queue(capacity);
        const auto push = [&](std::string item, std::uint64_t mode) {
            const auto rank = static_cast<double>(item.size());
            if (mode == 0)
                CHECK(queue.push(std::move(item), rank));
            else if (mode == 1)
                CHECK(queue.emplace(rank, item.data(), item.size()));
            else if (mode == 2)
                while (queue.try_push(std::move(item), rank) != conqueue_status::success)
                    std::this_thread::yield();
            else
                while (queue.try_emplace(rank, item.data(), item.size()) !=
                       conqueue_status::success)
                    std::this_thread::yield();
        };
        const auto take = [&](auto visit) {
            std::string item;
            double rank = 0;
            while (queue.pop(item, rank)) {
                CHECK(static_cast<double>(item.size()) == rank);
                visit(item);
            }
        };
        pooled_traffic(queue, push, take);
    }
}

TEST(batcher_traffic_of_cells) {
    queues::batch_limits limits;
    limits.size = 3;
    limits.max_pending = 5;
    queues::batcher<std::string> queue(limits);
    const auto push = [&](std::string item, std::uint64_t mode) {
        if (mode == 0)
            CHECK(queue.push(std::move(item)));
        else if (mode == 1)
            CHECK(queue.emplace(queues::weight(2), item.data(), item.size()));
        else if (mode == 2)
            while (queue.push_for(std::move(item), 50us) != conqueue_status::success)
                std::this_thread::yield();
        else
            CHECK(queue.push_many(&item, &item + 1).count == 1);
    };
    const auto take = [&](auto visit) {
        std::vector<std::string> taken;
        while (queue.pop_batch_into(taken) == conqueue_status::success)
            for (const auto &item : taken)
                visit(item);
    };
    pooled_traffic(queue, push, take);
}

TEST(mpmc_traffic_of_bits) { mpmc_traffic<stamp>(); }
TEST(mpmc_traffic_of_records) { mpmc_traffic<record>(); }
TEST(mpmc_traffic_of_unique_ptrs) { mpmc_traffic<std::unique_ptr<stamp>>(); }
TEST(mpmc_traffic_of_strings) { mpmc_traffic<std::string>(); }
TEST(mpmc_traffic_of_bytes) {
    queues::mpmc_bytes queue(7, sizeof(stamp));
    traffic<pack_as_bytes>(queue, 4, 4);
}
TEST(spsc_traffic_of_bits) { spsc_traffic<stamp>(); }
TEST(spsc_traffic_of_records) { spsc_traffic<record>(); }
TEST(spsc_traffic_of_unique_ptrs) { spsc_traffic<std::unique_ptr<stamp>>(); }
TEST(spsc_traffic_of_strings) { spsc_traffic<std::string>(); }

TEST(spsc_traffic_in_place) {
    queues::spsc_bytes queue(4, sizeof(record));
    crew threads;
    threads.start([&] {
        for (stamp s = 0; s < items_per_producer; ++s) {
            auto room = queue.reserve();
            const record value = pack<record>(s);
            std::memcpy(room->data(), &value, sizeof value);
            CHECK(room->commit(sizeof value) == conqueue_status::success);
        }
        queue.close();
    });
    stamp next = 0;
    while (auto front = queue.front()) {
        record value;
        CHECK(front->size() == sizeof value);
        std::memcpy(&value, front->data(), sizeof value);
        CHECK(unpack(value) == next++);
        CHECK(front->consume() == conqueue_status::success);
    }
    CHECK(next == items_per_producer);
}

TEST(spsc_peeks_while_the_producer_works) {
    queues::spsc<std::string> queue(3);
    crew threads;
    threads.start([&] { send<pack_as<std::string>>(queue, 0, 0), queue.close(); });
    stamp next = 0;
    while (next < items_per_producer) {
        const auto status =
            queue.peek([&](const std::string &front) { CHECK(unpack(front) == next); });
        if (status == conqueue_status::success)
            CHECK(unpack(*queue.pop()) == next++);
        else
            std::this_thread::yield();
    }
}

TEST_BOTH(a_push_waits_for_room) {
    Queue<std::string> queue(1);
    CHECK(queue.push("first"));
    std::atomic<bool> accepted = false;
    crew threads;
    threads.start([&] {
        CHECK(queue.push("second"));
        accepted = true;
    });
    std::this_thread::sleep_for(5ms);
    CHECK(!accepted);
    CHECK(queue.pop() == "first" && queue.pop() == "second");
}

TEST_BOTH(a_pop_waits_for_an_item) {
    Queue<std::string> queue(1);
    crew threads;
    threads.start([&] {
        std::this_thread::sleep_for(5ms);
        CHECK(queue.push("item"));
        std::this_thread::sleep_for(5ms);
        CHECK(queue.push("timed"));
    });
    CHECK(queue.pop() == "item");
    CHECK(*queue.pop_for(std::chrono::hours::max()) == "timed");
}

TEST(close_wakes_all_waiters) {
    queues::mpmc<std::string> empty(1);
    queues::mpmc<std::string> full(1);
    CHECK(full.push("item"));
    crew threads;
    for (int i = 0; i < 3; ++i) {
        threads.start([&] { CHECK(!empty.pop()); });
        threads.start([&] { CHECK(empty.pop_for(1h).error() == conqueue_status::closed); });
        threads.start([&] {
            std::string value = "kept";
            CHECK(!full.push(std::move(value)) && value == "kept");
        });
    }
    std::this_thread::sleep_for(5ms);
    empty.close();
    full.close();
    threads.join();
    CHECK(full.pop() == "item");
}

#ifdef __cpp_lib_jthread
TEST_BOTH(a_stop_request_ends_a_wait) {
    Queue<std::string> empty(1);
    Queue<std::string> full(1);
    CHECK(full.push("item"));
    std::stop_source stop;
    crew threads;
    threads.start([&] { CHECK(!empty.pop(stop.get_token())); });
    threads.start([&] {
        std::string value = "kept";
        CHECK(!full.push(std::move(value), stop.get_token()) && value == "kept");
    });
    std::this_thread::sleep_for(5ms);
    stop.request_stop();
    threads.join();
    CHECK(!empty.is_closed() && !full.is_closed());
    CHECK(!full.pop(stop.get_token()) && full.size() == 1); // requested before the call
    CHECK(full.pop(std::stop_token()) == "item");           // a token without a source
}

TEST_BOTH(a_wait_with_a_stop_token_returns_items) {
    Queue<std::string> queue(1);
    queues::mpmc_bytes bytes(1, 8);
    std::stop_source stop;
    crew threads;
    threads.start([&] {
        std::this_thread::sleep_for(10ms);
        CHECK(queue.push("item", stop.get_token()));
        std::this_thread::sleep_for(10ms);
        CHECK(bytes.push("item", stop.get_token()));
        queue.close();
    });
    CHECK(queue.pop(stop.get_token()) == "item");
    const auto item = bytes.pop(stop.get_token());
    CHECK(item && item->size() == 4);
    CHECK(!queue.pop(stop.get_token()));
}
#endif

// Two threads push into a full checked queue until one of them throws: the one that calls while the
// other waits.
TEST(a_checked_queue_detects_misuse) {
    queues::spsc<int> queue(1, queues::checked);
    CHECK(queue.push(1));
    std::atomic<bool> detected = false;
    const auto push = [&] {
        while (!detected) {
            try {
                CHECK(queue.push_for(2, 1ms) == conqueue_status::timeout);
            } catch (const queues::misuse &) {
                detected = true;
            }
        }
    };
    crew threads;
    threads.start(push);
    threads.start(push);
    threads.join();
    CHECK(queue.pop() == 1 && queue.is_empty());
}
