// Handles that cross languages: what C++ creates and C uses, and the reverse. The other language is
// the C library itself.
#include "check.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>

using queues::conqueue_status;

namespace {

// No larger than a pointer, copied, and constructed in a cell.
struct pair {
    std::int32_t first, second;
};
struct sample {
    std::uint64_t time;
    double values[3];
};
struct block {
    std::uint64_t numbers[200];
};
static_assert(sizeof(block) > queues::inline_limit);
// Its construction changes its argument, so an emplace looks for room before.
struct length {
    explicit length(std::string &&text) : value(std::string(std::move(text)).size()) {}
    std::size_t value;
};

// What each family calls its handle, options and calls.
template <class Handle> struct c;
#define C_FAMILY(family, field, ...)                                                               \
    template <> struct c<queues_##family##_t> {                                                    \
        static queues_##family##_t *create(std::size_t items, std::size_t item_size,               \
                                           std::uint64_t flags = 0) {                              \
            queues_##family##_options_t options{};                                                 \
            options.struct_size = sizeof options;                                                  \
            options.field = items;                                                                 \
            options.item_size = item_size;                                                         \
            options.flags = flags;                                                                 \
            __VA_ARGS__;                                                                           \
            options.drop = item_size == 0 ? drop : nullptr;                                        \
            queues_##family##_t *queue = nullptr;                                                  \
            CHECK(queues_##family##_create(&options, &queue) == QUEUES_OK);                        \
            return queue;                                                                          \
        }                                                                                          \
        static void drop(void *, void *) { ++dropped; }                                            \
        static inline int dropped = 0;                                                             \
        static constexpr auto retain = queues_##family##_retain;                                   \
        static constexpr auto release = queues_##family##_release;                                 \
        static constexpr auto capacity = queues_##family##_capacity;                               \
        static constexpr auto stats = queues_##family##_stats;                                     \
    };
C_FAMILY(mpmc, capacity, static_cast<void>(0))
C_FAMILY(spsc, capacity, static_cast<void>(0))
C_FAMILY(priority, capacity, static_cast<void>(0))
C_FAMILY(deque, capacity, static_cast<void>(0))
C_FAMILY(batch, max_pending, options.batch_size = 1)

template <class Queue> using c_of = c<std::remove_pointer_t<typename Queue::native_handle_type>>;

constexpr std::size_t room = 40; // items

// The number of items that C counts in the queue.
template <class Queue> std::uint64_t enqueued(typename Queue::native_handle_type handle) {
    queues_stats_t stats{};
    stats.struct_size = sizeof stats;
    CHECK(c_of<Queue>::stats(handle, &stats) == QUEUES_OK);
    return stats.enqueued;
}

// Pushes and pops one item of any family.
template <class Queue, class T> void push_one(Queue &queue, const T &value) {
    if constexpr (std::is_same_v<typename Queue::native_handle_type, queues_priority_t *>)
        CHECK(queue.push(value, 1.0));
    else
        CHECK(queue.push(value));
}
template <class Queue> auto pop_one(Queue &queue) {
    if constexpr (std::is_same_v<typename Queue::native_handle_type, queues_batch_t *>) {
        queue.flush();
        auto batch = queue.pop_batch();
        CHECK(batch && batch->size() == 1);
        if constexpr (std::is_same_v<decltype(batch), std::optional<queues::bytes_batch>>) {
            const auto bytes = (*batch)[0];
            const auto first = static_cast<const std::byte *>(bytes.data());
            return std::vector<std::byte>(first, first + bytes.size());
        } else {
            return batch->front();
        }
    } else {
        auto item = queue.pop();
        CHECK(item);
        if constexpr (std::is_same_v<typename Queue::native_handle_type, queues_priority_t *>)
            return item->value;
        else
            return *item;
    }
}

template <class T> bool equal(const T &a, const T &b) { return std::memcmp(&a, &b, sizeof a) == 0; }
bool equal(const std::vector<std::byte> &a, const char *b) {
    return a.size() == std::strlen(b) && std::memcmp(a.data(), b, a.size()) == 0;
}

