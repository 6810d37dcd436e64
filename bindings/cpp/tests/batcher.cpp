// The batchers: when a batch is due, which items it has, and every push and pop.
#include "items.hpp"

#include <chrono>
#include <string_view>
#include <thread>

using queues::batch_limits;
using queues::conqueue_status;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

template <class T>
constexpr bool is_fixed = !std::is_copy_constructible_v<T> && !std::is_move_constructible_v<T> &&
                          !std::is_copy_assignable_v<T> && !std::is_move_assignable_v<T>;
static_assert(is_fixed<queues::batcher<int>> && is_fixed<queues::batcher_bytes>);
static_assert(std::is_same_v<queues::batcher<int>::batch_type, std::vector<int>>);

// Only the number of items makes a batch due.
batch_limits counted_limits(std::size_t size, std::size_t max_pending) {
    batch_limits limits;
    limits.size = size;
    limits.age = -1ns;
    limits.max_pending = max_pending;
    return limits;
}

template <class Batch> void check_numbers(const Batch &batch, std::uint64_t first, std::size_t n) {
    CHECK(batch.size() == n);
    for (const auto &item : batch)
        CHECK(number(item) == first++);
}

template <class T> void batch_is_due_by_number_of_items() {
    queues::batcher<T> queue(counted_limits(3, 5));
    CHECK(queue.capacity() == 5 && queue.batch_size() == 3 && queue.pending_count() == 0);
    CHECK(queue.try_pop_batch().error() == conqueue_status::empty);
    CHECK(queue.push(make<T>(1)));
    CHECK(queue.try_push(make<T>(2)) == conqueue_status::success);
    CHECK(queue.try_pop_batch().error() == conqueue_status::empty && queue.size() == 2);
    CHECK(queue.push_for(make<T>(3), 1s) == conqueue_status::success);
    CHECK(queue.push_until(make<T>(4), clock_type::now() + 1s) == conqueue_status::success);
    CHECK(queue.push(make<T>(5), queues::weight(9)));
    T more = make<T>(6);
    CHECK(queue.try_push(std::move(more)) == conqueue_status::full);
    CHECK(queue.try_push(std::move(more), queues::weight(2)) == conqueue_status::full);
    CHECK(queue.push_for(std::move(more), 1ms) == conqueue_status::timeout);
    CHECK(queue.push_for(std::move(more), queues::weight(2), 0ms) == conqueue_status::full);
    CHECK(queue.push_until(std::move(more), queues::weight(2), clock_type::now()) ==
          conqueue_status::full);
    CHECK(number(more) == 6 && queue.pending_count() == 5);
    const auto batch = queue.pop_batch();
    check_numbers(*batch, 1, 3);
    CHECK(queue.try_pop_batch().error() == conqueue_status::empty);
    CHECK(queue.push(std::move(more)));
    check_numbers(*queue.try_pop_batch(), 4, 3);
    for (std::uint64_t i = 7; i < 11; i++)
        CHECK(queue.push(make<T>(i)));
    queue.close();
    more = make<T>(11);
    CHECK(!queue.push(std::move(more)) && number(more) == 11 && queue.is_closed());
    check_numbers(*queue.pop_batch(), 7, 3);
    check_numbers(*queue.pop_batch(), 10, 1);
    CHECK(!queue.pop_batch());
    CHECK(queue.try_pop_batch().error() == conqueue_status::closed);
    CHECK(queue.pop_batch_for(1ms).error() == conqueue_status::closed);
    const auto stats = queue.stats();
    CHECK(stats.enqueued == 10 && stats.dequeued == 10 && stats.peak_size == 5);
    CHECK(stats.failed_enqueue == 5 && stats.failed_dequeue == 1);
    CHECK(queue.stats_json().find("\"enqueued\":10,") != std::string::npos);
}

// Batches that are too large for the buffer on the stack.
template <class T> void large_batches() {
    constexpr std::size_t size = 5000;
    queues::batcher<T> queue(counted_limits(size, size));
    for (std::uint64_t i = 0; i < size; i++)
        CHECK(queue.push(make<T>(i)));
    check_numbers(*queue.pop_batch(), 0, size);
}