// Creates a queue in C, uses it through adopt and share at once, and gives back the references in
// both orders. `item_size` is that of C.
template <class Queue, class T> void created_in_c(std::size_t item_size, const T &value) {
    using C = c_of<Queue>;
    for (const bool c_is_last : {false, true}) {
        const auto handle = C::create(room, item_size);
        const int dropped = C::dropped;
        {
            auto shared = std::unique_ptr<Queue>(new Queue(Queue::share(handle)));
            CHECK(shared->native_handle() == handle && shared->capacity() == C::capacity(handle));
            push_one(*shared, value);
            push_one(*shared, value);
            if (c_is_last)
                CHECK(C::retain(handle) == handle);
            auto adopted = Queue::adopt(handle);
            shared.reset(); // neither frees nor closes
            CHECK(adopted.size() == 2 && enqueued<Queue>(handle) == 2);
            CHECK(equal(pop_one(adopted), value));
            push_one(adopted, value);
            CHECK(adopted.stats().enqueued == 3);
        }
        if (c_is_last) {
            CHECK(C::dropped == dropped);
            CHECK(enqueued<Queue>(handle) == 3);
            C::release(handle);
        }
        CHECK(C::dropped == dropped + (item_size == 0 ? 2 : 0));
    }
}

// Creates a queue in C++; C holds it for longer than the object lives.
template <class Queue, class T, class... Options>
void created_in_cpp(const T &value, Options... options) {
    using C = c_of<Queue>;
    auto queue = std::make_unique<Queue>(options...);
    push_one(*queue, value);
    const auto handle = queue->native_handle();
    CHECK(C::retain(handle) == handle);
    queue.reset();
    CHECK(enqueued<Queue>(handle) == 1);
    auto again = Queue::share(handle);
    CHECK(equal(pop_one(again), value));
    push_one(again, value); // is left
    C::release(handle);
}

template <template <class> class Queue, class T, class... Options>
void crosses(const T &value, Options... options) {
    created_in_c<Queue<T>>(sizeof value <= sizeof(void *) ? 0 : sizeof value, value);
    created_in_cpp<Queue<T>>(value, options...);
}

// Neither is changed by a queue that it refuses, and the caller keeps its reference.
template <class Queue, class Handle> void refuses(Handle *handle) {
    using C = c<Handle>;
    const auto other = reinterpret_cast<typename Queue::native_handle_type>(handle);
    CHECK_THROWS(std::invalid_argument, Queue::adopt(other));
    CHECK_THROWS(std::invalid_argument, Queue::share(other));
    if (handle == nullptr)
        return;
    CHECK(C::retain(handle) == handle);
    C::release(handle);
    C::release(handle); // the last: valgrind and the address sanitizer see any other
}

template <class Queue, std::size_t ItemSize> void refuses_others() {
    using Handle = std::remove_pointer_t<typename Queue::native_handle_type>;
    refuses<Queue>(static_cast<Handle *>(nullptr));
    for (const auto size : {std::size_t{0}, sizeof(pair), sizeof(sample), sizeof(block)}) {
        if (std::is_same_v<typename Queue::argument, queues::bytes_view> ? size == 0
                                                                         : size != ItemSize)
            refuses<Queue>(c<Handle>::create(room, size));
        if constexpr (!std::is_same_v<Handle, queues_mpmc_t>)
            refuses<Queue>(c<queues_mpmc_t>::create(room, size));
        else
            refuses<Queue>(c<queues_spsc_t>::create(room, size));
    }
    queues_event_t *event = nullptr;
    CHECK(queues_event_create(&event) == QUEUES_OK);
    const auto other = reinterpret_cast<Handle *>(event);
    CHECK_THROWS(std::invalid_argument, Queue::share(other));
    queues_event_release(event);
}

} // namespace

TEST(a_queue_of_c_is_used_in_cpp_and_one_of_cpp_in_c) {
    const pair small{1, -2};
    const sample medium{7, {0.5, 1.5, -2.5}};
    const block large{{1, 2, 3}};
    const queues::batch_limits one{1, std::chrono::nanoseconds(0), 0, room};
    crosses<queues::mpmc>(small, room);
    crosses<queues::mpmc>(medium, room);
    crosses<queues::mpmc>(large, room);
    crosses<queues::spsc>(small, room);
    crosses<queues::spsc>(medium, room);
    crosses<queues::spsc>(large, room);
    crosses<queues::priority>(small, room);
    crosses<queues::priority>(large, room);
    crosses<queues::deque>(small, room);
    crosses<queues::deque>(large, room);
    crosses<queues::batcher>(small, one);
    crosses<queues::batcher>(medium, one);
}

TEST(blobs_cross_in_every_family) {
    created_in_c<queues::mpmc_bytes>(9, "a blob");
    created_in_c<queues::spsc_bytes>(9, "a blob");
    created_in_c<queues::priority_bytes>(9, "a blob");
    created_in_c<queues::deque_bytes>(9, "a blob");
    created_in_c<queues::batcher_bytes>(9, "a blob");
    created_in_cpp<queues::mpmc_bytes>("a blob", room, std::size_t{6});
    created_in_cpp<queues::spsc_bytes>("a blob", room, std::size_t{6});
    created_in_cpp<queues::priority_bytes>("a blob", room, std::size_t{6});
    created_in_cpp<queues::deque_bytes>("a blob", room, std::size_t{6});
    created_in_cpp<queues::batcher_bytes>("a blob", std::size_t{6}, queues::batch_limits{1});
}

TEST(a_shared_queue_knows_the_sizes_of_its_creator) {
    const auto blobs = queues::mpmc_bytes::adopt(c<queues_mpmc_t>::create(3, 77));
    CHECK(blobs.item_size() == 77 && blobs.capacity() == 3);
    queues_batch_options_t options{};
    options.struct_size = sizeof options;
    options.batch_size = 7;
    options.item_size = 5;
    queues_batch_t *handle = nullptr;
    CHECK(queues_batch_create(&options, &handle) == QUEUES_OK);
    const auto batches = queues::batcher_bytes::adopt(handle);
    CHECK(batches.batch_size() == 7 && batches.item_size() == 5);
}

TEST(a_queue_of_another_kind_is_refused) {
    refuses_others<queues::mpmc<pair>, 0>();
    refuses_others<queues::mpmc<sample>, sizeof(sample)>();
    refuses_others<queues::mpmc<block>, sizeof(block)>();
    refuses_others<queues::mpmc_bytes, 0>();
    refuses_others<queues::spsc<pair>, 0>();
    refuses_others<queues::spsc<sample>, sizeof(sample)>();
    refuses_others<queues::spsc_bytes, 0>();
    refuses_others<queues::priority<sample>, sizeof(sample)>();
    refuses_others<queues::priority_bytes, 0>();
    refuses_others<queues::deque<sample>, sizeof(sample)>();
    refuses_others<queues::deque_bytes, 0>();
    refuses_others<queues::batcher<sample>, sizeof(sample)>();
    refuses_others<queues::batcher_bytes, 0>();
}

TEST(pointers_and_numbers_are_the_words_of_c) {
    auto numbers = queues::mpmc<std::uint64_t>::adopt(c<queues_mpmc_t>::create(4, 0));
    CHECK(queues_mpmc_try_put(numbers.native_handle(), reinterpret_cast<void *>(42)) == QUEUES_OK);
    CHECK(numbers.pop() == 42U);
    int target = 5;
    auto pointers = queues::spsc<int *>::adopt(c<queues_spsc_t>::create(4, 0));
    CHECK(pointers.push(&target));
    void *item = nullptr;
    CHECK(queues_spsc_try_get(pointers.native_handle(), &item) == QUEUES_OK);
    CHECK(item == &target);
}

TEST(a_blob_that_is_shorter_than_the_item_is_filled_up_with_zeros) {
    const auto is_filled_up = [](const auto &item) {
        const auto bytes = reinterpret_cast<const unsigned char *>(&item);
        for (std::size_t i = 0; i < sizeof item; ++i)
            if (bytes[i] != (i < 3 ? 0xFF : 0))
                return false;
        return true;
    };
    const auto mpmc_queue = [&](auto value) {
        using T = decltype(value);
        auto queue = queues::mpmc<T>(1);
        auto alone = queues::spsc<T>(1);
        std::memset(&value, 0xFF, sizeof value);
        CHECK(queue.push(value) && queue.pop() && alone.push(value) && alone.pop());
        CHECK(queues_mpmc_put_bytes(queue.native_handle(), &value, 3, 0) == QUEUES_OK);
        CHECK(queues_spsc_put_bytes(alone.native_handle(), &value, 3, 0) == QUEUES_OK);
        CHECK(is_filled_up(*queue.peek()) && is_filled_up(*alone.peek()));
        CHECK(is_filled_up(*queue.pop()));
        T into = value;
        CHECK(alone.pop(into) && is_filled_up(into));
    };
    mpmc_queue(sample());
    mpmc_queue(block());

    for (const std::size_t size : {3U, 600U}) { // batches on the stack and in the vector
        sample value;
        std::memset(&value, 0xFF, sizeof value);
        queues::batcher<sample> queue({size, std::chrono::nanoseconds(-1), 0, 0});
        CHECK(queue.push(value));
        CHECK(queues_batch_put_bytes(queue.native_handle(), &value, 3, 0) == QUEUES_OK);
        CHECK(queues_batch_put_bytes(queue.native_handle(), &value, 0, 0) == QUEUES_OK);
        CHECK(queue.push(value));
        queue.flush();
        auto batch = *queue.pop_batch();
        if (size == 3)
            batch.push_back(*queue.pop_batch()->begin());
        CHECK(batch.size() == 4 && equal(batch[0], value) && equal(batch[3], value));
        CHECK(is_filled_up(batch[1]) && equal(batch[2], sample()));
    }
}