// One vector, filled repeatedly.
template <class T> void into_a_vector() {
    queues::batcher<T> queue(counted_limits(3, 10));
    std::vector<T> batch;
    CHECK(queue.try_pop_batch_into(batch) == conqueue_status::empty);
    const T *const place = batch.data();
    for (std::uint64_t turn = 0; turn < 3; turn++) {
        for (std::uint64_t i = 0; i < 8; i++)
            CHECK(queue.push(make<T>(8 * turn + i)));
        CHECK(queue.pop_batch_into(batch) == conqueue_status::success);
        check_numbers(batch, 8 * turn, 3);
        CHECK(queue.try_pop_batch_into(batch) == conqueue_status::success);
        check_numbers(batch, 8 * turn + 3, 3);
        CHECK(queue.try_pop_batch_into(batch) == conqueue_status::empty && batch.empty());
        CHECK(queue.pop_batch_into_for(batch, 1ms) == conqueue_status::success);
        check_numbers(batch, 8 * turn + 6, 2);
        CHECK(batch.data() == place);
    }
    CHECK(queue.pop_batch_into_for(batch, 1ms) == conqueue_status::timeout && batch.empty());
    queue.close();
    CHECK(queue.pop_batch_into(batch) == conqueue_status::closed && batch.data() == place);
}

template <class Test> void each_kind_of_storage(Test test) {
    test(static_cast<std::uint64_t *>(nullptr));
    test(static_cast<record *>(nullptr));
    test(static_cast<std::unique_ptr<std::uint64_t> *>(nullptr));
    test(static_cast<std::string *>(nullptr));
    test(static_cast<counted *>(nullptr));
    CHECK(counted::alive == 0);
}
template <class T> using of = std::remove_pointer_t<T>;

std::string_view text(queues::bytes_view bytes) {
    return {static_cast<const char *>(bytes.data()), bytes.size()};
}

} // namespace

TEST(batcher_batch_is_due_by_number_of_items) {
    each_kind_of_storage([](auto *type) { batch_is_due_by_number_of_items<of<decltype(type)>>(); });
}

TEST(batcher_large_batches) {
    each_kind_of_storage([](auto *type) { large_batches<of<decltype(type)>>(); });
}

TEST(batcher_into_a_vector) {
    each_kind_of_storage([](auto *type) { into_a_vector<of<decltype(type)>>(); });
}

// A bytes_view may be an item like any other type.
TEST(batcher_of_views) {
    queues::batcher<queues::bytes_view> queue(counted_limits(1, 1));
    CHECK(queue.push("abc"));
    const auto batch = queue.pop_batch();
    CHECK(batch && batch->size() == 1 && text(batch->front()) == "abc");
}

TEST(batcher_copies_lvalues) {
    queues::batcher<std::string> queue(counted_limits(5, 5));
    const std::string text = "a text that is too long for no allocation";
    CHECK(queue.push(text) && queue.push(text, queues::weight(3)));
    CHECK(queue.try_push(text) == conqueue_status::success);
    CHECK(queue.push_for(text, 1s) == conqueue_status::success);
    CHECK(queue.push_until(text, queues::weight(0), clock_type::now() + 1s) ==
          conqueue_status::success);
    const auto batch = queue.try_pop_batch();
    CHECK(batch && *batch == std::vector<std::string>(5, text));
}

TEST(batcher_default_limits_are_those_of_the_library) {
    queues::batcher<int> queue;
    CHECK(queue.capacity() == 10000 && queue.batch_size() == 32);
    const auto begin = clock_type::now();
    for (int i = 0; i < 66; i++)
        CHECK(queue.push(i));
    CHECK(queue.try_pop_batch()->size() == 32 && queue.pop_batch()->size() == 32);
    CHECK(queue.pop_batch()->size() == 2 && clock_type::now() - begin >= 10ms);
#ifdef __cpp_designated_initializers
    queues::batcher<int> other({.size = 8, .age = 2ms});
    CHECK(other.capacity() == 10000 && other.batch_size() == 8);
#endif
}

TEST(batcher_limits_are_checked) {
    CHECK_THROWS(std::invalid_argument, queues::batcher<int>(counted_limits(6, 5)));
    CHECK_THROWS(std::invalid_argument, queues::batcher<int>(counted_limits(0, 31)));
    CHECK_THROWS(std::invalid_argument, queues::batcher<int>(counted_limits(10001, 0)));
    batch_limits heavy;
    heavy.weight = std::numeric_limits<std::uint64_t>::max();
    CHECK_THROWS(std::invalid_argument, queues::batcher<int>(heavy));
    CHECK_THROWS(std::invalid_argument, queues::batcher_bytes(8, heavy));
    CHECK_THROWS(std::invalid_argument, queues::batcher_bytes(0));
    CHECK_THROWS(std::exception, queues::batcher<int>(counted_limits(1, SIZE_MAX >> 14)));
}

TEST(batcher_batch_is_due_by_age_of_the_oldest_item) {
    batch_limits limits = counted_limits(100, 100);
    limits.age = 5ms;
    queues::batcher<int> queue(limits);
    const auto begin = clock_type::now();
    CHECK(queue.push(1));
    std::this_thread::sleep_for(1ms);
    CHECK(queue.push(2));
    const auto batch = queue.pop_batch();
    CHECK(batch && *batch == std::vector<int>({1, 2}) && clock_type::now() - begin >= 5ms);
}

TEST(batcher_pop_with_a_time_limit_returns_pending_items) {
    queues::batcher<int> queue(counted_limits(100, 100));
    CHECK(queue.pop_batch_for(1ms).error() == conqueue_status::timeout);
    CHECK(queue.pop_batch_for(0ms).error() == conqueue_status::empty);
    CHECK(queue.pop_batch_for(-1ms).error() == conqueue_status::empty);
    CHECK(queue.pop_batch_until(std::chrono::system_clock::now()).error() ==
          conqueue_status::empty);
    CHECK(queue.push(1) && queue.push(2));
    CHECK(queue.try_pop_batch().error() == conqueue_status::empty);
    const auto begin = clock_type::now();
    CHECK(queue.pop_batch_for(2ms)->size() == 2 && clock_type::now() - begin >= 2ms);
    CHECK(queue.push(3));
    CHECK(queue.pop_batch_until(std::chrono::system_clock::now() + 2ms)->size() == 1);
    CHECK(queue.push(4) && queue.pop_batch_for(0s)->size() == 1);
    CHECK(queue.stats().failed_dequeue == 4);
}

TEST(batcher_batch_is_due_by_weight_and_after_flush) {
    batch_limits limits = counted_limits(10, 20);
    limits.weight = 100;
    queues::batcher<int> queue(limits);
    CHECK(queue.push(1, queues::weight(60)) && queue.push(2, queues::weight(39)));
    CHECK(queue.try_pop_batch().error() == conqueue_status::empty);
    CHECK(queue.push(3)); // weighs 1
    CHECK(*queue.try_pop_batch() == std::vector<int>({1, 2, 3}));
    CHECK(queue.push(4) && queue.push(5, queues::weight(500)) && queue.push(6));
    CHECK(*queue.try_pop_batch() == std::vector<int>({4}));
    CHECK(*queue.pop_batch() == std::vector<int>({5})); // heavier than a batch: alone in one
    CHECK(queue.try_pop_batch().error() == conqueue_status::empty);
    queue.flush();
    CHECK(*queue.try_pop_batch() == std::vector<int>({6}));
    CHECK(queue.push(7) && queue.try_pop_batch().error() == conqueue_status::empty);
    std::thread consumer([&] { CHECK(*queue.pop_batch() == std::vector<int>({7})); });
    queue.flush();
    consumer.join();
}

TEST(batcher_leftovers_are_destroyed_once) {
    {
        queues::batcher<counted> queue(counted_limits(4, 10));
        for (std::uint64_t i = 0; i < 6; i++)
            CHECK(queue.push(counted(i)));
        CHECK(queue.pop_batch()->size() == 4);
        CHECK(counted::alive == 2);
        CHECK(queue.clear() == 2 && counted::alive == 0);
        for (std::uint64_t i = 0; i < 5; i++)
            CHECK(queue.push(counted(i)));
        CHECK(counted::alive == 5);
    }
    CHECK(counted::alive == 0);
}