TEST(an_event_crosses) {
    queues_event_t *handle = nullptr;
    CHECK(queues_event_create(&handle) == QUEUES_OK);
    {
        const auto shared = queues::event::share(handle);
        const auto adopted = queues::event::adopt(handle);
        CHECK(adopted.native_handle() == handle && !shared.is_set());
        CHECK(queues_event_set(handle) == QUEUES_OK);
        CHECK(shared.is_set() && adopted.is_set());
        CHECK(queues_event_retain(handle) == handle);
    }
    CHECK(queues_event_is_set(handle));
    queues_event_release(handle);
    CHECK_THROWS(std::invalid_argument, queues::event::adopt(nullptr));
    const queues::mpmc<int> queue(1);
    const auto other = reinterpret_cast<queues_event_t *>(queue.native_handle());
    CHECK_THROWS(std::invalid_argument, queues::event::share(other));
}

// The modes of the creator hold.
TEST(a_checked_queue_is_checked_and_a_growable_deque_grows) {
    const auto handle = c<queues_deque_t>::create(2, 0, QUEUES_DEQUE_GROWABLE);
    auto growable = queues::deque<length>::adopt(handle);
    for (std::size_t i = 0; i < 9; ++i)
        CHECK(growable.emplace(std::string(i, 'x')));
    CHECK(queues_deque_capacity(handle) == 16 && growable.get_stealer().steal()->value == 0);
    CHECK(growable.pop()->value == 8);

    queues::deque<int> fixed(2);
    auto second = queues::deque<int>::share(fixed.native_handle());
    CHECK(second.push(1) && second.push(2) && second.try_emplace(3) == conqueue_status::full);

    auto checked = queues::spsc<int>::adopt(c<queues_spsc_t>::create(1, 0, QUEUES_SPSC_CHECKED));
    std::thread consumer([&] {
        for (bool is_over = false; !is_over;) {
            try {
                CHECK(!checked.pop());
                is_over = true;
            } catch (const queues::misuse &) { // the other thread was in its call
            }
        }
    });
    void *item = nullptr;
    while (queues_spsc_get(checked.native_handle(), &item, 0) != QUEUES_MISUSE)
        std::this_thread::yield();
    // The consumer is in its call until the queue is closed.
    CHECK_THROWS(queues::misuse, checked.try_pop());
    checked.close();
    consumer.join();
}

// Producers in C and consumers in C++, each with a reference of its own.
TEST(threads_of_two_languages_share_a_queue) {
    constexpr std::uint64_t each = 2000;
    const auto handle = c<queues_mpmc_t>::create(8, sizeof(sample));
    const auto produce = [](queues_mpmc_t *queue) { // owns a reference
        for (std::uint64_t i = 1; i <= each; ++i) {
            const sample value{i, {1.0 * static_cast<double>(i), 0, 0}};
            CHECK(queues_mpmc_put_bytes(queue, &value, sizeof value, -1) == QUEUES_OK);
        }
        queues_mpmc_release(queue);
    };
    std::atomic<std::uint64_t> sum{0};
    const auto consume = [&sum](queues_mpmc_t *queue) {
        auto mine = queues::mpmc<sample>::adopt(queue);
        while (const auto item = mine.pop()) {
            CHECK(item->values[0] == static_cast<double>(item->time));
            sum += item->time;
        }
    };
    std::thread producers[] = {std::thread(produce, queues_mpmc_retain(handle)),
                               std::thread(produce, queues_mpmc_retain(handle))};
    std::thread consumers[] = {std::thread(consume, queues_mpmc_retain(handle)),
                               std::thread(consume, queues_mpmc_retain(handle))};
    for (auto &thread : producers)
        thread.join();
    queues::mpmc<sample>::adopt(handle).close(); // gives the reference back, too
    for (auto &thread : consumers)
        thread.join();
    CHECK(sum == each * (each + 1));
}