TEST(batcher_close_wakes_waiters) {
    queues::batcher<int> empty, full(counted_limits(1, 1));
    CHECK(full.push(1));
    std::thread consumer([&] { CHECK(!empty.pop_batch()); });
    std::thread producer([&] { CHECK(!full.push(2)); });
    std::this_thread::sleep_for(2ms);
    empty.close();
    full.close();
    consumer.join();
    producer.join();
}

TEST(batcher_every_item_once_and_in_order) {
    constexpr std::uint64_t each = 20000, producers = 3, consumers = 2;
    queues::batcher<std::uint64_t> queue(counted_limits(7, 20));
    std::vector<std::thread> threads;
    std::array<std::vector<std::atomic<int>>, producers> seen;
    for (std::uint64_t p = 0; p < producers; p++) {
        seen[p] = std::vector<std::atomic<int>>(each);
        threads.emplace_back([&, p] {
            for (std::uint64_t i = 0; i < each; i++)
                CHECK(queue.push(p << 32 | i));
        });
    }
    std::vector<std::thread> takers;
    for (std::uint64_t c = 0; c < consumers; c++)
        takers.emplace_back([&] {
            std::vector<std::uint64_t> batch;
            while (queue.pop_batch_into(batch) == conqueue_status::success) {
                CHECK(batch.size() == 7 || queue.is_closed());
                std::array<std::uint64_t, producers>
                    next{}; // a batch has consecutive items of a producer
                for (const auto item : batch) {
                    auto &expected = next[item >> 32];
                    const auto i = item & 0xFFFFFFFF;
                    CHECK(expected == 0 || i == expected);
                    expected = i + 1;
                    CHECK(seen[item >> 32][i]++ == 0);
                }
            }
        });
    for (auto &thread : threads)
        thread.join();
    queue.close();
    for (auto &thread : takers)
        thread.join();
    for (const auto &of : seen)
        for (const auto &times : of)
            CHECK(times == 1);
}

#ifdef __cpp_lib_jthread
TEST(batcher_stop_request_does_not_make_a_batch_due) {
    queues::batcher<int> queue(counted_limits(3, 3));
    std::stop_source stop;
    CHECK(queue.push(1, stop.get_token()) && queue.push(2, queues::weight(1), stop.get_token()));
    std::thread consumer([&] {
        CHECK(*queue.pop_batch(stop.get_token()) == std::vector<int>({1, 2, 3}));
        CHECK(!queue.pop_batch(stop.get_token()));
        CHECK(queue.size() == 1); // too few for a batch
    });
    std::this_thread::sleep_for(10ms);
    CHECK(queue.push(3));
    CHECK(queue.push(4));
    while (queue.size() != 1) // until the consumer has taken the batch
        std::this_thread::yield();
    std::this_thread::sleep_for(10ms);
    stop.request_stop();
    consumer.join();
    CHECK(queue.push(5) && queue.push(6));
    CHECK(!queue.pop_batch(stop.get_token()) && queue.size() == 3); // requested before the call
    CHECK(!queue.push(7, stop.get_token()));
    CHECK(queue.pop_batch(std::stop_token())->size() == 3); // a token without a source
    queue.close();
    CHECK(!queue.pop_batch(std::stop_source().get_token()));
}
#endif

TEST(batcher_bytes_of_a_batch_are_contiguous) {
    queues::batcher_bytes queue(5000, counted_limits(3, 6));
    CHECK(queue.item_size() == 5000 && queue.batch_size() == 3);
    const std::string whole(5000, 'x');
    queues::bytes_batch batch;
    CHECK(batch.size() == 0 && batch.empty() && batch.bytes().size() == 0);
    for (int turn = 0; turn < 3; turn++) {
        CHECK(queue.push("abc") && queue.push("", queues::weight(7)));
        CHECK(queue.try_pop_batch_into(batch) == conqueue_status::empty && batch.empty());
        CHECK(queue.try_push(std::vector<int>(2)) == conqueue_status::success);
        CHECK(queue.pop_batch_into(batch) == conqueue_status::success);
        CHECK(batch.size() == 3 && text(batch[0]) == "abc" && text(batch[1]).empty());
        CHECK(text(batch[2]) == std::string(2 * sizeof(int), '\0'));
        CHECK(text(batch.bytes()) == "abc" + std::string(2 * sizeof(int), '\0'));
        // More bytes than the buffer of the batch has.
        CHECK(queue.push(whole) && queue.push("y") && queue.push(whole));
        CHECK(queue.pop_batch_into(batch) == conqueue_status::success);
        CHECK(text(batch.bytes()) == whole + "y" + whole);
        std::size_t length = 0;
        for (const auto item : batch) {
            CHECK(item.data() == static_cast<const std::byte *>(batch.bytes().data()) + length);
            length += item.size();
        }
        CHECK(length == batch.bytes().size());
    }
    CHECK_THROWS(std::invalid_argument, queue.push(whole + "x"));
    CHECK(queue.push(whole));
    const auto moved = queue.pop_batch_for(1ms); // also when the first buffer is too small
    CHECK(moved && moved->size() == 1 && text((*moved)[0]) == whole);
    CHECK(queue.pop_batch_for(1ms).error() == conqueue_status::timeout);
    CHECK(queue.push("z"));
    queue.close();
    const auto last = queue.pop_batch();
    CHECK(last && last->size() == 1 && text(*last->begin()) == "z");
    CHECK(!queue.pop_batch() && queue.try_pop_batch().error() == conqueue_status::closed);
}

TEST(batcher_emplace_and_push_many) {
    queues::batcher<std::string> queue(counted_limits(2, 4));
    CHECK(queue.is_empty() && queue.emplace(3U, 'x') && !queue.is_empty());
    CHECK(queue.try_emplace(queues::weight(2), "one") == conqueue_status::success);
    const std::vector<std::string> many{"a", "b", "c"};
    auto pushed = queue.try_push_many(many.begin(), many.end());
    CHECK(pushed.count == 2 && pushed.status == conqueue_status::full);
    CHECK(queue.try_emplace("more") == conqueue_status::full);
    CHECK(queue.stats().failed_enqueue == 2);
    CHECK(*queue.pop_batch() == std::vector<std::string>({"xxx", "one"}));
    CHECK(*queue.pop_batch() == std::vector<std::string>({"a", "b"}));
    pushed = queue.push_many(many, queues::weight(3));
    CHECK(pushed.count == 3 && queue.pop_batch()->size() == 2);
    pushed = queue.push_many_for(many.begin(), many.end(), queues::weight(0), 1s);
    CHECK(pushed.count == 3 && queue.size() == 4 && queue.clear() == 4);
}

TEST(batcher_constructed_from_empty_braces) {
    queues::batcher<int> queue({});
    CHECK(queue.batch_size() == 32);
    queues::batcher_bytes bytes(8, {});
    CHECK(bytes.batch_size() == 32);
}

// The C call writes batches that are too large for the stack directly into the vector.
TEST(batcher_of_long_records) {
    struct long_record {
        char text[500];
    };
    queues::batcher<long_record> queue(counted_limits(20, 40));
    std::vector<long_record> batch;
    for (int i = 0; i < 25; ++i)
        CHECK(queue.push(long_record{{static_cast<char>('a' + i)}}));
    CHECK(queue.pop_batch_into(batch) == conqueue_status::success && batch.size() == 20);
    for (int i = 0; i < 20; ++i)
        CHECK(batch[static_cast<std::size_t>(i)].text[0] == 'a' + i);
    CHECK(queue.try_pop_batch_into(batch) == conqueue_status::empty && batch.empty());
    CHECK(queue.pop_batch_into_for(batch, 0ms) == conqueue_status::success && batch.size() == 5);
    CHECK(batch[4].text[0] == 'a' + 24);
}
